/* Rows of table close, and what is kept beside them. */
#include "billing/close_inside.h"

#include "money/amount.h"

#define COLUMNS                                                                               \
    "c.no, c.id, c.party, c.period, c.since, c.begin_at, c.end_at, c.step, c.review, c.dry, " \
    "c.at_agreement, c.at_client, c.at_id, c.at_number, c.done, c.total, c.lines, "           \
    "c.documents, c.first_document, c.last_document, c.exceptions, c.started, c.seen, c.finished"

static struct close_row read_row(const struct rows *rows, size_t row)
{
    return (struct close_row){
        .no = row_int(rows, row, 0),
        .id = row_str(rows, row, 1),
        .party = row_str(rows, row, 2),
        .period = row_str(rows, row, 3),
        .since = row_int(rows, row, 4),
        .begin = row_int(rows, row, 5),
        .end = row_int(rows, row, 6),
        .step = (enum close_step)row_int(rows, row, 7),
        .review = row_int(rows, row, 8) != 0,
        .dry = row_int(rows, row, 9) != 0,
        .at = {row_str(rows, row, 10), row_str(rows, row, 11), row_str(rows, row, 12)},
        .at_number = row_int(rows, row, 13),
        .done = row_int(rows, row, 14),
        .total = row_int(rows, row, 15),
        .lines = row_int(rows, row, 16),
        .documents = row_int(rows, row, 17),
        .first_document = row_int(rows, row, 18),
        .last_document = row_int(rows, row, 19),
        .exceptions = row_int(rows, row, 20),
        .started = row_int(rows, row, 21),
        .seen = row_int(rows, row, 22),
        .finished = row_int(rows, row, 23),
    };
}

enum rc close_row_open(struct tx *tx, struct close_row *ret, bool *ret_found)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM close c WHERE c.step < $1 AND "
                 "(c.step <> $2 OR c.review = 0) ORDER BY c.step, c.no LIMIT 1",
                 V((int64_t)CLOSE_DONE), V((int64_t)CLOSE_REVIEW)));
    *ret_found = rows.count > 0;
    if (rows.count > 0)
        *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc close_row_get(struct tx *tx, struct str id, struct close_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM close c WHERE c.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no close '%.*s'", STRF(id));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc close_row_number(struct tx *tx, int64_t no, struct close_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM close c WHERE c.no = $1", V(no)));
    ASSERT(rows.count == 1); /* closes stay */
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc close_row_insert(struct tx *tx, const struct close_row *r)
{
    return sql_run(
        tx,
        "INSERT INTO close (no, id, party, period, since, begin_at, end_at, step, review, dry, "
        "at_agreement, at_client, at_id, at_number, done, total, lines, documents, "
        "first_document, last_document, exceptions, started, seen, finished) VALUES ($1, $2, $3, "
        "$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, "
        "$23, $24)",
        V(r->no), V(r->id), V(r->party), V(r->period), V(r->since), V(r->begin), V(r->end),
        V((int64_t)r->step), V(r->review), V(r->dry), V(r->at.agreement), V(r->at.client),
        V(r->at.id), V(r->at_number), V(r->done), V(r->total), V(r->lines), V(r->documents),
        V(r->first_document), V(r->last_document), V(r->exceptions), V(r->started), V(r->seen),
        V(r->finished));
}

/* --- what was found --- */

bool close_may_go_on(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_TOO_LARGE;
}

void close_found_miss(struct close_found *f, struct arena *arena, const struct close_miss *miss)
{
    if (f->miss_count == f->miss_room) {
        size_t room = max_size(16, f->miss_room * 2);
        struct close_miss *more = NEW_N(arena, struct close_miss, room);
        if (f->miss_count > 0)
            memcpy(more, f->misses, f->miss_count * sizeof *more);
        f->misses = more;
        f->miss_room = room;
    }
    f->misses[f->miss_count] = *miss;
    f->misses[f->miss_count++].text = arena_str(arena, str_sub(miss->text, 0, CLOSE_TEXT_MAX));
}

void close_found_sum(struct close_found *f, const struct currency *currency, int64_t net)
{
    size_t i = 0;
    while (i < f->sum_count && f->sums[i].currency != currency)
        i++;
    ASSERT(i < CLOSE_CURRENCIES_MAX);
    if (i == f->sum_count)
        f->sums[f->sum_count++] = (struct close_sum){.currency = currency};
    f->sums[i].net += net;
}

