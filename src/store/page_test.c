#include "store/page.h"

#include "store/store_fixture.h"

#include <check.h>
#include <inttypes.h>
#include <sodium.h>

#define SEED_FMT "TEST_SEED=%" PRIu64 " "

enum { STAY = 1000, MIX_MAX = 400, ID_N = 9 };

/* The rows are in `outbox`, which has texts and numbers that are never NULL. */
static const struct page_column columns[] = {
    {"id", "o.id", PAGE_TEXT},
    {"topic", "o.topic", PAGE_TEXT},
    {"tries", "o.tries", PAGE_NUMBER},
    {"created", "o.created", PAGE_NUMBER},
};

static const struct page_table table = {
    .select =
        "SELECT o.id, o.topic, o.tries, o.created, (SELECT COUNT(*) FROM setting) FROM outbox o",
    .id = "o.id",
    .sort = columns,
    .sort_count = COUNT(columns),
    .default_sort = "-id",
};

static void run(tx_fn fn)
{
    struct fixture f;
    fixture_open(&f);
    enum rc rc = fixture_write(&f, fn, NULL);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    fixture_close(&f);
}

static void must(struct tx *tx, enum rc rc)
{
    ck_assert_msg(rc == RC_OK, "%s", tx->err->text);
}

static uint64_t seed_of(void)
{
    const char *text = getenv("TEST_SEED");
    return text ? strtoull(text, NULL, 10) : 20261122;
}

/* kind 's' stays; 'g' comes and goes. Few topics and tries, so that many rows are equal in them. */
static void put(struct tx *tx, struct clock_sim *chance, char kind, uint64_t number)
{
    static const char *const topics[] = {"",     "a", "A", "a\xC3\xA9", "b'%_", "\xE4\xB8\xAD",
                                         "z\\\""};
    char id[ID_N + 1];
    (void)snprintf(id, sizeof id, "%03x%c%05u", (unsigned)clock_sim_below(chance, 4096), kind,
                   (unsigned)number);
    must(tx, sql_run(tx,
                     "INSERT INTO outbox (id, topic, body, state, tries, created, due) "
                     "VALUES ($1, $2, '{}', 0, $3, $4, 0)",
                     V(id), V(topics[clock_sim_below(chance, COUNT(topics))]),
                     V((int64_t)clock_sim_below(chance, 5) - 2),
                     V((int64_t)clock_sim_below(chance, 300) - 150)));
}

/* Rows that come and go anywhere in the list while it is walked. */
static void stir(struct tx *tx, struct clock_sim *chance, uint64_t *count)
{
    for (int i = 0; i < 5; i++)
        put(tx, chance, 'g', (*count)++ % 100000);
    must(tx, sql_run(tx,
                     "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE id LIKE '___g%' "
                     "AND tries = $1 ORDER BY id LIMIT 4)",
                     V((int64_t)clock_sim_below(chance, 5) - 2)));
}

static int compare_cells(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_TEXT)
        return str_cmp(a->text, b->text);
    return (a->number > b->number) - (a->number < b->number);
}

/* Whether row a stands before row b in this sort: what ORDER BY should do, done again. */
static bool is_before(const struct value *a, const struct value *b, const struct list *sort)
{
    const struct str *names = sort->items;
    int order = 0;
    bool down = false;
    for (size_t i = 0; i < sort->count && order == 0; i++) {
        down = names[i].p[0] == '-';
        struct str name = str_sub(names[i], down ? 1 : 0, names[i].n);
        for (size_t c = 0; c < COUNT(columns); c++)
            if (str_eq(name, str_c(columns[c].name)))
                order = compare_cells(&a[c], &b[c]);
        order = down ? -order : order;
    }
    if (order == 0)
        order = down ? compare_cells(&b[0], &a[0]) : compare_cells(&a[0], &b[0]);
    return order < 0;
}

