#include "base/buf.h"
#include "money/property.h"
#include "money/zone.h"
#include "money/zone_rule.h"

#include <check.h>
#include <dirent.h>
#include <sys/stat.h>

static struct arena arena;

static void arena_up(void)
{
    arena_init(&arena, (size_t)64 * 1024 * 1024);
}

static void arena_down(void)
{
    arena_fini(&arena);
}

static const char *const nasty[] = {
    "Europe/Paris",      "America/New_York",    "Asia/Kolkata",
    "Pacific/Apia",      "Australia/Lord_Howe", "America/Sao_Paulo",
    "Africa/Casablanca", "Asia/Tehran",         "Pacific/Kiritimati",
    "Europe/Dublin",     "Asia/Gaza",           "America/Nuuk",
    "Africa/Cairo",      "Asia/Jerusalem",      "Antarctica/Troll",
    "Pacific/Chatham",   "America/Santiago",    "Africa/Monrovia",
    "Asia/Kathmandu",    "Etc/GMT+12",          "EST5EDT",
    "Asia/Shanghai",     "America/Caracas",     "UTC",
};

static const struct zone *load(const char *name)
{
    const struct zone *z = NULL;
    struct err err = {0};
    ck_assert_msg(zone_load(str_c(name), &arena, &z, &err) == RC_OK, "%s", err.text);
    return z;
}

/* What libc says: the other reader of the same files. */
static void libc_use(const char *tz)
{
    ck_assert_int_eq(setenv("TZ", tz, 1), 0);
    tzset();
}

static int32_t libc_offset(int64_t at)
{
    time_t t = (time_t)at;
    struct tm tm;
    if (localtime_r(&t, &tm) == NULL)
        ck_abort_msg("localtime_r");
    return (int32_t)tm.tm_gmtoff;
}

static int64_t at_year(int64_t year)
{
    return days_from_civil(year, 1, 1) * 86400;
}

START_TEST(names_stay_inside_the_folder)
{
    static const struct {
        const char *name;
        bool ok;
    } cases[] = {
        {"UTC", true},
        {"Europe/Paris", true},
        {"America/Argentina/Buenos_Aires", true},
        {"Etc/GMT+5", true},
        {"America/Port-au-Prince", true},
        {"", false},
        {"/etc/passwd", false},
        {"../etc/passwd", false},
        {"Europe/../../etc/passwd", false},
        {"Europe//Paris", false},
        {"Europe/", false},
        {"Europe/Paris.", false},
        {"Europe/Pa ris", false},
        {"Europe/Par\xC3\xADs", false},
        {"localtime", false},
        {"right/Europe/Paris", false},
        {"posix/Europe/Paris", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        bool ok = zone_name_check(str_c(cases[i].name), &err) == RC_OK;
        ck_assert_msg(ok == cases[i].ok, "%s", cases[i].name);
    }
    struct err err = {0};
    ck_assert_int_eq(zone_name_check((struct str){"UTC\0x", 5}, &err), RC_INVALID);
}
END_TEST

START_TEST(what_is_no_zone_is_refused_by_name)
{
    static const char *const cases[] = {"Mars/Olympus", "Europe",    "leapseconds",
                                        "../UTC",       "right/UTC", "Europe/Paris/x"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct zone *z = NULL;
        struct err err = {0};
        ck_assert_msg(zone_load(str_c(cases[i]), &arena, &z, &err) == RC_INVALID, "%s", cases[i]);
        ck_assert_msg(str_has(err_text(&err), str_c(cases[i])), "%s", err.text);
        ck_assert_ptr_null(z);
    }
}
END_TEST

START_TEST(utc_needs_no_file_and_never_changes)
{
    const struct zone *z = load("UTC");
    int64_t next = 77;
    ck_assert_int_eq(zone_offset(z, 0), 0);
    ck_assert(!zone_next(z, 0, &next));
    ck_assert_int_eq(next, 77);
    ck_assert_int_eq(zone_first(z, 86400), 86400);
}
END_TEST

START_TEST(offsets_agree_with_libc_around_every_change)
{
    for (size_t i = 0; i < COUNT(nasty); i++) {
        const struct zone *z = load(nasty[i]);
        libc_use(nasty[i]);
        int64_t end = at_year(2110);
        int changes = 0;
        for (int64_t at = at_year(1900); zone_next(z, at, &at) && at < end; changes++) {
            if (zone_offset(z, at) != libc_offset(at) ||
                zone_offset(z, at - 1) != libc_offset(at - 1))
                ck_abort_msg("%s at %" PRId64, nasty[i], at);
        }
        ck_assert_msg(changes <= 500, "%s: %d changes", nasty[i], changes);
    }
}
END_TEST

START_TEST(offsets_agree_with_libc_anywhere)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (size_t i = 0; i < COUNT(nasty); i++) {
        const struct zone *z = load(nasty[i]);
        libc_use(nasty[i]);
        for (int k = 0; k < PROPERTY_RUNS / 10; k++) {
            int64_t at = property_between(&chance, at_year(1900), at_year(2400));
            HOLDS(zone_offset(z, at) == libc_offset(at), SEED_FMT "%s at %" PRId64, seed, nasty[i],
                  at);
        }
    }
}
END_TEST

