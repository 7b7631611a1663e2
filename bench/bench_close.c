/*
 * bench_close.c - the close of a month: subscriptions with five tiers (four resellers between the
 * operator and the client), one flat and one metered charge each; rated, drafted, numbered, posted
 * into the books of all parties, with the partners' statements.
 *
 * Subscriptions, clients and totals are put into the store by SQL and are not timed: how they come
 * there is measured elsewhere. Sizes grow by ten, each in a process of its own, so that time and
 * memory can be seen to grow in line; the smaller ones on PostgreSQL too, whose own time is not in
 * "processors". TEST_STORE=postgresql://... (tests/with-postgres) measures there alone.
 *
 *     bench_close [shared] [SUBSCRIPTIONS ...]
 *
 * shared: an introducer has 5 % of the wholesale price, an author 2 % of the item, and the operator
 * owes a platform a fee for each unit and month: three shares more of each client's invoice, and
 * rules that are looked up for each line. What is sold is produced by a point of presence, which
 * has it less a fee that stays with the operator, and owes hosting and hands so much a month,
 * a carrier a part, and an investor the rest: a waterfall of a waterfall for each line.
 */
#include <check.h>
/* The fixtures of the tests, without a test around them. */
#undef ck_assert_msg
#undef ck_assert_int_eq
#undef ck_assert_int_lt
#define ck_assert_msg(fact, ...) ASSERT(fact)
#define ck_assert_int_eq(a, b)   ASSERT((a) == (b))
#define ck_assert_int_lt(a, b)   ASSERT((a) < (b))

#include "base/process.h"
#include "billing/close_fixture.h"
#include "settle/statement.h"

#include <sys/resource.h>
#include <sys/wait.h>

enum {
    RESELLERS = 40, /* of the last tier, with clients */
    PER_CLIENT = 10,
    GENERATE = 10000, /* subscriptions in one unit of work of the generator */
    SECONDS_WANTED = 30,
    MEGABYTES_WANTED = 2048,
    SIZE_WANTED = 1000000,
};

struct bench {
    struct close_world world;
    int64_t size;
    int64_t made;
    bool shared;
    struct str producer; /* shared: who produces all of it; else empty */
    struct str plan;
    struct str supply[RESELLERS];
    struct str seller[RESELLERS];
    struct str book[RESELLERS];
    struct str model_client;
    struct str model_supply;
    struct str model_subscription;
    struct str client; /* the latest */
    struct str agreement;
};

/* --- the channel --- */

static void agree_between(struct tx *tx, enum agreement_kind kind, struct str from, struct str to,
                          struct str item, const struct rule *rule)
{
    struct rule own = *rule;
    struct agreement fresh = {
        .kind = kind,
        .from = from,
        .to = to,
        .terms = {.tax = TREATMENT_NONE, .scope = {.item = item}, .rules = {&own, 1}}};
    (void)make_agreement(tx, &fresh);
}

static void agree(struct tx *tx, const struct close_world *w, enum agreement_kind kind,
                  struct str item, const struct rule *rule)
{
    agree_between(tx, kind, w->op, books_party(tx, "Partner", "FR", true), item, rule);
}

/* Case (a) of specs/billing.md 3.5, on a smaller price. */
static void make_costs(struct tx *tx, struct bench *b)
{
    static const struct rule costs[] = {
        {.kind = RULE_FIXED, .value = STR("5.00"), .label = STR("Hosting")},
        {.kind = RULE_FIXED, .value = STR("3.00"), .label = STR("Hands")},
        {.kind = RULE_PERCENT, .value = STR("4"), .label = STR("Network")},
        {.kind = RULE_RESIDUAL, .label = STR("Investor")},
    };
    const struct rule stays = {.kind = RULE_FIXED, .value = STR("2.00"), .label = STR("Platform")};
    struct close_world *w = &b->world;
    b->producer = keep(w, books_party(tx, "Pop", "FR", true));
    agree_between(tx, AGREEMENT_FEE, b->producer, w->op, STR(""), &stays);
    for (size_t i = 0; i < COUNT(costs); i++)
        agree_between(tx, AGREEMENT_COST, b->producer, books_party(tx, "Input", "FR", true),
                      STR(""), &costs[i]);
}

static void make_shares(struct tx *tx, const struct close_world *w)
{
    const struct rule author = {.kind = RULE_PERCENT, .value = STR("2"), .label = STR("Author")};
    const struct rule fee = {
        .kind = RULE_PER_UNIT, .value = STR("0.125"), .label = STR("Platform")};
    (void)make_referral(tx, w->op, books_party(tx, "Introducer", "FR", true), w->r1, true, "5");
    agree(tx, w, AGREEMENT_REVSHARE, STR("vm"), &author);
    agree(tx, w, AGREEMENT_FEE, STR(""), &fee);
}

