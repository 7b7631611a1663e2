#include "node/backup_keep.h"

#include "node/driver_sim.h"
#include "node/file.h"
#include "node/image.h"

#include "http/http.h"

#include <check.h>
#include <inttypes.h>
#include <unistd.h>

#define NODE    STR("nod_01jd8v3q7w4k2m9x6c5b1n0h8z")
#define SERVICE "svc_01jd8v3q7w4k2m9x6c5b1n0h8z"
#define BACKUP  "bak_01jd8v3q7w4k2m9x6c5b1n0h8z"
#define OTHER   "bak_01jd8v3q7w4k2m9x6c5b1n0h8y"
#define KEY_HEX "0102030000000000000000000000000000000000000000000000000000000000"
#define START   (INT64_C(1800000000) * US_PER_SECOND)
#define LONG    ((size_t)9 * 1024 * 1024) /* nine pieces */
#define A_LOT   (INT64_C(1) << 50)        /* no disk has it */

static struct arena arena;
static struct err err;
static char folder[64];
static struct clock_sim now;
static struct wire_sim wire;
static struct link node;
static struct driver_sim sim;
static struct agent *agent;
static struct backup_keep keep;

/* The control plane, and the service. */
static struct {
    const char *tasks; /* what is to be done; it ends when it was told */
    struct str got;    /* the pieces of a backup that came */
    int pieces, cut_piece;
    struct str content; /* what is fetched */
    size_t cut_after;   /* bytes of it; 0: it comes whole */
    int words;
    struct backup_word word; /* the last one */
    struct str says;         /* the backup command */
    int commands;
} there;

static enum rc give_file(const struct wire_request *r, struct wire_reply *ret, struct err *e)
{
    int64_t from = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        struct str range = r->headers[i].value;
        if (str_eq(r->headers[i].name, STR("Range")))
            ck_assert(str_to_i64(str_sub(range, 6, range.n - 1), 0, INT64_MAX, &from));
    }
    struct str rest = str_sub(there.content, (size_t)from, there.content.n);
    *ret = (struct wire_reply){.status = 206};
    if (there.cut_after == 0)
        return r->piece(r->arg, rest, e);
    TRY(r->piece(r->arg, str_sub(rest, 0, there.cut_after), e));
    return err_set(e, RC_UNAVAILABLE, "the connection was cut");
}

static enum rc take_piece(struct str url, struct str piece, struct str *ret, struct err *e)
{
    int64_t offset = 0;
    struct str path = str_cut(&url, '=');
    ck_assert(str_has(path, STR(BACKUP)));
    ck_assert(str_to_i64(url, 0, INT64_MAX, &offset));
    ck_assert_uint_le(piece.n, HTTP_BODY_BYTES_MAX); /* the control plane takes no more of a node */
    there.pieces++;
    if ((size_t)offset == there.got.n) { /* what does not follow is passed over */
        char *longer = arena_bytes(&arena, there.got.n + piece.n);
        if (there.got.n > 0)
            memcpy(longer, there.got.p, there.got.n);
        if (piece.n > 0)
            memcpy(longer + there.got.n, piece.p, piece.n);
        there.got = str_n(longer, there.got.n + piece.n);
    }
    if (there.pieces == there.cut_piece)
        return err_set(e, RC_UNAVAILABLE, "the answer is lost");
    *ret = arena_fmt(&arena, "{\"bytes\":%zu}", there.got.n);
    return RC_OK;
}

static void take_word(struct str body)
{
    const struct json *json = NULL;
    struct err e;
    err_clear(&e);
    ck_assert_int_eq(json_parse(arena_str(&arena, body), &arena, &json, &e), RC_OK);
    ck_assert_int_eq(
        schema_decode(&backup_word_schema, SCHEMA_WHOLE, json, &arena, &there.word, &e), RC_OK);
    there.words++;
    there.tasks = "";
}

