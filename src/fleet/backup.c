/* Rows of backup.h: asked for, planned, chosen, thinned out. */
#include "fleet/backup_inside.h"

#include "catalog/code.h"
#include "fleet/service.h"
#include "party/event.h"

#include <sodium.h>

struct backup backup_row(const struct rows *r, size_t row)
{
    return (struct backup){
        .set = schema_all(&backup_schema),
        .id = row_str(r, row, 0),
        .service = row_str(r, row, 1),
        .client = row_str(r, row, 2),
        .node = row_str(r, row, 3),
        .state = code_word(backup_states, row_str(r, row, 4)),
        .sha256 = row_str(r, row, 5),
        .bytes = row_int(r, row, 6),
        .here = row_int(r, row, 7) != 0,
        .holder = row_str(r, row, 8),
        .held = row_int(r, row, 9) != 0,
        .reason = row_str(r, row, 10),
        .asked = row_int(r, row, 11),
        .kept = row_int(r, row, 12),
        .disk = row_int(r, row, 13) != 0,
        .moves = row_int(r, row, 14) != 0,
    };
}

struct str backup_key(const struct seal *seal, struct str service, struct arena *arena)
{
    static const char purpose[] = "hanse backup 1 ";
    uint8_t key[crypto_generichash_BYTES];
    char *hex = arena_alloc(arena, 2 * sizeof key + 1);
    struct str text = arena_fmt(arena, "%s%.*s", purpose, STRF(service));
    _Static_assert(sizeof key == 32, "a key of the stream");
    crypto_generichash(key, sizeof key, (const unsigned char *)text.p, text.n, seal->key,
                       sizeof seal->key);
    sodium_bin2hex(hex, 2 * sizeof key + 1, key, sizeof key);
    return str_n(hex, 2 * sizeof key);
}

enum rc backup_get(struct tx *tx, struct str id, struct backup *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " BACKUP_COLUMNS " FROM backup b WHERE b.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no backup '%.*s'", STRF(id));
    *ret = backup_row(&rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"id", "b.id", PAGE_TEXT},
    {"asked", "b.asked", PAGE_NUMBER},
};
static const struct page_table backup_table = {
    .select = "SELECT " BACKUP_COLUMNS " FROM backup b",
    .id = "b.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc backup_list(struct tx *tx, struct str service, const struct page_query *q, struct page *ret)
{
    const struct page_term terms[] = {{"b.service = ?", V(service)},
                                      {"b.state <> ?", V(backup_states[BACKUP_GONE])}};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &backup_table, q, terms, COUNT(terms), &rows, &next));
    struct backup *items = NEW_N(tx->arena, struct backup, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = backup_row(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- asking --- */

enum rc backup_insert(struct tx *tx, const struct service *v, bool disk, bool moves,
                      struct backup *ret)
{
    struct str id = id_new(tx->ids, tx->arena, "bak");
    TRY(sql_run(tx,
                "INSERT INTO backup (id, service, client, node, state, sha256, bytes, here, "
                "holder, held, reason, asked, kept, disk, moves) "
                "VALUES ($1, $2, $3, $4, 'wanted', '', 0, 0, NULL, 0, '', $5, 0, $6, $7)",
                V(id), V(v->id), V(v->client), V(v->node), V(tx->now), V(disk), V(moves)));
    return backup_get(tx, id, ret);
}

static enum rc is_wanted(struct tx *tx, struct str service, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM backup WHERE service = $1 AND state = 'wanted' ORDER BY id "
                 "LIMIT 1",
                 V(service)));
    *ret = rows.count > 0;
    return RC_OK;
}

enum rc backup_ask(struct tx *tx, struct str service, struct backup *ret)
{
    struct service v;
    struct rows rows;
    bool wanted = false;
    TRY(service_get(tx, service, &v));
    TRY(sql_rows(tx, &rows, "SELECT disk FROM backup_plan WHERE service = $1", V(service)));
    if (rows.count == 0)
        return err_set(tx->err, RC_CONFLICT, "the kind '%.*s' of services says no way to back up",
                       STRF(v.profile));
    if (v.state != SERVICE_RUNNING)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s and cannot be backed up",
                       STRF(v.name), service_states[v.state]);
    TRY(is_wanted(tx, service, &wanted));
    if (wanted)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is being backed up already",
                       STRF(v.name));
    return backup_insert(tx, &v, row_int(&rows, 0, 0) != 0, false, ret);
}

enum rc backup_plan(struct tx *tx, struct str service, int64_t every_s, bool disk)
{
    return sql_run(tx,
                   "INSERT INTO backup_plan (service, every_s, next, disk) VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (service) DO UPDATE SET every_s = excluded.every_s, "
                   "disk = excluded.disk",
                   V(service), V(every_s > 0 ? every_s : BACKUP_EVERY_S), V(tx->now), V(disk));
}

/* --- choosing --- */