static enum rc make_channel(struct tx *tx, void *arg)
{
    struct bench *b = arg;
    struct close_world *w = &b->world;
    struct rows rows;
    struct str r3 = books_party(tx, "R3", "FR", true);
    struct str book3 = make_book(tx, w->r2, "wholesale");
    make_entry(tx, book3, "", ENTRY_MUL, "105");
    struct str supply3 = make_supply(tx, w->r2, r3, w->supply_r2, book3);
    struct str book4 = make_book(tx, r3, "wholesale");
    make_entry(tx, book4, "", ENTRY_MUL, "107");
    TRY(sql_rows(tx, &rows, "SELECT plan FROM subscription ORDER BY id LIMIT 1"));
    b->plan = keep(w, row_str(&rows, 0, 0));
    for (int i = 0; i < RESELLERS; i++) {
        struct str r = books_party(tx, "R4", "FR", true);
        b->seller[i] = keep(w, r);
        b->supply[i] = keep(w, make_supply(tx, r3, r, supply3, book4));
        b->book[i] = keep(w, make_book(tx, r, "public"));
        make_entry(tx, b->book[i], "", ENTRY_MUL, "120");
    }
    if (b->shared) {
        make_shares(tx, w);
        make_costs(tx, b);
    }
    b->model_client = keep(w, books_party(tx, "Client", "FR", false));
    b->model_supply =
        keep(w, make_supply(tx, b->seller[0], b->model_client, b->supply[0], b->book[0]));
    b->model_subscription = keep(w, make_subscription(tx, b->model_supply, b->plan, "2", 0));
    return RC_OK;
}

static enum rc make_client(struct tx *tx, struct bench *b)
{
    int r = (int)(b->made / PER_CLIENT % RESELLERS);
    b->client = id_new(tx->ids, tx->arena, "pty");
    b->agreement = id_new(tx->ids, tx->arena, "agr");
    TRY(sql_run(tx,
                "INSERT INTO party (id, version, kind, name, country, taxable, currency, language, "
                "time_zone, sponsor, state, created, changed) SELECT $1, version, kind, name, "
                "country, taxable, currency, language, time_zone, $2, state, created, changed "
                "FROM party WHERE id = $3",
                V(b->client), V(b->seller[r]), V(b->model_client)));
    TRY(sql_run(tx,
                "INSERT INTO agreement (id, version, kind, from_party, to_party, state, ended, "
                "created, changed) SELECT $1, version, kind, $2, $3, state, ended, created, "
                "changed FROM agreement WHERE id = $4",
                V(b->agreement), V(b->seller[r]), V(b->client), V(b->model_supply)));
    return sql_run(
        tx,
        "INSERT INTO agreement_terms (agreement, number, valid_from, currency, upstream, book, "
        "settle, tax, earn, scope_subtree, residual, maturity_days, clawback_days, payment_days, "
        "self_billing, offered, signed_at) SELECT $1, number, valid_from, currency, $2, $3, "
        "settle, tax, earn, scope_subtree, residual, maturity_days, clawback_days, payment_days, "
        "self_billing, offered, signed_at FROM agreement_terms WHERE agreement = $4",
        V(b->agreement), V(b->supply[r]), V(b->book[r]), V(b->model_supply));
}

static enum rc make_one(struct tx *tx, struct bench *b)
{
    int r = (int)(b->made / PER_CLIENT % RESELLERS);
    if (b->made % PER_CLIENT == 0)
        TRY(make_client(tx, b));
    struct str id = id_new(tx->ids, tx->arena, "sub");
    TRY(sql_run(tx,
                "INSERT INTO subscription (id, version, seller, client, agreement, plan, "
                "plan_number, quantity, terms, zone, period, anchored, start, ends, created, "
                "changed, producer) SELECT $1, version, $2, $3, $4, plan, plan_number, quantity, "
                "terms, zone, period, anchored, start, ends, created, changed, $6 FROM "
                "subscription WHERE id = $5",
                V(id), V(b->seller[r]), V(b->client), V(b->agreement), V(b->model_subscription),
                value_opt(b->producer)));
    TRY(sql_run(tx,
                "INSERT INTO subscription_term (subscription, since, agreement, plan, "
                "plan_number, quantity, producer) SELECT $1, since, $2, plan, plan_number, "
                "quantity, $4 FROM subscription_term WHERE subscription = $3",
                V(id), V(b->agreement), V(b->model_subscription), value_opt(b->producer)));
    return sql_run(
        tx,
        "INSERT INTO usage_total (subscription, meter, window_from, window_until, kind, "
        "scale, high, quantity, latest, records) VALUES ($1, 1, $2, $3, $4, 3, 0, $5, $3, "
        "720)",
        V(id), V(DECEMBER), V(JANUARY), V((int64_t)METER_SUM), V(1000 + b->made * 7919 % 5000000));
}

static enum rc generate(struct tx *tx, void *arg)
{
    struct bench *b = arg;
    for (int i = 0; i < GENERATE && b->made < b->size; i++) {
        TRY(make_one(tx, b));
        b->made++;
    }
    return RC_OK;
}

/* --- the close --- */

static double seconds_since(time_us began)
{
    return (double)(clock_steady(clock_system()) - began) / (double)US_PER_SECOND;
}

static enum rc step_in(struct tx *tx, void *arg)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT step FROM close ORDER BY no LIMIT 1"));
    *(int64_t *)arg = row_int(&rows, 0, 0);
    return RC_OK;
}