START_TEST(rules_agree_with_libc_in_every_form)
{
    static const char *const rules[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "IST-1GMT0,M10.5.0,M3.5.0/1",           /* winter is the exception */
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", /* half an hour */
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",      /* the day before */
        "EET-2EEST,M3.4.4/50,M10.4.4/50",       /* two days later */
        "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
        "AAA3BBB,J60,J300",
        "AAA3BBB,59/1:02:03,299",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
        "<+0330>-3:30",
        "AAA-24:59:59",
    };
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct zone z = {.has_rule = true};
        ck_assert_msg(zone_rule_parse(str_c(rules[i]), &z.rule), "%s", rules[i]);
        libc_use(rules[i]);
        int64_t end = at_year(2110);
        int64_t at = at_year(1971);
        for (int64_t hour = at; hour < end; hour += 21600)
            if (zone_offset(&z, hour) != libc_offset(hour))
                ck_abort_msg("%s at %" PRId64, rules[i], hour);
        while (zone_next(&z, at, &at) && at < end)
            if (zone_offset(&z, at) != libc_offset(at) ||
                zone_offset(&z, at - 1) != libc_offset(at - 1))
                ck_abort_msg("%s at %" PRId64, rules[i], at);
    }
}
END_TEST

START_TEST(a_rule_can_say_daylight_time_all_year)
{
    /* RFC 8536 3.3.1. */
    struct zone z = {.has_rule = true};
    ck_assert(zone_rule_parse(STR("EST5EDT,0/0,J365/25"), &z.rule));
    for (int64_t at = at_year(2020); at < at_year(2030); at += 1800)
        if (zone_offset(&z, at) != -4 * 3600)
            ck_abort_msg("at %" PRId64, at);
}
END_TEST

START_TEST(texts_that_are_no_rules_are_refused)
{
    static const char *const cases[] = {
        "",
        "CE-1",
        "CET",
        "<+03-3",
        "CET-25",
        "CET-1:60",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,J366,J365",
        "CET-1CEST,366,365",
        "CET-1CEST,M3.5.0 ,M10.5.0",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct zone_rule rule = {.standard_s = 77};
        ck_assert_msg(!zone_rule_parse(str_c(cases[i]), &rule), "%s", cases[i]);
        ck_assert_int_eq(rule.standard_s, 77);
    }
}
END_TEST

START_TEST(gaps_and_repeats_give_the_first_instant)
{
    /* Sao Paulo jumped from 2017-10-15 00:00 to 01:00: the day began at one o'clock. */
    int64_t jump = INT64_C(1508036400);
    ck_assert_int_eq(zone_first(load("America/Sao_Paulo"), days_from_civil(2017, 10, 15) * 86400),
                     jump);
    /* Apia had no 2011-12-30. */
    const struct zone *apia = load("Pacific/Apia");
    int64_t line = INT64_C(1325239200);
    ck_assert_int_eq(zone_first(apia, days_from_civil(2011, 12, 30) * 86400), line);
    ck_assert_int_eq(zone_first(apia, days_from_civil(2011, 12, 31) * 86400), line);
    /* Paris showed 02:30 twice on 2026-10-25: first in summer time. */
    ck_assert_int_eq(zone_first(load("Europe/Paris"), days_from_civil(2026, 10, 25) * 86400 + 9000),
                     INT64_C(1792888200));
}
END_TEST