static enum rc save_miss(struct tx *tx, const struct close_row *row, const struct close_miss *miss)
{
    struct str id = id_new(tx->ids, tx->arena, "cex");
    TRY(sql_run(tx,
                "INSERT INTO close_exception (id, close_no, subscription, step, text, line) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                V(id), V(row->no), value_opt(miss->subscription), V(miss->step), V(miss->text),
                V(miss->line)));
    if (miss->of_close > 0)
        TRY(sql_run(tx,
                    "INSERT INTO close_unbilled (exception, close_no, first_line, agreement, "
                    "tax_included) VALUES ($1, $2, $3, $4, $5)",
                    V(id), V(miss->of_close), V(miss->line), V(miss->agreement),
                    V(miss->tax_included)));
    if (row->dry || miss->since == 0)
        return RC_OK;
    return sql_run(tx,
                   "INSERT INTO close_missed (subscription, since) VALUES ($1, $2) "
                   "ON CONFLICT (subscription) DO NOTHING",
                   V(miss->subscription), V(miss->since));
}

int64_t close_sum_bound(__int128 sum)
{
    if (sum > CLOSE_SUM_MAX)
        return CLOSE_SUM_MAX + 1;
    return sum < -CLOSE_SUM_MAX ? -CLOSE_SUM_MAX - 1 : (int64_t)sum;
}

static enum rc save_sum(struct tx *tx, const struct close_row *row, const struct close_sum *sum)
{
    return sql_run(tx,
                   "INSERT INTO close_net (close_no, currency, net) VALUES ($1, $2, $3) "
                   "ON CONFLICT (close_no, currency) DO UPDATE SET "
                   "net = " CLOSE_SUM_SQL("close_net.net", "$3"),
                   V(row->no), V(sum->currency->code), V(close_sum_bound(sum->net)));
}

enum rc close_row_save(struct tx *tx, struct close_row *row, const struct close_found *found)
{
    row->seen = tx->now;
    row->exceptions += (int64_t)found->miss_count;
    for (size_t i = 0; i < found->miss_count; i++)
        TRY(save_miss(tx, row, &found->misses[i]));
    for (size_t i = 0; i < found->sum_count; i++)
        TRY(save_sum(tx, row, &found->sums[i]));
    return sql_run(
        tx,
        "UPDATE close SET step = $2, review = $3, at_agreement = $4, at_client = $5, at_id = $6, "
        "at_number = $7, done = $8, total = $9, lines = $10, documents = $11, "
        "first_document = $12, last_document = $13, exceptions = $14, seen = $15, finished = $16 "
        "WHERE no = $1",
        V(row->no), V((int64_t)row->step), V(row->review), V(row->at.agreement), V(row->at.client),
        V(row->at.id), V(row->at_number), V(row->done), V(row->total), V(row->lines),
        V(row->documents), V(row->first_document), V(row->last_document), V(row->exceptions),
        V(row->seen), V(row->finished));
}

/* --- for people --- */

static enum rc show_net(struct tx *tx, const struct close_row *row, struct str *ret)
{
    struct rows rows;
    struct buf b;
    TRY(sql_rows(tx, &rows,
                 "SELECT currency, net FROM close_net WHERE close_no = $1 ORDER BY currency LIMIT "
                 "$2",
                 V(row->no), V((int64_t)currency_count())));
    buf_init(&b, tx->arena, (rows.count + 1) * (AMOUNT_TEXT_MAX + 16));
    for (size_t i = 0; i < rows.count; i++) {
        const struct currency *c = currency_find(row_str(&rows, i, 0));
        char text[AMOUNT_TEXT_MAX];
        ASSERT(c != NULL);
        int64_t net = row_int(&rows, i, 1);
        (void)amount_format(net, c, text);
        buf_fmt(&b, "%s%s%s %s", i > 0 ? ", " : "",
                net >= -CLOSE_SUM_MAX && net <= CLOSE_SUM_MAX ? "" : "beyond ", text, c->code);
    }
    *ret = buf_str(&b);
    return RC_OK;
}

enum rc close_show(struct tx *tx, const struct close_row *row, struct close *ret)
{
    struct close c = {
        .set = schema_all(&close_schema),
        .id = row->id,
        .no = row->no,
        .party = row->party,
        .period = row->period,
        .begin = row->begin,
        .end = row->end,
        .step = row->step,
        .review = row->review,
        .dry = row->dry,
        .done = row->done,
        .total = row->total,
        .lines = row->lines,
        .documents = row->documents,
        .exceptions = row->exceptions,
        .started = row->started,
        .finished = row->finished,
    };
    time_us spent = row->seen - row->started;
    if (spent > 0)
        c.per_second = (int64_t)((__int128)row->done * US_PER_SECOND / spent);
    if (c.per_second > 0 && row->total > row->done)
        c.seconds_left = (row->total - row->done + c.per_second - 1) / c.per_second;
    TRY(show_net(tx, row, &c.net));
    *ret = c;
    return RC_OK;
}
