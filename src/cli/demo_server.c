/*
 * demo_server.c - a server of our own on a store of our own, and the proof of its books.
 */
#include "cli/demo.h"

#include "cli/prompt.h"

#define START_PAUSE_US (20 * US_PER_MS)

enum {
    START_POLLS_MAX = 3000,
    START_WORDS_MAX = 10,
    LOG_BYTES_MAX = 4 * 1024 * 1024,
    TOLD_MAX = 200,
};

static const char *path(struct demo *d, const char *name)
{
    return arena_cstr(d->run->arena, arena_fmt(d->run->arena, "%.*s/%s", STRF(d->folder), name));
}

static const char *store(struct demo *d)
{
    return arena_cstr(d->run->arena,
                      arena_fmt(d->run->arena, "sqlite:%.*s/store", STRF(d->folder)));
}

static const char *hansed(struct demo *d)
{
    const struct host *h = d->run->cli->host;
    return arena_cstr(d->run->arena, h->beside(h, "hansed", d->run->arena));
}

/* The first address in the text, up to a blank; empty where there is none. */
static struct str address_in(struct str text)
{
    struct str mark = STR("http://127.0.0.1:");
    for (size_t i = 0; i + mark.n <= text.n; i++) {
        if (!str_eq(str_sub(text, i, i + mark.n), mark))
            continue;
        size_t end = i;
        while (end < text.n && (unsigned char)text.p[end] > ' ' && text.p[end] != '"')
            end++;
        return end < text.n ? str_sub(text, i, end) : STR("");
    }
    return STR("");
}

/* What it has printed so far holds the link (or, with mark empty, the address) once it serves. */
static enum rc read_link(struct demo *d, struct str mark, struct str *ret)
{
    struct str text = STR("");
    struct str log = str_c(path(d, "hansed.log"));
    *ret = STR("");
    TRY(prompt_file(d->run->cli, log, LOG_BYTES_MAX, d->run->arena, &text, d->run->err));
    while (text.n > 0 && (ret->n == 0 || !str_has(*ret, mark))) {
        struct str line = str_cut(&text, '\n');
        *ret = address_in(arena_fmt(d->run->arena, "%.*s\n", STRF(line)));
    }
    if (!str_has(*ret, mark))
        *ret = STR("");
    return RC_OK;
}

static enum rc wait_for_link(struct demo *d, struct str mark, struct str *ret)
{
    const struct host *h = d->run->cli->host;
    for (int i = 0; i < START_POLLS_MAX; i++) {
        bool runs = h->runs(h, d->pid);
        enum rc rc = read_link(d, mark, ret);
        if (rc == RC_OK && ret->n > 0)
            return RC_OK;
        err_clear(d->run->err);
        if (!runs)
            return err_set(d->run->err, RC_UNAVAILABLE,
                           "hansed did not start; is it beside hanse, or in PATH? what it said is "
                           "in %s (see --keep)",
                           path(d, "hansed.log"));
        d->run->cli->pause(d->run->cli, START_PAUSE_US);
    }
    return err_set(d->run->err, RC_TIMEOUT, "hansed does not say where it listens");
}

/* --- the start --- */

static struct str last_line(struct str text)
{
    struct str s = str_trim(text);
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '\n')
        at--;
    return str_sub(s, at, s.n);
}

/* what: settings of this start, NULL at the end. */
static enum rc start_server(struct demo *d, const char *const *what, struct str mark,
                            struct str *ret_link)
{
    static const char *const always[] = {
        "--listen",
        "127.0.0.1:0",
        "--login-per-minute",
        "100000",
        "--write-per-minute",
        "1000000",
        "--read-per-minute",
        "1000000",
        "--log-level",
        "warn",
        "--store",
    };
    const struct host *h = d->run->cli->host;
    const char *argv[COUNT(always) + START_WORDS_MAX] = {hansed(d)};
    size_t n = 1;
    for (size_t i = 0; i < COUNT(always); i++)
        argv[n++] = always[i];
    argv[n++] = store(d);
    for (size_t i = 0; what[i] != NULL; i++) {
        ASSERT(n + 1 < COUNT(argv));
        argv[n++] = what[i];
    }
    struct program p = {.argv = argv, .output = path(d, "hansed.log")};
    TRY(h->start(h, &p, &d->pid, d->run->err));
    TRY(wait_for_link(d, mark, ret_link));
    size_t end = str_find(*ret_link, '/', STR("http://").n);
    d->server = (struct server){.run = d->run, .url = str_sub(*ret_link, 0, end)};
    return RC_OK;
}