static enum rc answer(void *arg UNUSED, const struct wire_request *r, struct arena *a UNUSED,
                      struct wire_reply *ret, struct err *e)
{
    struct str body = STR("{}");
    if (r->piece != NULL)
        return give_file(r, ret, e);
    if (str_has(r->url, STR("/pieces?")))
        TRY(take_piece(r->url, r->body, &body, e));
    else if (str_eq(r->method, STR("GET")))
        body = arena_fmt(&arena, "{\"tasks\":[%s]}", there.tasks);
    else
        take_word(r->body);
    *ret = (struct wire_reply){.status = 200, .body = body};
    return RC_OK;
}

static enum rc command(struct driver *d UNUSED, const struct driver_exec *e, struct arena *a UNUSED,
                       int *ret_status, struct str *ret_output, struct err *ret_err UNUSED)
{
    struct str left = there.says;
    there.commands++;
    while (left.n > 0) {
        ssize_t n = write(e->output, left.p, left.n);
        if (n <= 0)
            break; /* who listens has enough */
        left = str_sub(left, (size_t)n, left.n);
    }
    *ret_status = 0;
    *ret_output = STR("");
    return RC_OK;
}

static void setup(void)
{
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    err_clear(&err);
    clock_sim_init(&now, START, 1);
    memset(&there, 0, sizeof there);
    there.tasks = "";
    there.says = STR("what the service holds");
    snprintf(folder, sizeof folder, "/tmp/hanse-keep-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    wire_sim_init(&wire, &now);
    wire.fn = answer;
    node = (struct link){.wire = &wire.wire,
                         .clock = &now.clock,
                         .home = folder,
                         .server = STR("http://there"),
                         .node = NODE};
    uint8_t key[SIGNATURE_PUBLIC_BYTES];
    signature_pair(key, node.secret);
    driver_sim_init(&sim, &now);
    sim.driver.exec = command;
    agent = agent_open(&(struct agent_options){.driver = &sim.driver, .clock = &now.clock});
    keep =
        (struct backup_keep){.link = &node, .driver = &sim.driver, .agent = agent, .home = folder};
    ck_assert_int_eq(backup_keep_init(&keep, &err), RC_OK);
}

static void teardown(void)
{
    agent_close(agent);
    ck_assert_int_eq(file_remove(folder, &err), RC_OK);
    arena_fini(&arena);
}

static void runs(const char *more)
{
    struct str json = arena_fmt(&arena,
                                "{\"revision\":1,\"services\":[{\"id\":\"" SERVICE
                                "\",\"generation\":1,\"state\":\"running\","
                                "\"runtime\":\"container\",\"backup\":[\"b\"]%s}]}",
                                more);
    ck_assert_int_eq(agent_want(agent, json, &err), RC_OK);
    for (int i = 0; i < 5; i++) {
        agent_turn(agent);
        clock_sim_advance(&now, US_PER_SECOND);
    }
}

static void wants(const char *kind, struct str sha256, int64_t bytes)
{
    there.tasks = arena_fmt(&arena,
                            "{\"id\":\"" BACKUP "\",\"kind\":\"%s\",\"service\":\"" SERVICE
                            "\",\"sha256\":\"%.*s\",\"bytes\":%" PRId64 ",\"key\":\"%s\"}",
                            kind, STRF(sha256), bytes, strcmp(kind, "make") == 0 ? KEY_HEX : "")
                      .p;
}

/* How many tasks were there. */
static size_t turn(void)
{
    size_t count = 0;
    err_clear(&err);
    ck_assert_int_eq(backup_keep_turn(&keep, &arena, &count, &err), RC_OK);
    return count;
}

static const char *at(const char *name)
{
    return arena_fmt(&arena, "%s/backups/%s", folder, name).p;
}

static struct str hash_of(struct str content)
{
    struct str hash;
    int64_t bytes = 0;
    const char *path = at("hash");
    ck_assert_int_eq(file_write(path, content, &err), RC_OK);
    ck_assert_int_eq(image_hash(path, &arena, &hash, &bytes, &err), RC_OK);
    ck_assert_int_eq(file_remove(path, &err), RC_OK);
    return hash;
}

static struct str random_text(size_t n)
{
    char *text = arena_bytes(&arena, n);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + clock_sim_below(&now, 26));
    return str_n(text, n);
}