static struct str read_whole(const char *path)
{
    char *bytes = arena_bytes(&arena, ZONE_FILE_MAX);
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(bytes, 1, ZONE_FILE_MAX, f);
    (void)fclose(f);
    return str_n(bytes, n);
}

START_TEST(a_file_cut_anywhere_is_refused)
{
    struct str whole = read_whole(ZONE_FOLDER "/Europe/Paris");
    const struct zone *z = NULL;
    struct err err = {0};
    for (size_t n = 0; n < whole.n; n++) {
        char *cut = malloc(n + 1); /* its end is where ASan looks */
        memcpy(cut, whole.p, n);
        if (zone_decode(STR("x"), str_n(cut, n), &arena, &z, &err) != RC_INVALID)
            ck_abort_msg("%zu bytes were taken", n);
        free(cut);
    }
    ck_assert_ptr_null(z);
    ck_assert_int_eq(zone_decode(STR("x"), whole, &arena, &z, &err), RC_OK);
}
END_TEST

/* A file of two changes and two types, as small as they come; each field can be spoilt. */
struct handmade {
    int64_t at[2];
    uint32_t types, names, leaps;
    int32_t offset_s;
    uint8_t index, is_daylight, name_index;
    const char *footer;
};

static void put_number(struct buf *b, uint64_t value, int bytes)
{
    while (bytes-- > 0)
        buf_add_char(b, (char)(value >> (8 * bytes)));
}

static void put_header(struct buf *b, const uint32_t counts[6])
{
    buf_add(b, STR("TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    for (int i = 0; i < 6; i++)
        put_number(b, counts[i], 4);
}

static enum rc decode_handmade(const struct handmade *h, const struct zone **ret)
{
    struct buf b;
    buf_init(&b, &arena, 4096);
    put_header(&b, (const uint32_t[]){0, 0, 0, 0, 0, 0});
    put_header(&b, (const uint32_t[]){0, 0, h->leaps, 2, h->types, h->names});
    put_number(&b, (uint64_t)h->at[0], 8);
    put_number(&b, (uint64_t)h->at[1], 8);
    put_number(&b, h->index, 1);
    put_number(&b, 0, 1);
    put_number(&b, 0, 6);
    put_number(&b, (uint32_t)h->offset_s, 4);
    put_number(&b, h->is_daylight, 1);
    put_number(&b, h->name_index, 1);
    buf_add(&b, STR("AAA\0"));
    buf_add(&b, str_c(h->footer));
    struct err err = {0};
    return zone_decode(STR("x"), buf_str(&b), &arena, ret, &err);
}

START_TEST(each_field_of_a_file_is_checked)
{
    static const struct handmade good = {
        .at = {100, 200}, .types = 2, .names = 4, .offset_s = 7200, .index = 1, .footer = "\n\n"};
    const struct zone *z = NULL;
    ck_assert_int_eq(decode_handmade(&good, &z), RC_OK);
    ck_assert_int_eq(zone_offset(z, 99), 0);
    ck_assert_int_eq(zone_offset(z, 100), 7200);
    ck_assert_int_eq(zone_offset(z, 200), 0);
    ck_assert_int_eq(zone_first(z, 7300), 100);
    struct handmade bad[16];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].at[1] = 100;
    bad[1].at[1] = 99;
    bad[2].types = 0;
    bad[3].types = 257;
    bad[4].names = 0;
    bad[5].names = 100;
    bad[6].leaps = 1;
    bad[7].offset_s = ZONE_OFFSET_MAX + 1;
    bad[8].offset_s = ZONE_OFFSET_MIN - 1;
    bad[9].index = 2;
    bad[10].is_daylight = 2;
    bad[11].name_index = 4;
    bad[12].footer = "";
    bad[13].footer = "\nAAA0";
    bad[14].footer = "\nnonsense\n";
    bad[15].footer = "AAA0\n";
    z = NULL;
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(decode_handmade(&bad[i], &z) == RC_INVALID, "bad file %zu", i);
    ck_assert_ptr_null(z);
}
END_TEST

START_TEST(a_file_with_wrong_bytes_is_refused_or_makes_a_zone_that_works)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct str whole = read_whole(ZONE_FOLDER "/America/New_York");
    char *bytes = malloc(whole.n);
    struct arena scratch;
    arena_init(&scratch, (size_t)1024 * 1024);
    for (int i = 0; i < PROPERTY_RUNS / 10; i++) {
        memcpy(bytes, whole.p, whole.n);
        for (uint64_t k = 1 + clock_sim_below(&chance, 3); k > 0; k--)
            bytes[clock_sim_below(&chance, whole.n)] = (char)clock_sim_below(&chance, 256);
        const struct zone *z = NULL;
        struct err err = {0};
        arena_reset(&scratch);
        if (zone_decode(STR("x"), str_n(bytes, whole.n), &scratch, &z, &err) != RC_OK)
            continue;
        int64_t local = property_between(&chance, at_year(1800), at_year(2200));
        int64_t first = zone_first(z, local);
        HOLDS(first + zone_offset(z, first) >= local, SEED_FMT, seed);
        HOLDS(first - 1 + zone_offset(z, first - 1) < local, SEED_FMT, seed);
    }
    arena_fini(&scratch);
    free(bytes);
}
END_TEST

