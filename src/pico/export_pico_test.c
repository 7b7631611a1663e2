#include "pico/account.h"
#include "pico/engine_fixture.h"
#include "pico/export.h"

#include <sodium.h>
#include <zlib.h>

static const char life[] =
    "ruleset life { meta { shares all, kids }\n"
    "  global { all = function() { [ent:n, ent:log, schedule:list().length()] }\n"
    "    kids = function() { ctx:children.map(function(c) { ctx:query(c, \"life\", \"all\") }) } "
    "}\n"
    "  rule open { select when life open ctx:newChannel([\"out\"]) setting(c)\n"
    "    always { raise life event \"tell\" attributes c } }\n"
    "  rule tell { select when life tell send_directive(\"open\", {\"eci\": event:attr(\"id\")}) "
    "}\n"
    "  rule add { select when life add always { ent:n := ent:n.defaultsTo(0) + 1 } }\n"
    "  rule send { select when life send\n"
    "    event:send({\"eci\": event:attr(\"to\"), \"domain\": \"life\", \"name\": \"add\"}) }\n"
    "  rule pair { select when life a before life b always { ent:log := \"pair\" } }\n"
    "  rule plan { select when life plan\n"
    "    always { schedule life event \"add\" at time:add(time:now(), {\"hours\": 1}) } }\n"
    "}";

struct box {
    struct buf buf;
    struct arena arena;
};

static enum rc put(void *arg, struct str bytes, struct err *err)
{
    struct box *b = arg;
    (void)err;
    buf_add(&b->buf, bytes);
    return RC_OK;
}

static void box_init(struct box *b)
{
    arena_init(&b->arena, 256 * 1024 * 1024);
    buf_init(&b->buf, &b->arena, 64 * 1024 * 1024);
}

static struct str open_channel(struct world *w, struct str eci)
{
    struct str said = world_event(w, eci, "life", "open", "");
    size_t at = 0;
    while (!str_starts(str_sub(said, at, said.n), STR("\"eci\":\"")))
        at++;
    return str_sub(said, at + 7, at + 7 + 25);
}

/* A pico with a child, both with some life in them. */
static struct str make(struct world *w, struct str ret_ecis[2])
{
    static const char *const with = "{\"rulesets\":[{\"url\":\"file:///life.krl\"}]}";
    world_flush(w, "life", life);
    struct str top = world_child(w, pico_root(w->e), with);
    struct str below = world_child(w, top, with);
    ret_ecis[0] = open_channel(w, top);
    ret_ecis[1] = open_channel(w, below);
    (void)world_event(w, ret_ecis[0], "life", "add", "");
    (void)world_event(w, ret_ecis[1], "life", "add", "");
    (void)world_event(w, ret_ecis[1], "life", "add", "");
    (void)world_event(w, ret_ecis[1], "life", "a", "");
    (void)world_event(w, ret_ecis[1], "life", "plan", "");
    return top;
}

static void export(struct world *w, struct str id, struct box *b)
{
    box_init(b);
    enum rc rc = pico_export(w->e, id, put, b, &w->f.err);
    ck_assert_msg(rc == RC_OK, "%s", w->f.err.text);
}

static enum rc import(struct world *w, struct str file, struct str *ret)
{
    err_clear(&w->f.err);
    return pico_import(w->e, pico_root(w->e), file, NULL, &w->arena, ret, &w->f.err);
}