enum rc backup_lay(struct tx *tx, struct str service, struct str backup)
{
    return sql_run(tx,
                   "INSERT INTO service_restore (service, number, backup) VALUES ($1, 1, $2) "
                   "ON CONFLICT (service) DO UPDATE SET number = service_restore.number + 1, "
                   "backup = excluded.backup",
                   V(service), value_opt(backup));
}

enum rc backup_newest(struct tx *tx, struct str service, struct str *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT b.id FROM backup b LEFT JOIN node n ON n.id = b.holder "
                 "WHERE b.service = $1 AND b.state = 'kept' AND (b.here = 1 OR "
                 "(b.held = 1 AND n.state IN ('ready', 'draining'))) ORDER BY b.id DESC LIMIT 1",
                 V(service)));
    *ret = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    return RC_OK;
}

enum rc backup_follow(struct tx *tx, struct str service)
{
    struct str newest;
    TRY(sql_run(tx,
                "UPDATE backup SET state = 'failed', here = 1, reason = $2 "
                "WHERE service = $1 AND state = 'wanted'",
                V(service), V("the service went to another node")));
    TRY(backup_newest(tx, service, &newest));
    return backup_lay(tx, service, newest);
}

enum rc backup_of(struct tx *tx, struct str service, struct str id, struct backup *ret)
{
    enum rc rc = backup_get(tx, id, ret);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(ret->service, service)))
        return err_set_at(tx->err, RC_INVALID, STR("/backup"), "there is no backup '%.*s' of it",
                          STRF(id));
    TRY(rc);
    if (ret->state != BACKUP_KEPT)
        return err_set_at(tx->err, RC_INVALID, STR("/backup"), "this backup is %s, and not kept",
                          backup_states[ret->state]);
    return RC_OK;
}

enum rc backup_choose(struct tx *tx, struct str service, struct str backup)
{
    struct backup b;
    TRY(backup_of(tx, service, backup, &b));
    return backup_lay(tx, service, backup);
}

enum rc backup_from(struct tx *tx, const struct seal *seal, struct str service,
                    struct spec_restore *ret)
{
    struct rows rows;
    /* Written as null where nothing is in it. */
    *ret = (struct spec_restore){.set = schema_all(&spec_restore_schema)};
    TRY(sql_rows(
        tx, &rows,
        "SELECT b.id, r.number, b.sha256, b.bytes, b.service, b.disk FROM service_restore r "
        "JOIN backup b ON b.id = r.backup WHERE r.service = $1",
        V(service)));
    if (rows.count == 0)
        return RC_OK;
    *ret = (struct spec_restore){.set = schema_all(&spec_restore_schema),
                                 .backup = row_str(&rows, 0, 0),
                                 .number = row_int(&rows, 0, 1),
                                 .sha256 = row_str(&rows, 0, 2),
                                 .bytes = row_int(&rows, 0, 3),
                                 .key = backup_key(seal, row_str(&rows, 0, 4), tx->arena),
                                 .disk = row_int(&rows, 0, 5) != 0};
    return RC_OK;
}

/* --- the end --- */

enum rc backup_end(struct tx *tx, struct str service)
{
    TRY(sql_run(tx, "DELETE FROM backup_plan WHERE service = $1", V(service)));
    TRY(sql_run(tx, "DELETE FROM service_restore WHERE service = $1", V(service)));
    return sql_run(tx,
                   "UPDATE backup SET state = 'gone', here = 1 "
                   "WHERE service = $1 AND state <> 'gone'",
                   V(service));
}

enum rc backup_drop_move(struct tx *tx, struct str service)
{
    TRY(sql_run(tx,
                "UPDATE service_restore SET backup = NULL WHERE service = $1 AND backup IN "
                "(SELECT id FROM backup WHERE service = $1 AND moves = 1)",
                V(service)));
    return sql_run(tx,
                   "UPDATE backup SET state = 'gone', here = 1 "
                   "WHERE service = $1 AND moves = 1 AND state <> 'gone'",
                   V(service));
}

void backup_thin(const time_us *asked, size_t count, time_us now, bool *ret_keep)
{
    int64_t day = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        ASSERT(i == 0 || asked[i] <= asked[i - 1]);
        int64_t its_day = asked[i] / US_PER_DAY;
        bool first_of_day = its_day != day;
        bool young = asked[i] > now - BACKUP_DAYS * US_PER_DAY;
        ret_keep[i] = i < BACKUP_NEWEST || (first_of_day && young);
        day = its_day;
    }
}