START_TEST(a_backup_is_made_once_sent_and_forgotten)
{
    runs("");
    wants("make", STR(""), 1000);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(!there.word.failed);
    ck_assert_int_eq(there.word.kind, TASK_MAKE);
    ck_assert_int_eq(there.word.bytes, (int64_t)there.got.n);
    ck_assert(file_exists(at("made/" BACKUP)));
    ck_assert_uint_eq(turn(), 0);
    ck_assert(!file_exists(at("made/" BACKUP)));
    ck_assert_int_eq(there.commands, 1);
}
END_TEST

/* The answer to a piece is lost: the command is not run again, and no byte comes twice. */
START_TEST(what_was_cut_off_goes_on)
{
    runs("");
    there.says = random_text(LONG);
    there.cut_piece = 2;
    wants("make", STR(""), A_LOT);
    ck_assert_uint_eq(turn(), 1);
    ck_assert_int_eq(there.words, 0); /* nothing became of it yet */
    ck_assert_uint_eq(turn(), 1);
    ck_assert_int_eq(there.words, 1);
    ck_assert(!there.word.failed);
    ck_assert_int_eq(there.commands, 1);
    ck_assert_uint_gt(there.got.n, LONG);
    ck_assert(str_eq(there.word.sha256, hash_of(there.got)));
}
END_TEST

START_TEST(what_does_not_run_is_not_backed_up)
{
    wants("make", STR(""), 1000);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(there.word.failed);
    ck_assert(str_has(there.word.reason, STR("does not run")));
    ck_assert_int_eq(there.commands, 0);
}
END_TEST

START_TEST(a_backup_that_is_too_long_leaves_nothing)
{
    runs("");
    there.says = random_text(100000);
    wants("make", STR(""), 50000);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(there.word.failed);
    ck_assert(str_has(there.word.reason, STR("more than")));
    ck_assert(!file_exists(at("made/" BACKUP)));
    ck_assert(!file_exists(at("made/" BACKUP ".new")));
}
END_TEST

START_TEST(what_is_held_is_what_was_kept)
{
    there.content = random_text(100000);
    struct str hash = hash_of(there.content);
    ((char *)(uintptr_t)there.content.p)[500] ^= 1;
    wants("hold", hash, 100000);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(there.word.failed);
    ck_assert(str_has(there.word.reason, STR("not what was kept")));
    ck_assert(!file_exists(at("held/" BACKUP)));
    ck_assert(!file_exists(at("held/" BACKUP ".new")));
    ((char *)(uintptr_t)there.content.p)[500] ^= 1;
    wants("hold", hash, 100000);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(!there.word.failed);
    ck_assert(file_exists(at("held/" BACKUP)));
    there.content = STR(""); /* it is not fetched again */
    wants("hold", hash, 100000);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(!there.word.failed);
}
END_TEST

START_TEST(a_fetch_that_was_cut_goes_on)
{
    there.content = random_text(100000);
    there.cut_after = 30000;
    wants("hold", hash_of(there.content), 100000);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(turn(), 1);
        ck_assert_int_eq(there.words, 0);
    }
    there.cut_after = 0;
    ck_assert_uint_eq(turn(), 1);
    ck_assert_int_eq(there.words, 1);
    ck_assert(!there.word.failed);
}
END_TEST

START_TEST(a_full_disk_is_said_and_nothing_is_written)
{
    wants("hold", STR(KEY_HEX), A_LOT);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(there.word.failed);
    ck_assert(str_has(there.word.reason, STR("has no room for a backup of")));
    struct str text;
    ck_assert_int_eq(file_read(at("held/" BACKUP ".new"), 10, &arena, &text, &err), RC_OK);
    ck_assert_uint_eq(text.n, 0);
}
END_TEST

