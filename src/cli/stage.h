/*
 * stage.h - for the tests: a command line with everything outside of it played. Answers of the
 * server are written down beforehand, requests are kept to be looked at, and what is printed is
 * text in memory. One stage a test.
 */
#ifndef CLI_STAGE_H
#define CLI_STAGE_H

#include "cli/cli.h"
#include "cli/text.h"

#include <check.h>
#include <ftw.h>
#include <unistd.h>

enum { STAGE_ANSWERS_MAX = 64, STAGE_ARGS_MAX = 64, STAGE_ENVIRONMENT_MAX = 16 };

struct stage_answer {
    enum rc rc; /* other than RC_OK: no answer comes */
    int status;
    const char *headers[4]; /* name, value, name, value */
    const char *body;
};

struct stage_request {
    struct str method;
    struct str url;
    struct str body;
    struct str headers; /* "name: value\n", in order */
};

struct stage {
    struct cli cli;
    struct arena arena;
    struct clock_sim clock;
    struct wire_sim wire;
    struct stage_answer answers[STAGE_ANSWERS_MAX];
    size_t answer_count; /* all are used up before the next command */
    size_t asked;
    struct stage_request requests[STAGE_ANSWERS_MAX];
    size_t pauses;
    char *environment[STAGE_ENVIRONMENT_MAX];
    char folder[64];
    char *out_bytes;
    size_t out_n;
    char *err_bytes;
    size_t err_n;
    enum rc rc; /* of the last command */
};

static inline enum rc stage_play(void *arg, const struct wire_request *request, struct arena *arena,
                                 struct wire_reply *ret, struct err *err)
{
    struct stage *s = arg;
    ck_assert_msg(s->asked < s->answer_count, "an unexpected request: %.*s %.*s",
                  STRF(request->method), STRF(request->url));
    struct buf headers;
    buf_init(&headers, &s->arena, (size_t)64 * 1024);
    for (size_t i = 0; i < request->header_count; i++)
        buf_fmt(&headers, "%.*s: %.*s\n", STRF(request->headers[i].name),
                STRF(request->headers[i].value));
    s->requests[s->asked] = (struct stage_request){.method = arena_str(&s->arena, request->method),
                                                   .url = arena_str(&s->arena, request->url),
                                                   .body = arena_str(&s->arena, request->body),
                                                   .headers = buf_str(&headers)};
    const struct stage_answer *a = &s->answers[s->asked++];
    if (a->rc != RC_OK)
        return err_set(err, a->rc, "no connection (played)");
    struct wire_reply reply = {
        .status = a->status, .headers = NEW_N(arena, struct pair, 2), .body = str_c(a->body)};
    for (size_t i = 0; i + 1 < COUNT(a->headers) && a->headers[i] != NULL; i += 2)
        reply.headers[reply.header_count++] =
            (struct pair){str_c(a->headers[i]), str_c(a->headers[i + 1])};
    *ret = reply;
    return RC_OK;
}

static inline void stage_pause(struct cli *cli, int64_t us)
{
    struct stage *s = cli->arg;
    clock_sim_advance(&s->clock, us);
    s->pauses++;
}

/* A path in the stage's folder, which is HOME. */
static inline const char *stage_path(struct stage *s, const char *name)
{
    return arena_cstr(&s->arena, arena_fmt(&s->arena, "%s/%s", s->folder, name));
}

/* Set a variable of the environment. */
static inline void stage_env(struct stage *s, const char *name, const char *value)
{
    for (size_t i = 0; i + 1 < STAGE_ENVIRONMENT_MAX; i++) {
        if (s->environment[i] != NULL)
            continue;
        struct str text = arena_fmt(&s->arena, "%s=%s", name, value);
        s->environment[i] = arena_bytes(&s->arena, text.n + 1);
        memcpy(s->environment[i], text.p, text.n);
        s->environment[i][text.n] = '\0';
        return;
    }
    NEVER("too many variables");
}

static inline void stage_init(struct stage *s)
{
    *s = (struct stage){0};
    arena_init(&s->arena, (size_t)512 * 1024 * 1024);
    clock_sim_init(&s->clock, 1764000000 * US_PER_SECOND, 7);
    wire_sim_init(&s->wire, &s->clock);
    s->wire.fn = stage_play;
    s->wire.arg = s;
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/hanse-cli-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(s->folder));
    s->cli = (struct cli){.wire = &s->wire.wire,
                          .clock = &s->clock.clock,
                          .environment = s->environment,
                          .pause = stage_pause,
                          .arg = s};
    stage_env(s, "HOME", s->folder);
}

