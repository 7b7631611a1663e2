#include "billing/document_row.h"

#include "base/clock.h"
#include "billing/counter.h"
#include "billing/document_text.h"
#include "money/period.h"

#define COLUMNS                                                                                  \
    "d.no, d.id, d.code, d.state, d.issuer, d.recipient, d.agreement, d.currency, d.settle, "    \
    "d.tax_included, d.tax_recoverable, d.close_no, d.first_line, d.line_count, d.year, "        \
    "COALESCE(d.number, 0), d.issued_day, d.due_day, d.payment_days, d.period_begin, "           \
    "d.period_end, d.net, d.tax, d.gross, d.prepaid, d.promo, d.paid, d.credited, d.refers_to, " \
    "d.posted, d.incomes, d.taxes, d.note, d.created, COALESCE(d.written_off, 0), "              \
    "d.exchange"
enum {
    COLUMN_COUNT = 36,
    INSERT_COLUMNS = 36,
    INSERT_AT_A_TIME = 500,
    ZONE_ROOM_BYTES = 1024 * 1024,
};

/* --- numbers --- */

enum rc document_nos(struct tx *tx, int64_t count, int64_t *ret_first)
{
    return counter_raise(tx, STR("document"), count, ret_first);
}

/* Each has numbers of its own: a self-billed document is written by another hand than the issuer's
 * (Directive 2006/112 art. 226 (2): a sequence may be one of several series). */
static const struct {
    enum document_code code;
    const char *prefix;
} series[] = {
    {DOCUMENT_INVOICE, ""},
    {DOCUMENT_CREDIT_NOTE, "C-"},
    {DOCUMENT_SELF_BILLED, "S-"},
    {DOCUMENT_SELF_BILLED_CREDIT, "SC-"},
};

static int64_t series_of(enum document_code code)
{
    if (code == DOCUMENT_CORRECTED || code == DOCUMENT_PREPAYMENT)
        code = DOCUMENT_INVOICE;
    for (size_t i = 0; i < COUNT(series); i++)
        if (series[i].code == code)
            return (int64_t)i;
    NEVER("a document of no known code");
}

enum rc document_numbers(struct tx *tx, struct str issuer, enum document_code code, int64_t year,
                         int64_t count, int64_t *ret_first)
{
    struct rows rows;
    ASSERT(count > 0);
    TRY(sql_run(tx,
                "INSERT INTO document_number (issuer, series, year, last) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (issuer, series, year) DO UPDATE SET last = document_number.last + $4",
                V(issuer), V(series_of(code)), V(year), V(count)));
    TRY(sql_rows(tx, &rows,
                 "SELECT last FROM document_number WHERE issuer = $1 AND series = $2 AND year = $3",
                 V(issuer), V(series_of(code)), V(year)));
    *ret_first = row_int(&rows, 0, 0) - count + 1;
    return RC_OK;
}

struct str document_number_text(const struct document_row *row, struct arena *arena)
{
    if (row->number == 0)
        return STR("");
    return arena_fmt(arena, "%s%04lld-%06lld", series[series_of(row->code)].prefix,
                     (long long)row->year, (long long)row->number);
}

static enum rc day_in_zone(struct str name, time_us at, struct arena *arena, struct period *ret,
                           struct err *err)
{
    const struct zone *zone = NULL;
    TRY(zone_load(name, arena, &zone, err));
    struct calendar days = calendar_natural(zone, PERIOD_DAY);
    *ret = period_of(&days, at);
    return RC_OK;
}

/* A zone takes more room than a document: it has an arena of its own, as many documents may be made
 * in one unit of work. */
enum rc document_day(const struct party *issuer, time_us at, int64_t *ret_day, int64_t *ret_year,
                     struct err *err)
{
    struct arena own;
    struct period day;
    arena_init(&own, ZONE_ROOM_BYTES);
    enum rc rc = day_in_zone(issuer->time_zone, at, &own, &day, err);
    arena_fini(&own);
    if (rc != RC_OK)
        return rc;
    *ret_day = days_from_civil(day.year, day.month, day.day);
    *ret_year = day.year;
    return RC_OK;
}

/* --- rows --- */

