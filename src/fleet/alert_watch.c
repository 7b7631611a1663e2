/* What fails, as the rules see it: from the change of a promise to the message that tells it. */
#include "fleet/alert_inside.h"

#include "fleet/words.h"
#include "profile/spec.h"

enum { TICK_MAX = 100, SUMMARY_LINES_MAX = 30, COVERING_MAX = 4 * ALERT_OF_PARTY_MAX };

/* --- whose it is --- */

static enum rc of_service(struct tx *tx, struct str id, struct rows *ret)
{
    return sql_rows(tx, ret,
                    "SELECT v.client, v.seller, n.site, v.name, "
                    "CASE WHEN v.state IN ('ending', 'ended', 'refused') THEN 1 ELSE 0 END "
                    "FROM service v LEFT JOIN node n ON n.id = v.node WHERE v.id = $1",
                    V(id));
}

static enum rc of_node(struct tx *tx, struct str id, struct rows *ret)
{
    return sql_rows(tx, ret,
                    "SELECT n.owner, s.owner, n.site, n.name, 0 FROM node n "
                    "JOIN site s ON s.id = n.site WHERE n.id = $1",
                    V(id));
}

enum rc alert_subject(struct tx *tx, struct str id, struct alert_subject *ret)
{
    struct rows rows;
    TRY(id_is(id, "nod") ? of_node(tx, id, &rows) : of_service(tx, id, &rows));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no '%.*s'", STRF(id));
    *ret = (struct alert_subject){
        .parties = {row_str(&rows, 0, 0), row_str(&rows, 0, 1)},
        .site = row_str(&rows, 0, 2),
        .title = row_str(&rows, 0, 3),
        .gone = row_int(&rows, 0, 4) != 0,
    };
    return RC_OK;
}

/* --- a promise that changes --- */

static bool covers(struct str subjects, struct str promises, const struct promise_change *c,
                   const struct alert_subject *s)
{
    bool subject = subjects.n == 0 || words_have(subjects, c->subject) ||
                   (s->site.n > 0 && words_have(subjects, s->site));
    return subject && (promises.n == 0 || words_have(promises, c->name));
}

/* By each rule that covers it, unless that knows it already. */
static enum rc begin(struct tx *tx, const struct promise_change *c, const struct alert_subject *s)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT a.id, a.subjects, a.promises, a.delay_s FROM alert a "
                 "WHERE a.party IN ($1, $2) AND a.paused = 0 ORDER BY a.id LIMIT $3",
                 V(s->parties[0]), V(s->parties[1]), V((int64_t)COVERING_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        if (!covers(row_str(&rows, i, 1), row_str(&rows, i, 2), c, s))
            continue;
        TRY(sql_run(tx,
                    "INSERT INTO alert_watch (alert, subject, promise, text, since, due, told) "
                    "VALUES ($1, $2, $3, $4, $5, $6, 0) "
                    "ON CONFLICT (alert, subject, promise) DO NOTHING",
                    V(row_str(&rows, i, 0)), V(c->subject), V(c->name), V(c->text), V(c->since),
                    V(tx->now + row_int(&rows, i, 3) * US_PER_SECOND)));
    }
    return RC_OK;
}

/* Whoever was told that it fails is told that it does no more. */
static enum rc recover(struct tx *tx, const struct promise_change *c, const struct alert_subject *s)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT alert, told FROM alert_watch WHERE subject = $1 AND promise = $2 "
                 "ORDER BY alert LIMIT $3",
                 V(c->subject), V(c->name), V((int64_t)COVERING_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        bool made = false;
        struct alert_delivery d = {.alert = row_str(&rows, i, 0),
                                   .kind = ALERT_RECOVERED,
                                   .subject = c->subject,
                                   .title = s->title,
                                   .promise = c->name,
                                   .since = c->since};
        if (row_int(&rows, i, 1) != 0)
            TRY(alert_put(tx, &d, &made));
    }
    return rows.count == 0
               ? RC_OK
               : sql_run(tx, "DELETE FROM alert_watch WHERE subject = $1 AND promise = $2",
                         V(c->subject), V(c->name));
}

/* Nobody knows: what was not told yet is not. Of what is gone nobody will know more. */
static enum rc lose_sight(struct tx *tx, const struct promise_change *c,
                          const struct alert_subject *s)
{
    if (s->gone)
        return sql_run(tx, "DELETE FROM alert_watch WHERE subject = $1", V(c->subject));
    return sql_run(tx, "DELETE FROM alert_watch WHERE subject = $1 AND promise = $2 AND told = 0",
                   V(c->subject), V(c->name));
}

enum rc alert_follow(struct tx *tx, const struct promise_change *change)
{
    struct alert_subject s;
    enum rc rc = alert_subject(tx, change->subject, &s);
    if (rc == RC_NOT_FOUND) { /* nobody's: nobody is told */
        err_clear(tx->err);
        return RC_OK;
    }
    TRY(rc);
    switch ((enum promise_state)change->state) {
    case PROMISE_FAILING:
        return s.gone ? RC_OK : begin(tx, change, &s);
    case PROMISE_KEPT:
        return recover(tx, change, &s);
    case PROMISE_UNKNOWN:
        return lose_sight(tx, change, &s);
    }
    NEVER("a promise in no state");
}

