/* What channels say is kept once for all that say it, and no longer than one does. */
#include "pico/detail.h"
#include "pico/engine_fixture.h"
#include "pico/export.h"

enum { STEPS = 300, ECIS = 12, DETAILS = 5, PICOS = 3, DETAIL_BYTES = 200 };

static const char doors[] =
    "ruleset doors { meta { shares list }\n"
    "  global {\n"
    "    LONG = {\"allow\": [{\"domain\": \"a-domain-with-a-long-name\", \"name\": \"first\"},\n"
    "      {\"domain\": \"a-domain-with-a-long-name\", \"name\": \"second\"}], \"deny\": []}\n"
    "    list = function() { ctx:channels.filter(function(c) { c{\"tags\"} == [\"door\"] })\n"
    "      .map(function(c) { c{[\"eventPolicy\", \"allow\"]}.length() }) }\n"
    "  }\n"
    "  rule open { select when doors open ctx:newChannel([\"door\"], LONG) setting(c)\n"
    "    always { ent:eci := c{\"id\"} } }\n"
    "  rule shut { select when doors shut ctx:delChannel(ent:eci) }\n"
    "}";

struct facts {
    int64_t details;
    int64_t orphans;  /* that no channel names */
    int64_t nowhere;  /* channels that name what is not there */
    int64_t channels; /* that name one */
};

static enum rc read_facts(struct tx *tx, void *arg)
{
    struct facts *f = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT (SELECT COUNT(*) FROM pico_detail), (SELECT COUNT(*) FROM pico_detail d "
                 "WHERE NOT EXISTS (SELECT 1 FROM pico_channel c WHERE c.shared = d.no)), (SELECT "
                 "COUNT(*) FROM pico_channel c WHERE c.shared IS NOT NULL AND NOT EXISTS (SELECT 1 "
                 "FROM pico_detail d WHERE d.no = c.shared)), (SELECT COUNT(*) FROM pico_channel c "
                 "WHERE c.shared IS NOT NULL)"));
    *f = (struct facts){row_int(&rows, 0, 0), row_int(&rows, 0, 1), row_int(&rows, 0, 2),
                        row_int(&rows, 0, 3)};
    return RC_OK;
}

static struct facts facts_of(struct fixture *f)
{
    struct facts facts;
    enum rc rc = fixture_read(f, read_facts, &facts);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    ck_assert_int_eq(facts.orphans, 0);
    ck_assert_int_eq(facts.nowhere, 0);
    return facts;
}

static enum rc put(void *arg, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(arg, bytes);
    return RC_OK;
}

START_TEST(a_long_policy_is_kept_once)
{
    static const char *const with = "{\"rulesets\":[{\"url\":\"file:///doors.krl\"}]}";
    struct world w;
    world_start(&w);
    world_flush(&w, "doors", doors);
    struct str one = world_child(&w, pico_root(w.e), with);
    struct str two = world_child(&w, pico_root(w.e), with);
    for (int i = 0; i < 3; i++) {
        (void)world_event(&w, one, "doors", "open", "");
        (void)world_event(&w, two, "doors", "open", "");
    }
    struct facts f = facts_of(&w.f);
    ck_assert_int_eq(f.details, 1);
    ck_assert_int_eq(f.channels, 6);
    world_restart(&w);
    CHECK_TEXT(world_query(&w, one, "doors", "list", ""), "[2,2,2]");
    (void)world_event(&w, one, "doors", "shut", "");
    ck_assert_int_eq(facts_of(&w.f).channels, 5);
    (void)world_ask(&w, (struct pico_request){.ask = PICO_DELETE, .eci = one, .inside = true});
    ck_assert_int_eq(facts_of(&w.f).channels, 3);
    CHECK_TEXT(world_query(&w, two, "doors", "list", ""), "[2,2,2]");
    (void)world_ask(&w, (struct pico_request){.ask = PICO_DELETE, .eci = two, .inside = true});
    ck_assert_int_eq(facts_of(&w.f).details, 0);
    world_stop(&w);
}
END_TEST

START_TEST(it_goes_along_in_an_export)
{
    static const char *const with = "{\"rulesets\":[{\"url\":\"file:///doors.krl\"}]}";
    struct world w;
    struct world other;
    struct buf file;
    struct str said;
    world_start(&w);
    world_start(&other);
    world_flush(&w, "doors", doors);
    struct str one = world_child(&w, pico_root(w.e), with);
    (void)world_event(&w, one, "doors", "open", "");
    (void)world_event(&w, one, "doors", "open", "");
    buf_init(&file, &w.arena, 1024 * 1024);
    enum rc rc = pico_export(w.e, one, put, &file, &w.f.err);
    ck_assert_msg(rc == RC_OK, "%s", w.f.err.text);
    rc = pico_import(other.e, pico_root(other.e), buf_str(&file), NULL, &other.arena, &said,
                     &other.f.err);
    ck_assert_msg(rc == RC_OK, "%s", other.f.err.text);
    ck_assert_int_eq(facts_of(&other.f).details, 1);
    ck_assert_int_eq(facts_of(&other.f).channels, 2);
    CHECK_TEXT(world_query(&other, one, "doors", "list", ""), "[2,2]");
    world_stop(&other);
    world_stop(&w);
}
END_TEST

