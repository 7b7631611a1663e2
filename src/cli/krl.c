/*
 * krl.c - the KRL tools: check, format and run rulesets without a server, and a prompt.
 */
#include "cli/builtin.h"
#include "cli/show.h"
#include "cli/text.h"
#include "krl/compile.h"
#include "krl/format.h"
#include "krl/parse.h"
#include "krl/sim.h"

#include <errno.h>

enum {
    LINE_BYTES_MAX = 64 * 1024, /* of a step, or of what is typed at the prompt */
    FORMAT_BYTES_MAX = 16 * KRL_SOURCE_MAX,
};

static enum rc read_stream(struct run *run, FILE *in, const char *name, struct str *ret)
{
    char *bytes = arena_bytes(run->arena, KRL_SOURCE_MAX + 1);
    size_t n = fread(bytes, 1, KRL_SOURCE_MAX + 1, in);
    if (ferror(in))
        return err_set(run->err, RC_FORBIDDEN, "'%s' cannot be read: %s", name, strerror(errno));
    if (n > KRL_SOURCE_MAX)
        return err_set(run->err, RC_TOO_LARGE, "'%s' is larger than %d bytes", name,
                       KRL_SOURCE_MAX);
    *ret = str_n(bytes, n);
    return RC_OK;
}

/* The source that the first word names; "-" is standard input. */
static enum rc read_source(struct run *run, struct str *ret)
{
    if (run->args.word_count == 0)
        return err_set(run->err, RC_SYNTAX, "name a file of KRL");
    const char *path = arena_cstr(run->arena, run->args.words[0]);
    if (strcmp(path, "-") == 0)
        return read_stream(run, run->cli->in, "standard input", ret);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(run->err, errno == ENOENT ? RC_NOT_FOUND : RC_FORBIDDEN,
                       "'%s' cannot be opened: %s", path, strerror(errno));
    enum rc rc = read_stream(run, file, path, ret);
    (void)fclose(file); /* only read */
    return rc;
}

/* Arenas of their own: what a source needs has nothing to do with what a command may. */
struct bench {
    struct arena code;
    struct arena kept;
    struct buf out;
    struct krl_sim sim;
};

static struct bench *bench_open(struct run *run)
{
    struct bench *b = NEW(run->arena, struct bench);
    arena_init(&b->code, KRL_COMPILE_BYTES);
    arena_init(&b->kept, (size_t)64 * 1024 * 1024);
    buf_init(&b->out, &b->kept, KRL_SIM_OUT_MAX);
    krl_sim_init(&b->sim, &b->kept, &b->out);
    return b;
}

static void bench_close(struct bench *b)
{
    arena_fini(&b->code);
    arena_fini(&b->kept);
}

static enum rc check_source(struct run *run, struct bench *b, const struct krl_code **ret)
{
    struct str source = STR("");
    TRY(read_source(run, &source));
    TRY(krl_compile(source, &b->code, ret, run->err));
    for (uint32_t i = 0; i < (*ret)->warnings_n; i++) {
        const struct krl_warning *w = &(*ret)->warnings[i];
        fprintf(run->cli->err, "%u:%u: warning: %.*s\n", w->place.line, w->place.column,
                STRF(text_plain(run->arena, w->text)));
    }
    return RC_OK;
}

enum rc builtin_krl_check(struct run *run)
{
    struct bench *b = bench_open(run);
    const struct krl_code *code = NULL;
    enum rc rc = check_source(run, b, &code);
    if (rc == RC_OK && code->rid.n == 0)
        rc = err_set(run->err, RC_INVALID, "Error: Compile failed, missing rid");
    if (rc == RC_OK)
        fprintf(run->cli->out, "%.*s: %u rules, %u shared functions\n", STRF(code->rid),
                code->rules_n, code->shares_n);
    bench_close(b);
    return rc;
}

enum rc builtin_krl_fmt(struct run *run)
{
    struct str source = STR("");
    struct buf out;
    TRY(read_source(run, &source));
    buf_init(&out, run->arena, FORMAT_BYTES_MAX);
    TRY(krl_format(source, run->arena, &out, run->err));
    show_str(run->cli->out, buf_str(&out));
    return RC_OK;
}

static void print_lines(struct run *run, struct bench *b)
{
    show_str(run->cli->out, buf_str(&b->out));
    buf_reset(&b->out);
}

/* "domain:name {attributes}" is an event, "name {arguments}" a query. */
static enum rc take_step(struct run *run, struct bench *b, struct str step)
{
    struct str rest = str_trim(step);
    struct str name = str_cut(&rest, ' ');
    struct str json = str_trim(rest);
    enum rc rc = RC_OK;
    if (str_find(name, ':', 0) < name.n) {
        struct str domain = str_cut(&name, ':');
        if (domain.n == 0 || name.n == 0)
            return err_set(run->err, RC_SYNTAX, "an event is DOMAIN:NAME, not '%.*s'", STRF(step));
        rc = krl_sim_event(&b->sim, domain, name, json, run->err);
    } else if (name.n > 0) {
        rc = krl_sim_query(&b->sim, STR(""), name, json, run->err);
    }
    print_lines(run, b);
    return rc;
}

