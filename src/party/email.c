#include "party/email.h"

enum { LABEL_MAX = 63, HOST_MAX = 253, SENDER_NAME_MAX = 100 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

struct str str_lower(struct str s, struct arena *arena)
{
    char *p = arena_bytes(arena, s.n);
    for (size_t i = 0; i < s.n; i++)
        p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    return str_n(p, s.n);
}

static bool is_label(struct str s)
{
    if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool is_host(struct str s)
{
    if (s.n == 0 || s.n > HOST_MAX || s.p[s.n - 1] == '.')
        return false;
    size_t labels = 0;
    for (struct str rest = s; rest.n > 0; labels++)
        if (!is_label(str_cut(&rest, '.')))
            return false;
    return labels >= 2;
}

enum rc host_parse(struct str text, struct arena *arena, struct str *ret, struct err *err)
{
    if (!is_host(text))
        return err_set(err, RC_INVALID,
                       "'%.*s' is no host name: wanted is one such as cloud.example.net",
                       (int)min_size(text.n, HOST_MAX), text.p ? text.p : "");
    *ret = str_lower(text, arena);
    return RC_OK;
}

static bool is_local(struct str s)
{
    if (s.n == 0 || s.n > EMAIL_LOCAL_MAX || s.p[0] == '.' || s.p[s.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool is_dot = s.p[i] == '.';
        if (is_dot && s.p[i - 1] == '.')
            return false;
        if (!is_dot && !is_alnum(s.p[i]) &&
            (s.p[i] == '\0' || strchr("!#$%&'*+-/=?^_`{|}~", s.p[i]) == NULL))
            return false;
    }
    return true;
}

enum rc email_parse(struct str text, struct arena *arena, struct str *ret, struct err *err)
{
    if (text.n > EMAIL_MAX)
        return err_set(err, RC_INVALID, "an e-mail address has at most %d characters", EMAIL_MAX);
    size_t at = str_find(text, '@', 0);
    struct str local = str_sub(text, 0, at);
    struct str host = str_sub(text, at + 1, text.n);
    if (at == text.n || !is_local(local) || !is_host(host))
        return err_set(err, RC_INVALID,
                       "'%.*s' is no e-mail address: wanted is one such as ada@example.net",
                       STRF(text));
    *ret = arena_fmt(arena, "%.*s@%.*s", STRF(local), STRF(str_lower(host, arena)));
    return RC_OK;
}

struct str email_key(struct str email, struct arena *arena)
{
    return str_lower(email, arena);
}

/* What may stand in front of <address> without quotes, in any mail program: no specials of RFC
 * 5322, and no line end, that nobody adds a header of their own. */
static bool is_sender_name(struct str s)
{
    if (s.n == 0 || s.n > SENDER_NAME_MAX || !str_is_utf8(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7F || strchr("()<>[]:;@\\,\"", c) != NULL)
            return false;
    }
    return true;
}

enum rc email_parse_sender(struct str text, struct arena *arena, struct str *ret, struct err *err)
{
    size_t open = str_find(text, '<', 0);
    if (open == text.n)
        return email_parse(text, arena, ret, err);
    struct str name = str_trim(str_sub(text, 0, open));
    if (!str_ends(text, STR(">")) || !is_sender_name(name))
        return err_set(err, RC_INVALID,
                       "a sender is written as Name <address>, without quotes and commas");
    struct str address;
    TRY(email_parse(str_sub(text, open + 1, text.n - 1), arena, &address, err));
    *ret = arena_fmt(arena, "%.*s <%.*s>", STRF(name), STRF(address));
    return RC_OK;
}
