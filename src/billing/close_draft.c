/* The step that drafts: runs of lines with one agreement become a client's invoice, then the sums
 * of the agreements above theirs. */
#include "base/map.h"
#include "billing/close_inside.h"
#include "billing/rated_row.h"
#include "billing/wallet.h"
#include "money/amount.h"

/* Lines of one agreement that follow one another. */
struct group {
    int64_t first; /* line; 0: none yet */
    int64_t count;
    const struct supply_path *path;
    bool tax_included;
    __int128 total;
    size_t sum_count;
    struct document_sum sums[DOCUMENT_INCOMES_MAX];
    bool too_many;
    struct coupon_set coupons;
    size_t lowered_before; /* of the drafting's, when it began */
    bool moves;            /* some line is worth something to somebody */
};

/* Who sells, and the period where it is: another month than elsewhere by some hours, and its last
 * day, of which its taxes are. */
struct issuer {
    struct party party;
    time_us begin;
    time_us end;
    int64_t day;
};

struct drafting {
    struct tx *tx;
    struct close_row *row;
    const struct close_row *of; /* whose lines are billed: this close's, or an earlier one's */
    struct close_found *found;
    struct rater *r;
    struct group group;
    int64_t seen;    /* lines read in this unit of work */
    int64_t settled; /* the last line of a finished group */
    struct document_row *drafts;
    size_t draft_count;
    size_t draft_room;
    struct rated_discount *lowered;
    size_t lowered_count;
    size_t lowered_room;
    struct map issuers; /* by id: struct issuer */
    bool alone;         /* one group, which an earlier draft step could not bill */
    bool enough;        /* the group in hand is left to the next unit of work */
    bool wallets;       /* there are some at all */
    bool coupons;
};

enum {
    AGAIN_AT_ONCE = 200 /* invoices that could not be made before */,
    MAP_SEED = 2,
    ZONE_ROOM_BYTES = 1024 * 1024
};

_Static_assert(CLOSE_INVOICE_LINES_MAX <= INT64_MAX / AMOUNT_ONE_MAX, "its lines' sum fits");

/* --- documents --- */

static void add_draft(struct drafting *d, const struct document_row *row)
{
    d->drafts =
        close_grow(d->tx->arena, d->drafts, d->draft_count, &d->draft_room, sizeof *d->drafts);
    d->drafts[d->draft_count++] = *row;
}

static void forget_issuers(struct drafting *d)
{
    static const uint64_t seed[MAP_SEED] = {7, 8}; /* keys are our own ids */
    map_init(&d->issuers, d->tx->arena, seed);
}

/* A zone takes more room than many documents: it has an arena of its own. */
static enum rc find_period(struct drafting *d, struct issuer *issuer)
{
    int64_t year = 0;
    struct arena own;
    struct period p;
    struct tx zone = *d->tx;
    arena_init(&own, ZONE_ROOM_BYTES);
    zone.arena = &own;
    enum rc rc = close_period(&zone, issuer->party.time_zone, d->of->period, &p);
    arena_fini(&own);
    TRY(rc);
    issuer->begin = p.begin;
    issuer->end = p.end;
    return document_day(&issuer->party, p.end - 1, &issuer->day, &year, d->tx->err);
}

static enum rc load_issuer(struct drafting *d, struct str id, const struct issuer **ret)
{
    struct issuer *issuer = map_get(&d->issuers, id);
    if (issuer == NULL) {
        issuer = NEW(d->tx->arena, struct issuer);
        TRY(party_get(d->tx, id, &issuer->party));
        TRY(find_period(d, issuer));
        (void)map_put(&d->issuers, issuer->party.id, issuer); /* was not there */
    }
    *ret = issuer;
    return RC_OK;
}

/* A sum below 0 is a credit note of positive amounts. */
static enum rc total_up(struct drafting *d, struct document_row *row, enum tax_treatment tax,
                        struct document_sum *sums, size_t count)
{
    struct party recipient;
    const struct issuer *issuer = NULL;
    __int128 total = 0;
    for (size_t i = 0; i < count; i++)
        total += sums[i].amount;
    row->code = total < 0 ? DOCUMENT_CREDIT_NOTE : DOCUMENT_INVOICE;
    for (size_t i = 0; i < count && total < 0; i++) {
        sums[i].amount = -sums[i].amount;
        sums[i].wholesale = -sums[i].wholesale;
    }
    TRY(load_issuer(d, row->issuer, &issuer));
    row->period_begin = issuer->begin;
    row->period_end = issuer->end;
    TRY(party_get(d->tx, row->recipient, &recipient));
    TRY(document_row_total(row,
                           &(struct document_sides){&issuer->party, &recipient, tax, issuer->day},
                           sums, count, d->tx->arena, d->tx->err));
    return document_row_exchange(d->tx, row, &issuer->party, issuer->day);
}

