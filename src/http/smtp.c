#include "http/curl.h"
#include "http/mail.h"

/* What curl reads the message from. */
struct source {
    struct str left;
};

static size_t on_read(char *room, size_t size, size_t count, void *arg)
{
    struct source *s = arg;
    size_t n = min_size(size * count, s->left.n);
    memcpy(room, s->left.p, n);
    s->left = str_sub(s->left, n, s->left.n);
    return n;
}

static bool is_on_this_machine(struct str url)
{
    size_t slashes = str_find(url, '/', 0) + 2;
    struct str host = str_sub(url, slashes, url.n);
    return str_starts(host, STR("127.0.0.1")) || str_starts(host, STR("[::1]")) ||
           str_starts(host, STR("localhost"));
}

static void set_options(CURL *curl, const struct wire_mail *mail, struct arena *arena)
{
    curl_easy_setopt(curl, CURLOPT_URL, arena_cstr(arena, mail->url));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(CURL_TIMEOUT_US / US_PER_MS));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CURL_CONNECT_MS_MAX);
    if (mail->user.n > 0) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, arena_cstr(arena, mail->user));
        curl_easy_setopt(curl, CURLOPT_PASSWORD, arena_cstr(arena, mail->password));
    }
    /* A password never crosses a network in the clear. */
    bool need_tls = mail->user.n > 0 && !is_on_this_machine(mail->url);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(need_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
}

enum rc smtp_mail(struct wire *w, const struct wire_mail *mail, struct arena *arena,
                  struct err *err)
{
    if (!str_starts(mail->url, STR("smtp://")) && !str_starts(mail->url, STR("smtps://")))
        return err_set(err, RC_INVALID, "'%.*s' is not smtp://HOST:25 or smtps://HOST:465",
                       STRF(mail->url));
    for (size_t i = 0; i < mail->url.n; i++)
        if (mail->url.p[i] <= ' ' || mail->url.p[i] >= 0x7F)
            return err_set(err, RC_INVALID, "the mail server's address has a space");
    struct source source = {{NULL, 0}};
    struct mail_address from;
    struct mail_address to;
    TRY(mail_parse_address(mail->from, &from, err));
    TRY(mail_parse_address(mail->to, &to, err));
    TRY(mail_compose(mail, clock_now(clock_system()), arena, &source.left, err));

    CURL *curl = curl_take(w);
    char detail[CURL_ERROR_SIZE] = "";
    set_options(curl, mail, arena);
    struct curl_slist *receivers =
        curl_slist_append(NULL, arena_fmt(arena, "<%.*s>", STRF(to.mailbox)).p);
    ASSERT(receivers != NULL);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, arena_fmt(arena, "<%.*s>", STRF(from.mailbox)).p);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, receivers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, &source);
    CURLcode code = curl_run(curl);
    long status = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, (struct curl_slist *)NULL);
    curl_slist_free_all(receivers);
    curl_give_back(w, curl);
    if (code == CURLE_OK)
        return RC_OK;
    if (code == CURLE_LOGIN_DENIED)
        return err_set(err, RC_UNAVAILABLE, "the mail server refused our login");
    /* RFC 5321, 4.2.1: 5yz stays wrong however often it is sent. */
    if (status >= 500 && status <= 599)
        return err_set(err, RC_INVALID, "the mail server refused the mail to '%.*s' (%ld)",
                       STRF(to.mailbox), status);
    return curl_fail(code, detail, mail->url, err);
}