enum rc demo_start(struct demo *d, struct str *ret_link)
{
    const char *const what[] = {"--test-clock",
                                "2026-01-01T00:00:00Z",
                                "--operator-country",
                                d->story->country,
                                "--operator-currency",
                                d->story->currency,
                                NULL};
    return start_server(d, what, STR("/invite/"), ret_link);
}

static enum rc run_hansed(struct demo *d, const char *const *argv, const char *what)
{
    const struct host *h = d->run->cli->host;
    const char *said = path(d, "errors.txt");
    struct program p = {.argv = argv, .output = said};
    struct str text = STR("");
    int code = 0;
    TRY(h->run(h, &p, &code, d->run->err));
    if (code == 0)
        return RC_OK;
    TRY(prompt_file(d->run->cli, str_c(said), LOG_BYTES_MAX, d->run->arena, &text, d->run->err));
    return err_set(d->run->err, RC_UNAVAILABLE, "%s: %.*s", what,
                   STRF(str_sub(last_line(text), 0, TOLD_MAX)));
}

enum rc demo_start_copy(struct demo *d, struct str from, struct str now)
{
    const char *copy = path(d, "copy.db");
    const char *clock = arena_cstr(d->run->arena, now);
    struct str unused = STR("");
    const char *const backup[] = {
        hansed(d), "backup", copy, "--store", arena_cstr(d->run->arena, from), NULL};
    const char *const restore[] = {hansed(d), "restore",      copy,  "--store",
                                   store(d),  "--test-clock", clock, NULL};
    const char *const what[] = {"--test-clock", clock, NULL};
    TRY(run_hansed(d, backup, "the store cannot be copied"));
    TRY(run_hansed(d, restore, "the copy cannot be opened"));
    return start_server(d, what, STR(""), &unused);
}

enum rc demo_stop(struct demo *d)
{
    const struct host *h = d->run->cli->host;
    int64_t pid = d->pid;
    if (pid == 0)
        return RC_OK;
    d->pid = 0;
    return h->stop(h, pid, d->run->err);
}

/* --- the proof --- */

/* Run a program, and note how it ended. */
static enum rc check(struct demo *d, const char *what, const char *const *argv, const char *output)
{
    const struct host *h = d->run->cli->host;
    struct str text = STR("");
    const char *errors = path(d, "errors.txt");
    struct program p = {.argv = argv, .output = output, .errors = errors};
    int code = 0;
    enum rc rc = h->run(h, &p, &code, d->run->err);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    struct demo_check *c = &d->checks[d->check_count++];
    ASSERT(d->check_count <= DEMO_CHECKS_MAX);
    *c = (struct demo_check){.what = what, .done = rc == RC_OK, .good = rc == RC_OK && code == 0};
    err_clear(d->run->err);
    if (!c->done)
        c->text = STR("not installed");
    else if (prompt_file(d->run->cli, str_c(c->good ? output : errors), LOG_BYTES_MAX,
                         d->run->arena, &text, d->run->err) == RC_OK)
        c->text = str_sub(last_line(text), 0, TOLD_MAX);
    err_clear(d->run->err);
    return RC_OK;
}

static enum rc export_to(struct demo *d, const char *format, const char *file)
{
    const struct host *h = d->run->cli->host;
    const char *const argv[] = {hansed(d), "ledger",  "export", "--format",
                                format,    "--store", store(d), NULL};
    struct program p = {.argv = argv, .output = file, .errors = path(d, "errors.txt")};
    int code = 0;
    TRY(h->run(h, &p, &code, d->run->err));
    return code == 0
               ? RC_OK
               : err_set(d->run->err, RC_INTERNAL, "the books cannot be exported as %s", format);
}

enum rc demo_prove(struct demo *d)
{
    const char *hledger = path(d, "books.journal");
    const char *ledger = path(d, "books.ledger");
    const char *beancount = path(d, "books.beancount");
    const char *out = path(d, "output.txt");
    const char *const verify[] = {hansed(d), "ledger", "verify", "--store", store(d), NULL};
    const char *const one[] = {"hledger", "-f", hledger, "check", NULL};
    const char *const two[] = {"ledger", "-f", ledger, "balance", "--no-total", NULL};
    const char *const three[] = {"bean-check", beancount, NULL};
    TRY(check(d, "hansed ledger verify", verify, out));
    TRY(export_to(d, "hledger", hledger));
    TRY(export_to(d, "ledger", ledger));
    TRY(export_to(d, "beancount", beancount));
    TRY(check(d, "hledger check", one, out));
    TRY(check(d, "ledger balance", two, out));
    d->checks[d->check_count - 1].text = STR("");
    return check(d, "bean-check", three, out);
}
