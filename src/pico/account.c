/* Accounts change while all their picos stand still (move_still), so that no commit on its way has
 * another opinion. */
#include "pico/account.h"

#include "pico/inside.h"
#include "pico/usage.h"

enum step { STEP_SET, STEP_DROP, STEP_SUSPEND, STEP_RESUME, STEP_UNPAID, STEP_PAID };

struct change {
    struct pico_engine *e;
    const struct still *s;
    struct str id;
    struct str subscription;
    struct str why;
    enum step step;
    int64_t before; /* the account of the pico; 0: none */
    int64_t after;
    bool suspended; /* of the account that it has afterwards */
};

/* --- in the store --- */

static enum rc read_before(struct tx *tx, struct change *c, int64_t *ret_parents)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.account, (SELECT q.account FROM pico q WHERE q.no = p.parent) FROM pico "
                 "p WHERE p.no = $1",
                 V(c->s->no)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no pico '%.*s'", STRF(c->id));
    c->before = row_int(&rows, 0, 0);
    *ret_parents = row_int(&rows, 0, 1);
    return RC_OK;
}

static enum rc read_suspended(struct tx *tx, struct change *c)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT suspended FROM pico_account WHERE pico = $1", V(c->after)));
    c->suspended = rows.count > 0 && row_int(&rows, 0, 0) != 0;
    return RC_OK;
}

/* All that had the account of before have that of after. */
static enum rc hand_over(struct tx *tx, const struct change *c)
{
    const struct value after = c->after == 0 ? SQL_NULL : value_int(c->after);
    for (size_t i = 0; i < c->s->n; i++)
        TRY(sql_run(tx, "UPDATE pico SET account = $2 WHERE no = $1 AND COALESCE(account, 0) = $3",
                    V(c->s->members[i]), V(after), V(c->before)));
    return RC_OK;
}

static enum rc make(struct tx *tx, struct change *c)
{
    c->after = c->s->no;
    TRY(sql_run(tx,
                "INSERT INTO pico_account (pico, id, subscription, suspended, begun, day, events, "
                "queries, steps) VALUES ($1, $2, $3, 0, $4, $4, 0, 0, 0)",
                V(c->after), V(c->id), V(value_opt(c->subscription)), V(tx->now)));
    return hand_over(tx, c);
}

static enum rc set(struct tx *tx, struct change *c)
{
    if (c->before != c->s->no)
        return make(tx, c);
    c->after = c->before;
    TRY(usage_end(tx, c->e, c->before));
    return sql_run(tx, "UPDATE pico_account SET subscription = $2 WHERE pico = $1", V(c->before),
                   V(c->subscription));
}

static enum rc drop(struct tx *tx, struct change *c, int64_t parents)
{
    if (c->before != c->s->no)
        return err_set(tx->err, RC_NOT_FOUND, "the pico '%.*s' has no account of its own",
                       STRF(c->id));
    c->after = parents;
    TRY(usage_end(tx, c->e, c->before));
    TRY(sql_run(tx, "DELETE FROM pico_account WHERE pico = $1", V(c->before)));
    return hand_over(tx, c);
}

static enum rc suspend(struct tx *tx, struct change *c)
{
    if (c->before != 0 && c->before != c->s->no)
        return err_set(tx->err, RC_CONFLICT,
                       "the pico '%.*s' is paid for with one above it: suspend that one",
                       STRF(c->id));
    c->after = c->before;
    if (c->before == 0)
        TRY(make(tx, c));
    if (c->step == STEP_SUSPEND)
        return sql_run(tx, "UPDATE pico_account SET suspended = 1, by_hand = 1 WHERE pico = $1",
                       V(c->after));
    return sql_run(tx,
                   "UPDATE pico_account SET suspended = 0, by_hand = 0, unpaid = 0, why = NULL "
                   "WHERE pico = $1",
                   V(c->after));
}

/* What somebody did by hand stays. */
static enum rc note_bill(struct tx *tx, struct change *c)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT 1 FROM pico_account WHERE pico = $1 AND subscription = $2",
                 V(c->s->no), V(c->subscription)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "the subscription pays for it no more");
    c->after = c->before;
    if (c->step == STEP_UNPAID)
        return sql_run(tx,
                       "UPDATE pico_account SET suspended = 1, unpaid = 1, why = $2 WHERE pico = "
                       "$1",
                       V(c->after), V(value_opt(c->why)));
    return sql_run(tx,
                   "UPDATE pico_account SET suspended = by_hand, unpaid = 0, why = NULL WHERE pico "
                   "= $1",
                   V(c->after));
}

static enum rc write_change(struct tx *tx, void *arg)
{
    struct change *c = arg;
    int64_t parents = 0;
    TRY(read_before(tx, c, &parents));
    switch (c->step) {
    case STEP_SET:
        TRY(set(tx, c));
        break;
    case STEP_DROP:
        TRY(drop(tx, c, parents));
        break;
    case STEP_SUSPEND:
    case STEP_RESUME:
        TRY(suspend(tx, c));
        break;
    case STEP_UNPAID:
    case STEP_PAID:
        TRY(note_bill(tx, c));
        break;
    }
    return read_suspended(tx, c);
}

