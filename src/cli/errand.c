#include "cli/errand.h"

#include "cli/body.h"
#include "cli/peek.h"
#include "cli/prompt.h"
#include "cli/show.h"
#include "cli/text.h"

enum { PATH_MAX_BYTES = 16 * 1024 };

/* --- the address --- */

/* Ids and names have these characters only: nothing that could become another address. */
static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return s.n > 0;
}

static enum rc add_path(struct run *run, const struct route *r, struct buf *b)
{
    size_t param = 0;
    struct str rest = str_sub(str_c(r->path), 1, SIZE_MAX);
    while (rest.n > 0) {
        struct str segment = str_cut(&rest, '/');
        buf_add_char(b, '/');
        if (!str_starts(segment, STR("{"))) {
            buf_add(b, segment);
            continue;
        }
        ASSERT(param < run->args.word_count);
        struct str word = run->args.words[param++];
        if (!is_word(word))
            return err_set(run->err, RC_SYNTAX, "'%.*s' is no id: ids look like %s",
                           STRF(text_plain(run->arena, word)), "pty_01jd8v3q7w4k2m9x6c5b1n0h8z");
        buf_add(b, word);
    }
    return RC_OK;
}

/* Values of a list that came in several flags are joined by commas. */
static struct str joined_values(struct run *run, const struct given *first)
{
    struct buf b;
    buf_init(&b, run->arena, PATH_MAX_BYTES);
    for (size_t i = 0; i < run->args.given_count; i++) {
        const struct given *g = &run->args.given[i];
        if (g->flag != first->flag)
            continue;
        if (b.n > 0)
            buf_add_char(&b, ',');
        buf_add(&b, g->value);
    }
    return buf_str(&b);
}

enum rc errand_path(struct run *run, const struct route *r, struct str *ret)
{
    struct buf b;
    buf_init(&b, run->arena, PATH_MAX_BYTES);
    TRY(add_path(run, r, &b));

    struct pair pairs[SCHEMA_FIELDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < run->args.given_count; i++) {
        const struct given *g = &run->args.given[i];
        if (g->flag->kind != FLAG_QUERY || args_field(&run->args, FLAG_QUERY, g->flag->path) != g)
            continue;
        ASSERT(count < COUNT(pairs));
        pairs[count++] = (struct pair){g->flag->path, joined_values(run, g)};
    }
    bool all = args_has(&run->args, "all");
    if (all && r->query != NULL && schema_find(r->query, STR("limit")) >= 0 &&
        args_field(&run->args, FLAG_QUERY, STR("limit")) == NULL) {
        ASSERT(count < COUNT(pairs));
        pairs[count] = (struct pair){STR("limit"), STR("")};
        pairs[count++].value = arena_fmt(run->arena, "%d", ERRAND_PAGE_LIMIT);
    }
    if (r->query != NULL) {
        void *scratch = arena_alloc(run->arena, r->query->size);
        TRY(schema_decode_pairs(r->query, pairs, count, run->arena, scratch, run->err));
    }
    for (size_t i = 0; i < count; i++) {
        buf_add_char(&b, i == 0 ? '?' : '&');
        server_encode(&b, pairs[i].name);
        buf_add_char(&b, '=');
        server_encode(&b, pairs[i].value);
    }
    if (b.full)
        return err_set(run->err, RC_TOO_LARGE, "the flags are longer than %d bytes",
                       PATH_MAX_BYTES);
    *ret = buf_str(&b);
    return RC_OK;
}

/* --- the body --- */

/* Secrets that are required and were not given are asked for. */
static enum rc ask_secrets(struct run *run, const struct schema *s, struct assigns *a)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        bool secret = (f->flags & FIELD_WRITE_ONLY) != 0 && f->type == FIELD_TEXT;
        if (!secret || (f->flags & FIELD_REQUIRED) == 0 || body_has(a, f->name))
            continue;
        struct str question = str_c(f->doc);
        question.n -= str_ends(question, STR("."));
        struct str value = STR("");
        const char *asked = arena_cstr(run->arena, question);
        bool fresh = s == routes[ROUTE_password_change].body && strcmp(f->name, "fresh") == 0;
        TRY((fresh ? prompt_new_secret : prompt_secret)(run->cli, asked, run->arena, &value,
                                                        run->err));
        body_add(a, f->name, value);
    }
    return RC_OK;
}

