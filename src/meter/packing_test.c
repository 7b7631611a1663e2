#include "meter/meter_fixture.h"

#include "meter/packing.h"
#include "money/property.h"

enum { RUNS = 300, RECORDS_MAX = 60, TEXT_MAX = 40, ROOM_BYTES = 1024 * 1024 };

static struct str any_text(struct clock_sim *chance, struct arena *arena)
{
    size_t n = clock_sim_below(chance, 3) == 0 ? (size_t)property_between(chance, 0, TEXT_MAX) : 0;
    char *p = arena_bytes(arena, n + 1);
    clock_chance(&chance->clock, p, n);
    return str_n(p, n);
}

/* Near the one before, as a node's are, or anything. */
static struct packed any_record(struct clock_sim *chance, struct arena *arena,
                                const struct packed *before)
{
    struct packed p = *before;
    bool near = clock_sim_below(chance, 4) != 0;
    p.number += near ? 1 : (uint64_t)property_between(chance, 1, INT32_MAX);
    if (clock_sim_below(chance, 3) == 0)
        p.subscription = (unsigned __int128)property_between(chance, 0, near ? 5 : INT64_MAX)
                         << property_between(chance, 0, 70);
    p.meter = (uint32_t)property_between(chance, 0, near ? 8 : UINT32_MAX);
    p.from = near ? p.from : property_i64(chance);
    p.until = near ? p.until : property_i64(chance);
    p.quantity = near ? property_between(chance, -9, 9) : property_i64(chance);
    p.key = near ? 0 : (uint64_t)property_i64(chance);
    p.scale = (uint8_t)property_between(chance, 0, near ? 0 : 9);
    p.id = any_text(chance, arena);
    p.supersedes = any_text(chance, arena);
    p.dims = any_text(chance, arena);
    return p;
}

static size_t make_records(struct clock_sim *chance, struct arena *arena, struct packed *ret)
{
    struct packed last = {.from = WORLD_START, .until = WORLD_START + US_PER_HOUR};
    size_t count = (size_t)property_between(chance, 1, RECORDS_MAX);
    for (size_t i = 0; i < count; i++)
        last = ret[i] = any_record(chance, arena, &last);
    return count;
}

static struct str write_body(struct arena *arena, const struct packed *p, size_t count, bool plain)
{
    struct buf b;
    struct packing_writer w;
    buf_init(&b, arena, ROOM_BYTES / 8);
    if (!plain)
        packing_begin(&w, &b);
    for (size_t i = 0; i < count; i++)
        if (plain)
            record_write(&b, &p[i]);
        else
            packing_add(&w, &p[i]);
    if (!plain)
        packing_end(&w);
    ck_assert(!b.full);
    return buf_str(&b);
}

/* How many come out the same. */
static size_t count_same(struct str body, const struct packed *want, size_t count)
{
    struct packing_reader r;
    struct packed p;
    size_t n = 0;
    packing_open(&r, body);
    for (; packing_next(&r, &p); n++)
        if (n >= count || p.number != want[n].number || !str_eq(p.id, want[n].id) ||
            !record_same(&p, &want[n]))
            return SIZE_MAX;
    return r.damaged ? SIZE_MAX : n;
}

