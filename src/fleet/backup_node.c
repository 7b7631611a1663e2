/* What nodes ask and tell of backups. */
#include "fleet/backup_inside.h"

#include "fleet/service.h"

enum { RACE_ROWS = 1 };

/* --- tasks --- */

#define TASKS_WHERE(where) \
    "SELECT " BACKUP_COLUMNS " FROM backup b WHERE " where " ORDER BY b.id LIMIT $2"
/* In this order: what a service waits for goes first. */
static const struct {
    enum backup_task_kind kind;
    const char *sql;
} task_kinds[] = {
    {TASK_SEND, TASKS_WHERE("b.holder = $1 AND b.state = 'kept' AND b.held = 1 AND b.here = 0 "
                            "AND " BACKUP_NEEDED)},
    {TASK_MAKE, TASKS_WHERE("b.node = $1 AND b.state = 'wanted'")},
    {TASK_HOLD, TASKS_WHERE("b.holder = $1 AND b.state = 'kept' AND b.held = 0 AND b.here = 1")},
    {TASK_DROP, TASKS_WHERE("b.holder = $1 AND b.state = 'gone'")},
};

static enum rc bytes_max(struct tx *tx, struct str service, int64_t *ret)
{
    struct service v;
    TRY(service_get(tx, service, &v));
    *ret = 2 * v.disk_bytes + BACKUP_BYTES_MORE;
    return RC_OK;
}

static enum rc add_tasks(struct tx *tx, const struct seal *seal, struct str node, size_t k,
                         struct backup_task *tasks, size_t *count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, task_kinds[k].sql, V(node), V((int64_t)(SPEC_TASKS_MAX - *count))));
    for (size_t i = 0; i < rows.count; i++) {
        struct backup b = backup_row(&rows, i);
        struct backup_task t = {.set = schema_all(&backup_task_schema),
                                .id = b.id,
                                .kind = task_kinds[k].kind,
                                .service = b.service,
                                .sha256 = b.sha256,
                                .bytes = b.bytes};
        if (t.kind == TASK_MAKE) {
            TRY(bytes_max(tx, b.service, &t.bytes));
            t.key = backup_key(seal, b.service, tx->arena);
            t.disk = b.disk;
        }
        tasks[(*count)++] = t;
    }
    return RC_OK;
}

enum rc backup_tasks(struct tx *tx, const struct seal *seal, struct str node,
                     struct backup_tasks *ret)
{
    struct backup_task *tasks = NEW_N(tx->arena, struct backup_task, SPEC_TASKS_MAX);
    size_t count = 0;
    for (size_t k = 0; k < COUNT(task_kinds) && count < SPEC_TASKS_MAX; k++)
        TRY(add_tasks(tx, seal, node, k, tasks, &count));
    *ret = (struct backup_tasks){.set = schema_all(&backup_tasks_schema), .tasks = {tasks, count}};
    return RC_OK;
}

/* --- files --- */

static enum rc unknown(struct tx *tx, struct str id)
{
    return err_set(tx->err, RC_NOT_FOUND, "there is no backup '%.*s' for this node", STRF(id));
}

static bool makes(const struct backup *b, struct str node)
{
    return b->state == BACKUP_WANTED && str_eq(b->node, node);
}

static bool resends(const struct backup *b, struct str node)
{
    return b->state == BACKUP_KEPT && b->held && !b->here && str_eq(b->holder, node);
}

enum rc backup_sends(struct tx *tx, struct str node, struct str id, int64_t *ret_max)
{
    struct backup b;
    TRY(backup_get(tx, id, &b));
    if (makes(&b, node))
        return bytes_max(tx, b.service, ret_max);
    if (!resends(&b, node))
        return unknown(tx, id);
    *ret_max = b.bytes;
    return RC_OK;
}

enum rc backup_fetches(struct tx *tx, struct str node, struct str id)
{
    struct backup b;
    struct rows rows;
    TRY(backup_get(tx, id, &b));
    TRY(sql_rows(tx, &rows,
                 "SELECT v.id FROM service_restore r JOIN service v ON v.id = r.service "
                 "WHERE r.backup = $1 AND v.node = $2 ORDER BY v.id LIMIT $3",
                 V(id), V(node), V((int64_t)RACE_ROWS)));
    bool may = b.state == BACKUP_KEPT && (str_eq(b.holder, node) || rows.count > 0);
    if (!may)
        return unknown(tx, id);
    if (!b.here)
        return err_set(tx->err, RC_CONFLICT, "the backup '%.*s' is on its way from its holder",
                       STRF(id));
    return RC_OK;
}

/* --- what became of it --- */

static enum rc made(struct tx *tx, struct backup *b, const struct backup_word *word)
{
    b->bytes = word->bytes;
    TRY(sql_run(tx,
                "UPDATE backup SET state = 'kept', sha256 = $2, bytes = $3, here = 1, kept = $4 "
                "WHERE id = $1",
                V(b->id), V(word->sha256), V(word->bytes), V(tx->now)));
    if (!b->moves)
        TRY(backup_find_holder(tx, b));
    return backup_thin_service(tx, b->service);
}

static enum rc failed(struct tx *tx, const struct backup *b, const struct backup_word *word)
{
    switch ((enum backup_task_kind)word->kind) {
    case TASK_MAKE: /* a part of it may be here */
        return sql_run(tx,
                       "UPDATE backup SET state = 'failed', here = 1, reason = $2 WHERE id = $1",
                       V(b->id), V(word->reason));
    case TASK_SEND: /* it lost what it held */
        return sql_run(tx, "UPDATE backup SET state = 'failed', reason = $2 WHERE id = $1",
                       V(b->id), V(word->reason));
    case TASK_HOLD: /* another one may have room */
        return sql_run(tx, "UPDATE backup SET holder = NULL, reason = $2 WHERE id = $1", V(b->id),
                       V(word->reason));
    case TASK_DROP:
        return RC_OK;
    }
    NEVER("a task is one of four");
}

enum rc backup_told(struct tx *tx, struct str node, struct str id, const struct backup_word *word)
{
    struct backup b;
    TRY(backup_get(tx, id, &b));
    bool holds = str_eq(b.holder, node);
    bool own = word->kind == TASK_MAKE ? str_eq(b.node, node) : holds;
    if (word->kind == TASK_DROP && b.state == BACKUP_GONE && !holds)
        return RC_OK; /* told before */
    if (!own)
        return unknown(tx, id);
    bool still = false;
    switch ((enum backup_task_kind)word->kind) {
    case TASK_MAKE:
        still = makes(&b, node);
        break;
    case TASK_SEND:
        still = resends(&b, node);
        break;
    case TASK_HOLD:
        still = b.state == BACKUP_KEPT && !b.held;
        break;
    case TASK_DROP:
        still = b.state == BACKUP_GONE;
        break;
    }
    if (!still)
        return RC_OK;
    if (word->failed)
        return failed(tx, &b, word);
    switch ((enum backup_task_kind)word->kind) {
    case TASK_MAKE:
        return made(tx, &b, word);
    case TASK_SEND:
        return sql_run(tx, "UPDATE backup SET here = 1 WHERE id = $1", V(id));
    case TASK_HOLD:
        return sql_run(tx, "UPDATE backup SET held = 1, reason = '' WHERE id = $1", V(id));
    case TASK_DROP:
        return sql_run(tx, "UPDATE backup SET holder = NULL, held = 0 WHERE id = $1", V(id));
    }
    NEVER("a task is one of four");
}