/* All, and those of the producer's costs. */
static enum rc shares_in(struct tx *tx, void *arg)
{
    struct rows rows;
    int64_t *ret = arg;
    TRY(sql_rows(
        tx, &rows,
        "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN kind = 'cost' THEN 1 ELSE 0 END), 0) "
        "AS BIGINT) FROM share"));
    ret[0] = row_int(&rows, 0, 0);
    ret[1] = row_int(&rows, 0, 1);
    return RC_OK;
}

static double cpu_seconds(void)
{
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / (double)US_PER_SECOND;
}

static double run_steps(struct bench *b, double spent[CLOSE_DONE + 1])
{
    struct close_world *w = &b->world;
    struct closing c = {.period = "2026-12", .keep = &w->kept};
    int64_t step = CLOSE_COLLECT;
    w->books.world.clock.at = JANUARY;
    world_write(&w->books.world, begin_close_in, &c, RC_OK);
    time_us began = clock_steady(clock_system());
    for (time_us at = began; close_once(w, &settle_above);) {
        spent[step] += seconds_since(at);
        at = clock_steady(clock_system());
        enum rc rc = fixture_read(&w->books.world.fixture, step_in, &step);
        ASSERT(rc == RC_OK);
    }
    double all = seconds_since(began);
    world_write(&w->books.world, get_close_in, &c, RC_OK);
    ASSERT(c.close.step == CLOSE_DONE);
    ASSERT(c.close.exceptions == 0);
    int64_t shares[2] = {0};
    enum rc rc = fixture_read(&w->books.world.fixture, shares_in, shares);
    ASSERT(rc == RC_OK);
    ASSERT((shares[1] > 0) == b->shared);
    printf("close of %lld subscriptions%s of %lld clients on %s: %lld lines, %lld documents, "
           "%lld shares\n",
           (long long)b->size, b->shared ? ", with shares," : "", (long long)(b->size / PER_CLIENT),
           getenv("TEST_STORE") != NULL ? "PostgreSQL" : "SQLite", (long long)c.close.lines,
           (long long)c.close.documents, (long long)shares[0]);
    return all;
}

static bool measure(int64_t size, bool shared)
{
    struct bench *b = calloc(1, sizeof *b);
    double spent[CLOSE_DONE + 1] = {0};
    struct rusage use;
    ASSERT(b != NULL);
    b->size = size;
    b->shared = shared;
    close_world_open(&b->world);
    world_write(&b->world.books.world, make_channel, b, RC_OK);
    while (b->made < size) {
        arena_reset(&b->world.books.world.fixture.arena);
        int64_t before = b->made;
        world_write(&b->world.books.world, generate, b, RC_OK);
        ASSERT(b->made > before);
    }
    double cpu = cpu_seconds();
    double all = run_steps(b, spent);
    cpu = cpu_seconds() - cpu;
    (void)getrusage(RUSAGE_SELF, &use);
    for (int i = 0; i < CLOSE_DONE; i++)
        printf("    %-10s %8.2f s\n", close_steps[i], spent[i]);
    printf("    all        %8.2f s, %.2f s of processors, %.0f subscriptions/s, %ld MB at most "
           "(want <= %d s and %d MB at "
           "%d)\n",
           all, cpu, (double)size / all, use.ru_maxrss / 1024, SECONDS_WANTED, MEGABYTES_WANTED,
           SIZE_WANTED);
    (void)fflush(stdout);
    books_world_close(&b->world.books);
    arena_fini(&b->world.kept);
    free(b);
    return size < SIZE_WANTED ||
           (all <= SECONDS_WANTED && use.ru_maxrss / 1024 <= MEGABYTES_WANTED);
}

static bool measure_apart(int64_t size, bool shared)
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0)
        _exit(measure(size, shared) ? EXIT_SUCCESS : EXIT_FAILURE);
    pid_t ended = waitpid(child, &status, 0);
    ASSERT(ended == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* The same program beside a PostgreSQL of its own. */
static bool measure_on_postgres(const char *program)
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        execl("tests/with-postgres", "tests/with-postgres", program, "10000", "100000",
              (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    pid_t ended = waitpid(child, &status, 0);
    ASSERT(ended == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const int64_t sizes[] = {10000, 100000, SIZE_WANTED};
    bool good = true;
    bool shared = false;
    process_prepare(); /* as hansed does */
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "shared") == 0) {
            shared = true;
            continue;
        }
        int64_t size = 0;
        bool ok = str_to_i64(str_c(argv[i]), 1, INT32_MAX, &size);
        if (!ok) {
            fprintf(stderr, "bench_close: '%s' is no number of subscriptions\n", argv[i]);
            return EXIT_FAILURE;
        }
        good = measure_apart(size, shared) && good;
    }
    for (size_t i = 0; argc == 1 && i < COUNT(sizes); i++)
        good = measure_apart(sizes[i], false) && good;
    good = (argc > 1 || measure_apart(sizes[1], true)) && good;
    if (argc == 1 && getenv("TEST_STORE") == NULL)
        good = measure_on_postgres(argv[0]) && good;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
