#include "billing/deferral.h"

#include "billing/close.h"
#include "billing/counter.h"
#include "billing/posting.h"
#include "money/telescope.h"

#define COLUMNS                                                                                 \
    "no, party, document, line, subscription, label, currency, amount, begins, ends, reached, " \
    "recognised, COALESCE(tier, 0)"
enum { INSERT_COLUMNS = 14, PASSED_NAME_MAX = 64 };

static enum rc read_rows(struct tx *tx, const struct rows *rows, struct deferral **ret)
{
    struct deferral *all = NEW_N(tx->arena, struct deferral, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        all[i] = (struct deferral){.no = row_int(rows, i, 0),
                                   .party = row_str(rows, i, 1),
                                   .document = row_int(rows, i, 2),
                                   .line = row_int(rows, i, 3),
                                   .subscription = row_str(rows, i, 4),
                                   .label = row_str(rows, i, 5),
                                   .currency = currency_find(row_str(rows, i, 6)),
                                   .amount = row_int(rows, i, 7),
                                   .begins = row_int(rows, i, 8),
                                   .ends = row_int(rows, i, 9),
                                   .reached = row_int(rows, i, 10),
                                   .recognised = row_int(rows, i, 11),
                                   .tier = row_int(rows, i, 12)};
        if (all[i].currency == NULL)
            return err_set(tx->err, RC_INTERNAL, "deferred income is in no currency that is known");
    }
    *ret = all;
    return RC_OK;
}

/* When the step function has to look at it again. */
static int64_t due(const struct deferral *d)
{
    return d->reached < d->ends ? d->reached : INT64_MAX;
}

enum rc deferral_add_all(struct tx *tx, struct deferral *list, size_t count)
{
    int64_t no = 0;
    if (count == 0)
        return RC_OK;
    TRY(counter_raise(tx, STR("deferral"), (int64_t)count, &no));
    struct value *v = NEW_N(tx->arena, struct value, count * INSERT_COLUMNS);
    for (size_t i = 0; i < count; i++) {
        struct deferral *d = &list[i];
        ASSERT(d->begins < d->ends);
        d->no = no + (int64_t)i;
        d->reached = d->begins;
        d->recognised = 0;
        const struct value cells[INSERT_COLUMNS] = {V(d->no),
                                                    V(d->party),
                                                    V(d->document),
                                                    V(d->line),
                                                    value_opt(d->subscription),
                                                    V(d->label),
                                                    V(d->currency->code),
                                                    V(d->amount),
                                                    V(d->begins),
                                                    V(d->ends),
                                                    V(d->reached),
                                                    V(d->recognised),
                                                    V(due(d)),
                                                    V(d->tier)};
        memcpy(v + i * INSERT_COLUMNS, cells, sizeof cells);
    }
    return sql_insert(tx,
                      "INSERT INTO deferral (no, party, document, line, subscription, label, "
                      "currency, amount, begins, ends, reached, recognised, due, tier) VALUES ($1, "
                      "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                      v, INSERT_COLUMNS, count);
}

enum rc deferral_add(struct tx *tx, struct deferral *d)
{
    return deferral_add_all(tx, d, 1);
}

static enum rc keep(struct tx *tx, const struct deferral *d)
{
    return sql_run(tx,
                   "UPDATE deferral SET amount = $2, reached = $3, recognised = $4, due = $5 WHERE "
                   "no = $1",
                   V(d->no), V(d->amount), V(d->reached), V(d->recognised), V(due(d)));
}

/* Deferred / Income for what was earned up to an instant and not recognised yet. */
static enum rc recognise(struct tx *tx, struct ledger *l, struct deferral *d, time_us until)
{
    time_us to = min_i64(max_i64(until, d->reached), d->ends);
    int64_t step = telescope_time(d->amount, d->begins, d->ends, d->begins, to) - d->recognised;
    struct leg leg = {.party = d->party,
                      .debit = STR("Deferred"),
                      .credit = arena_fmt(tx->arena, "Income:%.*s", STRF(d->label)),
                      .amount = step,
                      .code = POSTING_RECOGNISED};
    d->reached = to;
    d->recognised += step;
    return posting_next(tx, l, STR("deferral"), (uint64_t)d->no, d->currency, &leg, 1);
}

enum rc deferral_recognise(struct tx *tx, struct ledger *l, const struct deferral_span *span,
                           bool *ret_done)
{
    struct rows rows;
    struct deferral *all = NULL;
    const struct close_pass *pass = span->pass;
    ASSERT(span->limit > 0 && span->limit <= DEFERRAL_STEP_MAX);
    int64_t limit = span->limit + (pass != NULL ? (int64_t)pass->count : 0); /* they stay */
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM deferral WHERE due < $1 ORDER BY due, no LIMIT $2",
                 V(span->until), V(limit)));
    TRY(read_rows(tx, &rows, &all));
    for (size_t i = 0; i < rows.count; i++) {
        char name[PASSED_NAME_MAX];
        int n = snprintf(name, sizeof name, DEFERRAL_PASSED "%lld", (long long)all[i].no);
        if (close_passed(pass, str_n(name, (size_t)n)))
            continue;
        close_hand(pass, str_n(name, (size_t)n));
        TRY(recognise(tx, l, &all[i], span->until));
        TRY(keep(tx, &all[i]));
    }
    close_hand(pass, STR(""));
    *ret_done = rows.count < (size_t)limit;
    return RC_OK;
}

enum rc deferral_credit(struct tx *tx, struct ledger *l, const struct deferral_taking *t)
{
    struct rows rows;
    struct deferral *all = NULL;
    if (t->amount == 0) /* what cost nothing waits nowhere */
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM deferral WHERE document = $1 AND line = $2 AND "
                 "COALESCE(tier, 0) = $3 ORDER BY no LIMIT 1",
                 V(t->document), V(t->line), V(t->tier)));
    TRY(read_rows(tx, &rows, &all));
    if (rows.count == 0)
        return err_set(tx->err, RC_INTERNAL, "line %lld of a document waits nowhere as deferred",
                       (long long)t->line);
    struct deferral *d = &all[0];
    ASSERT(str_eq(d->party, t->party)); /* whose part it is never changes */
    d->amount -= t->amount;
    TRY(recognise(tx, l, d, d->reached));
    return keep(tx, d);
}