enum rc backup_thin_service(struct tx *tx, struct str service)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, asked FROM backup WHERE service = $1 AND state = 'kept' AND moves = 0 "
                 "ORDER BY asked DESC, id DESC LIMIT $2",
                 V(service), V((int64_t)BACKUP_THIN_MAX)));
    time_us *asked = NEW_N(tx->arena, time_us, rows.count);
    bool *keep = NEW_N(tx->arena, bool, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        asked[i] = row_int(&rows, i, 1);
    backup_thin(asked, rows.count, tx->now, keep);
    for (size_t i = 0; i < rows.count; i++)
        if (!keep[i])
            TRY(sql_run(tx,
                        "UPDATE backup SET state = 'gone' WHERE id = $1 AND NOT EXISTS "
                        "(SELECT 1 FROM service_restore r WHERE r.backup = $1)",
                        V(row_str(&rows, i, 0))));
    return RC_OK;
}

/* --- the clock's --- */

/* Of all that have room: the one that holds least. */
enum rc backup_find_holder(struct tx *tx, const struct backup *b)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT n.id, COALESCE((SELECT CAST(SUM(h.bytes) AS BIGINT) FROM backup h "
                 "WHERE h.holder = n.id AND h.state <> 'gone'), 0) AS holds FROM node n "
                 "WHERE n.state = 'ready' AND n.public_key IS NOT NULL AND n.id <> $1 "
                 "AND n.site <> (SELECT m.site FROM node m WHERE m.id = $1) "
                 "AND n.disk_bytes - n.disk_taken > 2 * COALESCE((SELECT CAST(SUM(h.bytes) AS "
                 "BIGINT) FROM backup h WHERE h.holder = n.id AND h.state <> 'gone'), 0) + $2 "
                 "ORDER BY holds, n.id LIMIT 1",
                 V(b->node), V(b->bytes)));
    if (rows.count == 0)
        return RC_OK;
    return sql_run(tx, "UPDATE backup SET holder = $2, held = 0 WHERE id = $1", V(b->id),
                   V(row_str(&rows, 0, 0)));
}

static enum rc ask_due(struct tx *tx, size_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.service, p.every_s, p.disk FROM backup_plan p JOIN service v ON v.id = "
                 "p.service WHERE p.next <= $1 AND v.state = 'running' ORDER BY p.next LIMIT $2",
                 V(tx->now), V((int64_t)BACKUP_TICK_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct service v;
        struct backup unused;
        bool wanted = false;
        struct str id = row_str(&rows, i, 0);
        TRY(service_get(tx, id, &v));
        TRY(is_wanted(tx, id, &wanted));
        if (!wanted)
            TRY(backup_insert(tx, &v, row_int(&rows, i, 2) != 0, false, &unused));
        TRY(sql_run(tx, "UPDATE backup_plan SET next = $2 WHERE service = $1", V(id),
                    V(tx->now + row_int(&rows, i, 1) * US_PER_SECOND)));
    }
    *ret = rows.count;
    return RC_OK;
}

static enum rc house_homeless(struct tx *tx)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " BACKUP_COLUMNS " FROM backup b WHERE b.here = 1 AND b.state = 'kept' "
                 "AND b.moves = 0 AND b.holder IS NULL ORDER BY b.id DESC LIMIT $1",
                 V((int64_t)BACKUP_TICK_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct backup b = backup_row(&rows, i);
        TRY(backup_find_holder(tx, &b));
    }
    return RC_OK;
}

enum rc backup_tick_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    struct list files;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.service FROM backup_plan p JOIN service v ON v.id = p.service "
                 "WHERE p.next <= $1 AND v.state = 'running' ORDER BY p.next LIMIT 1",
                 V(tx->now)));
    *ret = rows.count > 0;
    if (*ret)
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM backup WHERE here = 1 AND state = 'kept' AND moves = 0 "
                 "AND holder IS NULL "
                 "ORDER BY id DESC LIMIT 1"));
    TRY(backup_sweep(tx, &files));
    *ret = rows.count > 0 || files.count > 0;
    return RC_OK;
}

enum rc backup_tick(struct tx *tx, bool *ret)
{
    size_t asked = 0;
    TRY(ask_due(tx, &asked));
    TRY(house_homeless(tx));
    *ret = asked == BACKUP_TICK_MAX;
    return RC_OK;
}

enum rc backup_sweep(struct tx *tx, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT b.id FROM backup b WHERE b.here = 1 AND (b.state IN ('gone', 'failed') OR "
                 "(b.state = 'kept' AND b.held = 1 AND NOT " BACKUP_NEEDED ")) "
                 "ORDER BY b.id LIMIT $1",
                 V((int64_t)BACKUP_SWEEP_MAX)));
    struct str *ids = NEW_N(tx->arena, struct str, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        ids[i] = row_str(&rows, i, 0);
    *ret = (struct list){ids, rows.count};
    return RC_OK;
}

enum rc backup_swept(struct tx *tx, const struct list *ids)
{
    const struct str *items = ids->items;
    for (size_t i = 0; i < ids->count; i++)
        TRY(sql_run(tx, "UPDATE backup SET here = 0 WHERE id = $1", V(items[i])));
    return RC_OK;
}