static struct document_row row_of(const struct drafting *d, const struct supply_edge *edge,
                                  const struct currency *currency, bool tax_included)
{
    return (struct document_row){.state = DOCUMENT_DRAFT,
                                 .issuer = edge->seller,
                                 .recipient = edge->buyer,
                                 .agreement = edge->agreement,
                                 .currency = currency,
                                 .settle = edge->settle,
                                 .tax_included = tax_included,
                                 .close_no = d->of->no,
                                 .payment_days = edge->payment_days};
}

static enum rc pay_by_wallet(struct drafting *d, struct document_row *row)
{
    if (!d->wallets || row->code != DOCUMENT_INVOICE)
        return RC_OK;
    return wallet_take(d->tx, row->issuer, row->recipient, row->currency, row->gross, &row->prepaid,
                       &row->promo);
}

static void note_miss(struct drafting *d, const struct document_row *row, int64_t line)
{
    struct str of = d->of->no != d->row->no
                        ? arena_fmt(d->tx->arena, " for %.*s", STRF(d->of->period))
                        : STR("");
    struct str text = arena_fmt(d->tx->arena, "no invoice under %.*s%.*s: %.*s",
                                STRF(row->agreement), STRF(of), STRF(err_text(d->tx->err)));
    struct close_miss miss = {.step = close_steps[CLOSE_DRAFT],
                              .text = text,
                              .line = line,
                              .of_close = d->of->no,
                              .agreement = row->agreement,
                              .tax_included = row->tax_included};
    close_found_miss(d->found, d->tx->arena, &miss);
    err_clear(d->tx->err);
}

/* --- a client's lines --- */

static enum rc finish_group(struct drafting *d)
{
    struct group *g = &d->group;
    if (g->first == 0)
        return RC_OK;
    d->settled = g->first + g->count - 1;
    if (!g->moves) { /* lines of 0.00 for everybody take no number */
        g->first = 0;
        return RC_OK;
    }
    const struct supply_edge *edge = &g->path->edges[g->path->count - 1];
    struct document_row row = row_of(d, edge, currency_find(g->path->currency), g->tax_included);
    row.first_line = g->first;
    row.line_count = g->count;
    enum rc rc = g->too_many ? err_set(d->tx->err, RC_INVALID, "more than %d kinds of income",
                                       DOCUMENT_INCOMES_MAX)
                             : total_up(d, &row, edge->tax, g->sums, g->sum_count);
    if (rc != RC_OK && !close_may_go_on(rc))
        return rc;
    if (rc != RC_OK) {
        d->lowered_count = g->lowered_before;
        note_miss(d, &row, g->first);
    } else {
        TRY(pay_by_wallet(d, &row));
        TRY(coupon_used(d->tx, &g->coupons));
        add_draft(d, &row);
    }
    g->first = 0;
    return RC_OK;
}

static bool same_sellers(const struct supply_path *a, const struct supply_path *b)
{
    bool same = a->count == b->count;
    for (size_t k = 0; k < a->count && same; k++)
        same = str_eq(a->edges[k].seller, b->edges[k].seller);
    return same;
}

/* One invoice is under one agreement, in one way of showing taxes, and of a length that can be
 * posted; where the platform collects, it is shared among the same sellers. */
static bool belongs(const struct group *g, const struct rated_line *line)
{
    const struct supply_edge *a = &g->path->edges[g->path->count - 1];
    const struct supply_edge *b = &line->path->edges[line->path->count - 1];
    return g->count < CLOSE_INVOICE_LINES_MAX && str_eq(a->agreement, b->agreement) &&
           g->tax_included == line->tax_included && a->settle == b->settle &&
           str_eq(g->path->currency, line->path->currency) &&
           (a->settle != SETTLE_COLLECT || same_sellers(g->path, line->path));
}