static enum rc read_row(struct tx *tx, const struct value *c, struct document_row *ret)
{
    struct document_row row = {
        .no = c[0].number,
        .id = arena_str(tx->arena, c[1].text),
        .code = (enum document_code)c[2].number,
        .state = (enum document_state)c[3].number,
        .issuer = arena_str(tx->arena, c[4].text),
        .recipient = arena_str(tx->arena, c[5].text),
        .agreement = arena_str(tx->arena, c[6].text),
        .currency = currency_find(c[7].text),
        .settle = (enum settle_mode)c[8].number,
        .tax_included = c[9].number != 0,
        .tax_recoverable = c[10].number != 0,
        .close_no = c[11].number,
        .first_line = c[12].number,
        .line_count = c[13].number,
        .year = c[14].number,
        .number = c[15].number,
        .issued_day = c[16].number,
        .due_day = c[17].number,
        .payment_days = c[18].number,
        .period_begin = c[19].number,
        .period_end = c[20].number,
        .net = c[21].number,
        .tax = c[22].number,
        .gross = c[23].number,
        .prepaid = c[24].number,
        .promo = c[25].number,
        .paid = c[26].number,
        .credited = c[27].number,
        .refers_to = c[28].number,
        .posted = c[29].number != 0,
        .note = arena_str(tx->arena, c[32].text),
        .created = c[33].number,
        .written_off = c[34].number,
    };
    if (row.currency == NULL)
        return err_set(tx->err, RC_INTERNAL, "a document is in no currency that is known");
    TRY(document_incomes_read(c[30].text, tx->arena, &row, tx->err));
    TRY(document_taxes_read(c[31].text, tx->arena, &row, tx->err));
    TRY(document_exchange_read(c[35].text, tx->arena, &row, tx->err));
    *ret = row;
    return RC_OK;
}