static void load_all_below(const char *folder, const char *prefix, int *count)
{
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char path[512];
        char name[256];
        struct stat info;
        struct err err = {0};
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        (void)snprintf(name, sizeof name, "%s%s", prefix, entry->d_name);
        bool is_zone = zone_name_check(str_c(name), &err) == RC_OK &&
                       strcmp(name, "leapseconds") != 0 && strcmp(name, "posix") != 0 &&
                       strcmp(name, "right") != 0;
        if (!is_zone || stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode)) {
            (void)snprintf(name, sizeof name, "%s%s/", prefix, entry->d_name);
            load_all_below(path, name, count);
            continue;
        }
        (void)load(name);
        arena_reset(&arena);
        ++*count;
    }
    (void)closedir(dir);
}

START_TEST(every_zone_of_the_machine_loads)
{
    int count = 0;
    load_all_below(ZONE_FOLDER, "", &count);
    ck_assert_int_gt(count, 400);
}
END_TEST

START_TEST(files_that_count_leap_seconds_are_refused)
{
    const struct zone *z = NULL;
    struct err err = {0};
    struct stat info;
    if (stat(ZONE_FOLDER "/right/UTC", &info) != 0)
        return; /* newer packages leave them out */
    ck_assert_int_eq(zone_decode(STR("x"), read_whole(ZONE_FOLDER "/right/UTC"), &arena, &z, &err),
                     RC_INVALID);
}
END_TEST

Suite *zone_suite(void);
Suite *zone_suite(void)
{
    Suite *s = suite_create("zone");
    TCase *c = tcase_create("zone");
    tcase_add_checked_fixture(c, arena_up, arena_down);
    tcase_add_test(c, names_stay_inside_the_folder);
    tcase_add_test(c, what_is_no_zone_is_refused_by_name);
    tcase_add_test(c, utc_needs_no_file_and_never_changes);
    tcase_add_test(c, offsets_agree_with_libc_around_every_change);
    tcase_add_test(c, offsets_agree_with_libc_anywhere);
    tcase_add_test(c, rules_agree_with_libc_in_every_form);
    tcase_add_test(c, a_rule_can_say_daylight_time_all_year);
    tcase_add_test(c, texts_that_are_no_rules_are_refused);
    tcase_add_test(c, gaps_and_repeats_give_the_first_instant);
    tcase_add_test(c, a_file_cut_anywhere_is_refused);
    tcase_add_test(c, each_field_of_a_file_is_checked);
    tcase_add_test(c, a_file_with_wrong_bytes_is_refused_or_makes_a_zone_that_works);
    tcase_add_test(c, every_zone_of_the_machine_loads);
    tcase_add_test(c, files_that_count_leap_seconds_are_refused);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