static enum rc errand_body(struct run *run, const struct route *r, struct str *ret)
{
    bool patch = (r->flags & ROUTE_PATCH) != 0;
    struct assigns a = {0};
    TRY(body_collect(run, SCHEMA_FIELDS_MAX, &a));
    struct str text = STR("");
    if (args_has(&run->args, "body")) {
        if (a.count > 0)
            return err_set(run->err, RC_SYNTAX, "--body stands alone: leave --%.*s out",
                           STRF(text_words(run->arena, a.items[0].path, '-')));
        TRY(prompt_file(run->cli, args_get(&run->args, "body"), BODY_MAX, run->arena, &text,
                        run->err));
    } else {
        if (patch && a.count == 0)
            return err_set(run->err, RC_SYNTAX, "nothing to change: name a field, such as --%.*s",
                           STRF(run->args.flags[0].name));
        if (!patch)
            TRY(ask_secrets(run, r->body, &a));
        TRY(body_write(r->body, &a, run->arena, &text, run->err));
    }
    TRY(body_check(r->body, patch, text, run->arena, run->err));
    *ret = text;
    return RC_OK;
}

/* --- the version that is changed --- */

static const struct route *reader_of(const struct route *r)
{
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].method == HTTP_GET && strcmp(routes[i].path, r->path) == 0)
            return &routes[i];
    NEVER("what is changed by version can be read");
}

static enum rc find_match(struct run *run, const struct server *s, const struct route *r,
                          struct str *ret)
{
    if (args_has(&run->args, "if-version")) {
        int64_t version = 0;
        if (!str_to_i64(args_get(&run->args, "if-version"), 1, INT64_MAX, &version))
            return err_set(run->err, RC_SYNTAX, "--if-version must be a whole number from 1 on");
        *ret = arena_fmt(run->arena, "\"%lld\"", (long long)version);
        return RC_OK;
    }
    struct ask ask = {.method = HTTP_GET};
    TRY(errand_path(run, reader_of(r), &ask.path));
    struct wire_reply reply = {0};
    TRY(server_call(s, &ask, &reply));
    *ret = wire_header(&reply, "etag");
    if (ret->n == 0)
        return err_set(run->err, RC_REMOTE, "the server did not say which version it has");
    return RC_OK;
}

/* --- the answer --- */

/* "sessions" of "/v1/me/sessions"; "audit entries" of ".../audit". */
static struct str plural_of(struct run *run, const struct route *r)
{
    struct str rest = str_c(r->path);
    struct str last = STR("");
    while (rest.n > 0) {
        struct str segment = str_cut(&rest, '/');
        if (segment.n > 0 && segment.p[0] != '{')
            last = segment;
    }
    return str_ends(last, STR("s")) ? last : arena_fmt(run->arena, "%.*s entries", STRF(last));
}

/* The query flags that choose rows, but not those that page and sort. */
static const struct flag *first_filter(const struct run *run)
{
    for (size_t i = 0; i < run->args.given_count; i++) {
        const struct flag *flag = run->args.given[i].flag;
        bool paging = str_eq(flag->path, STR("limit")) || str_eq(flag->path, STR("after")) ||
                      str_eq(flag->path, STR("sort"));
        if (flag->kind == FLAG_QUERY && !paging)
            return flag;
    }
    return NULL;
}

/* "no parties yet" is an answer and no failure. */
static void say_empty(struct run *run, const struct route *r)
{
    struct str what = plural_of(run, r);
    const struct flag *filter = first_filter(run);
    if (args_field(&run->args, FLAG_QUERY, STR("after")) != NULL) {
        fprintf(run->cli->out, "no more %.*s\n", STRF(what));
        return;
    }
    if (filter != NULL) {
        fprintf(run->cli->out, "no %.*s match; leave out --%.*s to see more\n", STRF(what),
                STRF(filter->name));
        return;
    }
    struct str noun = command_noun(run->command);
    struct str create = arena_fmt(run->arena, "%.*s create", STRF(noun));
    bool can_create = false;
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].cli != NULL && str_eq(str_c(routes[i].cli), create))
            can_create = true;
    fprintf(run->cli->out, "no %.*s yet", STRF(what));
    if (can_create)
        fprintf(run->cli->out, "; see: hanse help %.*s", STRF(create));
    fprintf(run->cli->out, "\n");
}

/* One or many pages of a list. */
struct pages {
    const struct json **items;
    size_t count;
    size_t capacity;
    struct str next;
    struct str text; /* of the last page */
};

static enum rc add_page(struct run *run, struct pages *p, struct str text)
{
    const struct json *page = NULL;
    TRY(json_parse(text, run->arena, &page, run->err));
    const struct json *items = peek_array(page, "items");
    if (items == NULL)
        return err_set(run->err, RC_REMOTE, "the server answered no list");