START_TEST(records_come_out_of_both_forms_as_they_went_in)
{
    struct clock_sim chance;
    struct arena arena;
    uint64_t seed = property_begin(&chance);
    arena_init(&arena, ROOM_BYTES);
    for (int run = 0; run < RUNS; run++) {
        struct packed p[RECORDS_MAX];
        size_t count = make_records(&chance, &arena, p);
        HOLDS(count_same(write_body(&arena, p, count, false), p, count) == count, SEED_FMT "run %d",
              seed, run);
        HOLDS(count_same(write_body(&arena, p, count, true), p, count) == count,
              SEED_FMT "run %d, plain", seed, run);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(a_body_that_was_cut_or_changed_is_damaged)
{
    struct clock_sim chance;
    struct arena arena;
    struct packed p[RECORDS_MAX];
    (void)property_begin(&chance);
    arena_init(&arena, ROOM_BYTES);
    size_t count = make_records(&chance, &arena, p);
    struct str body = write_body(&arena, p, count, false);
    for (size_t n = 8; n < body.n; n++)
        ck_assert_uint_eq(count_same(str_sub(body, 0, n), p, count), SIZE_MAX);
    char *bytes = arena_bytes(&arena, body.n);
    memcpy(bytes, body.p, body.n);
    for (size_t i = 0; i < body.n; i++) {
        bytes[i] = (char)(bytes[i] ^ 4);
        ck_assert_uint_eq(count_same(str_n(bytes, body.n), p, count), SIZE_MAX);
        bytes[i] = body.p[i];
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(what_a_node_sends_takes_a_tenth_of_its_bytes)
{
    enum { METERS = 8, OF_NODE = 100, COUNT = METERS * OF_NODE };
    static struct packed p[COUNT];
    struct clock_sim chance;
    struct arena arena;
    (void)property_begin(&chance);
    arena_init(&arena, ROOM_BYTES);
    for (size_t i = 0; i < COUNT; i++)
        p[i] = (struct packed){.number = i + 7,
                               .subscription = (unsigned __int128)WORLD_START << 64 | i / METERS,
                               .meter = (uint32_t)(i % METERS),
                               .from = WORLD_START,
                               .until = WORLD_START + US_PER_HOUR,
                               .quantity = property_between(&chance, 0, 1000)};
    struct str body = write_body(&arena, p, COUNT, false);
    ck_assert_uint_eq(count_same(body, p, COUNT), COUNT);
    ck_assert_uint_le(body.n, COUNT * USAGE_RECORD_BYTES / 10);
    arena_fini(&arena);
}
END_TEST

/* What was taken before bodies were told in short. */
TX_TEST(bodies_of_before_are_counted_found_and_counted_anew)
{
    enum { HOURS = 3 };
    struct metered m;
    struct packed p[HOURS];
    struct usage_record r[HOURS];
    struct usage_report report;
    int64_t changed = 0;
    metered_make(tx, 1, tx->arena, &m);
    for (size_t i = 0; i < HOURS; i++) {
        time_us from = WORLD_START + (time_us)i * US_PER_HOUR;
        r[i] = (struct usage_record){.number = i + 1,
                                     .subscription = m.subscriptions[0],
                                     .meter = m.meters[METER_SUM],
                                     .from = from,
                                     .until = from + US_PER_HOUR,
                                     .quantity = {5, 0}};
        p[i] = (struct packed){.number = i + 1,
                               .subscription = id_number(m.subscriptions[0]),
                               .meter = (uint32_t)m.meters[METER_SUM],
                               .from = from,
                               .until = from + US_PER_HOUR,
                               .quantity = 5};
    }
    OK(tx, usage_take(tx, m.op, STR("urn:n"), r, HOURS, &report));
    OK(tx, sql_run(tx, "UPDATE usage_batch SET body = $1",
                   value_bytes(write_body(tx->arena, p, HOURS, true))));
    metered_fold(tx);
    ck_assert_int_eq(metered_total(tx, m.subscriptions[0], r[0].meter, WORLD_START).mantissa, 1500);
    OK(tx, usage_take(tx, m.op, STR("urn:n"), r, HOURS, &report));
    ck_assert_int_eq(report.repeated, HOURS);
    OK(tx, total_recount(tx, m.subscriptions[0], &changed));
    ck_assert_int_eq(changed, 0);
}

TX_TEST(a_damaged_batch_is_named_and_not_counted)
{
    struct metered m;
    struct usage_report report;
    bool done = false;
    metered_make(tx, 1, tx->arena, &m);
    struct usage_record r = {.number = 1,
                             .subscription = m.subscriptions[0],
                             .meter = m.meters[METER_SUM],
                             .from = WORLD_START,
                             .until = WORLD_START + US_PER_HOUR,
                             .quantity = {5, 0}};
    OK(tx, usage_take(tx, m.op, STR("urn:n"), &r, 1, &report));
    OK(tx, sql_run(tx, "UPDATE usage_batch SET body = $1",
                   value_bytes(str_n("HNSUSB2\x82"
                                     "12345678abc",
                                     19))));
    FAILS(tx, RC_INVALID, NULL, total_fold(tx, 1000, &done));
}

Suite *packing_suite(void);
Suite *packing_suite(void)
{
    Suite *s = suite_create("packing");
    TCase *c = tcase_create("packing");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, records_come_out_of_both_forms_as_they_went_in);
    tcase_add_test(c, a_body_that_was_cut_or_changed_is_damaged);
    tcase_add_test(c, what_a_node_sends_takes_a_tenth_of_its_bytes);
    tcase_add_test(c, bodies_of_before_are_counted_found_and_counted_anew);
    tcase_add_test(c, a_damaged_batch_is_named_and_not_counted);
    suite_add_tcase(s, c);
    return s;
}
