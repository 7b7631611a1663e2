/*
 * pico.c - work with the picos of an engine, over its developers' listener.
 *
 * Which engine: --engine, else HANSE_ENGINE_URL, else the one that "make run" starts. Its token,
 * where it wants one, is in the file that HANSE_ENGINE_TOKEN_FILE names; that of the engine to
 * which a pico moves in the file that HANSE_ENGINE_TO_TOKEN_FILE names. A pico is named by its id,
 * by its name where only one has it, or "root".
 */
#include "base/conf.h"
#include "cli/builtin.h"
#include "cli/peek.h"
#include "cli/server.h"
#include "cli/show.h"
#include "cli/text.h"

#include <errno.h>

enum {
    PICOS_MAX = 20000, /* that are listed, or looked through for a name */
    PAGE = 1000,
    TREE_DEPTH_MAX = 32,
    FILE_BYTES_MAX = 32 * 1024 * 1024,
    BODY_BYTES_MAX = 8 * 1024 * 1024,
    PATH_BYTES_MAX = 8 * 1024,
};

#define ENGINE_URL  "http://127.0.0.1:8431"
#define TIMEOUT_US  (60 * US_PER_SECOND)
#define EXPORT_TYPE "application/gzip"

/* --- one call --- */

struct call {
    const char *method;
    struct str path;
    struct str body;
    const char *type; /* NULL: JSON */
    struct str to;    /* the engine that is asked; empty: the one that is named by a flag */
};

static enum rc engine_url(struct run *run, struct str *ret)
{
    struct str typed = args_get(&run->args, "engine");
    if (typed.n == 0)
        typed = cli_env(run->cli, "HANSE_ENGINE_URL");
    if (typed.n == 0)
        typed = STR(ENGINE_URL);
    return server_url(typed, run->arena, ret, run->err);
}

/* What the engine says is wrong, as our error. */
static enum rc refused(struct run *run, const struct wire_reply *reply)
{
    struct err ignored = {0};
    const struct json *problem = NULL;
    enum rc rc = rc_from_http(reply->status);
    struct str detail = STR("");
    if (json_parse(reply->body, run->arena, &problem, &ignored) == RC_OK)
        detail = peek_text(problem, "detail");
    if (detail.n == 0)
        detail = arena_fmt(run->arena, "the engine answers with status %d", reply->status);
    return err_set(run->err, rc == RC_OK ? RC_REMOTE : rc, "%.*s",
                   STRF(text_plain(run->arena, detail)));
}

static enum rc call(struct run *run, const struct call *c, struct str *ret)
{
    struct str url = STR("");
    struct str token = STR("");
    struct pair headers[4] = {{STR("User-Agent"), STR("hanse/" HANSE_VERSION)}};
    struct wire_reply reply = {.status = 0};
    bool other = c->to.n > 0;
    struct str file =
        cli_env(run->cli, other ? "HANSE_ENGINE_TO_TOKEN_FILE" : "HANSE_ENGINE_TOKEN_FILE");
    size_t n = 1;
    TRY(other ? server_url(c->to, run->arena, &url, run->err) : engine_url(run, &url));
    if (file.n > 0)
        TRY(conf_secret(arena_cstr(run->arena, file), run->arena, &token, run->err));
    if (token.n > 0)
        headers[n++] =
            (struct pair){STR("Authorization"), arena_fmt(run->arena, "Bearer %.*s", STRF(token))};
    if (c->body.n > 0)
        headers[n++] = (struct pair){STR("Content-Type"),
                                     str_c(c->type == NULL ? "application/json" : c->type)};
    struct wire_request request = {
        .method = str_c(c->method),
        .url = arena_fmt(run->arena, "%.*s%.*s", STRF(url), STRF(c->path)),
        .headers = headers,
        .header_count = n,
        .body = c->body,
        .timeout_us = TIMEOUT_US,
        .reply_bytes_max = FILE_BYTES_MAX,
    };
    enum rc rc = wire_call(run->cli->wire, &request, run->arena, &reply, run->err);
    if (rc == RC_UNAVAILABLE)
        return err_set(run->err, rc, "no pico engine answers at %.*s", STRF(url));
    TRY(rc);
    if (reply.status >= 300)
        return refused(run, &reply);
    *ret = reply.body;
    return RC_OK;
}