static inline int stage_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void stage_fini(struct stage *s)
{
    (void)nftw(s->folder, stage_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(s->out_bytes);
    free(s->err_bytes);
    arena_fini(&s->arena);
}

/* The next answer of the server. */
static inline void stage_answer(struct stage *s, int status, const char *body)
{
    ck_assert_uint_lt(s->answer_count, STAGE_ANSWERS_MAX);
    s->answers[s->answer_count++] = (struct stage_answer){.status = status, .body = body};
}

static inline void stage_answer_with(struct stage *s, int status, const char *name,
                                     const char *value, const char *body)
{
    ck_assert_uint_lt(s->answer_count, STAGE_ANSWERS_MAX);
    s->answers[s->answer_count++] =
        (struct stage_answer){.status = status, .headers = {name, value}, .body = body};
}

/* No answer comes. */
static inline void stage_lose(struct stage *s, enum rc rc)
{
    ck_assert_uint_lt(s->answer_count, STAGE_ANSWERS_MAX);
    s->answers[s->answer_count++] = (struct stage_answer){.rc = rc};
}

/* Run a command; line holds its arguments with '|' between: "party|list|--limit|10". input is what
 * stands on standard input. */
static inline enum rc stage_run_with(struct stage *s, const char *line, const char *input)
{
    char *argv[STAGE_ARGS_MAX] = {NULL};
    int argc = 0;
    struct str rest = arena_fmt(&s->arena, "hanse|%s", line);
    while (rest.n > 0) {
        struct str word = str_cut(&rest, '|');
        ck_assert_int_lt(argc, STAGE_ARGS_MAX - 1);
        argv[argc] = arena_bytes(&s->arena, word.n + 1);
        memcpy(argv[argc], word.p, word.n);
        argv[argc++][word.n] = '\0';
    }
    free(s->out_bytes);
    free(s->err_bytes);
    s->out_bytes = s->err_bytes = NULL;
    FILE *in = input != NULL && input[0] != '\0'
                   ? fmemopen((void *)(uintptr_t)input, strlen(input), "r")
                   : fopen("/dev/null", "re");
    ck_assert_ptr_nonnull(in);
    s->cli.in = in;
    s->cli.out = open_memstream(&s->out_bytes, &s->out_n);
    s->cli.err = open_memstream(&s->err_bytes, &s->err_n);
    s->asked = 0;
    s->pauses = 0;
    s->rc = cli_run(&s->cli, argc, argv);
    (void)fclose(in);
    (void)fclose(s->cli.out);
    (void)fclose(s->cli.err);
    ck_assert_msg(s->asked == s->answer_count, "%zu of %zu answers were fetched: %s", s->asked,
                  s->answer_count, s->err_bytes);
    s->answer_count = 0;
    return s->rc;
}

static inline enum rc stage_run(struct stage *s, const char *line)
{
    return stage_run_with(s, line, NULL);
}

static inline bool stage_out_has(const struct stage *s, const char *text)
{
    return str_has(str_n(s->out_bytes, s->out_n), str_c(text));
}

static inline bool stage_err_has(const struct stage *s, const char *text)
{
    return str_has(str_n(s->err_bytes, s->err_n), str_c(text));
}

/* Check takes no message longer than 4 KiB, and wants one even where all is well. */
#define STAGE_SHOWN_MAX 2000
#define stage_assert_out(s, text)                                                             \
    ck_assert_msg(stage_out_has((s), (text)), "want '%s' in:\n%.*s", (text), STAGE_SHOWN_MAX, \
                  (s)->out_bytes)
#define stage_assert_err(s, text)                                                             \
    ck_assert_msg(stage_err_has((s), (text)), "want '%s' in:\n%.*s", (text), STAGE_SHOWN_MAX, \
                  (s)->err_bytes)
#define stage_assert_rc(s, want)                                                             \
    ck_assert_msg((s)->rc == (want), "want %s, was %s: %s", rc_slug(want), rc_slug((s)->rc), \
                  (s)->err_bytes)

/* A token in a file, so that no profile is needed. */
static inline void stage_log_in(struct stage *s)
{
    const char *path = stage_path(s, "token");
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
    (void)fputs("hse_staged\n", file);
    (void)fclose(file);
    stage_env(s, "HANSE_TOKEN_FILE", path);
}

#endif