START_TEST(a_family_goes_on_in_another_engine)
{
    struct world w;
    struct world other;
    struct box box;
    struct str ecis[2];
    struct str said;
    world_start(&w);
    struct str top = make(&w, ecis);
    export(&w, top, &box);
    world_start(&other);
    /* Another content under the same URL: the picos keep theirs. */
    world_flush(&other, "life", "ruleset life { meta { shares all } global { all = \"other\" } }");
    enum rc rc = import(&other, buf_str(&box.buf), &said);
    ck_assert_msg(rc == RC_OK, "%s", other.f.err.text);
    ck_assert_msg(str_has(said, STR("\"picos\":2}")), "%.*s", STRF(said));
    world_run(&other);
    CHECK_TEXT(world_query(&other, ecis[0], "life", "all", ""), "[1,null,0]");
    CHECK_TEXT(world_query(&other, ecis[0], "life", "kids", ""), "[[2,null,1]]");
    (void)world_event(&other, ecis[1], "life", "b", ""); /* the rule waited for it */
    CHECK_TEXT(world_query(&other, ecis[1], "life", "all", ""), "[2,\"pair\",1]");
    world_advance(&other, 2 * US_PER_HOUR);
    CHECK_TEXT(world_query(&other, ecis[1], "life", "all", ""), "[3,\"pair\",0]");
    /* What stayed behind is as it was, and a second import is refused. */
    CHECK_TEXT(world_query(&w, ecis[1], "life", "all", ""), "[2,null,1]");
    ck_assert_int_eq(import(&other, buf_str(&box.buf), &said), RC_CONFLICT);
    arena_fini(&box.arena);
    world_stop(&w);
    world_stop(&other);
}
END_TEST

/* Sent to one that stands still, so that it is kept there and not handled. */
START_TEST(messages_that_wait_go_along_and_are_handled_once)
{
    static const char *const with = "{\"rulesets\":[{\"url\":\"file:///life.krl\"}]}";
    enum { MESSAGES = 5 };
    struct world w;
    struct world other;
    struct box box;
    struct str ecis[2];
    struct str said;
    world_start(&w);
    struct str top = make(&w, ecis);
    struct str sender = world_child(&w, pico_root(w.e), with);
    struct str to = arena_fmt(&w.arena, "{\"to\":\"%.*s\"}", STRF(ecis[1]));
    ck_assert_int_eq(pico_suspend(w.e, top, true, &w.f.err), RC_OK);
    for (int i = 0; i < MESSAGES; i++)
        (void)world_event(&w, sender, "life", "send", to.p);
    world_run(&w);
    export(&w, top, &box);
    world_start(&other);
    ck_assert_int_eq(import(&other, buf_str(&box.buf), &said), RC_OK);
    world_run(&other);
    CHECK_TEXT(world_query(&other, ecis[0], "life", "kids", ""), "[[7,null,1]]");
    world_restart(&other);
    world_run(&other);
    CHECK_TEXT(world_query(&other, ecis[0], "life", "kids", ""), "[[7,null,1]]");
    arena_fini(&box.arena);
    world_stop(&w);
    world_stop(&other);
}
END_TEST

/* The content of a file; empty where it is no gzip. */
static struct str content(struct box *b, struct str file)
{
    size_t max = 1024 * 1024;
    char *out = arena_bytes(&b->arena, max);
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)file.p,
                  .avail_in = (unsigned)file.n,
                  .next_out = (unsigned char *)out,
                  .avail_out = (unsigned)max};
    ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
    int rc = inflate(&z, Z_FINISH);
    (void)inflateEnd(&z);
    return rc == Z_STREAM_END ? str_n(out, max - z.avail_out) : STR("");
}

