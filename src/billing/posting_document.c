/* What a final document writes into the books: specs/billing.md 3.4 to 3.8. */
#include "billing/posting.h"

#include "billing/document_row.h"
#include "channel/supply.h"

/* The legs of one document while they are gathered. */
struct posting {
    struct arena *arena;
    const struct document_row *row;
    struct str seller; /* whose book owes and is owed: the issuer, or the neutral one */
    struct str ar;     /* AR:<recipient> in it */
    struct str ap;     /* AP:<seller> in the recipient's book */
    enum posting_code code;
    bool mirrored;  /* a credit note: everything the other way round, with positive amounts */
    bool too_large; /* some amount did not fit */
    struct leg *legs;
    size_t count;
};

static struct str join(struct arena *arena, struct str before, struct str name)
{
    char *p = arena_bytes(arena, before.n + name.n + 1);
    memcpy(p, before.p, before.n);
    memcpy(p + before.n, name.p, name.n);
    return str_n(p, before.n + name.n);
}

static struct str tax_code(struct arena *arena, const char *side, const struct tax_decision *d,
                           int64_t ppm)
{
    return arena_fmt(arena, "VAT-%s:%.*s:%lld", side, STRF(d->country), (long long)ppm);
}

static int64_t less(struct posting *p, int64_t a, int64_t b)
{
    int64_t difference = 0;
    p->too_large = __builtin_sub_overflow(a, b, &difference) || p->too_large;
    return difference;
}

static void add_as(struct posting *p, enum posting_code code, struct str party, struct str debit,
                   struct str credit, int64_t amount)
{
    ASSERT(p->count < POSTING_LEGS_MAX);
    if (amount == 0)
        return;
    p->legs[p->count++] = (struct leg){.party = party,
                                       .debit = p->mirrored ? credit : debit,
                                       .credit = p->mirrored ? debit : credit,
                                       .amount = amount,
                                       .code = code};
}

static void add(struct posting *p, struct str party, struct str debit, struct str credit,
                int64_t amount)
{
    add_as(p, p->code, party, debit, credit, amount);
}

static void add_tax(struct posting *p, struct str party, struct str debit, struct str credit,
                    int64_t amount)
{
    add_as(p, POSTING_TAX, party, debit, credit, amount);
}

static struct str income_code(struct posting *p, const struct document_income *income)
{
    return income->deferred ? STR("Deferred") : join(p->arena, STR("Income:"), income->label);
}

/* --- the seller's side --- */

static void add_tax_owed(struct posting *p)
{
    for (size_t i = 0; i < p->row->group_count; i++) {
        const struct document_tax_group *g = &p->row->groups[i];
        if (g->group.tax != 0)
            add_tax(p, p->seller, p->ar, tax_code(p->arena, "Out", &g->decision, g->group.rate_ppm),
                    g->group.tax);
    }
}

static void add_sale(struct posting *p)
{
    for (size_t i = 0; i < p->row->income_count; i++) {
        const struct document_income *income = &p->row->incomes[i];
        add(p, p->seller, p->ar, income_code(p, income), income->net);
    }
    add_tax_owed(p);
}

static void add_exchanged(struct posting *p, struct str debit, struct str credit, int64_t amount,
                          const struct currency *currency)
{
    size_t before = p->count;
    add_as(p, POSTING_EXCHANGE, p->seller, debit, credit, amount);
    if (p->count > before)
        p->legs[before].currency = currency;
}

/* The seller owes the tax office in another currency than the invoice's: what is owed leaves this
 * book for that one, through FX accounts in both, at the rate that the invoice tells. */
static void add_exchange(struct posting *p)
{
    const struct document_row *row = p->row;
    const struct document_exchange *e = &row->exchange;
    if (e->rate.to == NULL)
        return;
    struct str pair = arena_fmt(p->arena, "FX:%s-%s", e->rate.from->code, e->rate.to->code);
    for (size_t i = 0; i < row->group_count; i++) {
        const struct document_tax_group *g = &row->groups[i];
        struct str owed = tax_code(p->arena, "Out", &g->decision, g->group.rate_ppm);
        add_exchanged(p, owed, pair, g->group.tax, row->currency);
        add_exchanged(p, pair, owed, e->parts[i], e->rate.to);
    }
}

/* --- the buyer's side --- */

static void add_expenses(struct posting *p)
{
    const struct document_row *row = p->row;
    for (size_t i = 0; i < row->income_count; i++)
        add(p, row->recipient, join(p->arena, STR("Expense:"), row->incomes[i].label), p->ap,
            row->incomes[i].net);
}

/* The buyer deducts it, or it makes the expense dearer. */
static struct str tax_paid_code(struct posting *p, const struct document_tax_group *g)
{
    return p->row->tax_recoverable ? tax_code(p->arena, "In", &g->decision, g->group.rate_ppm)
                                   : join(p->arena, STR("Expense:"), g->expense);
}

