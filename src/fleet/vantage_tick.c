/* The clock's part of vantage.h: where a service is, who looks at it, what came of past days. */
#include "fleet/vantage_inside.h"

#include "catalog/code.h"
#include "fleet/placement.h"
#include "fleet/words.h"

#define REFUSED_US        US_PER_DAY           /* then it is asked again */
#define SETTLES_US        (30 * US_PER_MINUTE) /* after a day, until it is made out */
#define ADDRESS_BYTES_MAX 255

/* --- where it is --- */

struct watch {
    struct vantage_row w;
    struct vantage_candidate home; /* its node and where that is; no node: nowhere */
    int64_t state;
    int64_t wanted;
    struct str facts;
};

#define WATCH_FROM                                                                          \
    " FROM vantage w JOIN service v ON v.id = w.service LEFT JOIN node n ON n.id = v.node " \
    "LEFT JOIN site s ON s.id = n.site "

static struct watch watch_row(const struct rows *r, size_t row)
{
    size_t at = VANTAGE_COLUMN_COUNT;
    return (struct watch){.w = vantage_row(r, row),
                          .state = code_word(service_states, row_str(r, row, at)),
                          .wanted = code_word(spec_states, row_str(r, row, at + 1)),
                          .facts = row_str(r, row, at + 2),
                          .home = {.node = row_str(r, row, at + 3),
                                   .site = row_str(r, row, at + 4),
                                   .country = row_str(r, row, at + 5),
                                   .city = row_str(r, row, at + 6),
                                   .owner = row_str(r, row, at + 7)}};
}

/* The value of a fact; empty: there is none. */
static struct str fact(const struct json *facts, struct str port, const char *what,
                       struct arena *arena)
{
    struct str wanted = arena_fmt(arena, "%.*s.%s", STRF(port), what);
    for (const struct json *f = json_first(facts); f != NULL; f = json_next(facts, f)) {
        const struct json *name = json_get(f, STR("name"));
        const struct json *value = json_get(f, STR("value"));
        if (name != NULL && value != NULL && json_type(name) == JSON_STRING &&
            json_type(value) == JSON_STRING && str_eq(json_text(name), wanted))
            return json_text(value);
    }
    return STR("");
}

/* An address or a name: nothing that could end one and begin something else. */
static bool is_address(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '.' && c != '-' && c != ':')
            return false;
    }
    return s.n > 0 && s.n <= ADDRESS_BYTES_MAX && s.p[0] != '-';
}

/* Where its port is published; empty: nowhere, or it is not to be looked at. A service that starts
 * is looked at once it ran; what ran and is made ready again goes on being looked at, as its
 * clients do. */
static enum rc find_target(struct tx *tx, const struct watch *s, struct str *ret, int64_t *ret_port)
{
    const struct json *facts = NULL;
    int64_t port = 0;
    *ret = STR("");
    *ret_port = 0;
    bool runs = s->state == SERVICE_RUNNING || s->w.address.n > 0;
    if (!s->w.watched || s->wanted != SPEC_RUNNING || s->home.node.n == 0 || !runs)
        return RC_OK;
    TRY(json_parse(s->facts, tx->arena, &facts, tx->err));
    struct str address = fact(facts, s->w.port, "address", tx->arena);
    struct str number = fact(facts, s->w.port, "port", tx->arena);
    if (!is_address(address) || !str_to_i64(number, PROBE_PORT_FIRST, PROBE_PORT_LAST, &port))
        return RC_OK;
    *ret = address;
    *ret_port = port;
    return RC_OK;
}

/* Another place: what was seen before speaks of it no more. */
static enum rc aim(struct tx *tx, struct watch *s)
{
    struct str address;
    int64_t port = 0;
    TRY(find_target(tx, s, &address, &port));
    if (str_eq(address, s->w.address) && port == s->w.number)
        return RC_OK;
    TRY(vantage_blind(tx, &s->w, s->home.node));
    s->w.state = PROMISE_UNKNOWN;
    s->w.address = address;
    s->w.number = port;
    s->w.since = tx->now;
    TRY(vantage_renew(tx, s->w.service));
    return sql_run(tx,
                   "UPDATE vantage SET seen_address = $2, seen_port = $3, since = $4 "
                   "WHERE service = $1",
                   V(s->w.service), V(address), V(port), V(tx->now));
}

/* --- who looks at it --- */

/* Nodes that can look, read once for all that want some. */
struct pool {
    bool read;
    struct vantage_candidate *all;
    size_t count;
};

