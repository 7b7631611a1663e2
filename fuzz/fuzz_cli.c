/*
 * What the command line reads from outside is refused with a sentence, or taken: the file of
 * profiles, a stream of events in pieces, and any answer of a server to any command. The first byte
 * says which.
 */
#include "fuzz.h"

#include "base/map.h"
#include "cli/cli.h"
#include "cli/profile.h"
#include "cli/stream.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES = 256 * 1024 * 1024 };

/* --- profiles --- */

static void fuzz_profiles(struct str input)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    struct profiles all = {0};
    struct err err;
    err_clear(&err);
    enum rc rc = profiles_parse(input, &arena, &all, &err);
    ASSERT((rc == RC_OK) == (err.rc == RC_OK));
    if (rc == RC_OK) {
        ASSERT(all.list.count <= PROFILES_MAX);
        (void)profiles_find(&all, all.current);
    }
    arena_fini(&arena);
}

/* --- events --- */

struct seen {
    uint64_t sum;
    size_t count;
};

static enum rc add_event(void *arg, const struct stream_event *event, struct err *err)
{
    (void)err;
    static const uint64_t key[2] = {1, 2};
    struct seen *seen = arg;
    seen->sum = seen->sum * 31 + hash_str(event->data, key);
    seen->sum = seen->sum * 31 + hash_str(event->event, key);
    seen->sum = seen->sum * 31 + hash_str(event->id, key);
    seen->count++;
    ASSERT(event->event.n > 0);
    return RC_OK;
}

static struct seen read_stream(struct str input, size_t piece, struct arena *arena)
{
    struct seen seen = {0};
    struct stream stream;
    struct err err;
    err_clear(&err);
    stream_init(&stream, arena, add_event, &seen);
    enum rc rc = RC_OK;
    for (size_t at = 0; at < input.n && rc == RC_OK; at += piece)
        rc = stream_feed(&stream, str_sub(input, at, at + piece), &err);
    ASSERT(rc == RC_OK || rc == RC_TOO_LARGE);
    struct str id = stream_last_id(&stream);
    for (size_t i = 0; i < id.n; i++)
        ASSERT((unsigned char)id.p[i] >= 0x20); /* it becomes a header */
    return seen;
}

/* However the bytes are cut into pieces, the events are the same. */
static void fuzz_stream(struct str input)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    struct seen whole = read_stream(input, input.n + 1, &arena);
    struct seen bytes = read_stream(input, 1, &arena);
    struct seen pieces = read_stream(input, 7, &arena);
    ASSERT(whole.sum == bytes.sum);
    ASSERT(whole.sum == pieces.sum);
    ASSERT(whole.count == bytes.count);
    arena_fini(&arena);
}

/* --- answers --- */

struct answer {
    int status;
    struct str body;
    size_t asked;
};

static enum rc play(void *arg, const struct wire_request *request, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    struct answer *answer = arg;
    (void)request;
    if (answer->asked++ > 3)
        return err_set(err, RC_TOO_LARGE, "enough");
    ret->status = answer->status;
    ret->body = answer->body;
    ret->headers = NEW_N(arena, struct pair, 2);
    ret->headers[0] = (struct pair){STR("link"), answer->body};
    ret->headers[1] = (struct pair){STR("etag"), STR("\"1\"")};
    ret->header_count = 2;
    return RC_OK;
}

static void pause_not(struct cli *cli, int64_t us)
{
    (void)cli;
    (void)us;
}

/* No byte that could drive a terminal, whatever the server says. --json and --csv are the server's
 * own bytes, for programs. */
static void check_printed(const char *bytes, size_t n)
{
    struct str text = str_n(bytes, n);
    ASSERT(str_is_utf8(text));
    for (size_t i = 0; i < n; i++)
        ASSERT((unsigned char)bytes[i] >= 0x20 || bytes[i] == '\n');
}