static enum rc only_row(struct tx *tx, const struct rows *rows, struct str name,
                        struct document_row *ret)
{
    if (rows->count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no document '%.*s'", STRF(name));
    return read_row(tx, rows->cells, ret);
}

enum rc document_row_get(struct tx *tx, int64_t no, struct document_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM document d WHERE d.no = $1", V(no)));
    return only_row(tx, &rows, arena_fmt(tx->arena, "%lld", (long long)no), ret);
}

enum rc document_row_find(struct tx *tx, struct str id, struct document_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM document d WHERE d.id = $1", V(id)));
    return only_row(tx, &rows, id, ret);
}

struct each {
    document_row_fn fn;
    void *arg;
};

static enum rc each_row(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    const struct each *each = arg;
    struct document_row row;
    ASSERT(columns == COLUMN_COUNT);
    TRY(read_row(tx, cells, &row));
    return each->fn(tx, &row, each->arg);
}

enum rc document_row_each(struct tx *tx, int64_t after, int64_t limit, document_row_fn fn,
                          void *arg)
{
    struct each each = {fn, arg};
    return sql_each(tx, each_row, &each,
                    "SELECT " COLUMNS " FROM document d WHERE d.no > $1 ORDER BY d.no LIMIT $2",
                    V(after), V(limit));
}

enum rc document_row_credits(struct tx *tx, int64_t no, document_row_fn fn, void *arg)
{
    struct each each = {fn, arg};
    return sql_each(tx, each_row, &each,
                    "SELECT " COLUMNS " FROM document d WHERE d.refers_to = $1 AND d.code IN ($2, "
                    "$3) ORDER BY d.no",
                    V(no), V((int64_t)DOCUMENT_CREDIT_NOTE),
                    V((int64_t)DOCUMENT_SELF_BILLED_CREDIT));
}

enum rc document_row_unpaid(struct tx *tx, struct str issuer, struct str recipient,
                            struct str currency, int64_t limit, document_row_fn fn, void *arg)
{
    struct each each = {fn, arg};
    return sql_each(tx, each_row, &each,
                    "SELECT " COLUMNS " FROM document d WHERE d.issuer = $1 AND d.recipient = $2 "
                    "AND d.currency = $3 AND d.code IN ($4, $5) AND d.state >= $6 "
                    "AND " DOCUMENT_OPEN "ORDER BY d.due_day, d.no LIMIT $7",
                    V(issuer), V(recipient), V(currency), V((int64_t)DOCUMENT_INVOICE),
                    V((int64_t)DOCUMENT_CORRECTED), V((int64_t)DOCUMENT_FINAL), V(limit));
}

enum rc document_row_debts(struct tx *tx, struct str recipient, struct str currency,
                           enum settle_mode settle, int64_t limit, document_row_fn fn, void *arg)
{
    struct each each = {fn, arg};
    return sql_each(
        tx, each_row, &each,
        "SELECT " COLUMNS " FROM document d WHERE d.recipient = $1 AND d.currency = $2 "
        "AND d.code IN ($3, $9) AND d.state IN ($4, $5) AND d.settle = $6 AND EXISTS (SELECT 1 "
        "FROM agreement a WHERE a.id = d.agreement AND a.kind = $7) "
        "AND " DOCUMENT_OPEN "ORDER BY d.due_day, d.no LIMIT $8",
        V(recipient), V(currency), V((int64_t)DOCUMENT_INVOICE), V((int64_t)DOCUMENT_FINAL),
        V((int64_t)DOCUMENT_PART_PAID), V((int64_t)settle), V(agreement_kinds[AGREEMENT_SUPPLY]),
        V(limit), V((int64_t)DOCUMENT_CORRECTED));
}

/* --- writing --- */

static void cells_of(struct tx *tx, const struct document_row *r, struct value *ret)
{
    const struct value cells[INSERT_COLUMNS] = {
        V(r->no),
        V(r->id),
        V((int64_t)r->code),
        V((int64_t)r->state),
        V(r->issuer),
        V(r->recipient),
        value_opt(r->agreement),
        V(r->currency->code),
        V((int64_t)r->settle),
        V(r->tax_included),
        V(r->tax_recoverable),
        V(r->close_no),
        V(r->first_line),
        V(r->line_count),
        V(series_of(r->code)),
        V(r->year),
        r->number > 0 ? value_int(r->number) : SQL_NULL,
        V(r->issued_day),
        V(r->due_day),
        V(r->payment_days),
        V(r->period_begin),
        V(r->period_end),
        V(r->net),
        V(r->tax),
        V(r->gross),
        V(r->prepaid),
        V(r->promo),
        V(r->paid),
        V(r->credited),
        V(r->refers_to),
        V(r->posted),
        V(document_incomes_write(r, tx->arena)),
        V(document_taxes_write(r, tx->arena)),
        value_opt(r->note),
        V(r->created),
        value_opt(document_exchange_write(r, tx->arena)),
    };
    memcpy(ret, cells, sizeof cells);
}

static enum rc insert(struct tx *tx, const struct value *cells, size_t count)
{
    return sql_insert(
        tx,
        "INSERT INTO document (no, id, code, state, issuer, recipient, agreement, currency, "
        "settle, tax_included, tax_recoverable, close_no, first_line, line_count, series, year, "
        "number, issued_day, due_day, payment_days, period_begin, period_end, net, tax, gross, "
        "prepaid, promo, paid, credited, refers_to, posted, incomes, taxes, note, created, "
        "exchange) VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
        "$20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36)",
        cells, INSERT_COLUMNS, count);
}

static void make_new(struct tx *tx, struct document_row *r)
{
    ASSERT(r->currency != NULL);
    ASSERT(r->number == 0);
    if (r->id.n == 0)
        r->id = id_new(tx->ids, tx->arena, "inv");
    r->created = tx->now;
    r->posted = false;
}

enum rc document_row_insert(struct tx *tx, struct document_row *row)
{
    struct document_row r = *row;
    struct value cells[INSERT_COLUMNS];
    if (r.no == 0)
        TRY(document_nos(tx, 1, &r.no));
    make_new(tx, &r);
    cells_of(tx, &r, cells);
    TRY(insert(tx, cells, 1));
    *row = r;
    return RC_OK;
}

enum rc document_row_insert_all(struct tx *tx, struct document_row *rows, size_t count)
{
    size_t room = min_size(count, INSERT_AT_A_TIME);
    struct value *cells = NEW_N(tx->arena, struct value, room * INSERT_COLUMNS);
    for (size_t at = 0; at < count;) {
        size_t n = min_size(count - at, INSERT_AT_A_TIME);
        for (size_t i = 0; i < n; i++, at++) {
            ASSERT(rows[at].no > 0);
            make_new(tx, &rows[at]);
            cells_of(tx, &rows[at], &cells[i * INSERT_COLUMNS]);
        }
        TRY(insert(tx, cells, n));
    }
    return RC_OK;
}

enum rc document_row_finalise(struct tx *tx, struct document_row *row)
{
    int64_t changed = 0;
    struct document_row r = *row;
    ASSERT(r.number > 0);
    ASSERT(r.issued_day > 0);
    TRY(document_check(&r, tx->err));
    r.due_day = r.issued_day + r.payment_days;
    r.state = document_open(&r) == 0 ? DOCUMENT_PAID : DOCUMENT_FINAL;
    TRY(sql_change(tx, &changed,
                   "UPDATE document SET state = $2, year = $3, number = $4, issued_day = $5, "
                   "due_day = $6, posted = $7 WHERE no = $1 AND state = $8",
                   V(r.no), V((int64_t)r.state), V(r.year), V(r.number), V(r.issued_day),
                   V(r.due_day), V(r.posted), V((int64_t)DOCUMENT_DRAFT)));
    if (changed == 0)
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' is no draft", STRF(r.id));
    *row = r;
    return RC_OK;
}

/* --- what becomes of a final one --- */

static enum document_state state_of(const struct document_row *r)
{
    if (r->state == DOCUMENT_WRITTEN_OFF)
        return DOCUMENT_WRITTEN_OFF;
    if (r->credited == r->gross && r->gross != 0)
        return DOCUMENT_CREDITED;
    if (document_open(r) <= 0)
        return DOCUMENT_PAID;
    return r->paid > 0 ? DOCUMENT_PART_PAID : DOCUMENT_FINAL;
}

static enum rc get_final(struct tx *tx, int64_t no, struct document_row *ret)
{
    TRY(document_row_get(tx, no, ret));
    if (ret->state < DOCUMENT_FINAL)
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' is a draft", STRF(ret->id));
    return RC_OK;
}

static enum rc too_much(struct tx *tx, const struct document_row *row, const char *what)
{
    return err_set(tx->err, RC_CONFLICT, "more is %s of document '%.*s' than there is", what,
                   STRF(row->id));
}

enum rc document_row_paid(struct tx *tx, int64_t no, int64_t amount)
{
    struct document_row row = {0};
    TRY(get_final(tx, no, &row));
    if ((amount > 0 && amount > document_open(&row)) || (amount < 0 && -amount > row.paid))
        return too_much(tx, &row, "paid");
    row.paid += amount;
    return sql_run(tx, "UPDATE document SET paid = $2, state = $3 WHERE no = $1", V(no),
                   V(row.paid), V((int64_t)state_of(&row)));
}

enum rc document_row_credited(struct tx *tx, int64_t no, int64_t amount)
{
    struct document_row row = {0};
    TRY(get_final(tx, no, &row));
    if (row.state == DOCUMENT_WRITTEN_OFF)
        return err_set(tx->err, RC_CONFLICT, "document '%.*s' was written off", STRF(row.id));
    if (amount > row.gross - row.credited || amount < -row.credited)
        return too_much(tx, &row, "credited");
    row.credited += amount;
    return sql_run(tx, "UPDATE document SET credited = $2, state = $3 WHERE no = $1", V(no),
                   V(row.credited), V((int64_t)state_of(&row)));
}

enum rc document_row_write_off(struct tx *tx, int64_t no, int64_t *ret_amount)
{
    struct document_row row = {0};
    TRY(get_final(tx, no, &row));
    int64_t open = document_open(&row);
    if (open <= 0)
        return err_set(tx->err, RC_CONFLICT, "nothing is open of document '%.*s'", STRF(row.id));
    TRY(sql_run(tx, "UPDATE document SET state = $2, written_off = $3 WHERE no = $1", V(no),
                V((int64_t)DOCUMENT_WRITTEN_OFF), V(row.written_off + open)));
    *ret_amount = open;
    return RC_OK;
}

enum rc document_row_recover(struct tx *tx, int64_t no, int64_t amount)
{
    struct document_row row = {0};
    TRY(get_final(tx, no, &row));
    if (amount > row.written_off)
        return too_much(tx, &row, "recovered");
    row.written_off -= amount;
    if (row.written_off == 0 && row.state == DOCUMENT_WRITTEN_OFF) {
        row.state = DOCUMENT_FINAL;
        row.state = state_of(&row);
    }
    return sql_run(tx, "UPDATE document SET state = $2, written_off = $3 WHERE no = $1", V(no),
                   V((int64_t)row.state), V(row.written_off));
}