static enum rc read_pool(struct tx *tx, struct pool *pool)
{
    struct rows rows;
    if (pool->read)
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT n.id, n.site, s.country, s.city, n.owner, n.features, "
                 "(SELECT COUNT(*) FROM vantage_point p WHERE p.node = n.id) "
                 "FROM node n JOIN site s ON s.id = n.site WHERE n.state = 'ready' "
                 "AND n.public_key IS NOT NULL AND n.seen >= $1 ORDER BY n.id LIMIT $2",
                 V(tx->now - NODE_LOST_US), V((int64_t)PLACEMENT_NODES_MAX)));
    pool->all = NEW_N(tx->arena, struct vantage_candidate, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        if (words_have(row_str(&rows, i, 5), PROBE_FEATURE))
            pool->all[pool->count++] = (struct vantage_candidate){.node = row_str(&rows, i, 0),
                                                                  .site = row_str(&rows, i, 1),
                                                                  .country = row_str(&rows, i, 2),
                                                                  .city = row_str(&rows, i, 3),
                                                                  .owner = row_str(&rows, i, 4),
                                                                  .tasks = row_int(&rows, i, 6)};
    pool->read = true;
    return RC_OK;
}

/* Who looks at it already, and who said that it does not. */
struct crew {
    struct vantage_candidate chosen[VANTAGE_PLACES_MAX];
    size_t count;
    struct str refused[VANTAGE_POINTS_MAX];
    size_t refused_count;
};

static bool refuses(const struct crew *c, struct str node)
{
    for (size_t i = 0; i < c->refused_count; i++)
        if (str_eq(c->refused[i], node))
            return true;
    return false;
}

static enum rc drop(struct tx *tx, struct str id)
{
    return sql_run(tx, "DELETE FROM vantage_point WHERE id = $1", V(id));
}

/* Those of its points that may stay; the others go. */
static enum rc read_crew(struct tx *tx, const struct watch *s, struct crew *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.id, p.node, n.site, p.country, p.city, n.owner, n.state, p.seen, "
                 "p.looked FROM vantage_point p JOIN node n ON n.id = p.node "
                 "WHERE p.service = $1 ORDER BY p.id LIMIT $2",
                 V(s->w.service), V((int64_t)VANTAGE_POINTS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct str state = row_str(&rows, i, 6);
        bool works = str_eq(state, str_c(node_states[NODE_READY])) ||
                     str_eq(state, str_c(node_states[NODE_DRAINING]));
        bool refused = str_eq(row_str(&rows, i, 7), str_c(vantage_seen_words[VANTAGE_REFUSED]));
        bool old = row_int(&rows, i, 8) < tx->now - REFUSED_US;
        bool home = str_eq(row_str(&rows, i, 2), s->home.site);
        if (!works || home || (refused && old) || (!refused && ret->count >= (size_t)s->w.places)) {
            TRY(drop(tx, row_str(&rows, i, 0)));
        } else if (refused) {
            ret->refused[ret->refused_count++] = row_str(&rows, i, 1);
        } else {
            ret->chosen[ret->count++] = (struct vantage_candidate){.node = row_str(&rows, i, 1),
                                                                   .site = row_str(&rows, i, 2),
                                                                   .country = row_str(&rows, i, 3),
                                                                   .city = row_str(&rows, i, 4),
                                                                   .owner = row_str(&rows, i, 5)};
        }
    }
    return RC_OK;
}

static enum rc add_points(struct tx *tx, const struct watch *s, const struct crew *crew,
                          struct pool *pool)
{
    size_t at[VANTAGE_PLACES_MAX];
    TRY(read_pool(tx, pool));
    struct vantage_candidate *able = NEW_N(tx->arena, struct vantage_candidate, pool->count);
    size_t *from = NEW_N(tx->arena, size_t, pool->count);
    size_t count = 0;
    for (size_t i = 0; i < pool->count; i++)
        if (!refuses(crew, pool->all[i].node)) {
            from[count] = i;
            able[count++] = pool->all[i];
        }
    const struct vantage_choice choice = {.service = s->w.service,
                                          .home = &s->home,
                                          .candidates = able,
                                          .count = count,
                                          .chosen = crew->chosen,
                                          .chosen_count = crew->count,
                                          .wanted = (size_t)s->w.places - crew->count};
    size_t found = vantage_choose(&choice, at);
    for (size_t i = 0; i < found; i++) {
        const struct vantage_candidate *c = &able[at[i]];
        pool->all[from[at[i]]].tasks++;
        TRY(sql_run(tx,
                    "INSERT INTO vantage_point (id, service, node, site, country, city, seen, "
                    "streak, looked, connect_us, total_us, days, text, created) "
                    "VALUES ($1, $2, $3, $4, $5, $6, 'unknown', 0, 0, 0, 0, 0, '', $7)",
                    V(id_new(tx->ids, tx->arena, "vpt")), V(s->w.service), V(c->node), V(c->site),
                    V(c->country), V(c->city), V(tx->now)));
    }
    return RC_OK;
}

static enum rc look_after(struct tx *tx, struct watch *s, struct pool *pool)
{
    struct crew crew = {.count = 0};
    TRY(aim(tx, s));
    if (s->wanted == SPEC_GONE || !s->w.watched)
        TRY(sql_run(tx, "DELETE FROM vantage_point WHERE service = $1", V(s->w.service)));
    if (s->wanted == SPEC_GONE)
        return sql_run(tx, "DELETE FROM vantage WHERE service = $1", V(s->w.service));
    TRY(sql_run(tx, "UPDATE vantage SET due = $2 WHERE service = $1", V(s->w.service),
                V(s->w.watched ? tx->now + VANTAGE_AGAIN_US : INT64_MAX)));
    if (s->w.address.n == 0)
        return RC_OK;
    TRY(read_crew(tx, s, &crew));
    if (crew.count < (size_t)s->w.places)
        TRY(add_points(tx, s, &crew, pool));
    return vantage_judge(tx, &s->w, s->home.node);
}

