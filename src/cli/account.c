/*
 * account.c - come in and go out: login, setup with an invitation link, logout, and the profiles.
 */
#include "cli/body.h"
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/peek.h"
#include "cli/prompt.h"
#include "cli/show.h"
#include "cli/signin.h"
#include "cli/table.h"
#include "cli/text.h"

enum { JSON_BYTES_MAX = 64 * 1024, EXTRA_FIELDS_MAX = 8 };

/* --- login --- */

/* The server that login means: the one named, that of the profile named, else the usual one. */
static enum rc choose_server(struct run *run, struct server *ret)
{
    struct server s = {.run = run};
    struct profiles all = {0};
    TRY(profiles_read(run->cli, run->arena, &all, run->err));
    struct str name = args_get(&run->args, "profile");
    if (name.n == 0)
        name = cli_env(run->cli, "HANSE_PROFILE");
    const struct profile *known = profiles_find(&all, name.n > 0 ? name : all.current);
    struct str url = run->args.word_count > 0 ? run->args.words[0] : args_get(&run->args, "server");
    if (url.n == 0)
        url = cli_env(run->cli, "HANSE_URL");
    if (url.n == 0)
        url = known != NULL ? known->url : STR(CLI_URL_DEFAULT);
    TRY(server_url(url, run->arena, &s.url, run->err));
    *ret = s;
    return signin_check_way(&s);
}

static enum rc ask_password(struct run *run, struct str file, struct str *ret)
{
    if (file.n > 0)
        return prompt_secret_file(run->cli, file, run->arena, ret, run->err);
    return prompt_secret(run->cli, "Password", run->arena, ret, run->err);
}

enum rc builtin_login(struct run *run)
{
    struct server s = {0};
    TRY(choose_server(run, &s));
    struct str name = STR("");
    TRY(signin_name(&s, &name));
    struct credentials c = {.email = args_get(&run->args, "email"),
                            .code = args_get(&run->args, "code")};
    if (run->cli->in_terminal)
        fprintf(run->cli->err, "Logging in to %.*s\n", STRF(s.url));
    struct profiles all = {0};
    TRY(profiles_read(run->cli, run->arena, &all, run->err));
    const struct profile *known = profiles_find(&all, name);
    struct str offer = known != NULL && str_eq(known->url, s.url) ? known->user : STR("");
    if (c.email.n == 0)
        TRY(prompt_line(run->cli, "E-mail", offer, run->arena, &c.email, run->err));
    TRY(ask_password(run, args_get(&run->args, "password-file"), &c.password));
    return signin(&s, &c, name);
}

/* --- setup --- */

/* "https://cloud.example.net/invite/TOKEN" */
static enum rc split_link(struct run *run, struct str link, struct server *s, struct str *ret_token)
{
    static const char mark[] = "/invite/";
    size_t at = 0;
    while (at < link.n && !str_starts(str_sub(link, at, link.n), str_c(mark)))
        at++;
    if (at == link.n || link.n - at <= sizeof(mark) - 1)
        return err_set(run->err, RC_SYNTAX,
                       "that is no invitation link: it looks like https://HOST/invite/...");
    TRY(server_url(str_sub(link, 0, at), run->arena, &s->url, run->err));
    *ret_token = str_sub(link, at + sizeof(mark) - 1, link.n);
    return signin_check_way(s);
}

static enum rc open_invitation(const struct server *s, struct str token, const struct json **ret)
{
    struct run *run = s->run;
    struct buf b;
    buf_init(&b, run->arena, JSON_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "token", token);
    json_end_object(&w);
    struct ask ask = {.method = HTTP_POST,
                      .path = str_c(routes[ROUTE_invitation_open].path),
                      .body = buf_str(&b),
                      .anonymous = true};
    TRY(body_check(routes[ROUTE_invitation_open].body, false, ask.body, run->arena, run->err));
    return server_json(s, &ask, ret);
}