static void add_purchase(struct posting *p)
{
    const struct document_row *row = p->row;
    add_expenses(p);
    for (size_t i = 0; i < row->group_count; i++) {
        const struct document_tax_group *g = &row->groups[i];
        const struct tax_decision *d = &g->decision;
        if (g->group.tax != 0)
            add_tax(p, row->recipient, tax_paid_code(p, g), p->ap, g->group.tax);
        if (g->buyer_tax != 0)
            add_tax(p, row->recipient, tax_code(p->arena, "In", d, d->buyer_rate_ppm),
                    tax_code(p->arena, "Out", d, d->buyer_rate_ppm), g->buyer_tax);
    }
}

/* Credit of one kind pays so much. The issuer owed it to the recipient; where the platform
 * collects, the issuer then owes the platform what it was paid before, or gave away. */
static void add_credit(struct posting *p, struct str kind, int64_t amount)
{
    const struct document_row *row = p->row;
    struct str owed = join(p->arena, kind, row->recipient);
    if (str_eq(p->seller, row->issuer)) {
        add_as(p, POSTING_PREPAID, p->seller, owed, p->ar, amount);
    } else {
        struct str issuer = join(p->arena, STR("AP:"), row->issuer);
        struct str seller = join(p->arena, STR("AR:"), p->seller);
        add_as(p, POSTING_PREPAID, p->seller, issuer, p->ar, amount);
        add_as(p, POSTING_PREPAID, row->issuer, owed, seller, amount);
    }
    add_as(p, POSTING_PREPAID, row->recipient, p->ap, join(p->arena, kind, row->issuer), amount);
}

/* Wallet and promotional credit: what the seller owed the buyer pays a part of what the buyer now
 * owes. */
static void add_prepaid(struct posting *p)
{
    add_credit(p, STR("Wallet:"), p->row->prepaid - p->row->promo);
    add_credit(p, STR("Promo:"), p->row->promo);
}

/* --- COLLECT --- */

/* The operator earns what the first edge pays, by kind of income; what is not told by kind is
 * wholesale. */
static void add_operator(struct posting *p, struct str operator, int64_t amount, bool alone)
{
    const struct document_row *row = p->row;
    struct str from = join(p->arena, STR("AR:"), POSTING_CLEARING);
    int64_t told = 0;
    for (size_t i = 0; i < row->income_count; i++) {
        const struct document_income *income = &row->incomes[i];
        int64_t part = alone ? income->net : income->wholesale;
        add(p, operator, from, income_code(p, income), part);
        told = less(p, told, -part);
    }
    add(p, operator, from, STR("Income:Wholesale"), less(p, amount, told));
}

/* The neutral book takes the whole price and owes each tier its part; no tier's book shows what
 * another one earns; what was paid in advance waits in each. The last seller bears discounts: its
 * part is what is left of the net. The tax stays in the neutral book (docs/decisions/0011). */
static void add_tiers(struct posting *p, const struct document_parts *parts)
{
    const struct document_row *row = p->row;
    const struct supply_path *path = parts->path;
    struct str from = join(p->arena, STR("AR:"), p->seller);
    int64_t before = 0;
    for (size_t k = 0; k < path->count; k++) {
        bool last = k + 1 == path->count;
        struct str tier = path->edges[k].seller;
        int64_t until = last ? row->net : parts->sums[k];
        int64_t part = less(p, until, before);
        add(p, p->seller, p->ar, join(p->arena, STR("AP:"), tier), part);
        if (k == 0) {
            add_operator(p, tier, until, last);
        } else {
            add(p, tier, from, STR("Income:Margin"), less(p, part, parts->deferred[k]));
            add(p, tier, from, STR("Deferred"), parts->deferred[k]);
        }
        before = until;
    }
    ASSERT(before == row->net); /* margins telescope to what the client pays */
    add_tax_owed(p);
}

/* --- all of it --- */

enum rc document_row_post(struct tx *tx, struct ledger *l, const struct document_row *row,
                          const struct document_parts *parts)
{
    struct leg legs[POSTING_LEGS_MAX];
    bool collect = row->settle == SETTLE_COLLECT;
    ASSERT(row->state >= DOCUMENT_FINAL);
    ASSERT(row->number > 0);
    ASSERT(!collect || (parts != NULL && parts->path->count > 0));
    if (row->posted)
        return RC_OK;
    struct posting p = {.arena = tx->arena,
                        .row = row,
                        .seller = collect ? POSTING_CLEARING : row->issuer,
                        .code = POSTING_INVOICE,
                        .legs = legs};
    p.mirrored = row->code == DOCUMENT_CREDIT_NOTE || row->code == DOCUMENT_SELF_BILLED_CREDIT;
    if (p.mirrored)
        p.code = POSTING_CREDIT_NOTE;
    p.ar = join(p.arena, STR("AR:"), row->recipient);
    p.ap = join(p.arena, STR("AP:"), p.seller);
    if (collect)
        add_tiers(&p, parts);
    else
        add_sale(&p);
    add_purchase(&p);
    add_prepaid(&p);
    add_exchange(&p);
    if (p.too_large)
        return err_set(tx->err, RC_INVALID, "what the tiers of document %.*s earn does not fit",
                       STRF(row->id));
    return posting_next(tx, l, STR("invoice"), (uint64_t)row->no, row->currency, legs, p.count);
}
