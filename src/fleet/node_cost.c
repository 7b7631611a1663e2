/* The sums of node_cost.h. */
#include "fleet/node_cost.h"

#include "money/decimal.h"
#include "money/rated.h"
#include "money/round.h"

enum { PERCENT = 100, MILLI = 1000, SHEET_BYTES_MAX = 16 * 1024 };
#define GIB_BYTES (INT64_C(1) << 30)
/* A trillion of the major unit: no sum or product below comes near the end of 127 bits. */
#define ONE_MAX ((rated)1000000000000 * 1000000000)

/* Lines that are said, in the order of the planner's sheet. */
static const char *const said[] = {"interest",   "network",     "hosting", "software",
                                   "management", "replacement", "repair"};

static struct str *text_of(struct node_cost *s, const char *name)
{
    for (size_t i = 0; i < node_cost_schema.count; i++)
        if (strcmp(node_cost_schema.fields[i].name, name) == 0)
            return (struct str *)(void *)((char *)s + node_cost_schema.fields[i].offset);
    NEVER("a line is a field of the sheet");
}

static enum rc amount(struct node_cost *s, const char *name, rated *ret, struct arena *arena,
                      struct err *err)
{
    struct str text = *text_of(s, name);
    rated r = 0;
    struct str pointer = arena_fmt(arena, "/%s", name);
    if (text.n > 0 && rated_parse(text, &r, err) != RC_OK)
        return err_set_at(err, RC_INVALID, pointer, "'%.*s' is no amount", STRF(text));
    if (r < 0 || r > ONE_MAX)
        return err_set_at(err, RC_INVALID, pointer, "an amount is between 0 and 1,000,000,000,000");
    *ret = r;
    return RC_OK;
}

/* With two digits behind the point, and more where they say something. */
static struct str text_of_rated(rated r, struct arena *arena)
{
    enum { DIGITS_MIN = 2 };
    char text[RATED_TEXT_MAX];
    size_t n = rated_format(r, text);
    size_t least = n - RATED_SCALE + DIGITS_MIN;
    while (n > least && text[n - 1] == '0')
        n--;
    return arena_str(arena, str_n(text, n));
}

static enum rc check(const struct node_cost *s, rated price, rated kwh, struct err *err)
{
    if (currency_find(s->currency) == NULL)
        return err_set_at(err, RC_INVALID, STR("/currency"), "'%.*s' is no currency",
                          STRF(s->currency));
    if (price > 0 && s->useful_months == 0)
        return err_set_at(err, RC_INVALID, STR("/useful_months"),
                          "say over how many months the server was paid");
    if (s->power_watts > 0 && kwh == 0)
        return err_set_at(err, RC_INVALID, STR("/kwh_price"), "say what a kilowatt hour costs");
    return RC_OK;
}

/* --- parts of it --- */

struct sums {
    struct node_cost *s;
    struct str *steps; /* NODE_COST_STEPS */
    struct arena *arena;
    rated month;
};

static void add_step(struct sums *m, struct str text)
{
    ASSERT(m->s->formula.count < NODE_COST_STEPS);
    m->steps[m->s->formula.count++] = text;
}

static void add_amortisation(struct sums *m, rated price)
{
    rated r = m->s->useful_months > 0 ? round_div(price, m->s->useful_months) : 0;
    m->month += r;
    m->s->amortisation = text_of_rated(r, m->arena);
    if (price > 0)
        add_step(m, arena_fmt(m->arena, "amortisation = %.*s / %lld months = %.*s",
                              STRF(m->s->server_price), (long long)m->s->useful_months,
                              STRF(m->s->amortisation)));
}

static void add_electricity(struct sums *m, rated kwh)
{
    rated r = round_div(kwh * m->s->power_watts * NODE_HOURS, MILLI);
    m->month += r;
    m->s->electricity = text_of_rated(r, m->arena);
    if (m->s->power_watts > 0)
        add_step(m, arena_fmt(m->arena, "electricity = %lld W x %d h / 1000 x %.*s = %.*s",
                              (long long)m->s->power_watts, NODE_HOURS, STRF(m->s->kwh_price),
                              STRF(m->s->electricity)));
}

static enum rc add_lines(struct sums *m, struct err *err)
{
    struct buf b;
    buf_init(&b, m->arena, SHEET_BYTES_MAX);
    buf_fmt(&b, "month = amortisation %.*s + electricity %.*s", STRF(m->s->amortisation),
            STRF(m->s->electricity));
    for (size_t i = 0; i < COUNT(said); i++) {
        rated r = 0;
        TRY(amount(m->s, said[i], &r, m->arena, err));
        m->month += r;
        if (r > 0)
            buf_fmt(&b, " + %s %.*s", said[i], STRF(text_of_rated(r, m->arena)));
    }
    m->s->month = text_of_rated(m->month, m->arena);
    m->s->hour = text_of_rated(round_div(m->month, NODE_HOURS), m->arena);
    buf_fmt(&b, " = %.*s", STRF(m->s->month));
    add_step(m, buf_str(&b));
    add_step(m, arena_fmt(m->arena, "hour = month / %d = %.*s", NODE_HOURS, STRF(m->s->hour)));
    return RC_OK;
}

