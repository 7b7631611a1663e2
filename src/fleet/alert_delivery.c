/* The messages: made within the limit of the hour, sent in order, kept for a while. */
#include "fleet/alert_inside.h"

#include "catalog/code.h"
#include "party/brand.h"

enum { FORGET_AT_ONCE = 100, ERROR_CHARACTERS_MAX = 200 };

#define REST_FIRST_US   US_PER_SECOND
#define REST_LONGEST_US US_PER_HOUR

#define COLUMNS                                                                                 \
    "d.id, d.alert, d.kind, d.subject, d.title, d.promise, d.text, d.since, d.state, d.tries, " \
    "d.error, d.created, d.ended"

static struct alert_delivery read_row(const struct rows *r, size_t row)
{
    return (struct alert_delivery){
        .set = schema_all(&alert_delivery_schema),
        .id = row_str(r, row, 0),
        .alert = row_str(r, row, 1),
        .kind = code_word(alert_kinds, row_str(r, row, 2)),
        .subject = row_str(r, row, 3),
        .title = row_str(r, row, 4),
        .promise = row_str(r, row, 5),
        .text = row_str(r, row, 6),
        .since = row_int(r, row, 7),
        .state = code_word(delivery_states, row_str(r, row, 8)),
        .tries = row_int(r, row, 9),
        .error = row_str(r, row, 10),
        .created = row_int(r, row, 11),
        .ended = row_int(r, row, 12),
    };
}

static const struct page_column sort_columns[] = {
    {"id", "d.id", PAGE_TEXT},
    {"state", "d.state", PAGE_TEXT},
};
static const struct page_table delivery_table = {
    .select = "SELECT " COLUMNS " FROM alert_delivery d",
    .id = "d.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc alert_delivery_list(struct tx *tx, struct str id, const struct page_query *q,
                            struct page *ret)
{
    struct page_term term = {"d.alert = ?", V(id)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &delivery_table, q, &term, 1, &rows, &next));
    struct alert_delivery *items = NEW_N(tx->arena, struct alert_delivery, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- making --- */

static enum rc forget(struct tx *tx, struct str alert)
{
    return sql_run(tx,
                   "DELETE FROM alert_delivery WHERE id IN (SELECT d.id FROM alert_delivery d "
                   "WHERE d.alert = $1 AND d.state <> 'waiting' AND d.created < $2 "
                   "ORDER BY d.id LIMIT $3)",
                   V(alert), V(tx->now - ALERT_KEEP_US), V((int64_t)FORGET_AT_ONCE));
}

static enum rc insert(struct tx *tx, struct alert_delivery *d)
{
    TRY(forget(tx, d->alert));
    d->set = schema_all(&alert_delivery_schema);
    d->id = id_new(tx->ids, tx->arena, "ald");
    d->created = tx->now;
    return sql_run(tx,
                   "INSERT INTO alert_delivery (id, alert, kind, subject, title, promise, text, "
                   "since, state, tries, error, created, ended) VALUES ($1, $2, $3, $4, $5, $6, "
                   "$7, $8, $9, 0, '', $10, 0)",
                   V(d->id), V(d->alert), V(alert_kinds[d->kind]), V(d->subject), V(d->title),
                   V(d->promise), V(d->text), V(d->since), V(delivery_states[DELIVERY_WAITING]),
                   V(tx->now));
}

enum rc alert_put(struct tx *tx, struct alert_delivery *d, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT hour, told, held, hourly, due, resting FROM alert WHERE id = $1",
                 V(d->alert)));
    ASSERT(rows.count == 1);
    time_us hour = row_int(&rows, 0, 0);
    int64_t told = row_int(&rows, 0, 1);
    int64_t held = row_int(&rows, 0, 2);
    /* What is held ends its hour by a summary; before that nothing goes past it. */
    if (held == 0 && tx->now - hour >= ALERT_HOUR_US) {
        hour = tx->now;
        told = 0;
    }
    *ret = held == 0 && told < row_int(&rows, 0, 3);
    if (!*ret)
        return sql_run(tx, "UPDATE alert SET held = held + 1, summary = $2 WHERE id = $1",
                       V(d->alert), V(hour + ALERT_HOUR_US));
    time_us due = row_int(&rows, 0, 4);
    due = due != ALERT_NEVER ? due : max_i64(tx->now, row_int(&rows, 0, 5));
    TRY(sql_run(tx, "UPDATE alert SET hour = $2, told = $3, due = $4 WHERE id = $1", V(d->alert),
                V(hour), V(told + 1), V(due)));
    return insert(tx, d);
}