/* A line of standard input without its end. RC_NOT_FOUND: there are no more. RC_TOO_LARGE: it has
 * more than so many bytes, and was passed over. */
static enum rc read_line(struct run *run, char *line, int bytes, struct str *ret)
{
    if (fgets(line, bytes, run->cli->in) == NULL)
        return RC_NOT_FOUND;
    struct str s = str_c(line);
    bool whole = str_ends(s, STR("\n")) || feof(run->cli->in) != 0;
    for (int c = whole ? '\n' : ' '; c != '\n' && c != EOF;)
        c = fgetc(run->cli->in);
    if (!whole)
        return err_set(run->err, RC_TOO_LARGE, "a line has at most %d bytes", bytes - 2);
    *ret = str_trim(s);
    return RC_OK;
}

/* Steps from standard input, one a line. */
static enum rc take_steps(struct run *run, struct bench *b)
{
    char *line = arena_bytes(run->arena, LINE_BYTES_MAX);
    struct str step = STR("");
    enum rc rc = RC_OK;
    while ((rc = read_line(run, line, LINE_BYTES_MAX, &step)) == RC_OK)
        TRY(take_step(run, b, step));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc evaluate(struct run *run, struct bench *b, const struct krl_code *code)
{
    struct krl_place where = {1, 1};
    enum rc rc = krl_sim_evaluate(&b->sim, code, &where, run->err);
    if (rc == RC_OK)
        print_lines(run, b);
    else
        run->more = arena_fmt(run->arena, "at line %u, column %u\n", where.line, where.column);
    return rc;
}

static enum rc run_code(struct run *run, struct bench *b, const struct krl_code *code)
{
    if (code->rid.n == 0 && run->args.word_count > 1)
        return err_set(run->err, RC_INVALID, "only a ruleset takes steps: this is none");
    if (code->rid.n == 0)
        return evaluate(run, b, code);
    TRY(krl_sim_add(&b->sim, code, run->err));
    if (run->args.word_count == 1)
        return take_steps(run, b);
    for (size_t i = 1; i < run->args.word_count; i++)
        TRY(take_step(run, b, run->args.words[i]));
    return RC_OK;
}

enum rc builtin_krl_run(struct run *run)
{
    struct bench *b = bench_open(run);
    const struct krl_code *code = NULL;
    enum rc rc = check_source(run, b, &code);
    if (rc == RC_OK)
        rc = run_code(run, b, code);
    bench_close(b);
    return rc;
}

/* --- the prompt --- */

/* Whether what was typed ends in a declaration, and so has no value. */
static bool declares(struct str line)
{
    struct ast *tree = NULL;
    struct err err = {0};
    struct arena arena;
    arena_init(&arena, KRL_COMPILE_BYTES);
    bool last = false;
    if (krl_parse(line, &arena, &tree, &err) == RC_OK)
        for (const struct ast *s = tree->list; s != NULL; s = s->next)
            last = s->kind == AST_DECLARATION;
    arena_fini(&arena);
    return last;
}

/* Evaluate what was typed behind what was declared before; a declaration is kept when it holds. */
static void answer(struct run *run, struct buf *declared, struct str line)
{
    struct bench *b = bench_open(run);
    const struct krl_code *code = NULL;
    struct krl_place where;
    struct err *err = run->err;
    buf_reset(&b->out);
    struct str all = arena_fmt(run->arena, "%.*s%.*s", STRF(buf_str(declared)), STRF(line));
    enum rc rc = krl_compile(all, &b->code, &code, err);
    if (rc == RC_OK)
        rc = krl_sim_evaluate(&b->sim, code, &where, err);
    if (rc != RC_OK) {
        fprintf(run->cli->out, "%.*s\n", STRF(text_plain(run->arena, err_text(err))));
        err_clear(err);
    } else if (declares(line)) {
        struct str out = buf_str(&b->out); /* what was logged, and the value, which is none */
        show_str(run->cli->out, str_sub(out, 0, out.n - strlen("undefined\n")));
        buf_add(declared, line);
        buf_add(declared, STR(";\n"));
    } else {
        show_str(run->cli->out, buf_str(&b->out));
    }
    bench_close(b);
}

enum rc builtin_krl(struct run *run)
{
    struct buf declared;
    char *line = arena_bytes(run->arena, LINE_BYTES_MAX);
    buf_init(&declared, run->arena, LINE_BYTES_MAX / 2);
    for (;;) {
        if (run->cli->in_terminal)
            show_str(run->cli->out, STR("krl> "));
        (void)fflush(run->cli->out); /* looked at again at the end */
        struct str typed = STR("");
        enum rc rc = read_line(run, line, LINE_BYTES_MAX / 4, &typed);
        if (rc == RC_NOT_FOUND)
            return RC_OK;
        if (rc != RC_OK) {
            fprintf(run->cli->out, "%.*s\n", STRF(err_text(run->err)));
            err_clear(run->err);
        } else if (declared.n + typed.n + 2 > LINE_BYTES_MAX / 2) {
            show_str(run->cli->out, STR("too much was declared: begin again\n"));
        } else if (typed.n > 0) {
            answer(run, &declared, typed);
        }
    }
}