static enum rc call_json(struct run *run, const struct call *c, const struct json **ret)
{
    struct str body = STR("");
    TRY(call(run, c, &body));
    if (json_parse(body, run->arena, ret, run->err) != RC_OK)
        return err_set(run->err, RC_REMOTE, "the engine answers with what is no JSON");
    return RC_OK;
}

/* "/v1/picos/ID" and the other parts, encoded. */
static struct str path_of(struct run *run, struct str id, const char *below, struct str first,
                          struct str second)
{
    struct buf b;
    buf_init(&b, run->arena, PATH_BYTES_MAX);
    buf_add(&b, STR("/v1/picos/"));
    server_encode(&b, id);
    buf_add(&b, str_c(below));
    if (first.n > 0) {
        server_encode(&b, first);
        buf_add_char(&b, '/');
        server_encode(&b, second);
    }
    return buf_str(&b);
}

/* --- which picos --- */

struct node {
    struct str id;
    struct str name;
    struct str parent;
};

struct forest {
    struct node *nodes;
    size_t n;
    bool more;
};

static enum rc read_page(struct run *run, struct forest *f, struct str *after)
{
    const struct json *page = NULL;
    struct call c = {.method = "GET"};
    c.path = arena_fmt(run->arena, "/v1/picos?limit=%d&after=%.*s", PAGE, STRF(*after));
    TRY(call_json(run, &c, &page));
    const struct json *items = peek_array(page, "items");
    for (const struct json *i = items == NULL ? NULL : json_first(items);
         i != NULL && f->n < PICOS_MAX; i = json_next(items, i))
        f->nodes[f->n++] = (struct node){.id = text_plain(run->arena, peek_text(i, "id")),
                                         .name = text_plain(run->arena, peek_text(i, "name")),
                                         .parent = peek_text(i, "parent")};
    *after = peek_text(page, "next");
    return RC_OK;
}

static enum rc read_forest(struct run *run, struct forest *ret)
{
    struct forest f = {.nodes = NEW_N(run->arena, struct node, PICOS_MAX)};
    struct str after = STR("");
    do
        TRY(read_page(run, &f, &after));
    while (after.n > 0 && f.n < PICOS_MAX);
    f.more = after.n > 0;
    *ret = f;
    return RC_OK;
}

/* The id of the pico that a word names. */
static enum rc find_pico(struct run *run, struct str word, struct str *ret)
{
    struct forest f;
    size_t found = 0;
    TRY(read_forest(run, &f));
    for (size_t i = 0; i < f.n; i++) {
        bool root = f.nodes[i].parent.n == 0 && str_eq(word, STR("root"));
        if (str_eq(f.nodes[i].id, word) || root) {
            *ret = f.nodes[i].id;
            return RC_OK;
        }
    }
    for (size_t i = 0; i < f.n; i++)
        if (str_eq(f.nodes[i].name, word)) {
            *ret = f.nodes[i].id;
            found++;
        }
    if (found == 1)
        return RC_OK;
    *ret = word;
    if (found == 0 && f.more)
        return RC_OK; /* it may be the id of one that was not listed */
    return err_set(run->err, found == 0 ? RC_NOT_FOUND : RC_CONFLICT,
                   found == 0 ? "there is no pico '%.*s'" : "several picos are called '%.*s'",
                   STRF(word));
}

/* Recursion: TREE_DEPTH_MAX levels; what lies below is counted only. */
static void print_below(struct run *run, const struct forest *f, struct str parent, int depth)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct node *n = &f->nodes[i];
        if (!str_eq(n->parent, parent))
            continue;
        struct str name = n->name.n > 0 ? n->name : parent.n == 0 ? STR("root") : STR("-");
        fprintf(run->cli->out, "%*s%.*s  %.*s\n", 2 * depth, "", STRF(name), STRF(n->id));
        if (depth < TREE_DEPTH_MAX)
            print_below(run, f, n->id, depth + 1);
    }
}

