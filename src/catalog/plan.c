#include "catalog/plan.h"

#include "catalog/code.h"
#include "party/event.h"
#include "party/patch.h"

enum { CHARGES_TEXT_MAX = 256 * 1024 };

#define COLUMNS                                                                 \
    "p.id, p.version, p.number, p.item, p.code, p.name, p.period, p.currency, " \
    "p.tax_included, p.member_free, p.retired, p.created, p.changed"

/* --- charges as text --- */

struct charges_box {
    uint64_t set;
    struct list charges;
};
static const struct field box_fields[] = {
    FIELD(struct charges_box, charges, LIST, .max = PLAN_CHARGES_MAX, .schema = &charge_schema),
};
static const struct schema box_schema =
    SCHEMA(struct charges_box, "charges", box_fields, "Charges as the store keeps them.");

static void mark(const struct schema *s, uint64_t *set, const char *name, bool given)
{
    *set |= given ? schema_bit(s, name) : 0;
}

/* Copies that say which fields they have: those that are not empty. */
static struct list mark_tiers(const struct list *tiers, struct arena *arena)
{
    struct charge_tier *copy = NEW_N(arena, struct charge_tier, tiers->count);
    for (size_t i = 0; i < tiers->count; i++) {
        struct charge_tier *t = &copy[i];
        *t = ((const struct charge_tier *)tiers->items)[i];
        t->set = 0;
        mark(&charge_tier_schema, &t->set, "up_to", t->up_to.n > 0);
        mark(&charge_tier_schema, &t->set, "price", t->price.n > 0);
        mark(&charge_tier_schema, &t->set, "flat", t->flat.n > 0);
    }
    return (struct list){copy, tiers->count};
}

static struct list mark_charges(const struct list *charges, struct arena *arena)
{
    struct charge *copy = NEW_N(arena, struct charge, charges->count);
    for (size_t i = 0; i < charges->count; i++) {
        struct charge *c = &copy[i];
        *c = ((const struct charge *)charges->items)[i];
        c->set = schema_bit(&charge_schema, "label") | schema_bit(&charge_schema, "kind");
        mark(&charge_schema, &c->set, "meter", c->meter.n > 0);
        mark(&charge_schema, &c->set, "price", c->price.n > 0);
        mark(&charge_schema, &c->set, "tiers", c->tiers.count > 0);
        mark(&charge_schema, &c->set, "included", c->included.n > 0);
        mark(&charge_schema, &c->set, "package", c->package.n > 0);
        mark(&charge_schema, &c->set, "percent", c->percent.n > 0);
        mark(&charge_schema, &c->set, "minimum", c->minimum.n > 0);
        mark(&charge_schema, &c->set, "instalments", c->instalments != 0);
        mark(&charge_schema, &c->set, "advance", c->advance != 0);
        mark(&charge_schema, &c->set, "tax_class", c->tax_class.n > 0);
        c->tiers = mark_tiers(&c->tiers, arena);
    }
    return (struct list){copy, charges->count};
}

static struct str write_charges(const struct list *charges, struct arena *arena)
{
    struct buf b;
    struct json_writer w;
    struct charges_box box = {.set = schema_all(&box_schema), .charges = *charges};
    buf_init(&b, arena, CHARGES_TEXT_MAX);
    json_writer_init(&w, &b);
    schema_encode(&box_schema, &box, &w);
    ASSERT(!b.full);
    return buf_str(&b);
}

static enum rc read_charges(struct tx *tx, struct str text, struct list *ret)
{
    const struct json *json = NULL;
    struct charges_box box;
    TRY(json_parse(text, tx->arena, &json, tx->err));
    TRY(schema_decode(&box_schema, SCHEMA_WHOLE, json, tx->arena, &box, tx->err));
    *ret = box.charges;
    return RC_OK;
}

/* --- reading --- */

static struct plan read_row(const struct rows *r, size_t row)
{
    return (struct plan){
        .set = schema_all(&plan_schema),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .number = row_int(r, row, 2),
        .item = row_str(r, row, 3),
        .code = row_str(r, row, 4),
        .name = row_str(r, row, 5),
        .period = code_word(plan_periods, row_str(r, row, 6)),
        .currency = row_str(r, row, 7),
        .tax_included = row_int(r, row, 8) != 0,
        .member_free = row_int(r, row, 9) != 0,
        .retired = row_int(r, row, 10) != 0,
        .created = row_int(r, row, 11),
        .changed = row_int(r, row, 12),
    };
}