enum rc alert_test(struct tx *tx, struct str id, struct alert_delivery *ret)
{
    bool made = false;
    struct alert_delivery d = {.alert = id,
                               .kind = ALERT_TEST,
                               .text = STR("This is a test: all is well."),
                               .since = tx->now};
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT hour, told, held, hourly, code FROM alert WHERE id = $1",
                 V(id)));
    ASSERT(rows.count == 1);
    if (!row_null(&rows, 0, 4))
        return err_set(tx->err, RC_CONFLICT, "its address is not confirmed yet");
    bool old = tx->now - row_int(&rows, 0, 0) >= ALERT_HOUR_US;
    if (row_int(&rows, 0, 2) > 0 || (!old && row_int(&rows, 0, 1) >= row_int(&rows, 0, 3)))
        return err_set(tx->err, RC_CONFLICT, "it had all the messages of this hour: %lld",
                       (long long)row_int(&rows, 0, 3));
    TRY(alert_put(tx, &d, &made));
    ASSERT(made);
    *ret = d;
    return RC_OK;
}

/* --- sending --- */

enum rc alert_next(struct tx *tx, time_us *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT (SELECT MIN(due) FROM alert), (SELECT MIN(summary) FROM alert), "
                 "(SELECT MIN(due) FROM alert_watch WHERE told = 0)"));
    *ret = ALERT_NEVER;
    for (size_t i = 0; i < rows.columns; i++)
        if (!row_null(&rows, 0, i))
            *ret = min_i64(*ret, row_int(&rows, 0, i));
    return RC_OK;
}

/* None while its address is not confirmed: it waits for that. */
static enum rc oldest(struct tx *tx, struct str alert, struct rows *ret)
{
    return sql_rows(tx, ret,
                    "SELECT " COLUMNS " FROM alert_delivery d JOIN alert a ON a.id = d.alert "
                    "WHERE d.alert = $1 AND d.state = 'waiting' AND a.code IS NULL "
                    "ORDER BY d.id LIMIT 1",
                    V(alert));
}

static enum rc set_due(struct tx *tx, struct str alert, time_us due)
{
    return sql_run(tx, "UPDATE alert SET due = $2 WHERE id = $1", V(alert), V(due));
}

/* The sender's name is of the party's brand, where it has one. A secret that cannot be opened is
 * the trouble of this message, and of no other. */
static enum rc address(struct tx *tx, const struct seal *seal, struct str sealed,
                       struct alert_claim *c)
{
    struct brand brand;
    if (c->mail) {
        TRY(brand_get(tx, c->party, &brand));
        c->from = brand.mail_sender;
        return RC_OK;
    }
    if (seal == NULL) {
        c->trouble = STR("there is no key to open the secret with");
    } else if (seal_read(seal, sealed, tx->arena, &c->secret, tx->err) != RC_OK) {
        c->trouble = arena_str(tx->arena, err_text(tx->err));
        err_clear(tx->err);
    }
    return RC_OK;
}