enum rc builtin_pico_list(struct run *run)
{
    struct forest f;
    TRY(read_forest(run, &f));
    print_below(run, &f, STR(""), 0);
    if (f.more)
        fprintf(run->cli->err, "only the first %d picos are shown\n", PICOS_MAX);
    return RC_OK;
}

/* --- words --- */

static struct str word(const struct run *run, size_t i)
{
    return i < run->args.word_count ? run->args.words[i] : STR("");
}

static enum rc want_words(struct run *run, size_t n)
{
    if (run->args.word_count < n)
        return err_set(run->err, RC_SYNTAX, "words are missing; usage: hanse %s %.*s",
                       run->command->words, STRF(command_synopsis(run->command, run->arena)));
    return RC_OK;
}

static enum rc print_json(struct run *run, struct str body)
{
    const struct json *value = NULL;
    TRY(json_parse(body, run->arena, &value, run->err));
    show_str(run->cli->out, body);
    fputc('\n', run->cli->out);
    return RC_OK;
}

/* A JSON object typed as the i-th word; nothing is {}. */
static enum rc object_word(struct run *run, size_t i, struct str *ret)
{
    const struct json *value = NULL;
    struct str text = word(run, i);
    if (text.n == 0)
        text = STR("{}");
    enum rc rc = json_parse(text, run->arena, &value, run->err);
    if (rc == RC_OK && json_type(value) != JSON_OBJECT)
        rc = err_set(run->err, RC_SYNTAX, "a JSON object is wanted: '{\"name\": \"value\"}'");
    if (rc == RC_OK)
        *ret = text;
    return rc;
}

static enum rc read_file(struct run *run, const char *path, struct str *ret)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(run->err, errno == ENOENT ? RC_NOT_FOUND : RC_FORBIDDEN,
                       "'%s' cannot be opened: %s", path, strerror(errno));
    char *bytes = malloc(FILE_BYTES_MAX);
    ASSERT(bytes != NULL);
    size_t n = fread(bytes, 1, FILE_BYTES_MAX, file);
    int wrong = ferror(file) != 0 ? errno : 0;
    (void)fclose(file); /* only read */
    enum rc rc = RC_OK;
    if (wrong != 0)
        rc = err_set(run->err, RC_FORBIDDEN, "'%s' cannot be read: %s", path, strerror(wrong));
    else if (n == FILE_BYTES_MAX)
        rc = err_set(run->err, RC_TOO_LARGE, "'%s' has more than %d bytes", path,
                     FILE_BYTES_MAX - 1);
    else
        *ret = arena_str(run->arena, str_n(bytes, n));
    free(bytes);
    return rc;
}

/* --- commands --- */

enum rc builtin_pico_new(struct run *run)
{
    const struct json *child = NULL;
    struct str parent = STR("");
    struct buf b;
    struct json_writer w;
    TRY(want_words(run, 1));
    TRY(find_pico(run, run->args.word_count > 1 ? word(run, 1) : STR("root"), &parent));
    buf_init(&b, run->arena, BODY_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("name"));
    json_put_str(&w, word(run, 0));
    json_end_object(&w);
    struct call c = {.method = "POST", .body = buf_str(&b)};
    c.path = path_of(run, parent, "/children", STR(""), STR(""));
    TRY(call_json(run, &c, &child));
    fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, peek_text(child, "id"))));
    return RC_OK;
}

enum rc builtin_pico_delete(struct run *run)
{
    struct call c = {.method = "DELETE"};
    struct str id = STR("");
    struct str body = STR("");
    TRY(want_words(run, 1));
    TRY(find_pico(run, word(run, 0), &id));
    c.path = path_of(run, id, "", STR(""), STR(""));
    return call(run, &c, &body);
}