/* percent of the month, divided by count / scale pieces. */
static void add_piece(struct sums *m, const char *name, int64_t percent, int64_t count,
                      int64_t scale, struct str *ret_month, struct str *ret_hour)
{
    if (count <= 0)
        return;
    rated r = round_div(m->month * percent * scale, (rated)count * PERCENT);
    *ret_month = text_of_rated(r, m->arena);
    *ret_hour = text_of_rated(round_div(r, NODE_HOURS), m->arena);
    rated pieces = round_div((rated)count * decimal_power(RATED_SCALE), scale);
    add_step(m, arena_fmt(m->arena, "%s = month x %lld %% / %.*s = %.*s; an hour / %d = %.*s", name,
                          (long long)percent, STRF(text_of_rated(pieces, m->arena)),
                          STRF(*ret_month), NODE_HOURS, STRF(*ret_hour)));
}

/* As the planner takes it: {"currency": ..., "servers": 1, "costs": {...}}. */
static void write_plan(struct sums *m)
{
    struct node_cost *s = m->s;
    struct buf b;
    struct json_writer w;
    buf_init(&b, m->arena, SHEET_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("currency"));
    json_put_str(&w, s->currency);
    json_put_key(&w, STR("servers"));
    json_put_i64(&w, 1);
    if (s->server_price.n > 0) {
        json_put_key(&w, STR("server_price"));
        json_put_str(&w, s->server_price);
        json_put_key(&w, STR("useful_months"));
        json_put_i64(&w, s->useful_months);
    }
    json_put_key(&w, STR("costs"));
    json_begin_object(&w);
    json_put_key(&w, STR("electricity"));
    json_put_str(&w, s->electricity);
    for (size_t i = 0; i < COUNT(said); i++) {
        if (text_of(s, said[i])->n == 0)
            continue;
        json_put_key(&w, str_c(said[i]));
        json_put_str(&w, *text_of(s, said[i]));
    }
    json_end_object(&w);
    json_end_object(&w);
    ASSERT(!b.full);
    s->plan = buf_str(&b);
}

enum rc node_cost_compute(struct node_cost *sheet, int64_t cpu_milli, int64_t memory_bytes,
                          struct arena *arena, struct err *err)
{
    struct node_cost s = *sheet;
    struct sums m = {.s = &s, .steps = NEW_N(arena, struct str, NODE_COST_STEPS), .arena = arena};
    rated price = 0, kwh = 0;
    TRY(amount(&s, "server_price", &price, arena, err));
    TRY(amount(&s, "kwh_price", &kwh, arena, err));
    TRY(check(&s, price, kwh, err));
    if (!schema_has(&node_cost_schema, &s, "cpu_percent"))
        s.cpu_percent = NODE_CPU_PERCENT;
    s.formula = (struct list){m.steps, 0};
    add_amortisation(&m, price);
    add_electricity(&m, kwh);
    TRY(add_lines(&m, err));
    add_piece(&m, "vCPU", s.cpu_percent, cpu_milli, MILLI, &s.vcpu_month, &s.vcpu_hour);
    add_piece(&m, "GiB", PERCENT - s.cpu_percent, memory_bytes, GIB_BYTES, &s.gib_month,
              &s.gib_hour);
    write_plan(&m);
    s.set = schema_all(&node_cost_schema);
    *sheet = s;
    return RC_OK;
}

/* --- kept --- */

static enum rc compute_for(struct tx *tx, struct str node, struct node_cost *sheet)
{
    struct node n;
    TRY(node_get(tx, node, &n));
    int64_t percent = n.commitment_percent > 0 ? n.commitment_percent : PERCENT;
    return node_cost_compute(sheet, n.cpu_milli * percent / PERCENT, n.memory_bytes, tx->arena,
                             tx->err);
}

enum rc node_cost_set(struct tx *tx, struct str node, const struct node_cost *sheet,
                      struct node_cost *ret)
{
    struct node_cost whole = *sheet;
    TRY(compute_for(tx, node, &whole));
    TRY(sql_run(tx,
                "INSERT INTO node_cost (node, sheet, changed) VALUES ($1, $2, $3) "
                "ON CONFLICT (node) DO UPDATE SET sheet = excluded.sheet, "
                "changed = excluded.changed",
                V(node), V(schema_str(&node_cost_schema, sheet, SHEET_BYTES_MAX, tx->arena)),
                V(tx->now)));
    *ret = whole;
    return RC_OK;
}

enum rc node_cost_get(struct tx *tx, struct str node, struct node_cost *ret)
{
    struct rows rows;
    const struct json *json = NULL;
    struct node_cost sheet = {0};
    TRY(sql_rows(tx, &rows, "SELECT sheet FROM node_cost WHERE node = $1", V(node)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "node '%.*s' has no cost sheet: hanse node set-costs",
                       STRF(node));
    TRY(json_parse(row_str(&rows, 0, 0), tx->arena, &json, tx->err));
    TRY(schema_decode(&node_cost_schema, SCHEMA_WHOLE, json, tx->arena, &sheet, tx->err));
    TRY(compute_for(tx, node, &sheet));
    *ret = sheet;
    return RC_OK;
}