START_TEST(what_is_dropped_is_gone_whole_or_half)
{
    ck_assert_int_eq(file_write(at("held/" BACKUP), STR("x"), &err), RC_OK);
    ck_assert_int_eq(file_write(at("held/" BACKUP ".new"), STR("x"), &err), RC_OK);
    ck_assert_int_eq(file_write(at("held/" OTHER), STR("x"), &err), RC_OK);
    wants("drop", STR(""), 0);
    ck_assert_uint_eq(turn(), 1);
    ck_assert(!there.word.failed);
    ck_assert(!file_exists(at("held/" BACKUP)));
    ck_assert(!file_exists(at("held/" BACKUP ".new")));
    ck_assert(file_exists(at("held/" OTHER)));
}
END_TEST

/* Whoever was killed left something: it goes when nobody speaks of it. */
START_TEST(what_is_left_over_goes_and_what_is_needed_stays)
{
    struct str json = arena_fmt(&arena,
                                ",\"restore\":[\"r\"],\"from\":{\"backup\":\"" BACKUP
                                "\",\"number\":3,\"sha256\":\"%s\",\"bytes\":1,\"key\":\"%s\"}",
                                KEY_HEX, KEY_HEX);
    const char *const files[] = {"made/" BACKUP,        "made/" OTHER ".new", "from/" BACKUP,
                                 "from/" BACKUP ".new", "from/" OTHER,        "held/" OTHER};
    for (size_t i = 0; i < COUNT(files); i++)
        ck_assert_int_eq(file_write(at(files[i]), STR("x"), &err), RC_OK);
    /* An agent that knows nothing yet takes nothing away that a service may begin with. */
    ck_assert_uint_eq(turn(), 0);
    ck_assert(file_exists(at("from/" OTHER)));
    ck_assert(!file_exists(at("made/" BACKUP)));
    ck_assert(!file_exists(at("made/" OTHER ".new")));
    runs(json.p);
    ck_assert_uint_eq(turn(), 0);
    ck_assert(file_exists(at("from/" BACKUP)));
    ck_assert(file_exists(at("from/" BACKUP ".new")));
    ck_assert(!file_exists(at("from/" OTHER)));
    ck_assert(file_exists(at("held/" OTHER))); /* the control plane says when */
}
END_TEST

START_TEST(what_a_node_holds_itself_is_not_fetched)
{
    const char *path = NULL;
    struct str content = random_text(1000);
    const struct spec_restore from = {
        .backup = STR(BACKUP), .sha256 = hash_of(content), .bytes = 1000};
    there.content = content;
    ck_assert_int_eq(backup_keep_fetch(&keep, &from, &arena, &path, &err), RC_OK);
    ck_assert_str_eq(path, at("from/" BACKUP));
    ck_assert_int_eq(file_write(at("held/" BACKUP), content, &err), RC_OK);
    ck_assert_int_eq(file_remove(at("from/" BACKUP), &err), RC_OK);
    there.content = STR("");
    ck_assert_int_eq(backup_keep_fetch(&keep, &from, &arena, &path, &err), RC_OK);
    ck_assert_str_eq(path, at("held/" BACKUP));
}
END_TEST

Suite *node_backup_suite(void);
Suite *node_backup_suite(void)
{
    Suite *s = suite_create("node_backup");
    TCase *c = tcase_create("backup_keep");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_backup_is_made_once_sent_and_forgotten);
    tcase_add_test(c, what_was_cut_off_goes_on);
    tcase_add_test(c, what_does_not_run_is_not_backed_up);
    tcase_add_test(c, a_backup_that_is_too_long_leaves_nothing);
    tcase_add_test(c, what_is_held_is_what_was_kept);
    tcase_add_test(c, a_fetch_that_was_cut_goes_on);
    tcase_add_test(c, a_full_disk_is_said_and_nothing_is_written);
    tcase_add_test(c, what_is_dropped_is_gone_whole_or_half);
    tcase_add_test(c, what_is_left_over_goes_and_what_is_needed_stays);
    tcase_add_test(c, what_a_node_holds_itself_is_not_fetched);
    suite_add_tcase(s, c);
    return s;
}