static enum rc add_charges(struct tx *tx, int64_t number, struct plan *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT charges FROM plan_version WHERE plan = $1 AND number = $2",
                 V(p->id), V(number)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "plan '%.*s' has no version %lld", STRF(p->code),
                       (long long)number);
    p->number = number;
    return read_charges(tx, row_str(&rows, 0, 0), &p->charges);
}

static enum rc one(struct tx *tx, const struct rows *rows, struct str name, int64_t number,
                   struct plan *ret)
{
    if (rows->count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no plan '%.*s'", STRF(name));
    struct plan p = read_row(rows, 0);
    TRY(add_charges(tx, number != 0 ? number : p.number, &p));
    *ret = p;
    return RC_OK;
}

enum rc plan_version(struct tx *tx, struct str id, int64_t number, struct plan *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM plan p WHERE p.id = $1", V(id)));
    return one(tx, &rows, id, number, ret);
}

enum rc plan_get(struct tx *tx, struct str id, struct plan *ret)
{
    return plan_version(tx, id, 0, ret);
}

enum rc plan_find(struct tx *tx, struct str code, struct plan *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM plan p WHERE p.code = $1", V(code)));
    return one(tx, &rows, code, 0, ret);
}

static const struct page_column sort_columns[] = {
    {"id", "p.id", PAGE_TEXT},
    {"code", "p.code", PAGE_TEXT},
    {"item", "p.item", PAGE_TEXT},
    {"created", "p.created", PAGE_NUMBER},
};
static const struct page_table plan_table = {
    .select = "SELECT " COLUMNS " FROM plan p",
    .id = "p.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "code",
};

enum rc plan_list(struct tx *tx, const struct plan_query *q, struct page *ret)
{
    struct page_term term = {"1 = 1", SQL_NULL};
    struct rows rows;
    struct str next;
    if (schema_has(&plan_query_schema, q, "item"))
        term = (struct page_term){"p.item = ?", V(q->item)};
    TRY(page_rows(tx, &plan_table, &q->page, &term, 1, &rows, &next));
    struct plan *plans = NEW_N(tx->arena, struct plan, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        plans[i] = read_row(&rows, i);
        TRY(add_charges(tx, plans[i].number, &plans[i]));
    }
    *ret = (struct page){{plans, rows.count}, next};
    return RC_OK;
}

/* --- writing --- */

static enum rc check_charge(struct tx *tx, const struct plan *p, size_t i)
{
    struct charge_rule rule = {0};
    struct meter meter;
    const struct charge *c = &((const struct charge *)p->charges.items)[i];
    enum rc rc = charge_parse(c, &rule, tx->err);
    if (rc == RC_OK && c->meter.n > 0) {
        rc = meter_find(tx, c->meter, &meter);
        if (rc == RC_NOT_FOUND)
            rc = err_set_at(tx->err, RC_INVALID, STR("/meter"), "there is no meter '%.*s'",
                            STRF(c->meter));
    }
    if (rc == RC_OK && p->period == PLAN_ONCE && rule.kind != CHARGE_ONE_TIME)
        rc = err_set_at(tx->err, RC_INVALID, STR("/kind"),
                        "a plan that is sold once has one-time charges alone");
    if (rc == RC_INVALID)
        err_under(tx->err, arena_fmt(tx->arena, "/charges/%zu", i));
    return rc;
}

static enum rc check(struct tx *tx, struct plan *p)
{
    struct item item;
    const struct currency *currency = NULL;
    struct party owner;
    TRY(code_check(p->code, "/code", tx->err));
    enum rc rc = item_find(tx, p->item, &item);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/item"), "there is no item '%.*s'",
                          STRF(p->item));
    TRY(rc);
    if (p->currency.n == 0) {
        TRY(party_get(tx, item.owner, &owner));
        p->currency = owner.currency;
    }
    rc = currency_parse(p->currency, &currency, tx->err);
    if (rc != RC_OK) {
        err_at(tx->err, STR("/currency"));
        return rc;
    }
    if (p->charges.count == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/charges"), "a plan has at least one charge");
    for (size_t i = 0; i < p->charges.count; i++)
        TRY(check_charge(tx, p, i));
    p->charges = mark_charges(&p->charges, tx->arena);
    return RC_OK;
}

static enum rc insert_version(struct tx *tx, const struct plan *p)
{
    return sql_run(tx,
                   "INSERT INTO plan_version (plan, number, charges, created) "
                   "VALUES ($1, $2, $3, $4)",
                   V(p->id), V(p->number), V(write_charges(&p->charges, tx->arena)), V(tx->now));
}

static enum rc owner_of(struct tx *tx, const struct plan *p, struct str *ret)
{
    struct item item;
    TRY(item_find(tx, p->item, &item));
    *ret = item.owner;
    return RC_OK;
}

enum rc plan_create(struct tx *tx, const struct plan *fresh, struct plan *ret)
{
    struct rows rows;
    struct str owner;
    struct plan p = *fresh;
    TRY(check(tx, &p));
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM plan WHERE code = $1", V(p.code)));
    if (row_int(&rows, 0, 0) > 0)
        return err_set_at(tx->err, RC_CONFLICT, STR("/code"), "there is a plan '%.*s' already",
                          STRF(p.code));
    p.id = id_new(tx->ids, tx->arena, "pln");
    p.version = 1;
    p.number = 1;
    p.created = tx->now;
    p.changed = tx->now;
    p.set = schema_all(&plan_schema);
    TRY(sql_run(tx,
                "INSERT INTO plan (id, version, number, item, code, name, period, currency, "
                "tax_included, member_free, retired, created, changed) VALUES ($1, $2, $3, $4, "
                "$5, $6, $7, $8, $9, $10, $11, $12, $13)",
                V(p.id), V(p.version), V(p.number), V(p.item), V(p.code), V(p.name),
                V(plan_periods[p.period]), V(p.currency), V(p.tax_included), V(p.member_free),
                V(p.retired), V(p.created), V(p.changed)));
    TRY(insert_version(tx, &p));
    TRY(owner_of(tx, &p, &owner));
    TRY(event_put(tx, "event.plan.created", owner, "plan", p.id, p.version, STR("")));
    *ret = p;
    return RC_OK;
}

static enum rc check_fixed(struct tx *tx, const struct plan *before, const struct plan *after)
{
    const struct {
        bool same;
        const char *pointer;
    } fixed[] = {
        {str_eq(before->code, after->code), "/code"},
        {str_eq(before->item, after->item), "/item"},
        {before->period == after->period, "/period"},
        {str_eq(before->currency, after->currency), "/currency"},
        {before->tax_included == after->tax_included, "/tax_included"},
    };
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (!fixed[i].same)
            return err_set_at(tx->err, RC_INVALID, str_c(fixed[i].pointer),
                              "this does not change: make another plan");
    return RC_OK;
}

enum rc plan_change(struct tx *tx, struct str id, int64_t version, const struct plan *patch,
                    struct plan *ret)
{
    struct plan before;
    struct str owner;
    TRY(plan_get(tx, id, &before));
    if (version != 0 && version != before.version)
        return err_set(tx->err, RC_CHANGED, "plan '%.*s' has version %lld by now",
                       STRF(before.code), (long long)before.version);
    struct plan p = before;
    patch_lay(&plan_schema, &p, patch);
    TRY(check_fixed(tx, &before, &p));
    TRY(check(tx, &p));
    p.version++;
    p.changed = tx->now;
    if (schema_has(&plan_schema, patch, "charges")) {
        p.number++;
        TRY(insert_version(tx, &p));
    }
    TRY(sql_run(tx,
                "UPDATE plan SET version = $2, number = $3, name = $4, member_free = $5, "
                "retired = $6, changed = $7 WHERE id = $1",
                V(id), V(p.version), V(p.number), V(p.name), V(p.member_free), V(p.retired),
                V(p.changed)));
    TRY(owner_of(tx, &p, &owner));
    TRY(event_put(tx, "event.plan.changed", owner, "plan", id, p.version,
                  patch_names(&plan_schema, patch, tx->arena)));
    *ret = p;
    return RC_OK;
}

/* --- for people --- */

struct str plan_line_text(const struct plan *plan, const struct charge *c, struct arena *arena)
{
    if (c->included.n == 0)
        return c->label;
    bool once = plan->period == PLAN_ONCE;
    return arena_fmt(arena, "%.*s (%.*s%s%s included)", STRF(c->label), STRF(c->included),
                     once ? "" : " a ", once ? "" : plan_periods[plan->period]);
}