/* "Olga of Nord invites you to act for it as reader, until 2026-12-06 03:19:11 UTC." */
static void show_offer(struct run *run, const struct json *view)
{
    FILE *out = run->cli->out;
    const struct json *joins = peek(view, "joins");
    bool founds = joins != NULL && json_type(joins) == JSON_FALSE;
    struct str party = text_plain(run->arena, peek_text(view, "party_name"));
    struct str inviter = text_plain(run->arena, peek_text(view, "inviter_name"));
    struct str role = text_plain(run->arena, peek_text(view, "role"));
    struct str message = text_plain(run->arena, peek_text(view, "message"));
    struct str ends = show_time(run->arena, peek_text(view, "ends"));
    if (inviter.n > 0)
        fprintf(out, "%.*s of ", STRF(inviter));
    if (founds)
        fprintf(out, "%.*s invites you to join with a party of your own", STRF(party));
    else
        fprintf(out, "%.*s invites you to act for it as %.*s", STRF(party), STRF(role));
    if (ends.n > 0)
        fprintf(out, ", until %.*s UTC", STRF(ends));
    fprintf(out, ".\n");
    if (message.n > 0)
        fprintf(out, "\n  %.*s\n", STRF(message));
    fprintf(out, "\n");
    (void)fflush(out); /* before the questions; looked at again at the end */
}

static struct str assigned(const struct assigns *a, const char *path)
{
    for (size_t i = 0; i < a->count; i++)
        if (str_eq(a->items[i].path, str_c(path)))
            return a->items[i].value;
    return STR("");
}

static enum rc ask_for(struct run *run, struct assigns *a, const char *path, const char *question,
                       struct str offer)
{
    if (body_has(a, path))
        return RC_OK;
    struct str value = STR("");
    TRY(prompt_line(run->cli, question, text_plain(run->arena, offer), run->arena, &value,
                    run->err));
    body_add(a, path, value);
    return RC_OK;
}

/* What a party that is founded cannot do without, where the invitation does not bring it. */
static enum rc fill_in_party(struct run *run, const struct json *view, struct assigns *a)
{
    const struct json *joins = peek(view, "joins");
    const struct json *prefill = peek(view, "prefill");
    const struct json *address = peek(prefill, "address");
    if (joins == NULL || json_type(joins) != JSON_FALSE)
        return RC_OK;
    if (peek_text(prefill, "name").n == 0)
        TRY(ask_for(run, a, "party.name", "Name of your company (or your own)", STR("")));
    if (peek_text(address, "country").n == 0)
        TRY(ask_for(run, a, "party.address.country", "Country (two letters, such as FR)", STR("")));
    return RC_OK;
}

/* Ask for what the flags left open. */
static enum rc fill_in(struct run *run, const struct json *view, struct assigns *a)
{
    TRY(ask_for(run, a, "name", "Your name", STR("")));
    TRY(ask_for(run, a, "email", "E-mail", peek_text(view, "email")));
    TRY(fill_in_party(run, view, a));
    if (!body_has(a, "password")) {
        struct str value = STR("");
        TRY(prompt_new_secret(run->cli, "Choose a password (12 characters or more)", run->arena,
                              &value, run->err));
        body_add(a, "password", value);
    }
    return RC_OK;
}

enum rc builtin_setup(struct run *run)
{
    struct server s = {.run = run};
    struct str link = run->args.word_count > 0 ? run->args.words[0] : STR("");
    if (link.n == 0)
        TRY(prompt_line(run->cli, "Invitation link", STR(""), run->arena, &link, run->err));
    struct str token = STR("");
    TRY(split_link(run, link, &s, &token));
    struct str name = STR("");
    TRY(signin_name(&s, &name));

    const struct json *view = NULL;
    TRY(open_invitation(&s, token, &view));
    if (view == NULL)
        return err_set(run->err, RC_REMOTE, "the server answered nothing about the invitation");
    bool json = args_has(&run->args, "json");
    if (!json)
        show_offer(run, view);

    struct assigns a = {0};
    const struct route *accept = &routes[ROUTE_invitation_accept];
    TRY(body_collect(run, EXTRA_FIELDS_MAX, &a));
    TRY(fill_in(run, view, &a));
    body_add(&a, "token", token);
    struct ask ask = {.method = HTTP_POST, .path = str_c(accept->path), .anonymous = true};
    TRY(body_write(accept->body, &a, run->arena, &ask.body, run->err));
    TRY(body_check(accept->body, false, ask.body, run->arena, run->err));
    struct wire_reply reply = {0};
    TRY(server_call(&s, &ask, &reply));
    if (json)
        TRY(errand_show(run, accept, reply.body));

    struct credentials c = {.email = assigned(&a, "email"), .password = assigned(&a, "password")};
    return signin(&s, &c, name);
}