static enum rc begin_group(struct drafting *d, int64_t number, const struct rated_line *line)
{
    const struct supply_edge *edge = &line->path->edges[line->path->count - 1];
    d->group = (struct group){.first = number,
                              .path = line->path,
                              .tax_included = line->tax_included,
                              .lowered_before = d->lowered_count};
    if (!d->coupons)
        return RC_OK;
    return coupon_find(d->tx, edge->seller, edge->buyer, currency_find(line->path->currency),
                       &d->group.coupons);
}

static void add_to_sums(struct group *g, const struct rated_line *line, int64_t amount,
                        int64_t wholesale)
{
    size_t i = 0;
    while (i < g->sum_count &&
           !(g->sums[i].tax_class == line->tax_class && g->sums[i].deferred == line->advance &&
             str_eq(g->sums[i].income, line->income)))
        i++;
    if (i == DOCUMENT_INCOMES_MAX) {
        g->too_many = true;
        return;
    }
    if (i == g->sum_count)
        g->sums[g->sum_count++] = (struct document_sum){
            .tax_class = line->tax_class, .income = line->income, .deferred = line->advance};
    g->sums[i].amount += amount;
    g->sums[i].wholesale += wholesale;
}

static void lower(struct drafting *d, int64_t line, int64_t discount)
{
    d->lowered = close_grow(d->tx->arena, d->lowered, d->lowered_count, &d->lowered_room,
                            sizeof *d->lowered);
    d->lowered[d->lowered_count++] = (struct rated_discount){line, discount};
}

static void add_line(struct drafting *d, int64_t number, const struct rated_line *line)
{
    struct group *g = &d->group;
    size_t last = line->path->count - 1;
    int64_t amount = line->amounts[last] - line->discount;
    bool collect = line->path->edges[last].settle == SETTLE_COLLECT;
    if (g->coupons.count > 0 && amount > 0 && !line->late) {
        int64_t taken = coupon_apply(&g->coupons, line->item, amount);
        if (taken > 0)
            lower(d, number, line->discount + taken);
        amount -= taken;
    }
    g->count++;
    g->moves = g->moves || line->list_amount != 0;
    for (size_t k = 0; k <= last; k++)
        g->moves = g->moves || line->amounts[k] != 0;
    add_to_sums(g, line, amount, collect ? line->amounts[0] : 0);
}

static enum rc on_line(struct tx *tx, int64_t number, const struct rated_line *row, size_t tiers,
                       void *arg)
{
    struct drafting *d = arg;
    struct rated_line line = *row;
    (void)tx;
    if (d->enough)
        return RC_OK;
    TRY(rate_recall(d->r, &line));
    ASSERT(line.path->count == tiers);
    d->seen++;
    if (d->group.first > 0 && !belongs(&d->group, &line)) {
        TRY(finish_group(d));
        d->enough = d->alone || d->seen > CLOSE_LINES_CHUNK;
        if (d->enough)
            return RC_OK;
    }
    if (d->group.first == 0)
        TRY(begin_group(d, number, &line));
    add_line(d, number, &line);
    return RC_OK;
}

/* Whole groups, about CLOSE_LINES_CHUNK lines. */
static enum rc draft_clients(struct drafting *d)
{
    int64_t after = d->row->at_number;
    d->settled = after;
    while (!d->enough && after < d->row->lines) {
        TRY(rated_row_each(d->tx, d->row->no, after, CLOSE_LINES_CHUNK, on_line, d));
        after = min_i64(after + CLOSE_LINES_CHUNK, d->row->lines);
    }
    if (!d->enough)
        TRY(finish_group(d));
    d->row->at_number = d->settled;
    return RC_OK;
}

/* --- the tiers above --- */

struct upstream_row {
    struct str agreement;
    bool tax_included;
    int64_t path;
    int64_t edge;
};

static enum rc draft_upstream(struct drafting *d, const struct upstream_row *u,
                              struct document_sum *sums, size_t count)
{
    struct supply_path path;
    bool moves = false;
    for (size_t i = 0; i < count; i++)
        moves = moves || sums[i].amount != 0;
    if (!moves)
        return RC_OK;
    TRY(supply_path_get(d->tx, u->path, &path));
    ASSERT(u->edge >= 0 && (size_t)u->edge < path.count);
    const struct supply_edge *edge = &path.edges[u->edge];
    struct document_row row = row_of(d, edge, currency_find(path.currency), u->tax_included);
    row.line_count = -1;
    /* Whatever the edge says for its own clients: here each tier invoices the next. */
    if (row.settle == SETTLE_COLLECT)
        row.settle = SETTLE_CHAIN;
    enum rc rc = total_up(d, &row, edge->tax, sums, count);
    if (rc != RC_OK && !close_may_go_on(rc))
        return rc;
    if (rc != RC_OK) {
        note_miss(d, &row, 0);
        return RC_OK;
    }
    TRY(pay_by_wallet(d, &row));
    add_draft(d, &row);
    return RC_OK;
}