/* {"url", "source"}: a file is known by its name. */
static enum rc install_body(struct run *run, struct str what, struct str *ret)
{
    struct buf b;
    struct json_writer w;
    struct str source = STR("");
    bool url = str_has(what, STR("://"));
    if (!url)
        TRY(read_file(run, arena_cstr(run->arena, what), &source));
    if (!url && (source.n == 0 || !str_is_utf8(source)))
        return err_set(run->err, RC_SYNTAX,
                       source.n == 0 ? "'%.*s' is empty" : "'%.*s' is not UTF-8", STRF(what));
    struct str name = what;
    while (!url && str_find(name, '/', 0) < name.n)
        (void)str_cut(&name, '/');
    buf_init(&b, run->arena, BODY_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("url"));
    json_put_str(&w, url ? what : arena_fmt(run->arena, "hanse:///files/%.*s", STRF(name)));
    if (!url) {
        json_put_key(&w, STR("source"));
        json_put_str(&w, source);
    }
    json_end_object(&w);
    if (b.full)
        return err_set(run->err, RC_TOO_LARGE, "the ruleset is too large");
    *ret = buf_str(&b);
    return RC_OK;
}

enum rc builtin_pico_install(struct run *run)
{
    const struct json *answer = NULL;
    struct call c = {.method = "POST"};
    struct str id = STR("");
    TRY(want_words(run, 2));
    TRY(find_pico(run, word(run, 0), &id));
    TRY(install_body(run, word(run, 1), &c.body));
    c.path = path_of(run, id, "/rulesets", STR(""), STR(""));
    TRY(call_json(run, &c, &answer));
    fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, peek_text(answer, "rid"))));
    return RC_OK;
}

/* PICO A:B [JSON], or PICO A/B [JSON]. */
static enum rc ask_pico(struct run *run, char mark, const char *below)
{
    struct call c = {.method = "POST"};
    struct str id = STR("");
    struct str answer = STR("");
    struct str second = word(run, 1);
    TRY(want_words(run, 2));
    struct str first = str_cut(&second, mark);
    if (first.n == 0 || second.n == 0)
        return err_set(run->err, RC_SYNTAX, "say %s, not '%.*s'",
                       mark == ':' ? "DOMAIN:NAME" : "RID/NAME", STRF(word(run, 1)));
    TRY(object_word(run, 2, &c.body));
    TRY(find_pico(run, word(run, 0), &id));
    c.path = path_of(run, id, below, first, second);
    TRY(call(run, &c, &answer));
    return print_json(run, answer);
}

enum rc builtin_pico_send(struct run *run)
{
    return ask_pico(run, ':', "/events/");
}

enum rc builtin_pico_query(struct run *run)
{
    return ask_pico(run, '/', "/queries/");
}

enum rc builtin_pico_channel(struct run *run)
{
    const struct json *channel = NULL;
    struct str id = STR("");
    struct buf b;
    struct json_writer w;
    TRY(want_words(run, 2));
    TRY(find_pico(run, word(run, 0), &id));
    buf_init(&b, run->arena, BODY_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("tags"));
    json_begin_array(&w);
    for (size_t i = 1; i < run->args.word_count; i++)
        json_put_str(&w, run->args.words[i]);
    json_end_array(&w);
    json_end_object(&w);
    struct call c = {.method = "POST", .body = buf_str(&b)};
    c.path = path_of(run, id, "/channels", STR(""), STR(""));
    TRY(call_json(run, &c, &channel));
    fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, peek_text(channel, "id"))));
    return RC_OK;
}

/* The levels of the official engine's log. */
static const char *level_word(const struct json *entry)
{
    static const char *const words[] = {"-", "error", "warn", "info", "klog", "debug"};
    const struct json *level = peek(entry, "level");
    int64_t number = 0;
    if (level == NULL || !json_i64(level, &number) || number < 0)
        return words[0];
    size_t i = (size_t)number / 10;
    return i < COUNT(words) ? words[i] : words[0];
}

static void print_entry(struct run *run, const struct json *entry)
{
    const struct json *value = peek(entry, "val");
    fprintf(run->cli->out, "  %.*s %-5s %.*s",
            STRF(show_time(run->arena, peek_text(entry, "time"))), level_word(entry),
            STRF(text_plain(run->arena, peek_text(entry, "msg"))));
    if (value != NULL)
        fprintf(run->cli->out, " %.*s", STRF(show_value(run->arena, NULL, value)));
    fputc('\n', run->cli->out);
}

