#include "base/log.h"

#include "base/json.h"

#include <check.h>
#include <sys/mman.h>
#include <unistd.h>

static struct clock_sim clock_sim;
static int fd;
static char written[4 * LOG_LINE_MAX];

static void setup(void)
{
    clock_sim_init(&clock_sim, INT64_C(1795312648123456), 1);
    fd = memfd_create("log", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
}

static void teardown(void)
{
    ck_assert_int_eq(close(fd), 0);
}

/* All that was written since the last call. */
static struct str take_written(void)
{
    off_t n = lseek(fd, 0, SEEK_END);
    ck_assert(n >= 0 && n < (off_t)sizeof written);
    ck_assert_int_eq(pread(fd, written, (size_t)n, 0), n);
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return str_n(written, (size_t)n);
}

static struct log make(enum log_level level, bool json)
{
    struct log log;
    log_init(&log, &clock_sim.clock, fd, level, json);
    return log;
}

START_TEST(an_event_is_one_line_of_keys_and_values)
{
    struct log log = make(LOG_INFO, false);
    log_event(&log, LOG_INFO, "store.opened", LOG_S("path", STR("/var/lib/hanse")),
              LOG_I("us", -1204));
    ck_assert(str_eq(take_written(), STR("time=2026-11-22T01:57:28.123456Z level=info "
                                         "ev=store.opened path=/var/lib/hanse us=-1204\n")));
}
END_TEST

START_TEST(nothing_a_stranger_sends_makes_a_second_line)
{
    struct log log = make(LOG_INFO, false);
    log_event(&log, LOG_WARN, "x", LOG_S("a", STR("b c")),
              LOG_S("d", STR("\nlevel=error \"\\\x7F")), LOG_S("e", STR("k=v")),
              LOG_S("f", STR("")), LOG_S("g", STR("a\0b")));
    struct str line = take_written();
    ck_assert(str_ends(line, STR(" level=warn ev=x a=\"b c\" "
                                 "d=\"\\u000alevel=error \\\"\\\\\\u007f\" e=\"k=v\" f=\"\" "
                                 "g=\"a\\u0000b\"\n")));
    ck_assert_uint_eq(str_find(line, '\n', 0), line.n - 1);
}
END_TEST

START_TEST(with_json_each_line_is_an_object)
{
    struct log log = make(LOG_DEBUG, true);
    log_event(&log, LOG_ERROR, "x.y", LOG_S("a", STR("\"\\\n\xE4\xB8\xAD")), LOG_I("n", INT64_MIN));
    struct str line = take_written();
    ck_assert(str_ends(line, STR("}\n")));
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024);
    struct err err;
    const struct json *json = NULL;
    ck_assert_int_eq(json_parse(line, &arena, &json, &err), RC_OK);
    ck_assert(str_eq(json_text(json_get(json, STR("level"))), STR("error")));
    ck_assert(str_eq(json_text(json_get(json, STR("ev"))), STR("x.y")));
    ck_assert(str_eq(json_text(json_get(json, STR("a"))), STR("\"\\\n\xE4\xB8\xAD")));
    int64_t n = 0;
    ck_assert(json_i64(json_get(json, STR("n")), &n) && n == INT64_MIN);
    arena_fini(&arena);
}
END_TEST

START_TEST(events_below_the_level_are_dropped)
{
    struct log log = make(LOG_WARN, false);
    log_event(&log, LOG_INFO, "x", LOG_I("n", 1));
    log_event(&log, LOG_DEBUG, "x", LOG_I("n", 1));
    ck_assert_uint_eq(take_written().n, 0);
    log_event(&log, LOG_WARN, "x", LOG_I("n", 1));
    log_event(&log, LOG_ERROR, "x", LOG_I("n", 1));
    ck_assert_uint_gt(take_written().n, 0);
    log_event(NULL, LOG_ERROR, "x", LOG_I("n", 1));
    ck_assert_uint_eq(take_written().n, 0);
}
END_TEST

START_TEST(a_line_too_long_is_cut_and_stays_a_line)
{
    char large[2 * LOG_LINE_MAX];
    memset(large, 'x', sizeof large);
    /* Escapes of two and of six bytes, at every distance from the end of the line. */
    for (size_t i = 0; i < 16; i++) {
        large[LOG_LINE_MAX - 90 + i * 2] = '"';
        large[LOG_LINE_MAX - 89 + i * 2] = '\x01';
    }
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024);
    for (size_t n = LOG_LINE_MAX - 120; n < LOG_LINE_MAX + 20; n++) {
        for (int json = 0; json < 2; json++) {
            struct log log = make(LOG_INFO, json != 0);
            log_event(&log, LOG_INFO, "x", LOG_S("a", str_n(large, n)), LOG_I("n", 12345));
            struct str line = take_written();
            ck_assert_uint_le(line.n, LOG_LINE_MAX);
            ck_assert_uint_eq(str_find(line, '\n', 0), line.n - 1);
            struct err err;
            const struct json *ignored = NULL;
            if (json)
                ck_assert_msg(json_parse(line, &arena, &ignored, &err) == RC_OK, "%zu bytes: %s", n,
                              err.text);
            arena_reset(&arena);
        }
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(a_value_that_is_not_utf8_leaves_the_line_json)
{
    struct log log = make(LOG_INFO, true);
    log_event(&log, LOG_INFO, "x", LOG_S("a", STR("b\xFF\xE4\xB8")));
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024);
    struct err err;
    const struct json *json = NULL;
    ck_assert_int_eq(json_parse(take_written(), &arena, &json, &err), RC_OK);
    arena_fini(&arena);
}
END_TEST

START_TEST(levels_have_names)
{
    enum log_level level = LOG_LEVEL_COUNT;
    ck_assert(log_level_parse(STR("debug"), &level) && level == LOG_DEBUG);
    ck_assert(log_level_parse(STR("error"), &level) && level == LOG_ERROR);
    ck_assert(!log_level_parse(STR("ERROR"), &level) && !log_level_parse(STR(""), &level));
    ck_assert_int_eq(level, LOG_ERROR);
}
END_TEST

Suite *log_suite(void);
Suite *log_suite(void)
{
    Suite *s = suite_create("log");
    TCase *c = tcase_create("log");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, an_event_is_one_line_of_keys_and_values);
    tcase_add_test(c, nothing_a_stranger_sends_makes_a_second_line);
    tcase_add_test(c, with_json_each_line_is_an_object);
    tcase_add_test(c, events_below_the_level_are_dropped);
    tcase_add_test(c, a_line_too_long_is_cut_and_stays_a_line);
    tcase_add_test(c, a_value_that_is_not_utf8_leaves_the_line_json);
    tcase_add_test(c, levels_have_names);
    suite_add_tcase(s, c);
    return s;
}