static void walk(struct tx *tx, struct clock_sim *chance, struct list sort, uint64_t *stirred)
{
    bool seen[STAY] = {0};
    size_t found = 0;
    struct value last[COUNT(columns)];
    bool has_last = false;
    uint64_t seed = seed_of();
    struct page_query q = {.sort = sort,
                           .limit = 20 + (int64_t)clock_sim_below(chance, PAGE_LIMIT_MAX - 20)};
    size_t pages = 0;
    struct arena arena; /* one for each walk: that of a tx has room for a few */
    struct tx own = *tx;
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    own.arena = &arena;
    do {
        struct rows rows;
        must(tx, page_rows(&own, &table, &q, NULL, 0, &rows, &q.after));
        ck_assert_uint_le(rows.count, (size_t)q.limit);
        ck_assert(q.after.n == 0 || rows.count == (size_t)q.limit);
        for (size_t i = 0; i < rows.count; i++) {
            const struct value *row = row_cell(&rows, i, 0);
            ck_assert_msg(!has_last || is_before(last, row, &sort), SEED_FMT "not in order", seed);
            memcpy(last, row, sizeof last);
            has_last = true;
            struct str id = row_str(&rows, i, 0);
            int64_t number = 0;
            ck_assert(str_to_i64(str_sub(id, 4, ID_N), 0, 99999, &number));
            if (id.p[3] != 's')
                continue;
            ck_assert_msg(!seen[number], SEED_FMT "row twice", seed);
            seen[number] = true;
            found++;
        }
        stir(tx, chance, stirred);
        ck_assert_uint_lt(pages++, STAY * 4);
    } while (q.after.n > 0);
    arena_fini(&arena);
    ck_assert_msg(found == STAY, SEED_FMT "%zu of %d rows seen", seed, found, STAY);
}

static enum rc walk_every_sort(struct tx *tx, void *arg UNUSED)
{
    struct clock_sim chance;
    clock_sim_init(&chance, 0, seed_of());
    uint64_t stirred = 0;
    for (uint64_t i = 0; i < STAY; i++)
        put(tx, &chance, 's', i);
    struct str names[COUNT(columns) * 2];
    for (size_t i = 0; i < COUNT(names); i++)
        names[i] = arena_fmt(tx->arena, "%s%s", i % 2 ? "-" : "", columns[i / 2].name);
    walk(tx, &chance, (struct list){(struct str[]){STR("-id")}, 1}, &stirred);
    for (size_t a = 0; a < COUNT(names); a++)
        for (size_t b = 0; b < COUNT(names); b++) {
            struct str pair[] = {names[a], names[b]};
            size_t count = a == b ? 1 : 2;
            if (a / 2 != b / 2 || a == b)
                walk(tx, &chance, (struct list){pair, count}, &stirred);
        }
    struct str many[] = {STR("-tries"), STR("topic"), STR("-created"), STR("id")};
    walk(tx, &chance, (struct list){many, 4}, &stirred);
    return RC_OK;
}

START_TEST(every_sort_shows_each_row_once_while_others_come_and_go)
{
    run(walk_every_sort);
}
END_TEST

/* --- terms --- */

static enum rc filter(struct tx *tx, void *arg UNUSED)
{
    struct clock_sim chance;
    clock_sim_init(&chance, 0, seed_of());
    for (uint64_t i = 0; i < MIX_MAX; i++)
        put(tx, &chance, 's', i);
    struct rows want;
    must(tx, sql_rows(tx, &want,
                      "SELECT id FROM outbox WHERE tries = 1 AND (topic = 'a' OR id = 'a') "
                      "AND created > -100 ORDER BY created, id"));
    ck_assert_uint_gt(want.count, 3);
    const struct page_term terms[] = {
        {"o.tries = ?", V(1)},
        {"o.topic = ? OR o.id = ?", V("a")}, /* one value, twice; and OR stays inside */
        {"o.created > -100", {0}},
    };
    struct page_query q = {.limit = 3, .sort = {(struct str[]){STR("created")}, 1}};
    size_t at = 0;
    do {
        struct rows rows;
        must(tx, page_rows(tx, &table, &q, terms, COUNT(terms), &rows, &q.after));
        for (size_t i = 0; i < rows.count; i++, at++)
            ck_assert(str_eq(row_str(&rows, i, 0), row_str(&want, at, 0)));
    } while (q.after.n > 0);
    ck_assert_uint_eq(at, want.count);
    return RC_OK;
}

START_TEST(terms_hold_on_every_page)
{
    run(filter);
}
END_TEST