    if (p->count + items->n > p->capacity) {
        size_t capacity = 2 * (p->count + items->n);
        if (arena_room(run->arena) / 2 < capacity * sizeof(void *))
            return err_set(run->err, RC_TOO_LARGE, "the list is too long: choose with flags");
        const struct json **grown = NEW_N(run->arena, const struct json *, capacity);
        for (size_t i = 0; i < p->count; i++)
            grown[i] = p->items[i];
        p->items = grown;
        p->capacity = capacity;
    }
    for (const struct json *c = json_first(items); c != NULL; c = json_next(items, c)) {
        ASSERT(p->items != NULL);
        ASSERT(p->count < p->capacity);
        p->items[p->count++] = c;
    }
    p->next = peek_text(page, "next");
    p->text = text;
    return RC_OK;
}

/* --json with --all: one array of all items. */
static enum rc print_array(struct run *run, const struct pages *p)
{
    show_str(run->cli->out, STR("["));
    for (size_t i = 0; i < p->count; i++) {
        struct buf b;
        buf_init(&b, run->arena, WIRE_REPLY_BYTES_MAX);
        struct json_writer w;
        json_writer_init(&w, &b);
        json_put_node(&w, p->items[i]);
        show_str(run->cli->out, i == 0 ? STR("\n") : STR(",\n"));
        show_str(run->cli->out, buf_str(&b));
    }
    show_str(run->cli->out, STR("\n]\n"));
    return RC_OK;
}

static void print_document(struct run *run, struct str text)
{
    show_str(run->cli->out, text);
    if (!str_ends(text, STR("\n")))
        show_str(run->cli->out, STR("\n"));
}

static void hint_next(struct run *run, struct str cursor)
{
    if (cursor.n == 0)
        return;
    struct str next = text_plain(run->arena, cursor);
    fprintf(run->cli->err, "there is more: add --all, or --after %.*s\n", STRF(next));
}

static enum rc show_pages(struct run *run, const struct route *r, const struct pages *p)
{
    bool all = args_has(&run->args, "all");
    if (args_has(&run->args, "json")) {
        if (all)
            return print_array(run, p);
        print_document(run, p->text);
        return RC_OK;
    }
    if (p->count == 0)
        say_empty(run, r);
    else
        show_items(run, r->reply, p->items, p->count);
    hint_next(run, p->next);
    return RC_OK;
}

/* The address of the page behind cursor. */
static enum rc next_path(struct run *run, struct str first, struct str cursor, struct str *ret)
{
    struct buf b;
    buf_init(&b, run->arena, (size_t)4 * PATH_MAX_BYTES);
    buf_add(&b, first);
    buf_add(&b, str_find(first, '?', 0) < first.n ? STR("&after=") : STR("?after="));
    server_encode(&b, cursor);
    if (b.full)
        return err_set(run->err, RC_REMOTE, "the server answered a cursor that is too long");
    *ret = buf_str(&b);
    return RC_OK;
}

/* A server that answers the same page over and over would keep us for ever. */
static enum rc check_progress(struct run *run, size_t page, struct str before, struct str next)
{
    if (page < ERRAND_PAGES_MAX && (before.n == 0 || !str_eq(before, next)))
        return RC_OK;
    return err_set(run->err, RC_REMOTE, "the pages of the list do not end");
}

static enum rc errand_list(struct run *run, const struct server *s, const struct route *r,
                           struct ask *ask)
{
    struct pages p = {0};
    struct str first = ask->path;
    for (size_t page = 0;; page++) {
        struct wire_reply reply = {0};
        TRY(server_call(s, ask, &reply));
        struct str before = p.next;
        TRY(add_page(run, &p, reply.body));
        if (p.next.n == 0 || !args_has(&run->args, "all"))
            return show_pages(run, r, &p);
        TRY(check_progress(run, page, before, p.next));
        TRY(next_path(run, first, p.next, &ask->path));
    }
}

static struct str percent_decoded(struct arena *arena, struct str s)
{
    char *p = arena_bytes(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.p[i + 2]) : -1;
        p[n++] = low >= 0 ? (char)(high << 4 | low) : s.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return str_n(p, n);
}

/* The cursor in <...?after=CURSOR>; rel="next" (RFC 8288). */
static struct str link_cursor(struct arena *arena, struct str link)
{
    struct str target = str_sub(link, 0, str_find(link, '>', 0));
    struct str rest = str_sub(target, str_find(target, '?', 0) + 1, target.n);
    while (rest.n > 0) {
        struct str value = str_cut(&rest, '&');
        struct str name = str_cut(&value, '=');
        if (str_eq(name, STR("after")))
            return percent_decoded(arena, value);
    }
    return STR("");
}

