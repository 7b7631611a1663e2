#include "fleet/node.h"

#include "catalog/code.h"
#include "fleet/promise_change.h"
#include "fleet/site.h"
#include "fleet/words.h"
#include "party/event.h"
#include "party/party.h"
#include "party/patch.h"
#include "party/secret.h"

#include <sodium.h>

enum { PROMISES_BYTES_MAX = 64 * 1024, CHANGES_MAX = 20000, PERCENT = 100 };

#define COLUMNS                                                                                \
    "n.id, n.version, n.owner, n.site, s.owner, n.name, n.hardware, n.serial, n.asset, "       \
    "n.labels, n.price_class, n.commitment_percent, n.state, n.token_ends, n.seen, n.booted, " \
    "n.cpu_milli, n.memory_bytes, n.disk_bytes, n.cpu_taken, n.memory_taken, n.disk_taken, "   \
    "n.features, n.agent, n.hostname, n.address, n.promises, n.revision, n.left_revision, "    \
    "n.created, n.changed, n.told, n.drain"

static struct node read_row(struct tx *tx, const struct rows *r, size_t row)
{
    return (struct node){
        .set = schema_all(&node_schema) & ~schema_bit(&node_schema, "token"),
        .id = row_str(r, row, 0),
        .version = row_int(r, row, 1),
        .owner = row_str(r, row, 2),
        .site = row_str(r, row, 3),
        .host = row_str(r, row, 4),
        .name = row_str(r, row, 5),
        .hardware = row_str(r, row, 6),
        .serial = row_str(r, row, 7),
        .asset = row_str(r, row, 8),
        .labels = words_split(row_str(r, row, 9), tx->arena),
        .price_class = row_int(r, row, 10),
        .commitment_percent = row_int(r, row, 11),
        .state = code_word(node_states, row_str(r, row, 12)),
        .token_ends = row_int(r, row, 13),
        .seen = row_int(r, row, 14),
        .booted = row_int(r, row, 15),
        .cpu_milli = row_int(r, row, 16),
        .memory_bytes = row_int(r, row, 17),
        .disk_bytes = row_int(r, row, 18),
        .cpu_taken = row_int(r, row, 19),
        .memory_taken = row_int(r, row, 20),
        .disk_taken = row_int(r, row, 21),
        .features = words_split(row_str(r, row, 22), tx->arena),
        .agent = row_str(r, row, 23),
        .hostname = row_str(r, row, 24),
        .address = row_str(r, row, 25),
        .promises = row_str(r, row, 26),
        .revision = row_int(r, row, 27),
        .left_revision = row_int(r, row, 28),
        .created = row_int(r, row, 29),
        .changed = row_int(r, row, 30),
        .told = row_int(r, row, 31),
        .drain = row_int(r, row, 32),
    };
}

enum rc node_get(struct tx *tx, struct str id, struct node *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM node n JOIN site s ON s.id = n.site WHERE n.id = $1",
                 V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no node '%.*s'", STRF(id));
    *ret = read_row(tx, &rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"id", "n.id", PAGE_TEXT},
    {"name", "n.name", PAGE_TEXT},
    {"site", "n.site", PAGE_TEXT},
    {"seen", "n.seen", PAGE_NUMBER},
};
static const struct page_table node_table = {
    .select = "SELECT " COLUMNS " FROM node n JOIN site s ON s.id = n.site",
    .id = "n.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "id",
};