/* Rows of either half, those of both once, in every sort, with another term beside it. */
static enum rc halves(struct tx *tx, void *arg UNUSED)
{
    static const char *const sorts[] = {"created", "-created", "-id", "topic"};
    static const char *const orders[] = {"created, id", "created DESC, id DESC", "id DESC",
                                         "topic, id"};
    struct clock_sim chance;
    clock_sim_init(&chance, 0, seed_of());
    for (uint64_t i = 0; i < MIX_MAX; i++)
        put(tx, &chance, 's', i);
    const struct page_term terms[] = {
        {"o.created > -100", {0}},
        {"o.topic = ?" PAGE_OR "o.tries = 1 AND o.topic <> 'A' AND ? <> ''", V("a")},
    };
    for (size_t k = 0; k < COUNT(sorts); k++) {
        struct rows want;
        struct str sql = arena_fmt(tx->arena,
                                   "SELECT id FROM outbox WHERE created > -100 AND (topic = 'a' OR "
                                   "(tries = 1 AND topic <> 'A')) ORDER BY %s",
                                   orders[k]);
        must(tx, sql_rows_text(tx, &want, sql, NULL, 0));
        ck_assert_uint_gt(want.count, 20);
        struct str sort = str_c(sorts[k]);
        struct page_query q = {.limit = 7, .sort = {&sort, 1}};
        size_t at = 0;
        do {
            struct rows rows;
            must(tx, page_rows(tx, &table, &q, terms, COUNT(terms), &rows, &q.after));
            for (size_t i = 0; i < rows.count; i++, at++)
                ck_assert(str_eq(row_str(&rows, i, 0), row_str(&want, at, 0)));
        } while (q.after.n > 0);
        ck_assert_uint_eq(at, want.count);
    }
    return RC_OK;
}

START_TEST(of_a_term_with_halves_either_shows_a_row_once)
{
    run(halves);
}
END_TEST

/* --- what is refused --- */

static void refused(struct tx *tx, const struct page_query *q, const char *pointer)
{
    struct rows rows = {.count = 77};
    struct str next = STR("untouched");
    err_clear(tx->err);
    enum rc rc = page_rows(tx, &table, q, NULL, 0, &rows, &next);
    ck_assert_msg(rc == RC_INVALID, "%s: %.*s", rc_slug(rc), STRF(q->after));
    ck_assert_str_eq(tx->err->pointer, pointer);
    ck_assert_uint_eq(rows.count, 77);
    ck_assert(str_eq(next, STR("untouched")));
}

static void refused_sort(struct tx *tx, size_t count, const struct str *names)
{
    struct page_query q = {.sort = {(void *)(uintptr_t)names, count}};
    refused(tx, &q, "/sort");
}

static enum rc bad_sorts(struct tx *tx, void *arg UNUSED)
{
    static const char *const bad[] = {"",        "-",   "--id",     "nmae",
                                      "o.id",    "id ", "ID",       "id;DROP TABLE outbox",
                                      "id DESC", "1",   "id,topic", "+id"};
    for (size_t i = 0; i < COUNT(bad); i++)
        refused_sort(tx, 1, (struct str[]){str_c(bad[i])});
    refused_sort(tx, 2, (struct str[]){STR("id"), STR("-id")});
    refused_sort(tx, 5,
                 (struct str[]){STR("id"), STR("topic"), STR("tries"), STR("created"), STR("id")});
    ck_assert(strstr(tx->err->text, "topic") != NULL); /* says which there are */
    return RC_OK;
}

START_TEST(sorts_that_are_none_are_refused)
{
    run(bad_sorts);
}
END_TEST