/* CSV is the server's: pages are joined by leaving out the heads of all but the first. */
static enum rc errand_csv(struct run *run, const struct server *s, struct ask *ask)
{
    ask->csv = true;
    struct str first = ask->path;
    struct str cursor = STR("");
    for (size_t page = 0;; page++) {
        struct wire_reply reply = {0};
        TRY(server_call(s, ask, &reply));
        struct str rows = reply.body;
        if (page > 0)
            (void)str_cut(&rows, '\n'); /* the heads */
        show_str(run->cli->out, rows);
        struct str before = cursor;
        cursor = link_cursor(run->arena, wire_header(&reply, "link"));
        if (cursor.n == 0)
            return RC_OK;
        if (!args_has(&run->args, "all")) {
            hint_next(run, cursor);
            return RC_OK;
        }
        TRY(check_progress(run, page, before, cursor));
        TRY(next_path(run, first, cursor, &ask->path));
    }
}

enum rc errand_show(struct run *run, const struct route *r, struct str body)
{
    if (args_has(&run->args, "json")) {
        if (body.n > 0)
            print_document(run, body);
        return RC_OK;
    }
    if (body.n == 0) {
        fprintf(run->cli->out, "done: %s", run->command->words);
        for (size_t i = 0; i < run->args.word_count; i++)
            fprintf(run->cli->out, " %.*s", STRF(run->args.words[i]));
        fprintf(run->cli->out, "\n");
        return RC_OK;
    }
    const struct json *reply = NULL;
    if (json_parse(body, run->arena, &reply, run->err) != RC_OK)
        return err_set(run->err, RC_REMOTE,
                       "the server answered what is not JSON: is that a Hanse server?");
    if (r->reply != NULL)
        show_object(run, r->reply, reply);
    return RC_OK;
}

enum rc errand_open(struct run *run, const struct route *r, struct server *ret)
{
    TRY(server_open(run, ret));
    if (ret->token.n == 0 && r->access != ACCESS_PUBLIC)
        return err_set(run->err, RC_UNAUTHENTICATED,
                       "you are not logged in to %.*s: hanse login %.*s", STRF(ret->url),
                       STRF(ret->url));
    return RC_OK;
}

/* The word that was left out: the party that the user acts for, where it is one alone. */
static enum rc add_own_party(struct run *run, const struct server *s)
{
    struct ask ask = {.method = HTTP_GET, .path = str_c(routes[ROUTE_me_get].path)};
    const struct json *me = NULL;
    TRY(server_json(s, &ask, &me));
    const struct json *memberships = peek_array(me, "memberships");
    if (memberships == NULL || memberships->n != 1)
        return err_set(run->err, RC_SYNTAX, "you act for %s party: hanse %s %.*s",
                       memberships == NULL || memberships->n == 0 ? "no" : "more than one",
                       run->command->words, STRF(command_synopsis(run->command, run->arena)));
    struct args *a = &run->args;
    struct str *words = NEW_N(run->arena, struct str, a->word_count + 1);
    words[0] = peek_text(json_first(memberships), "party");
    for (size_t i = 0; i < a->word_count; i++)
        words[i + 1] = a->words[i];
    a->words = words;
    a->word_count++;
    return RC_OK;
}

enum rc errand_run(struct run *run)
{
    const struct route *r = run->command->route;
    struct ask ask = {.method = r->method};
    struct server s = {0};
    struct str names[ROUTE_PARAMS_MAX];
    bool left_out =
        command_own_party(run->command) && run->args.word_count < route_params(r, names);
    if (left_out) {
        TRY(errand_open(run, r, &s));
        TRY(add_own_party(run, &s));
    }
    TRY(errand_path(run, r, &ask.path));
    if (args_has(&run->args, "all") && args_field(&run->args, FLAG_QUERY, STR("after")) != NULL)
        return err_set(run->err, RC_SYNTAX, "--all begins at the beginning: leave --after out");
    if (args_has(&run->args, "csv") && args_has(&run->args, "json"))
        return err_set(run->err, RC_SYNTAX, "choose one of --json and --csv");

    if (!left_out)
        TRY(errand_open(run, r, &s));
    if (r->body != NULL)
        TRY(errand_body(run, r, &ask.body));
    if ((r->flags & ROUTE_NEEDS_MATCH) != 0)
        TRY(find_match(run, &s, r, &ask.match));
    if (args_has(&run->args, "csv"))
        return errand_csv(run, &s, &ask);
    if ((r->flags & ROUTE_LIST) != 0)
        return errand_list(run, &s, r, &ask);

    struct wire_reply reply = {0};
    TRY(server_call(&s, &ask, &reply));
    return errand_show(run, r, reply.body);
}