#define SUM_SELECT                                                                          \
    "SELECT agreement, tax_included, tax_class, income, deferred, amount, path, edge FROM " \
    "close_upstream WHERE close_no = $1 "

/* The sums of one invoice, from row *at on; *at is behind them then. */
static enum rc draft_sums(struct drafting *d, const struct rows *rows, size_t *at)
{
    struct document_sum sums[DOCUMENT_INCOMES_MAX];
    size_t i = *at;
    struct upstream_row u = {row_str(rows, i, 0), row_int(rows, i, 1) != 0, row_int(rows, i, 6),
                             row_int(rows, i, 7)};
    size_t count = 0;
    for (; i < rows->count && str_eq(row_str(rows, i, 0), u.agreement) &&
           (row_int(rows, i, 1) != 0) == u.tax_included && count < COUNT(sums);
         i++)
        sums[count++] = (struct document_sum){.tax_class = (enum tax_class)row_int(rows, i, 2),
                                              .income = row_str(rows, i, 3),
                                              .deferred = row_int(rows, i, 4) != 0,
                                              .amount = row_int(rows, i, 5)};
    *at = i;
    return draft_upstream(d, &u, sums, count);
}

/* All sums of a few agreements, from behind the one that was last. */
static enum rc draft_tiers(struct drafting *d, bool *ret_done)
{
    struct rows rows;
    TRY(sql_rows(d->tx, &rows,
                 SUM_SELECT "AND agreement > $2 AND agreement IN (SELECT DISTINCT u.agreement FROM "
                            "close_upstream u WHERE u.close_no = $1 AND u.agreement > $2 ORDER BY "
                            "u.agreement LIMIT $3) ORDER BY agreement, tax_included, tax_class, "
                            "income, deferred",
                 V(d->row->no), V(d->row->at.agreement), V((int64_t)CLOSE_POST_CHUNK)));
    for (size_t i = 0; i < rows.count;) {
        struct str agreement = row_str(&rows, i, 0);
        TRY(draft_sums(d, &rows, &i));
        d->row->at.agreement = agreement;
    }
    *ret_done = rows.count == 0;
    return RC_OK;
}

/* --- what could not be billed before --- */

/* The group of lines that begins with this one. */
static enum rc draft_group(struct drafting *d, int64_t first)
{
    int64_t after = first - 1;
    d->alone = true;
    d->enough = false;
    while (!d->enough && after < d->of->lines) {
        TRY(rated_row_each(d->tx, d->of->no, after, CLOSE_LINES_CHUNK, on_line, d));
        after = min_i64(after + CLOSE_LINES_CHUNK, d->of->lines);
    }
    if (!d->enough)
        TRY(finish_group(d));
    d->alone = false;
    d->enough = false;
    return RC_OK;
}

static enum rc draft_sums_of(struct drafting *d, struct str agreement, bool tax_included)
{
    struct rows rows;
    TRY(sql_rows(d->tx, &rows,
                 SUM_SELECT "AND agreement = $2 AND tax_included = $3 ORDER BY tax_class, income, "
                            "deferred",
                 V(d->of->no), V(agreement), V(tax_included)));
    for (size_t i = 0; i < rows.count;)
        TRY(draft_sums(d, &rows, &i));
    return RC_OK;
}

/* What became of it stands with its exception, and with a new one where it is in vain again. */
static enum rc bill_again(struct drafting *d, const struct rows *rows, size_t i)
{
    struct close_row of;
    struct str exception = row_str(rows, i, 0);
    size_t drafts = d->draft_count;
    int64_t first = row_int(rows, i, 2);
    TRY(close_row_number(d->tx, row_int(rows, i, 1), &of));
    d->of = &of;
    forget_issuers(d); /* their days are others */
    TRY(first > 0 ? draft_group(d, first)
                  : draft_sums_of(d, row_str(rows, i, 3), row_int(rows, i, 4) != 0));
    TRY(rated_row_discount(d->tx, of.no, d->lowered, d->lowered_count));
    d->lowered_count = 0;
    d->of = d->row;
    forget_issuers(d);
    TRY(sql_run(d->tx, "DELETE FROM close_unbilled WHERE exception = $1", V(exception)));
    if (d->draft_count == drafts)
        return RC_OK;
    return sql_run(d->tx, "UPDATE close_exception SET text = $2 WHERE id = $1", V(exception),
                   V(arena_fmt(d->tx->arena, "%.*s; billed by the close of %.*s",
                               STRF(row_str(rows, i, 5)), STRF(d->row->period))));
}