enum rc builtin_pico_log(struct run *run)
{
    const struct json *groups = NULL;
    struct call c = {.method = "GET"};
    struct str id = STR("");
    TRY(want_words(run, 1));
    TRY(find_pico(run, word(run, 0), &id));
    c.path = path_of(run, id, "/logs", STR(""), STR(""));
    TRY(call_json(run, &c, &groups));
    if (json_type(groups) != JSON_ARRAY)
        return err_set(run->err, RC_REMOTE, "the engine answers with no list");
    for (const struct json *g = json_first(groups); g != NULL; g = json_next(groups, g)) {
        const struct json *entries = peek_array(g, "entries");
        fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, peek_text(g, "header"))));
        for (const struct json *e = entries == NULL ? NULL : json_first(entries); e != NULL;
             e = json_next(entries, e))
            print_entry(run, e);
    }
    return RC_OK;
}

static enum rc set_suspension(struct run *run, const char *method)
{
    struct call c = {.method = method};
    struct str id = STR("");
    struct str answer = STR("");
    TRY(want_words(run, 1));
    TRY(find_pico(run, word(run, 0), &id));
    c.path = path_of(run, id, "/suspension", STR(""), STR(""));
    return call(run, &c, &answer);
}

enum rc builtin_pico_suspend(struct run *run)
{
    return set_suspension(run, "POST");
}

enum rc builtin_pico_resume(struct run *run)
{
    return set_suspension(run, "DELETE");
}

enum rc builtin_pico_asides(struct run *run)
{
    const struct json *answer = NULL;
    struct call c = {.method = "GET"};
    struct str id = STR("");
    TRY(want_words(run, 1));
    TRY(find_pico(run, word(run, 0), &id));
    c.path = path_of(run, id, "/asides", STR(""), STR(""));
    TRY(call_json(run, &c, &answer));
    const struct json *items = peek_array(answer, "items");
    if (items == NULL)
        return err_set(run->err, RC_REMOTE, "the engine answers with no list");
    for (const struct json *i = json_first(items); i != NULL; i = json_next(items, i)) {
        int64_t no = 0;
        const struct json *number = peek(i, "no");
        if (number == NULL || !json_i64(number, &no))
            return err_set(run->err, RC_REMOTE, "the engine answers with no number");
        fprintf(run->cli->out, "%lld  %.*s  %.*s/%.*s %.*s\n", (long long)no,
                STRF(show_time(run->arena, peek_text(i, "since"))),
                STRF(text_plain(run->arena, peek_text(i, "domain"))),
                STRF(text_plain(run->arena, peek_text(i, "name"))),
                STRF(text_plain(run->arena, peek_text(i, "attrs"))));
    }
    return RC_OK;
}

static enum rc end_aside(struct run *run, const char *method)
{
    struct call c = {.method = method};
    struct str id = STR("");
    struct str answer = STR("");
    int64_t no = 0;
    TRY(want_words(run, 2));
    if (!str_to_i64(word(run, 1), 1, INT64_MAX, &no))
        return err_set(run->err, RC_INVALID, "an event is named by its number: hanse pico asides");
    TRY(find_pico(run, word(run, 0), &id));
    c.path = path_of(run, id, "/asides/", word(run, 1), STR(""));
    return call(run, &c, &answer);
}

enum rc builtin_pico_again(struct run *run)
{
    return end_aside(run, "POST");
}

enum rc builtin_pico_forget(struct run *run)
{
    return end_aside(run, "DELETE");
}

enum rc builtin_pico_export(struct run *run)
{
    struct call c = {.method = "GET"};
    struct str id = STR("");
    struct str file = STR("");
    TRY(want_words(run, 2));
    TRY(find_pico(run, word(run, 0), &id));
    c.path = path_of(run, id, "/export", STR(""), STR(""));
    TRY(call(run, &c, &file));
    const char *path = arena_cstr(run->arena, word(run, 1));
    FILE *out = fopen(path, "wxe"); /* what is there is not written over */
    if (out == NULL)
        return err_set(run->err, errno == EEXIST ? RC_CONFLICT : RC_FORBIDDEN,
                       "'%s' cannot be made: %s", path, strerror(errno));
    bool whole = fwrite(file.p, 1, file.n, out) == file.n;
    whole = fclose(out) == 0 && whole;
    if (!whole)
        return err_set(run->err, RC_FULL, "'%s' cannot be written: %s", path, strerror(errno));
    return RC_OK;
}