/* --- in memory --- */

/* What waits in the store is to be looked for. */
static enum rc wake_one(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct pico_engine *e = arg;
    (void)tx;
    ASSERT(columns == 1);
    pthread_mutex_lock(&e->lock);
    struct pico *p = table_need(e, v[0].number);
    p->reread = true;
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
    pthread_mutex_unlock(&e->lock);
    return RC_OK;
}

static enum rc wake_all(struct tx *tx, void *arg)
{
    const struct change *c = arg;
    return sql_each(tx, wake_one, c->e,
                    "SELECT DISTINCT w.pico FROM pico_event w JOIN pico p ON p.no = w.pico WHERE "
                    "p.account = $1 ORDER BY w.pico",
                    V(c->after));
}

static void remember(struct change *c)
{
    struct pico_engine *e = c->e;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < c->s->n; i++) {
        struct pico *p = table_pico(e, c->s->members[i]);
        if (p == NULL || !p->loaded || p->account != c->before)
            continue;
        p->account = c->after;
        p->suspended = c->suspended;
    }
    e->next_due = 0; /* schedules that waited are due */
    pthread_cond_signal(&e->tick);
    pthread_mutex_unlock(&e->lock);
}

static enum rc change(struct pico_engine *e, const struct still *s, void *arg, struct err *err)
{
    struct arena arena;
    struct change *c = arg;
    c->s = s;
    pthread_mutex_lock(&e->lock);
    usage_write(e);
    pthread_mutex_unlock(&e->lock);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, err, write_change, c);
    if (rc == RC_OK)
        remember(c);
    if (rc == RC_OK && !c->suspended)
        rc = store_read(e->store, &arena, err, wake_all, c);
    arena_fini(&arena);
    return rc;
}

/* --- for the owner --- */

static enum rc run(struct pico_engine *e, struct change *c, struct err *err)
{
    c->e = e;
    return move_still(e, c->id, change, c, err);
}

enum rc pico_account_set(struct pico_engine *e, struct str id, struct str subscription,
                         struct err *err)
{
    struct change c = {.id = id, .subscription = subscription, .step = STEP_SET};
    bool good = subscription.n > 0 && subscription.n <= ACCOUNT_SUBSCRIPTION_MAX;
    for (size_t i = 0; good && i < subscription.n; i++) {
        char b = subscription.p[i];
        good = (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '_';
    }
    if (!good)
        return err_set(err, RC_INVALID, "say the id of the subscription: sub_...");
    return run(e, &c, err);
}

enum rc pico_account_drop(struct pico_engine *e, struct str id, struct err *err)
{
    struct change c = {.id = id, .step = STEP_DROP};
    return run(e, &c, err);
}

enum rc pico_suspend(struct pico_engine *e, struct str id, bool suspended, struct err *err)
{
    struct change c = {.id = id, .step = suspended ? STEP_SUSPEND : STEP_RESUME};
    return run(e, &c, err);
}

enum rc pico_account_unpaid(struct pico_engine *e, struct str id, struct str subscription,
                            bool unpaid, struct str why, struct err *err)
{
    struct change c = {.id = id,
                       .subscription = subscription,
                       .why = why,
                       .step = unpaid ? STEP_UNPAID : STEP_PAID};
    return run(e, &c, err);
}

enum rc pico_account_show(struct tx *tx, struct str id, struct json_writer *w)
{
    static const char *const names[] = {"events", "queries", "steps", "picos"};
    struct rows rows;
    char since[TIME_TEXT_MAX];
    TRY(sql_rows(tx, &rows,
                 "SELECT a.id, a.subscription, a.suspended, a.begun, a.events, a.queries, a.steps, "
                 "(SELECT COUNT(*) FROM pico c WHERE c.account = a.pico), a.unpaid, a.why FROM "
                 "pico p JOIN "
                 "pico_account a ON a.pico = p.account WHERE p.id = $1",
                 V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "nobody pays for a pico '%.*s'", STRF(id));
    json_begin_object(w);
    json_put_key(w, STR("account"));
    json_put_str(w, row_str(&rows, 0, 0));
    json_put_key(w, STR("subscription"));
    if (row_null(&rows, 0, 1))
        json_put_null(w);
    else
        json_put_str(w, row_str(&rows, 0, 1));
    json_put_key(w, STR("suspended"));
    json_put_bool(w, row_int(&rows, 0, 2) != 0);
    json_put_key(w, STR("unpaid"));
    json_put_bool(w, row_int(&rows, 0, 8) != 0);
    json_put_key(w, STR("why"));
    if (row_null(&rows, 0, 9))
        json_put_null(w);
    else
        json_put_str(w, row_str(&rows, 0, 9));
    json_put_key(w, STR("since"));
    json_put_str(w, str_n(since, time_format(row_int(&rows, 0, 3), since)));
    for (size_t i = 0; i < COUNT(names); i++) {
        json_put_key(w, str_c(names[i]));
        json_put_i64(w, row_int(&rows, 0, 4 + i));
    }
    json_end_object(w);
    return RC_OK;
}