/* Those that were there when the step began: at.agreement is the last of them, at.id the one that
 * was last; at.client is set when all were tried. */
static enum rc draft_again(struct drafting *d)
{
    struct rows rows;
    struct subscription_cursor *at = &d->row->at;
    if (at->agreement.n == 0) {
        TRY(sql_rows(d->tx, &rows, "SELECT COALESCE(MAX(exception), '') FROM close_unbilled"));
        at->agreement = row_str(&rows, 0, 0);
    }
    TRY(sql_rows(d->tx, &rows,
                 "SELECT u.exception, u.close_no, u.first_line, u.agreement, u.tax_included, "
                 "e.text FROM close_unbilled u JOIN close_exception e ON e.id = u.exception WHERE "
                 "u.exception > $1 AND u.exception <= $2 ORDER BY u.exception LIMIT $3",
                 V(at->id), V(at->agreement), V((int64_t)AGAIN_AT_ONCE)));
    for (size_t i = 0; i < rows.count; i++) {
        TRY(bill_again(d, &rows, i));
        at->id = row_str(&rows, i, 0);
    }
    if (rows.count < AGAIN_AT_ONCE)
        *at = (struct subscription_cursor){
            STR(""), str_eq(at->client, STR(CLOSE_AGAIN)) ? STR(CLOSE_CLOSED) : STR(CLOSE_TRIED),
            STR("")};
    return RC_OK;
}

/* --- the step --- */

static enum rc there_is(struct tx *tx, const char *sql, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, sql));
    *ret = rows.count > 0;
    return RC_OK;
}

static enum rc keep(struct drafting *d)
{
    int64_t no = 0;
    TRY(rated_row_discount(d->tx, d->row->no, d->lowered, d->lowered_count));
    if (d->draft_count == 0)
        return RC_OK;
    TRY(document_nos(d->tx, (int64_t)d->draft_count, &no));
    if (d->row->last_document == 0)
        d->row->first_document = no - 1;
    for (size_t i = 0; i < d->draft_count; i++)
        d->drafts[i].no = no++;
    TRY(document_row_insert_all(d->tx, d->drafts, d->draft_count));
    for (size_t i = 0; i < d->draft_count; i++) {
        /* Of an earlier close: numbered and posted with those that were held. */
        if (d->drafts[i].close_no != d->row->no)
            TRY(sql_run(d->tx, "INSERT INTO close_held (document) VALUES ($1)",
                        V(d->drafts[i].no)));
    }
    d->row->last_document = no - 1;
    d->row->documents += (int64_t)d->draft_count;
    return RC_OK;
}

enum rc close_draft_step(struct tx *tx, struct close_row *row, struct close_found *found)
{
    struct drafting *d = NEW(tx->arena, struct drafting);
    bool done = false;
    *d = (struct drafting){.tx = tx, .row = row, .found = found, .r = rater_new(tx)};
    TRY(there_is(tx, "SELECT 1 FROM wallet WHERE used + broken < amount ORDER BY id LIMIT 1",
                 &d->wallets));
    TRY(there_is(tx, "SELECT 1 FROM coupon WHERE times_left <> 0 ORDER BY id LIMIT 1",
                 &d->coupons));
    d->of = row;
    forget_issuers(d);
    if (str_eq(row->at.client, STR(CLOSE_AGAIN)) || (row->at.client.n == 0 && row->at_number == 0))
        TRY(draft_again(d));
    else if (str_eq(row->at.client, STR(CLOSE_CLOSED)))
        done = true;
    else if (row->at_number < row->lines)
        TRY(draft_clients(d));
    else
        TRY(draft_tiers(d, &done));
    TRY(keep(d));
    if (!done)
        return RC_OK;
    row->step = CLOSE_REVIEW;
    row->at = (struct subscription_cursor){STR(""), STR(""), STR("")};
    row->at_number = row->first_document;
    return RC_OK;
}