START_TEST(a_file_that_is_not_whole_or_was_changed_is_refused)
{
    struct world w;
    struct world other;
    struct box box;
    struct str ecis[2];
    struct str said;
    world_start(&w);
    struct str top = make(&w, ecis);
    export(&w, top, &box);
    struct str file = buf_str(&box.buf);
    world_start(&other);
    for (size_t n = 0; n < file.n; n += 1 + clock_sim_below(&w.sim, 200))
        ck_assert_int_ne(import(&other, str_sub(file, 0, n), &said), RC_OK);
    char *copy = arena_bytes(&box.arena, file.n);
    for (int i = 0; i < 100; i++) {
        memcpy(copy, file.p, file.n);
        copy[clock_sim_below(&w.sim, file.n - 30) + 20] ^= (char)(1 << clock_sim_below(&w.sim, 8));
        /* There are two ways to pack the same: that is no change. */
        if (str_eq(content(&box, str_n(copy, file.n)), content(&box, file)))
            continue;
        enum rc rc = import(&other, str_n(copy, file.n), &said);
        ck_assert_msg(rc != RC_OK, "seed 20261125, change %d", i);
    }
    uint8_t key[EXPORT_KEY_BYTES];
    ck_assert_int_eq(pico_export_key(other.e, key, &w.f.err), RC_OK);
    ck_assert_int_eq(pico_import(other.e, pico_root(other.e), file, key, &w.arena, &said, &w.f.err),
                     RC_UNAUTHENTICATED);
    ck_assert_int_eq(pico_export_key(w.e, key, &w.f.err), RC_OK);
    ck_assert_int_eq(pico_import(other.e, STR("nobody"), file, key, &w.arena, &said, &w.f.err),
                     RC_NOT_FOUND);
    ck_assert_int_eq(pico_import(other.e, pico_root(other.e), file, key, &w.arena, &said, &w.f.err),
                     RC_OK);
    ck_assert_int_eq(pico_export(w.e, STR("nobody"), put, &box, &w.f.err), RC_NOT_FOUND);
    arena_fini(&box.arena);
    world_stop(&w);
    world_stop(&other);
}
END_TEST

/* --- files that other engines wrote --- */

enum { FILE_BYTES = 64 * 1024 };

static struct str base64(struct arena *arena, const uint8_t *bytes, size_t n)
{
    size_t length = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
    char *to = arena_bytes(arena, length);
    return str_c(sodium_bin2base64(to, length, bytes, n, sodium_base64_VARIANT_ORIGINAL));
}

/* The lines and a last one, signed by a key of its own; packed. */
static struct str sign(struct arena *arena, struct str lines, int picos)
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t hash[crypto_generichash_BYTES];
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_keypair(public, secret);
    crypto_generichash(hash, sizeof hash, (const uint8_t *)lines.p, lines.n, NULL, 0);
    crypto_sign_detached(signature, NULL, hash, sizeof hash, secret);
    struct str all = arena_fmt(
        arena, "%.*s{\"is\":\"end\",\"picos\":%d,\"key\":\"%.*s\",\"signature\":\"%.*s\"}\n",
        STRF(lines), picos, STRF(base64(arena, public, sizeof public)),
        STRF(base64(arena, signature, sizeof signature)));
    char *out = arena_bytes(arena, FILE_BYTES);
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)all.p,
                  .avail_in = (unsigned)all.n,
                  .next_out = (unsigned char *)out,
                  .avail_out = FILE_BYTES};
    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    (void)deflateEnd(&z);
    return str_n(out, FILE_BYTES - z.avail_out);
}

START_TEST(details_are_named_by_what_comes_behind_them)
{
/* What is in a detail is looked at when it is used. */
#define PICO                                                                                       \
    "{\"is\":\"pico\",\"id\":\"cpico\",\"parent_eci\":\"cup\",\"child_eci\":\"cdown\",\"made\":1}" \
    "\n"
#define DETAIL "{\"is\":\"detail\",\"no\":7,\"detail\":\"AAAA\"}\n"
#define SHARED "{\"is\":\"channel\",\"eci\":\"cone\",\"place\":1,\"shared\":7}\n"
#define OWN    "{\"is\":\"channel\",\"eci\":\"ctwo\",\"place\":2,\"detail\":\"AAAA\"}\n"
    static const struct {
        const char *lines;
        const char *says;
        enum rc rc;
        int version;
    } rows[] = {
        {PICO SHARED, "line 3 of the file: the detail is not in the file", RC_INVALID, 2},
        {PICO DETAIL DETAIL, "line 4 of the file: a detail comes twice", RC_INVALID, 2},
        {PICO "{\"is\":\"detail\",\"no\":7}\n", "line 3 of the file: a detail is empty", RC_INVALID,
         2},
        {PICO "{\"is\":\"detail\",\"no\":7,\"detail\":\"A\"}\n",
         "line 3 of the file: what should be base64 is none", RC_INVALID, 2},
        {PICO, "line 1 of the file: a version that is not known here", RC_INVALID, 3},
        {PICO, "line 1 of the file: a version that is not known here", RC_INVALID, 0},
        {PICO DETAIL SHARED OWN, NULL, RC_OK, 2},
        {PICO OWN, "the identifier cpico is in use here", RC_CONFLICT, 1},
    };
    struct world w;
    struct str said;
    world_start(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str lines = arena_fmt(&w.arena, "{\"is\":\"hanse-pico\",\"version\":%d}\n%s",
                                     rows[i].version, rows[i].lines);
        enum rc rc = import(&w, sign(&w.arena, lines, 1), &said);
        ck_assert_msg(rc == rows[i].rc, "%zu: %s", i, w.f.err.text);
        ck_assert_msg(rc == RC_OK || str_eq(err_text(&w.f.err), str_c(rows[i].says)), "%zu: %s", i,
                      w.f.err.text);
    }
    (void)world_ask(&w,
                    (struct pico_request){.ask = PICO_DELETE, .eci = STR("cpico"), .inside = true});
    struct str lines = STR("{\"is\":\"hanse-pico\",\"version\":1}\n" PICO OWN);
    ck_assert_int_eq(import(&w, sign(&w.arena, lines, 1), &said), RC_OK);
    world_stop(&w);
}
END_TEST