/* A token without a disk: its path in /proc. */
static int token_file(char path[64])
{
    static const char token[] = "hse_fuzz\n";
    int fd = memfd_create("token", MFD_CLOEXEC);
    ASSERT(fd >= 0);
    ASSERT(fchmod(fd, 0600) == 0);
    ASSERT(write(fd, token, sizeof token - 1) == (ssize_t)sizeof token - 1);
    (void)snprintf(path, 64, "HANSE_TOKEN_FILE=/proc/self/fd/%d", fd);
    return fd;
}

enum { FORM_TERMINAL = 1, FORM_JSON = 2, FORMS = 4, WORDS_MAX = 6 };

/* The command line number `command`, and --json where the form says so. */
static int choose_line(uint8_t command, uint8_t form, char words[WORDS_MAX][16])
{
    static const char *const lines[][3] = {
        {"party", "list", NULL},     {"party", "show", "pty_1"},   {"token", "list", "--all"},
        {"me", "show", NULL},        {"status", NULL, NULL},       {"version", NULL, NULL},
        {"role", "list", "--wide"},  {"events", "--count", "3"},   {"brand", "show", "pty_1"},
        {"party", "close", "pty_1"}, {"session", "list", "--csv"},
    };
    const char *const *line = lines[command % COUNT(lines)];
    int argc = 0;
    (void)snprintf(words[argc++], sizeof words[0], "hanse");
    for (size_t i = 0; i < COUNT(lines[0]) && line[i] != NULL; i++)
        (void)snprintf(words[argc++], sizeof words[0], "%s", line[i]);
    if ((form & FORM_JSON) != 0)
        (void)snprintf(words[argc++], sizeof words[0], "--json");
    return argc;
}

static void fuzz_answer(uint8_t command, uint8_t form, struct str input)
{
    static const int statuses[] = {200, 201, 204, 401, 403, 409, 412, 422, 429, 500, 503, 299};
    char words[WORDS_MAX][16] = {""};
    int argc = choose_line(command, form, words);
    char *argv[WORDS_MAX] = {words[0], words[1], words[2], words[3], words[4], words[5]};
    bool raw = (form & FORM_JSON) != 0 || strcmp(words[3], "--csv") == 0;

    struct clock_sim clock;
    clock_sim_init(&clock, US_PER_DAY, 1);
    struct wire_sim wire;
    wire_sim_init(&wire, &clock);
    struct answer answer = {.status = statuses[form / FORMS % COUNT(statuses)], .body = input};
    wire.fn = play;
    wire.arg = &answer;
    char home[] = "HOME=/nonexistent";
    char no_colours[] = "NO_COLOR=1";
    char token[64];
    int fd = token_file(token);
    char *environment[] = {home, no_colours, token, NULL};
    char *out = NULL;
    char *err = NULL;
    size_t out_n = 0;
    size_t err_n = 0;
    struct cli cli = {.wire = &wire.wire,
                      .clock = &clock.clock,
                      .in = stdin,
                      .out = open_memstream(&out, &out_n),
                      .err = open_memstream(&err, &err_n),
                      .environment = environment,
                      .out_terminal = (form & FORM_TERMINAL) != 0,
                      .columns = 40 + form,
                      .pause = pause_not};
    enum rc rc = cli_run(&cli, argc, argv);
    (void)fclose(cli.out);
    (void)fclose(cli.err);
    check_printed(err, err_n);
    if (!raw)
        check_printed(out, out_n);
    /* An answer is one line wherever it is printed: it cannot begin a line of ours. */
    bool told = strncmp(err, "hanse: ", 7) == 0 || strstr(err, "\nhanse: ") != NULL;
    ASSERT((rc != RC_OK) == told);
    free(out);
    free(err);
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct str input = str_n((const char *)data + 3, size - 3);
    switch (data[0] % 4) {
    case 0:
        fuzz_profiles(input);
        break;
    case 1:
        fuzz_stream(input);
        break;
    default:
        fuzz_answer(data[1], data[2], input);
        break;
    }
    return 0;
}