enum rc builtin_pico_import(struct run *run)
{
    const struct json *answer = NULL;
    struct call c = {.method = "POST", .type = EXPORT_TYPE};
    struct str parent = STR("");
    TRY(want_words(run, 1));
    TRY(find_pico(run, run->args.word_count > 1 ? word(run, 1) : STR("root"), &parent));
    TRY(read_file(run, arena_cstr(run->arena, word(run, 0)), &c.body));
    c.path = path_of(run, parent, "/imports", STR(""), STR(""));
    TRY(call_json(run, &c, &answer));
    fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, peek_text(answer, "id"))));
    return RC_OK;
}

/* --- moving --- */

struct moving {
    struct run *run;
    struct server plane;     /* where the subscription is, with --agreement */
    struct str agreement;    /* or empty: the engine alone is left */
    struct str subscription; /* that pays for the pico */

    struct str to;
    struct str id;
    struct str parent;
    struct str move;
    struct str host;
};

static struct str step_path(struct moving *m, const char *before, struct str name,
                            const char *behind)
{
    struct buf b;
    buf_init(&b, m->run->arena, PATH_BYTES_MAX);
    buf_add(&b, str_c(before));
    server_encode(&b, name);
    buf_add(&b, str_c(behind));
    return buf_str(&b);
}

static struct str member(struct moving *m, const char *name, struct str value)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, m->run->arena, BODY_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, str_c(name));
    json_put_str(&w, value);
    json_end_object(&w);
    return buf_str(&b);
}

static enum rc move_begin(struct moving *m)
{
    const struct json *answer = NULL;
    struct call c = {.method = "POST"};
    c.path = step_path(m, "/v1/picos/", m->id, "/moves");
    TRY(call_json(m->run, &c, &answer));
    m->move = peek_text(answer, "move");
    return RC_OK;
}

static enum rc move_file(struct moving *m)
{
    const struct json *answer = NULL;
    struct call from = {.method = "GET"};
    struct call to = {.method = "POST", .type = EXPORT_TYPE, .to = m->to};
    from.path = step_path(m, "/v1/picos/", m->id, "/export");
    TRY(call(m->run, &from, &to.body));
    to.path = step_path(
        m, "/v1/picos/", m->parent,
        arena_cstr(m->run->arena, arena_fmt(m->run->arena, "/imports?move=%.*s", STRF(m->move))));
    TRY(call_json(m->run, &to, &answer));
    struct str typed = args_get(&m->run->args, "host");
    m->host = typed.n > 0 ? typed : peek_text(answer, "host");
    return RC_OK;
}

static enum rc move_done(struct moving *m)
{
    struct str nothing = STR("");
    struct call c = {.method = "POST", .body = member(m, "host", m->host)};
    c.path = step_path(m, "/v1/moves/", m->move, "/arrival");
    return call(m->run, &c, &nothing);
}

/* First there, so that it cannot arrive any more, then here; who says that there is nothing left
 * there, knows. */
static enum rc move_cancel(struct moving *m)
{
    struct str nothing = STR("");
    struct call there = {.method = "DELETE", .to = m->to};
    struct call here = {.method = "DELETE"};
    there.path = step_path(m, "/v1/arrivals/", m->move, "");
    here.path = step_path(m, "/v1/moves/", m->move, "");
    if (!args_has(&m->run->args, "lost")) {
        enum rc rc = call(m->run, &there, &nothing);
        if (rc == RC_UNAVAILABLE || rc == RC_TIMEOUT)
            m->run->more = STR("the pico stands still until that engine answers; where it is lost "
                               "for good: --cancel --lost\n");
        TRY(rc);
    }
    return call(m->run, &here, &nothing);
}

/* Before anything stands still: whether anybody is there. */
static enum rc move_ready(struct moving *m)
{
    struct str nothing = STR("");
    struct call c = {.method = "GET", .path = STR("/v1/health"), .to = m->to};
    return call(m->run, &c, &nothing);
}

