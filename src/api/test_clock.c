#include "api/test_clock.h"

#include "api/handlers.h"
#include "api/inside.h"
#include "fleet/alert.h"
#include "party/party.h"
#include "store/outbox.h"

static enum rc kept(struct tx *tx, bool *ret_there, time_us *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT value FROM setting WHERE name = 'test_clock'"));
    *ret_there = rows.count > 0;
    if (rows.count > 0 && !time_parse(row_str(&rows, 0, 0), ret))
        return err_set(tx->err, RC_INVALID, "the store's test clock shows no time");
    return RC_OK;
}

static enum rc keep(struct tx *tx, time_us at)
{
    char text[TIME_TEXT_MAX];
    size_t n = time_format(at, text);
    return sql_run(tx,
                   "INSERT INTO setting (name, value) VALUES ('test_clock', $1) "
                   "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                   V(str_n(text, n)));
}

enum rc test_clock_start(struct tx *tx, struct clock_test *clock)
{
    bool there = false;
    time_us at = 0;
    struct party operator_party;
    TRY(kept(tx, &there, &at));
    if (there && clock == NULL)
        return err_set(tx->err, RC_CONFLICT,
                       "this store lives on a test clock: start it with --test-clock, or choose "
                       "another store");
    if (clock == NULL)
        return RC_OK;
    if (there) {
        (void)clock_test_move(clock, at); /* an earlier one than the store's is no way back */
        return RC_OK;
    }
    enum rc rc = party_operator(tx, &operator_party);
    if (rc == RC_OK)
        return err_set(tx->err, RC_CONFLICT,
                       "this store lives on the real clock: a test clock wants a store of its own");
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    return keep(tx, clock_now(&clock->clock));
}

enum rc test_clock_keep(struct tx *tx, time_us to)
{
    if (to <= tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/now"),
                          "a test clock goes forward: give a later time than it shows");
    return keep(tx, to);
}

enum rc test_clock_adopt(struct tx *tx, time_us at)
{
    bool there = false;
    time_us shown = 0;
    TRY(outbox_forget(tx));
    TRY(alert_forget(tx));
    TRY(kept(tx, &there, &shown));
    return there ? RC_OK : keep(tx, at);
}

/* --- routes --- */

static enum rc must_have(struct call *c)
{
    if (c->api->options.test_clock == NULL)
        return err_set(c->err, RC_NOT_FOUND, "this installation lives on the real clock");
    return RC_OK;
}

static enum rc allow(struct call *c, enum permission p)
{
    struct party operator_party;
    TRY(must_have(c));
    TRY(party_operator(c->tx, &operator_party));
    return permission_allow(c->tx, &c->caller, p, operator_party.id);
}

enum rc test_clock_get_handler(struct call *c)
{
    TRY(allow(c, PERM_SYSTEM_READ));
    struct test_clock t = {.set = schema_all(&test_clock_schema), .now = c->tx->now};
    return call_reply(c, &t);
}

static enum rc move_clock(struct call *c)
{
    const struct test_clock *body = c->body;
    TRY(allow(c, PERM_SYSTEM_WRITE));
    TRY(test_clock_keep(c->tx, body->now));
    struct test_clock t = {.set = schema_all(&test_clock_schema), .now = body->now};
    return call_reply(c, &t);
}

/* First it is durable, then it is so: a clock that was moved never shows less after a restart. */
enum rc test_clock_move_handler(struct call *c)
{
    const struct test_clock *body = c->body;
    TRY(call_write(c, move_clock));
    (void)clock_test_move(c->api->options.test_clock, body->now);
    return RC_OK;
}