static struct str forge(struct tx *tx, const char *json)
{
    size_t n = sodium_base64_encoded_len(strlen(json), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = arena_bytes(tx->arena, n);
    (void)sodium_bin2base64(text, n, (const unsigned char *)json, strlen(json),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return str_n(text, n - 1);
}

static enum rc forged_cursors(struct tx *tx, void *arg UNUSED)
{
    static const char *const bad[] = {
        "",
        "null",
        "{}",
        "[]",
        "[1]",
        "[\"-created,-id\"]",
        "[\"-created,-id\",1]",
        "[\"-created,-id\",1,\"x\",2]",
        "[\"-created,-id\",\"1\",\"x\"]", /* text for a number */
        "[\"-created,-id\",1,2]",         /* number for a text */
        "[\"-created,-id\",1.5,\"x\"]",
        "[\"-created,-id\",1e3,\"x\"]",
        "[\"-created,-id\",9223372036854775808,\"x\"]",
        "[\"-created,-id\",null,\"x\"]",
        "[\"-created,-id\",true,\"x\"]",
        "[\"-created,-id\",[1],\"x\"]",
        "[\"created,-id\",1,\"x\"]", /* of another sort */
        "[\"-created\",1,\"x\"]",
        "[\"-created,-id\",1,\"x\\u0000\"]",
        "[\"-created,-id\",1,\"x\"] ]",
    };
    struct page_query q = {.sort = {(struct str[]){STR("-created")}, 1}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        q.after = forge(tx, bad[i]);
        if (q.after.n > 0)
            refused(tx, &q, "/after");
    }
    static const char *const raw[] = {"x", "====", "WyJh'--", "\xFF", "WyJ pZCJd", "a+b/"};
    for (size_t i = 0; i < COUNT(raw); i++) {
        q.after = str_c(raw[i]);
        refused(tx, &q, "/after");
    }
    char *longest = arena_bytes(tx->arena, PAGE_CURSOR_MAX + 4);
    memset(longest, 'A', PAGE_CURSOR_MAX + 4);
    q.after = str_n(longest, PAGE_CURSOR_MAX + 4);
    refused(tx, &q, "/after");
    return RC_OK;
}

START_TEST(forged_cursors_are_refused_before_sql)
{
    run(forged_cursors);
}
END_TEST

/* A cursor with any byte changed is refused, or is another good cursor: never an SQL error. */
static enum rc changed_cursors(struct tx *tx, void *arg UNUSED)
{
    struct clock_sim chance;
    struct rows rows;
    struct str next;
    clock_sim_init(&chance, 0, seed_of());
    for (uint64_t i = 0; i < 20; i++)
        put(tx, &chance, 's', i);
    struct page_query q = {.limit = 5, .sort = {(struct str[]){STR("topic"), STR("-tries")}, 2}};
    must(tx, page_rows(tx, &table, &q, NULL, 0, &rows, &next));
    ck_assert_uint_gt(next.n, 0);
    for (size_t i = 0; i < next.n; i++)
        for (int byte = '!'; byte <= 'z'; byte += 3) {
            char *copy = arena_bytes(tx->arena, next.n);
            memcpy(copy, next.p, next.n);
            copy[i] = (char)byte;
            q.after = str_n(copy, next.n);
            struct str ignored;
            enum rc rc = page_rows(tx, &table, &q, NULL, 0, &rows, &ignored);
            ck_assert_msg(rc == RC_OK || rc == RC_INVALID, "%s", tx->err->text);
        }
    q.after = next;
    q.sort.count = 1; /* the cursor of one sort is none of another */
    refused(tx, &q, "/after");
    return RC_OK;
}

START_TEST(a_changed_cursor_never_reaches_sql_as_anything_but_values)
{
    run(changed_cursors);
}
END_TEST

static enum rc injection(struct tx *tx, void *arg UNUSED)
{
    struct clock_sim chance;
    struct rows rows;
    struct str next;
    clock_sim_init(&chance, 0, seed_of());
    put(tx, &chance, 's', 1);
    struct page_query q = {.sort = {(struct str[]){STR("id")}, 1},
                           .after = forge(tx, "[\"id\",\"') OR 1=1; DELETE FROM outbox; --\"]")};
    must(tx, page_rows(tx, &table, &q, NULL, 0, &rows, &next));
    ck_assert_uint_eq(rows.count, 1);
    q.after = forge(tx, "[\"id\",\"~\"]");
    must(tx, page_rows(tx, &table, &q, NULL, 0, &rows, &next));
    ck_assert_uint_eq(rows.count, 0);
    ck_assert_uint_eq(next.n, 0);
    return RC_OK;
}

START_TEST(values_of_a_cursor_stay_values)
{
    run(injection);
}
END_TEST

Suite *page_suite(void);
Suite *page_suite(void)
{
    Suite *s = suite_create("page");
    TCase *c = tcase_create("page");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, every_sort_shows_each_row_once_while_others_come_and_go);
    tcase_add_test(c, terms_hold_on_every_page);
    tcase_add_test(c, of_a_term_with_halves_either_shows_a_row_once);
    tcase_add_test(c, sorts_that_are_none_are_refused);
    tcase_add_test(c, forged_cursors_are_refused_before_sql);
    tcase_add_test(c, a_changed_cursor_never_reaches_sql_as_anything_but_values);
    tcase_add_test(c, values_of_a_cursor_stay_values);
    suite_add_tcase(s, c);
    return s;
}