/* --- services that are not heard --- */

enum rc alert_node(struct tx *tx, struct str node, bool lost)
{
    struct rows rows;
    struct promise_change c = {.node = node,
                               .name = PROMISE_HEARD,
                               .state = lost ? PROMISE_FAILING : PROMISE_KEPT,
                               .text = lost ? STR("its node does not report any more") : STR(""),
                               .since = tx->now};
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM service WHERE node = $1 AND drill_of IS NULL "
                 "AND ($2 = 0 OR wanted = 'running') ORDER BY id LIMIT $3",
                 V(node), V(lost), V((int64_t)SPEC_SERVICES_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        c.subject = row_str(&rows, i, 0);
        TRY(alert_follow(tx, &c));
    }
    return RC_OK;
}

enum rc alert_runs(struct tx *tx, struct str service)
{
    struct promise_change c = {
        .subject = service, .name = PROMISE_HEARD, .state = PROMISE_KEPT, .since = tx->now};
    return alert_follow(tx, &c);
}

/* --- what has failed for long enough --- */

static enum rc tell_failing(struct tx *tx, const struct rows *r, size_t row)
{
    struct alert_subject s;
    struct alert_delivery d = {.alert = row_str(r, row, 0),
                               .kind = ALERT_FAILING,
                               .subject = row_str(r, row, 1),
                               .promise = row_str(r, row, 2),
                               .text = row_str(r, row, 3),
                               .since = row_int(r, row, 4)};
    struct str party = row_str(r, row, 5);
    bool made = false;
    enum rc rc = alert_subject(tx, d.subject, &s);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    /* It may have changed hands since. */
    if (rc != RC_OK || (!str_eq(s.parties[0], party) && !str_eq(s.parties[1], party))) {
        err_clear(tx->err);
        return sql_run(tx,
                       "DELETE FROM alert_watch WHERE alert = $1 AND subject = $2 "
                       "AND promise = $3",
                       V(d.alert), V(d.subject), V(d.promise));
    }
    d.title = s.title;
    TRY(alert_put(tx, &d, &made));
    return sql_run(tx,
                   "UPDATE alert_watch SET told = 1, due = $4 WHERE alert = $1 AND subject = $2 "
                   "AND promise = $3",
                   V(d.alert), V(d.subject), V(d.promise), V(ALERT_NEVER));
}

/* What still fails, a line each. */
static enum rc failing_text(struct tx *tx, struct str alert, int64_t held, struct str *ret)
{
    struct rows rows;
    struct buf b;
    buf_init(&b, tx->arena, ALERT_TEXT_MAX);
    TRY(sql_rows(tx, &rows,
                 "SELECT w.subject, w.promise, COALESCE(v.name, n.name, '') FROM alert_watch w "
                 "LEFT JOIN service v ON v.id = w.subject LEFT JOIN node n ON n.id = w.subject "
                 "WHERE w.alert = $1 AND w.told = 1 ORDER BY w.subject, w.promise LIMIT $2",
                 V(alert), V((int64_t)SUMMARY_LINES_MAX)));
    buf_fmt(&b, "%lld more messages in the last hour; failing now:%s", (long long)held,
            rows.count == 0 ? " nothing" : "");
    for (size_t i = 0; i < rows.count; i++) {
        struct str line =
            arena_fmt(tx->arena, "\n%.*s %.*s: %.*s", STRF(row_str(&rows, i, 0)),
                      STRF(str_sub(row_str(&rows, i, 2), 0, 60)), STRF(row_str(&rows, i, 1)));
        if (b.n + line.n > ALERT_TEXT_MAX)
            break;
        buf_add(&b, line);
    }
    *ret = buf_str(&b);
    return RC_OK;
}

static enum rc summarise(struct tx *tx, struct str alert, int64_t held)
{
    bool made = false;
    struct alert_delivery d = {.alert = alert, .kind = ALERT_SUMMARY};
    TRY(failing_text(tx, alert, held, &d.text));
    TRY(sql_run(tx, "UPDATE alert SET hour = $2, told = 0, held = 0, summary = $3 WHERE id = $1",
                V(alert), V(tx->now), V(ALERT_NEVER)));
    TRY(alert_put(tx, &d, &made));
    ASSERT(made); /* the first of its hour */
    return RC_OK;
}

enum rc alert_tick(struct tx *tx)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, held FROM alert WHERE summary <= $1 ORDER BY summary, id LIMIT $2",
                 V(tx->now), V((int64_t)TICK_MAX)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(summarise(tx, row_str(&rows, i, 0), row_int(&rows, i, 1)));
    TRY(sql_rows(tx, &rows,
                 "SELECT w.alert, w.subject, w.promise, w.text, w.since, a.party "
                 "FROM alert_watch w JOIN alert a ON a.id = w.alert "
                 "WHERE w.told = 0 AND w.due <= $1 ORDER BY w.due, w.alert, w.subject, w.promise "
                 "LIMIT $2",
                 V(tx->now), V((int64_t)TICK_MAX)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(tell_failing(tx, &rows, i));
    return RC_OK;
}