/* --- any order of changes --- */

struct model {
    struct fixture f;
    uint64_t state;
    int detail_of[ECIS]; /* -1: no such channel; 0: the short one */
    int pico_of[ECIS];
    int eci;
    int detail;
};

static int below(struct model *m, int n)
{
    m->state = m->state * 6364136223846793005U + 1442695040888963407U;
    return (int)((m->state >> 33) % (uint64_t)n);
}

static struct str detail_text(int detail, char text[DETAIL_BYTES])
{
    memset(text, 'a' + detail, DETAIL_BYTES);
    return str_n(text, detail == 0 ? 10 : DETAIL_BYTES);
}

static struct str eci_text(int eci, char text[8])
{
    (void)snprintf(text, 8, "c%d", eci);
    return str_c(text);
}

static enum rc change(struct tx *tx, void *arg)
{
    struct model *m = arg;
    char eci[8];
    char text[DETAIL_BYTES];
    struct str name = eci_text(m->eci, eci);
    if (m->detail >= 0)
        return detail_put_channel(tx, m->pico_of[m->eci], name, 0, detail_text(m->detail, text));
    if (m->detail == -1)
        return detail_drop_channel(tx, name);
    return detail_drop_pico(tx, m->eci);
}

static enum rc compare(struct tx *tx, void *arg)
{
    struct model *m = arg;
    char eci[8];
    char text[DETAIL_BYTES];
    for (int i = 0; i < ECIS; i++) {
        struct rows rows;
        TRY(sql_rows(tx, &rows,
                     "SELECT c.pico, COALESCE(c.detail, d.detail) FROM pico_channel c LEFT JOIN "
                     "pico_detail d ON d.no = c.shared WHERE c.eci = $1",
                     V(eci_text(i, eci))));
        ck_assert_uint_eq(rows.count, m->detail_of[i] >= 0);
        if (rows.count == 0)
            continue;
        ck_assert_int_eq(row_int(&rows, 0, 0), m->pico_of[i]);
        ck_assert(str_eq(row_bytes(&rows, 0, 1), detail_text(m->detail_of[i], text)));
    }
    return RC_OK;
}

/* A step: a channel is put or changed, dropped, or a pico drops all of its. */
static void step(struct model *m)
{
    int what = below(m, 10);
    m->eci = below(m, ECIS);
    m->detail = what < 6 ? below(m, DETAILS) : -1;
    if (what == 9) {
        m->eci = below(m, PICOS);
        m->detail = -2;
    }
    for (int i = 0; i < ECIS && what == 9; i++)
        if (m->pico_of[i] == m->eci)
            m->detail_of[i] = -1;
    if (what == 9)
        return;
    if (m->detail >= 0 && m->detail_of[m->eci] < 0)
        m->pico_of[m->eci] = below(m, PICOS);
    m->detail_of[m->eci] = m->detail;
}

START_TEST(any_order_of_changes_leaves_what_is_named)
{
    static struct model m;
    uint64_t seed = 0;
    m = (struct model){.state = 0};
    fixture_open(&m.f);
    clock_chance(clock_system(), &seed, sizeof seed);
    m.state = seed;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < ECIS; i++)
        m.detail_of[i] = -1;
    for (int i = 0; i < STEPS; i++) {
        step(&m);
        enum rc rc = fixture_write(&m.f, change, &m);
        ck_assert_msg(rc == RC_OK, "%s", m.f.err.text);
        if (i % 10 != 0)
            continue;
        rc = fixture_read(&m.f, compare, &m);
        ck_assert_msg(rc == RC_OK, "%s", m.f.err.text);
        (void)facts_of(&m.f);
    }
    fixture_close(&m.f);
}
END_TEST

Suite *detail_suite(void);
Suite *detail_suite(void)
{
    Suite *s = suite_create("detail");
    TCase *tc = tcase_create("detail");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_long_policy_is_kept_once);
    tcase_add_test(tc, it_goes_along_in_an_export);
    tcase_add_test(tc, any_order_of_changes_leaves_what_is_named);
    suite_add_tcase(s, tc);
    return s;
}