/* What is between the first line of an export, which has the time, and the signed last one. */
static struct str middle(struct world *w, struct str id)
{
    struct box box;
    export(w, id, &box);
    struct str all = arena_str(&w->arena, content(&box, buf_str(&box.buf)));
    arena_fini(&box.arena);
    (void)str_cut(&all, '\n');
    size_t end = 0;
    while (!str_starts(str_sub(all, end, all.n), STR("{\"is\":\"end\"")))
        end++;
    return str_sub(all, 0, end);
}

START_TEST(the_same_picos_make_the_same_lines)
{
    static const char detail[] = "{\"is\":\"detail\",\"no\":%d,\"detail\":\"%s%sAAA%c\"}\n";
    static const char channel[] =
        "{\"is\":\"channel\",\"eci\":\"c%d\",\"place\":%d,\"shared\":%d}\n";
    /* Longer than what a channel keeps for itself. */
    static const char *const long_48 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct world w;
    struct str said;
    struct buf b;
    world_start(&w);
    buf_init(&b, &w.arena, 4096);
    buf_add(&b, STR("{\"is\":\"hanse-pico\",\"version\":2}\n" PICO));
    for (int i = 1; i <= 3; i++) { /* in another order than that of their places */
        buf_fmt(&b, detail, 10 * i, long_48, long_48, 'A' + i);
        buf_fmt(&b, channel, i, 4 - i, 10 * i);
    }
    ck_assert_int_eq(import(&w, sign(&w.arena, buf_str(&b), 1), &said), RC_OK);
    struct str was = middle(&w, STR("cpico"));
    ck_assert(str_has(was, STR("\"place\":3,\"shared\":3}")));
    struct str again =
        arena_fmt(&w.arena, "{\"is\":\"hanse-pico\",\"version\":2}\n%.*s", STRF(was));
    (void)world_ask(&w,
                    (struct pico_request){.ask = PICO_DELETE, .eci = STR("cpico"), .inside = true});
    ck_assert_int_eq(import(&w, sign(&w.arena, again, 1), &said), RC_OK);
    struct str is = middle(&w, STR("cpico"));
    ck_assert_msg(str_eq(is, was), "was %.*s, is %.*s", STRF(was), STRF(is));
    world_stop(&w);
}
END_TEST

Suite *export_pico_suite(void);
Suite *export_pico_suite(void)
{
    Suite *s = suite_create("export_pico");
    TCase *t = tcase_create("export_pico");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_family_goes_on_in_another_engine);
    tcase_add_test(t, messages_that_wait_go_along_and_are_handled_once);
    tcase_add_test(t, a_file_that_is_not_whole_or_was_changed_is_refused);
    tcase_add_test(t, details_are_named_by_what_comes_behind_them);
    tcase_add_test(t, the_same_picos_make_the_same_lines);
    suite_add_tcase(s, t);
    return s;
}