enum rc node_list(struct tx *tx, struct str owner, bool all, const struct node_query *q,
                  struct page *ret)
{
    struct page_term terms[3];
    size_t count = 0;
    struct rows rows;
    struct str next;
    if (!all)
        terms[count++] = (struct page_term){"n.owner = ?" PAGE_OR "s.owner = ?", V(owner)};
    if (schema_has(&node_query_schema, q, "site"))
        terms[count++] = (struct page_term){"n.site = ?", V(q->site)};
    if (schema_has(&node_query_schema, q, "state"))
        terms[count++] = (struct page_term){"n.state = ?", V(node_states[q->state])};
    TRY(page_rows(tx, &node_table, &q->page, terms, count, &rows, &next));
    struct node *nodes = NEW_N(tx->arena, struct node, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        nodes[i] = read_row(tx, &rows, i);
    *ret = (struct page){{nodes, rows.count}, next};
    return RC_OK;
}

/* --- made and changed by people --- */

static enum rc check_owner(struct tx *tx, struct str owner)
{
    struct party party;
    enum rc rc = party_get(tx, owner, &party);
    if (rc == RC_NOT_FOUND)
        return err_set_at(tx->err, RC_INVALID, STR("/owner"), "there is no party '%.*s'",
                          STRF(owner));
    return rc;
}

enum rc node_create(struct tx *tx, struct str site_id, const struct node *fresh, struct node *ret)
{
    struct site site;
    struct node n = *fresh;
    struct str labels;
    TRY(site_get(tx, site_id, &site));
    n.owner = n.owner.n > 0 ? n.owner : site.owner;
    TRY(check_owner(tx, n.owner));
    TRY(words_join(&n.labels, "/labels", tx->arena, &labels, tx->err));
    n.commitment_percent = n.commitment_percent > 0 ? n.commitment_percent : PERCENT;
    n.id = id_new(tx->ids, tx->arena, "nod");
    struct str token = secret_new(tx, "hsn_");
    TRY(sql_run(
        tx,
        "INSERT INTO node (id, version, owner, site, name, hardware, serial, asset, labels, "
        "price_class, commitment_percent, state, token_hash, token_ends, public_key, revision, "
        "desired_at, left_revision, seen, booted, cpu_milli, memory_bytes, disk_bytes, cpu_taken, "
        "memory_taken, "
        "disk_taken, features, agent, hostname, address, promises, created, changed) "
        "VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL, 0, 0, 0, 0, 0, "
        "0, 0, 0, 0, 0, 0, '', '', '', '', '[]', $14, $14)",
        V(n.id), V(n.owner), V(site.id), V(n.name), V(n.hardware), V(n.serial), V(n.asset),
        V(labels), V(n.price_class), V(n.commitment_percent), V(node_states[NODE_ENROLLING]),
        V(secret_hash(token, tx->arena)), V(tx->now + NODE_TOKEN_US), V(tx->now)));
    TRY(event_put(tx, "event.node.created", n.owner, "node", n.id, 1, STR("")));
    TRY(node_get(tx, n.id, ret));
    ret->token = token;
    ret->set = schema_all(&node_schema);
    return RC_OK;
}

enum rc node_change(struct tx *tx, struct str id, int64_t version, const struct node *patch,
                    struct node *ret)
{
    struct node n;
    struct str labels;
    TRY(node_get(tx, id, &n));
    struct str owner = n.owner;
    if (version != 0 && version != n.version)
        return err_set(tx->err, RC_CHANGED, "node '%.*s' has version %lld by now", STRF(n.name),
                       (long long)n.version);
    patch_lay(&node_schema, &n, patch);
    if (!str_eq(owner, n.owner))
        return err_set_at(tx->err, RC_INVALID, STR("/owner"),
                          "the owner of a node does not change");
    TRY(words_join(&n.labels, "/labels", tx->arena, &labels, tx->err));
    n.commitment_percent = n.commitment_percent > 0 ? n.commitment_percent : PERCENT;
    TRY(sql_run(tx,
                "UPDATE node SET version = version + 1, name = $2, hardware = $3, serial = $4, "
                "asset = $5, labels = $6, price_class = $7, commitment_percent = $8, changed = $9 "
                "WHERE id = $1",
                V(id), V(n.name), V(n.hardware), V(n.serial), V(n.asset), V(labels),
                V(n.price_class), V(n.commitment_percent), V(tx->now)));
    TRY(event_put(tx, "event.node.changed", owner, "node", id, n.version + 1,
                  patch_names(&node_schema, patch, tx->arena)));
    return node_get(tx, id, ret);
}

/* --- states --- */

static enum rc set_state(struct tx *tx, const struct node *n, enum node_state state)
{
    TRY(sql_run(tx, "UPDATE node SET version = version + 1, state = $2, changed = $3 WHERE id = $1",
                V(n->id), V(node_states[state]), V(tx->now)));
    return event_put(tx, "event.node.changed", n->owner, "node", n->id, n->version + 1,
                     STR("[\"state\"]"));
}

enum rc node_act(struct tx *tx, struct str id, enum node_action action, struct node *ret)
{
    static const char *const words[] = {"drained", "disabled", "enabled", "evacuated"};
    static const enum node_state to[] = {NODE_DRAINING, NODE_DISABLED, NODE_READY, NODE_DRAINING};
    static const int64_t drain[] = {DRAIN_KEEPS, DRAIN_NOT, DRAIN_NOT, DRAIN_MOVES};
    static const bool allowed[][4] = {
        [NODE_ENROLLING] = {false, false, false, false},
        [NODE_READY] = {true, true, false, true},
        [NODE_DRAINING] = {false, true, true, true},
        [NODE_DISABLED] = {true, false, true, false},
        [NODE_LOST] = {true, true, false, true},
    };
    struct node n;
    TRY(node_get(tx, id, &n));
    /* One that was drained and is lost comes back ready, then. */
    bool later = n.state == NODE_LOST && action == NODE_ENABLE && n.drain != DRAIN_NOT;
    if (!later && !allowed[n.state][action])
        return err_set(tx->err, RC_CONFLICT, "node '%.*s' is %s and cannot be %s", STRF(n.name),
                       node_states[n.state], words[action]);
    TRY(sql_run(tx, "UPDATE node SET drain = $2 WHERE id = $1", V(id), V(drain[action])));
    if (!later)
        TRY(set_state(tx, &n, to[action]));
    TRY(node_touch(tx, id));
    return node_get(tx, id, ret);
}

enum rc node_revoke(struct tx *tx, struct str id, struct node *ret)
{
    struct node n;
    TRY(node_get(tx, id, &n));
    TRY(sql_run(tx, "UPDATE node SET public_key = NULL, token_hash = NULL WHERE id = $1", V(id)));
    TRY(set_state(tx, &n, NODE_ENROLLING));
    return node_get(tx, id, ret);
}

enum rc node_token(struct tx *tx, struct str id, struct node *ret)
{
    struct node n;
    TRY(node_get(tx, id, &n));
    struct str token = secret_new(tx, "hsn_");
    TRY(sql_run(tx, "UPDATE node SET token_hash = $2, token_ends = $3 WHERE id = $1", V(id),
                V(secret_hash(token, tx->arena)), V(tx->now + NODE_TOKEN_US)));
    TRY(node_get(tx, id, ret));
    ret->token = token;
    ret->set = schema_all(&node_schema);
    return RC_OK;
}

/* --- the agent's --- */

static bool is_key(struct str s)
{
    bool good = s.n == 2 * sizeof(((struct node_key *)0)->bytes);
    for (size_t i = 0; i < s.n && good; i++)
        good = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');
    return good;
}

enum rc node_enrol(struct tx *tx, const struct node_enrolment *e, struct node_enrolled *ret)
{
    struct rows rows;
    if (!is_key(e->key))
        return err_set_at(tx->err, RC_INVALID, STR("/key"), "64 hexadecimal digits, small ones");
    TRY(sql_rows(tx, &rows,
                 "SELECT id, name, site, owner, version FROM node "
                 "WHERE token_hash = $1 AND token_ends > $2",
                 V(secret_hash(e->token, tx->arena)), V(tx->now)));
    if (rows.count == 0)
        return err_set(tx->err, RC_UNAUTHENTICATED,
                       "this token is unknown, was used, or has ended");
    struct str id = row_str(&rows, 0, 0);
    TRY(sql_run(tx,
                "UPDATE node SET version = version + 1, public_key = $2, token_hash = NULL, "
                "told = NULL, changed = $3 WHERE id = $1",
                V(id), V(e->key), V(tx->now)));
    TRY(event_put(tx, "event.node.enrolled", row_str(&rows, 0, 3), "node", id,
                  row_int(&rows, 0, 4) + 1, STR("")));
    *ret = (struct node_enrolled){.set = schema_all(&node_enrolled_schema),
                                  .id = id,
                                  .name = row_str(&rows, 0, 1),
                                  .site = row_str(&rows, 0, 2)};
    return RC_OK;
}

enum rc node_key(struct tx *tx, struct str id, struct node_key *ret)
{
    struct rows rows;
    struct node_key key;
    TRY(sql_rows(tx, &rows, "SELECT public_key, owner FROM node WHERE id = $1", V(id)));
    if (rows.count == 0 || row_null(&rows, 0, 0))
        return err_set(tx->err, RC_UNAUTHENTICATED, "this node has no key here: enrol it");
    struct str hex = row_str(&rows, 0, 0);
    size_t n = 0;
    int rc = sodium_hex2bin(key.bytes, sizeof key.bytes, hex.p, hex.n, NULL, &n, NULL);
    ASSERT(rc == 0 && n == sizeof key.bytes);
    key.owner = row_str(&rows, 0, 1);
    *ret = key;
    return RC_OK;
}

static struct str promises_json(struct tx *tx, const struct list *promises)
{
    struct buf b;
    struct json_writer w;
    const struct sighting_promise *items = promises->items;
    buf_init(&b, tx->arena, PROMISES_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_array(&w);
    for (size_t i = 0; i < promises->count; i++)
        schema_encode(&sighting_promise_schema, &items[i], &w);
    json_end_array(&w);
    ASSERT(!b.full); /* 32 of at most 1.1 KB */
    return buf_str(&b);
}

/* Nearly all reports say what the one before said: only that they came is written then, and one
 * index is touched. */
static bool says_the_same(const struct node *n, const struct node_report *r, struct str features,
                          struct str promises, struct arena *arena)
{
    struct str had;
    struct err unused = {0};
    return words_join(&n->features, "/features", arena, &had, &unused) == RC_OK &&
           str_eq(had, features) && str_eq(n->promises, promises) && n->booted == r->booted &&
           n->cpu_milli == r->cpu_milli && n->memory_bytes == r->memory_bytes &&
           n->disk_bytes == r->disk_bytes && str_eq(n->agent, r->agent) &&
           str_eq(n->hostname, r->hostname) && str_eq(n->address, r->address);
}

enum rc node_hear(struct tx *tx, const struct node *node, const struct node_report *r)
{
    struct str features;
    struct str promises = promises_json(tx, &r->promises);
    int64_t told = max_i64(node->told, r->order);
    enum node_state state = (enum node_state)node->state;
    TRY(words_join(&r->features, "/features", tx->arena, &features, tx->err));
    if (state == NODE_LOST)
        TRY(promise_change_find(tx, node->id, node->promises));
    TRY(promise_change_keep(tx, node->id, node->id, node->promises, &r->promises));
    if (state == NODE_ENROLLING || state == NODE_LOST)
        TRY(set_state(tx, node, node->drain != DRAIN_NOT ? NODE_DRAINING : NODE_READY));
    if (says_the_same(node, r, features, promises, tx->arena))
        return sql_run(tx, "UPDATE node SET seen = $2, told = $3 WHERE id = $1", V(node->id),
                       V(tx->now), V(told));
    return sql_run(tx,
                   "UPDATE node SET seen = $2, booted = $3, cpu_milli = $4, memory_bytes = $5, "
                   "disk_bytes = $6, features = $7, agent = $8, hostname = $9, address = $10, "
                   "promises = $11, told = $12 WHERE id = $1",
                   V(node->id), V(tx->now), V(r->booted), V(r->cpu_milli), V(r->memory_bytes),
                   V(r->disk_bytes), V(features), V(r->agent), V(r->hostname), V(r->address),
                   V(promises), V(told));
}

enum rc node_touch(struct tx *tx, struct str id)
{
    return sql_run(tx, "UPDATE node SET revision = revision + 1, desired_at = $2 WHERE id = $1",
                   V(id), V(tx->now));
}

enum rc node_leave(struct tx *tx, struct str id)
{
    TRY(node_touch(tx, id));
    return sql_run(tx, "UPDATE node SET left_revision = revision WHERE id = $1", V(id));
}

enum rc node_take(struct tx *tx, struct str id, struct node_taken taken)
{
    return sql_run(tx,
                   "UPDATE node SET cpu_taken = cpu_taken + $2, memory_taken = memory_taken + $3, "
                   "disk_taken = disk_taken + $4 WHERE id = $1",
                   V(id), V(taken.cpu_milli), V(taken.memory_bytes), V(taken.disk_bytes));
}

enum rc node_fits(struct tx *tx, const struct node *node, struct node_taken more)
{
    int64_t cores = node->cpu_milli * node->commitment_percent / PERCENT;
    const char *less = NULL;
    if (more.memory_bytes > 0 && node->memory_taken + more.memory_bytes > node->memory_bytes)
        less = "memory";
    else if (more.cpu_milli > 0 && node->cpu_taken + more.cpu_milli > cores)
        less = "cores";
    else if (more.disk_bytes > 0 && node->disk_taken + more.disk_bytes > node->disk_bytes)
        less = "disk";
    if (less == NULL)
        return RC_OK;
    return err_set(tx->err, RC_CONFLICT, "its node has too little %s left for so much more", less);
}

enum rc node_lose(struct tx *tx, size_t limit, size_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM node n JOIN site s ON s.id = n.site "
                 "WHERE n.state IN ('ready', 'draining') AND n.seen < $1 ORDER BY n.id LIMIT $2",
                 V(tx->now - NODE_LOST_US), V((int64_t)limit)));
    for (size_t i = 0; i < rows.count; i++) {
        struct node n = read_row(tx, &rows, i);
        TRY(set_state(tx, &n, NODE_LOST));
        TRY(promise_change_lose(tx, n.id, n.promises));
    }
    *ret = rows.count;
    return RC_OK;
}

bool node_lease_ended(const struct node *node, time_us now)
{
    return now - node->seen > NODE_LEASE_END_US;
}

enum rc node_changes(struct tx *tx, time_us since, struct node_change **ret, size_t *ret_count)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, revision FROM node WHERE desired_at >= $1 ORDER BY desired_at, id "
                 "LIMIT $2",
                 V(since), V((int64_t)CHANGES_MAX)));
    struct node_change *changes = NEW_N(tx->arena, struct node_change, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        changes[i] =
            (struct node_change){.id = row_str(&rows, i, 0), .revision = row_int(&rows, i, 1)};
    *ret = changes;
    *ret_count = rows.count;
    return RC_OK;
}