enum rc alert_claim(struct tx *tx, const struct seal *seal, struct alert_claim *ret)
{
    struct rows rows;
    struct rows head;
    *ret = (struct alert_claim){0};
    /* Who answered last time comes first: many that are gone do not hold up the others. */
    TRY(sql_rows(tx, &rows,
                 "SELECT id, party, name, way, target, secret FROM alert WHERE due <= $1 "
                 "ORDER BY tries, due, id LIMIT 1",
                 V(tx->now)));
    if (rows.count == 0)
        return RC_OK;
    struct str id = row_str(&rows, 0, 0);
    TRY(oldest(tx, id, &head));
    if (head.count == 0)
        return set_due(tx, id, ALERT_NEVER);
    struct alert_claim c = {
        .found = true,
        .party = row_str(&rows, 0, 1),
        .rule = row_str(&rows, 0, 2),
        .mail = str_eq(row_str(&rows, 0, 3), STR("mail")),
        .target = row_str(&rows, 0, 4),
        .delivery = read_row(&head, 0),
    };
    TRY(address(tx, seal, row_bytes(&rows, 0, 5), &c));
    TRY(sql_run(tx, "UPDATE alert_delivery SET tries = tries + 1 WHERE id = $1", V(c.delivery.id)));
    TRY(set_due(tx, id, tx->now + (c.mail ? ALERT_CLAIM_MAIL_US : ALERT_CLAIM_CALL_US)));
    *ret = c;
    return RC_OK;
}

/* When its queue goes on: nobody waits, then never. */
static enum rc go_on(struct tx *tx, const struct alert_outcome *o, int64_t tries)
{
    struct rows rows;
    int64_t steps = min_i64(tries - 1, 20); /* 2^20 s is more than the longest rest */
    time_us resting =
        o->sent ? tx->now : tx->now + min_i64(REST_FIRST_US << max_i64(steps, 0), REST_LONGEST_US);
    TRY(oldest(tx, o->alert, &rows));
    return sql_run(tx,
                   "UPDATE alert SET due = $2, resting = $3, tries = $4, error = $5 WHERE id = $1",
                   V(o->alert), V(rows.count > 0 ? resting : ALERT_NEVER), V(resting), V(tries),
                   V(o->sent ? STR("") : o->error));
}

/* Text of a strange server, cut where a character ends. */
static struct str bounded(struct str s)
{
    size_t n = min_size(s.n, ERROR_CHARACTERS_MAX);
    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_sub(s, 0, n);
}

enum rc alert_settle(struct tx *tx, const struct alert_outcome *outcome)
{
    struct alert_outcome o = *outcome;
    struct rows rows;
    o.error = bounded(o.error);
    TRY(sql_rows(tx, &rows,
                 "SELECT d.tries, a.tries FROM alert_delivery d JOIN alert a ON a.id = d.alert "
                 "WHERE d.id = $1 AND d.state = 'waiting'",
                 V(o.delivery)));
    if (rows.count == 0) /* deleted meanwhile, or another process was quicker */
        return RC_OK;
    bool dead = !o.sent && (o.hopeless || row_int(&rows, 0, 0) >= ALERT_TRIES_MAX);
    enum delivery_state state = o.sent ? DELIVERY_SENT : dead ? DELIVERY_DEAD : DELIVERY_WAITING;
    TRY(sql_run(tx, "UPDATE alert_delivery SET state = $2, error = $3, ended = $4 WHERE id = $1",
                V(o.delivery), V(delivery_states[state]), V(o.error),
                V(state == DELIVERY_WAITING ? 0 : tx->now)));
    return go_on(tx, &o, o.sent ? 0 : row_int(&rows, 0, 1) + 1);
}

enum rc alert_forget(struct tx *tx)
{
    TRY(sql_run(tx, "DELETE FROM alert_watch"));
    TRY(sql_run(tx,
                "UPDATE alert_delivery SET state = $1, error = 'this store is a copy', ended = $2 "
                "WHERE state = 'waiting'",
                V(delivery_states[DELIVERY_DEAD]), V(tx->now)));
    return sql_run(tx, "UPDATE alert SET paused = 1, held = 0, summary = $1, due = $1",
                   V(ALERT_NEVER));
}