static enum rc look_after_due(struct tx *tx, size_t *ret)
{
    struct rows rows;
    struct pool pool = {.read = false};
    TRY(sql_rows(tx, &rows,
                 "SELECT " VANTAGE_COLUMNS ", v.state, v.wanted, v.facts, v.node, n.site, "
                 "s.country, s.city, n.owner" WATCH_FROM "WHERE w.due <= $1 "
                 "ORDER BY w.due, w.service LIMIT $2",
                 V(tx->now), V((int64_t)VANTAGE_TICK_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        struct watch s = watch_row(&rows, i);
        TRY(look_after(tx, &s, &pool));
    }
    *ret = rows.count;
    return RC_OK;
}

/* --- days that are over --- */

/* The newest day that has surely been told of. */
static int64_t last_day(const struct tx *tx)
{
    return (tx->now - SETTLES_US) / US_PER_DAY - 1;
}

#define OPEN_DAYS                                                             \
    "SELECT service, day, country, city, probes - failures FROM vantage_day " \
    "WHERE open = 1 AND day <= $1 ORDER BY day, service, country, city LIMIT $2"

static enum rc make_out(struct tx *tx, size_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, OPEN_DAYS, V(last_day(tx)), V((int64_t)VANTAGE_TICK_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        const struct vantage_cell c = {row_str(&rows, i, 0), row_int(&rows, i, 1),
                                       row_str(&rows, i, 2), row_str(&rows, i, 3),
                                       row_int(&rows, i, 4)};
        int64_t p50 = 0, p95 = 0;
        TRY(vantage_slow(tx, &c, 50, &p50));
        TRY(vantage_slow(tx, &c, 95, &p95));
        TRY(sql_run(tx,
                    "UPDATE vantage_day SET p50_us = $5, p95_us = $6, open = 0 WHERE service = $1 "
                    "AND day = $2 AND country = $3 AND city = $4",
                    V(c.service), V(c.day), V(c.country), V(c.city), V(p50), V(p95)));
    }
    *ret = rows.count;
    return RC_OK;
}

enum { FORGET_AT_ONCE = 2000 };

static time_us oldest_look(const struct tx *tx)
{
    return (tx->now / US_PER_DAY - VANTAGE_LOOK_DAYS) * US_PER_DAY;
}

/* Days are made out first: looks are kept for longer than they may come late. */
static enum rc forget(struct tx *tx, bool *ret_more)
{
    int64_t looks = 0, days = 0;
    TRY(sql_change(tx, &looks,
                   "DELETE FROM vantage_probe WHERE (service, looked, point) IN (SELECT service, "
                   "looked, point FROM vantage_probe WHERE looked < $1 ORDER BY looked LIMIT $2)",
                   V(oldest_look(tx)), V((int64_t)FORGET_AT_ONCE)));
    TRY(sql_change(tx, &days,
                   "DELETE FROM vantage_day WHERE (service, day, country, city) IN (SELECT "
                   "service, day, country, city FROM vantage_day WHERE open = 0 AND day < $1 "
                   "ORDER BY day LIMIT $2)",
                   V(tx->now / US_PER_DAY - VANTAGE_KEEP_DAYS), V((int64_t)FORGET_AT_ONCE)));
    *ret_more = looks == FORGET_AT_ONCE || days == FORGET_AT_ONCE;
    return RC_OK;
}

enum rc vantage_tick_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT (SELECT COUNT(*) FROM (SELECT service FROM vantage WHERE due <= $1 "
                 "LIMIT 1) a), (SELECT COUNT(*) FROM (SELECT service FROM vantage_day "
                 "WHERE open = 1 AND day <= $2 LIMIT 1) b), (SELECT COUNT(*) FROM (SELECT service "
                 "FROM vantage_probe WHERE looked < $3 LIMIT 1) c), (SELECT COUNT(*) FROM (SELECT "
                 "service FROM vantage_day WHERE open = 0 AND day < $4 LIMIT 1) d)",
                 V(tx->now), V(last_day(tx)), V(oldest_look(tx)),
                 V(tx->now / US_PER_DAY - VANTAGE_KEEP_DAYS)));
    *ret = false;
    for (size_t i = 0; i < rows.columns; i++)
        *ret = *ret || row_int(&rows, 0, i) > 0;
    return RC_OK;
}

enum rc vantage_tick(struct tx *tx, bool *ret)
{
    size_t looked = 0, made = 0;
    bool more = false;
    TRY(look_after_due(tx, &looked));
    TRY(make_out(tx, &made));
    if (made == 0)
        TRY(forget(tx, &more));
    *ret = looked == VANTAGE_TICK_MAX || made == VANTAGE_TICK_MAX || more;
    return RC_OK;
}