/* --- logout and profiles --- */

enum rc builtin_logout(struct run *run)
{
    struct server s = {0};
    TRY(server_open(run, &s));
    if (s.profile.name.n == 0)
        return err_set(run->err, RC_UNAUTHENTICATED, "you are not logged in to %.*s", STRF(s.url));
    s.token = s.profile.token;
    struct ask ask = {.method = HTTP_DELETE,
                      .path = arena_fmt(run->arena, "%s/%.*s", routes[ROUTE_token_create].path,
                                        STRF(s.profile.token_id))};
    struct wire_reply reply = {0};
    enum rc rc = server_call(&s, &ask, &reply);
    bool gone = rc == RC_OK || rc == RC_UNAUTHENTICATED || rc == RC_NOT_FOUND;
    if (!gone && !args_has(&run->args, "forget")) {
        err_add(run->err, "the token is still valid, so it was kept (--forget drops it)");
        return rc_failed(rc);
    }
    run->more = STR("");
    TRY(profiles_remove(run->cli, run->arena, s.profile.name, run->err));
    fprintf(run->cli->out, "logged out of %.*s%s\n", STRF(s.url),
            gone ? "" : "; the server could not be told, so the token stays valid until it ends");
    return RC_OK;
}

/* With --json only what is not secret. */
static void list_json(struct run *run, const struct profiles *all)
{
    struct buf b;
    buf_init(&b, run->arena, PROFILES_FILE_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_array(&w);
    const struct profile *items = all->list.items;
    for (size_t i = 0; i < all->list.count; i++) {
        char ends[TIME_TEXT_MAX];
        json_begin_object(&w);
        body_put(&w, "name", items[i].name);
        body_put(&w, "url", items[i].url);
        body_put(&w, "user", items[i].user);
        body_put(&w, "ends", str_n(ends, time_format(items[i].ends, ends)));
        json_put_key(&w, STR("current"));
        json_put_bool(&w, str_eq(items[i].name, all->current));
        json_end_object(&w);
    }
    json_end_array(&w);
    show_str(run->cli->out, buf_str(&b));
    show_str(run->cli->out, STR("\n"));
}

static void print_profiles(struct run *run, const struct profiles *all)
{
    struct table t = {.columns = {{.head = STR("")},
                                  {.head = STR("NAME"), .whole = true},
                                  {.head = STR("SERVER")},
                                  {.head = STR("USER")},
                                  {.head = STR("UNTIL (UTC)"), .whole = true}},
                      .column_count = 5,
                      .row_count = all->list.count};
    t.cells = NEW_N(run->arena, struct str, t.column_count * t.row_count);
    const struct profile *items = all->list.items;
    for (size_t i = 0; i < all->list.count; i++) {
        char ends[TIME_TEXT_MAX];
        size_t n = time_format(items[i].ends, ends);
        struct str *row = &t.cells[i * t.column_count];
        row[0] = str_eq(items[i].name, all->current) ? STR("*") : STR("");
        row[1] = items[i].name;
        row[2] = text_plain(run->arena, items[i].url);
        row[3] = text_plain(run->arena, items[i].user);
        row[4] = show_time(run->arena, str_n(ends, n));
    }
    if (!table_fit(&t, run->cli->out_terminal ? run->cli->columns : 0))
        (void)table_fit(&t, 0); /* the terminal will wrap it */
    table_print(&t, run->arena, run->cli->out, show_colours(run->cli));
}

enum rc builtin_profile_list(struct run *run)
{
    struct profiles all = {0};
    TRY(profiles_read(run->cli, run->arena, &all, run->err));
    if (args_has(&run->args, "json")) {
        list_json(run, &all);
        return RC_OK;
    }
    if (all.list.count == 0) {
        show_str(run->cli->out, STR("no profiles yet; make one with: hanse login URL\n"));
        return RC_OK;
    }
    print_profiles(run, &all);
    return RC_OK;
}

static struct str first_word(const struct run *run)
{
    return run->args.word_count > 0 ? run->args.words[0] : STR("");
}

enum rc builtin_profile_use(struct run *run)
{
    return profiles_use(run->cli, run->arena, first_word(run), run->err);
}

enum rc builtin_profile_remove(struct run *run)
{
    return profiles_remove(run->cli, run->arena, first_word(run), run->err);
}