static enum rc move_over(struct moving *m)
{
    TRY(move_file(m));
    return move_done(m);
}

/* --- and its subscription, with what was paid in advance --- */

static enum rc plane_json(struct moving *m, const char *before, struct str id,
                          const struct json **ret)
{
    struct ask ask = {.method = HTTP_GET};
    ask.path = step_path(m, before, id, "");
    return server_json(&m->plane, &ask, ret);
}

/* Who pays for it, before anything stands still: it has an account of its own, the subscription is
 * there, and the agreement is one by which things are sold. */
static enum rc paid_ready(struct moving *m)
{
    struct run *run = m->run;
    const struct json *account = NULL;
    const struct json *found = NULL;
    struct call c = {.method = "GET"};
    m->agreement = args_get(&run->args, "agreement");
    if (m->agreement.n == 0)
        return RC_OK;
    c.path = step_path(m, "/v1/picos/", m->id, "/account");
    TRY(call_json(run, &c, &account));
    m->subscription = peek_text(account, "subscription");
    if (m->subscription.n == 0 || !str_eq(peek_text(account, "account"), m->id))
        return err_set(run->err, RC_CONFLICT,
                       "no subscription pays for this pico itself: move the one that has the "
                       "account, or leave --agreement out");
    TRY(server_open(run, &m->plane));
    TRY(plane_json(m, "/v1/subscriptions/", m->subscription, &found));
    TRY(plane_json(m, "/v1/agreements/", m->agreement, &found));
    if (!str_eq(peek_text(found, "kind"), STR("supply")) ||
        !str_eq(peek_text(found, "state"), STR("active")))
        return err_set(run->err, RC_CONFLICT,
                       "agreement '%.*s' is none by which anything is sold now",
                       STRF(text_plain(run->arena, m->agreement)));
    return RC_OK;
}

/* The other engine tells what is used from now on for the same subscription, and the other host
 * sells it: the hosts settle what was paid in advance among themselves. */
static enum rc paid_over(struct moving *m)
{
    struct str nothing = STR("");
    struct wire_reply reply = {.status = 0};
    struct call c = {
        .method = "POST", .to = m->to, .body = member(m, "subscription", m->subscription)};
    struct ask ask = {.method = HTTP_POST, .body = member(m, "agreement", m->agreement)};
    if (m->agreement.n == 0)
        return RC_OK;
    c.path = step_path(m, "/v1/picos/", m->id, "/account");
    ask.path = step_path(m, "/v1/subscriptions/", m->subscription, "/actions/move");
    enum rc rc = call(m->run, &c, &nothing);
    if (rc == RC_OK)
        rc = server_call(&m->plane, &ask, &reply);
    if (rc != RC_OK)
        m->run->more = arena_fmt(
            m->run->arena,
            "the pico is there, and its old host still sells it: hanse subscription move %.*s "
            "--agreement %.*s\n",
            STRF(text_plain(m->run->arena, m->subscription)),
            STRF(text_plain(m->run->arena, m->agreement)));
    return rc;
}

enum rc builtin_pico_move(struct run *run)
{
    struct moving m = {.run = run, .to = word(run, 1), .parent = word(run, 2)};
    if (m.parent.n == 0)
        m.parent = STR("root");
    TRY(want_words(run, 2));
    if (args_has(&run->args, "lost") && !args_has(&run->args, "cancel"))
        return err_set(run->err, RC_INVALID, "--lost belongs to --cancel");
    TRY(find_pico(run, word(run, 0), &m.id));
    if (!args_has(&run->args, "cancel")) {
        TRY(paid_ready(&m));
        TRY(move_ready(&m));
    }
    TRY(move_begin(&m));
    if (args_has(&run->args, "cancel"))
        return move_cancel(&m);
    enum rc rc = move_over(&m);
    if (rc != RC_OK)
        run->more = STR("the pico stands still until its move is over: say it again, or with "
                        "--cancel\n");
    TRY(rc);
    fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, m.host)));
    return paid_over(&m);
}
