/* What is looked at and how, as people ask for it and see it. */
#include "fleet/vantage_inside.h"

#include "catalog/code.h"
#include "fleet/drill.h"
#include "fleet/kind.h"
#include "fleet/site.h"
#include "party/event.h"
#include "profile/profile.h"

enum { PERCENT = 100, THOUSANDTHS = 100000, FIRST = 1000 };

/* --- rows --- */

struct vantage_row vantage_row(const struct rows *r, size_t row)
{
    return (struct vantage_row){
        .service = row_str(r, row, 0),
        .watched = row_int(r, row, 1) != 0,
        .places = row_int(r, row, 2),
        .every_s = row_int(r, row, 3),
        .port = row_str(r, row, 4),
        .kind = code_word(probe_kinds, row_str(r, row, 5)),
        .path = row_str(r, row, 6),
        .status = row_int(r, row, 7),
        .contains = row_str(r, row, 8),
        .days = row_int(r, row, 9),
        .address = row_str(r, row, 10),
        .number = row_int(r, row, 11),
        .since = row_int(r, row, 12),
        .state = code_word(promise_states, row_str(r, row, 13)),
        .text = row_str(r, row, 14),
        .changed = row_int(r, row, 15),
    };
}

enum rc vantage_find(struct tx *tx, struct str service, bool *ret_found, struct vantage_row *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " VANTAGE_COLUMNS " FROM vantage w WHERE w.service = $1",
                 V(service)));
    *ret_found = rows.count > 0;
    if (rows.count > 0)
        *ret = vantage_row(&rows, 0);
    return RC_OK;
}

/* Its state and what it is looked at by are not touched. */
static enum rc write_row(struct tx *tx, const struct vantage_row *w)
{
    return sql_run(
        tx,
        "INSERT INTO vantage (service, watched, places, every_s, port, kind, path, status, "
        "contains, days, seen_address, seen_port, since, state, text, changed, due) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', 0, 0, $11, '', $12, $12) "
        "ON CONFLICT (service) DO UPDATE SET watched = excluded.watched, "
        "places = excluded.places, every_s = excluded.every_s, port = excluded.port, "
        "kind = excluded.kind, path = excluded.path, status = excluded.status, "
        "contains = excluded.contains, days = excluded.days, due = excluded.due",
        V(w->service), V(w->watched), V(w->places), V(w->every_s), V(w->port),
        V(probe_kinds[w->kind]), V(w->path), V(w->status), V(w->contains), V(w->days),
        V(promise_states[PROMISE_UNKNOWN]), V(tx->now));
}

enum rc vantage_renew(struct tx *tx, struct str service)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id FROM vantage_point WHERE service = $1 ORDER BY id LIMIT $2",
                 V(service), V((int64_t)VANTAGE_POINTS_MAX)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(sql_run(tx,
                    "UPDATE vantage_point SET id = $2, seen = 'unknown', streak = 0, looked = 0, "
                    "text = '' WHERE id = $1",
                    V(row_str(&rows, i, 0)), V(id_new(tx->ids, tx->arena, "vpt"))));
    return RC_OK;
}

/* --- as the profile says --- */

static bool reached(const struct profile *p, struct str name)
{
    const struct spec_port *ports = p->ports.items;
    for (size_t i = 0; i < p->ports.count; i++)
        if (str_eq(ports[i].name, name))
            return ports[i].published && !str_eq(ports[i].protocol, STR("udp"));
    return false;
}

/* What a promise means when it is looked at from outside; false: it cannot be. */
static bool by_promise(const struct profile *p, const struct spec_promise *promise, struct tx *tx,
                       struct vantage_row *w)
{
    struct str path = promise->target;
    struct str port = str_cut(&path, '/');
    bool http = str_eq(promise->kind, STR("http"));
    bool certificate = str_eq(promise->kind, STR("certificate"));
    if (!reached(p, port) || (!http && !certificate && !str_eq(promise->kind, STR("tcp"))))
        return false;
    w->port = port;
    w->kind = http ? PROBE_HTTP : certificate ? PROBE_CERTIFICATE : PROBE_TCP;
    w->path = http ? arena_fmt(tx->arena, "/%.*s", STRF(path)) : STR("");
    w->status = http ? promise->limit : 0;
    w->contains = STR("");
    w->days = !certificate ? 0 : promise->limit > 0 ? promise->limit : PROBE_DAYS;
    return true;
}

/* The first promise that is meant for it, else (any) the first that can be looked at. */
static bool from_promises(const struct profile *p, bool any, struct tx *tx, struct vantage_row *w)
{
    const struct spec_promise *promises = p->promises.items;
    for (size_t i = 0; i < p->promises.count; i++)
        if ((any || promises[i].outside) && by_promise(p, &promises[i], tx, w))
            return true;
    return false;
}

/* A bare connection to a port. */
static void plain(struct vantage_row *w, struct str port)
{
    w->port = port;
    w->kind = PROBE_TCP;
    w->path = w->contains = STR("");
    w->status = w->days = 0;
}

static bool as_profile_says(const struct profile *p, struct tx *tx, struct vantage_row *w)
{
    const struct spec_port *ports = p->ports.items;
    if (from_promises(p, false, tx, w) || from_promises(p, true, tx, w))
        return true;
    for (size_t i = 0; i < p->ports.count; i++)
        if (reached(p, ports[i].name)) {
            plain(w, ports[i].name);
            return true;
        }
    return false;
}

static struct vantage_row row_of(struct str service)
{
    return (struct vantage_row){.service = service,
                                .places = VANTAGE_PLACES,
                                .every_s = PROBE_EVERY_S,
                                .port = STR(""),
                                .path = STR(""),
                                .contains = STR(""),
                                .state = PROMISE_UNKNOWN};
}

enum rc vantage_begin(struct tx *tx, const struct service *v, const struct profile *p)
{
    struct vantage_row w = row_of(v->id), old;
    bool found = false;
    if (v->drill_of.n > 0 || !from_promises(p, false, tx, &w))
        return RC_OK;
    TRY(vantage_find(tx, v->id, &found, &old));
    w.watched = true;
    return found ? RC_OK : write_row(tx, &w);
}

enum rc vantage_touch(struct tx *tx, struct str service)
{
    return sql_run(tx, "UPDATE vantage SET due = $2 WHERE service = $1", V(service), V(tx->now));
}

/* --- as somebody says --- */

static bool says(const struct vantage_order *o, const char *field)
{
    return schema_has(&vantage_order_schema, o, field);
}

static enum rc lay_kind(struct tx *tx, const struct vantage_order *o, struct vantage_row *w)
{
    if (says(o, "kind") && o->kind != w->kind) {
        plain(w, w->port);
        w->kind = o->kind;
        w->path = w->kind == PROBE_HTTP ? STR("/") : STR("");
        w->days = w->kind == PROBE_CERTIFICATE ? PROBE_DAYS : 0;
    }
    static const char *const of_http[] = {"path", "status", "contains"};
    for (size_t i = 0; i < COUNT(of_http); i++)
        if (says(o, of_http[i]) && w->kind != PROBE_HTTP)
            return err_set_at(tx->err, RC_INVALID, arena_fmt(tx->arena, "/%s", of_http[i]),
                              "only looks of the kind http have it, and this is %s",
                              probe_kinds[w->kind]);
    if (says(o, "days") && w->kind != PROBE_CERTIFICATE)
        return err_set_at(tx->err, RC_INVALID, STR("/days"),
                          "only looks of the kind certificate have it, and this is %s",
                          probe_kinds[w->kind]);
    if (says(o, "path"))
        w->path = o->path;
    if (says(o, "status"))
        w->status = o->status;
    if (says(o, "contains"))
        w->contains = o->contains;
    if (says(o, "days"))
        w->days = o->days > 0 ? o->days : PROBE_DAYS;
    if (w->kind == PROBE_HTTP && !str_starts(w->path, STR("/")))
        return err_set_at(tx->err, RC_INVALID, STR("/path"), "a path begins with '/'");
    for (size_t i = 0; i < w->path.n; i++)
        if (w->path.p[i] <= ' ' || (unsigned char)w->path.p[i] >= 0x7F)
            return err_set_at(tx->err, RC_INVALID, STR("/path"),
                              "letters of ASCII alone, no space");
    return RC_OK;
}

static enum rc lay_port(struct tx *tx, const struct profile *p, const struct vantage_order *o,
                        struct vantage_row *w)
{
    if (!says(o, "port") || str_eq(o->port, w->port))
        return RC_OK;
    if (!reached(p, o->port))
        return err_set_at(tx->err, RC_INVALID, STR("/port"),
                          "'%.*s' is no port that this service publishes by TCP", STRF(o->port));
    plain(w, o->port);
    return RC_OK;
}

/* Whether what counts as good has changed: what was seen before that says nothing of it. */
static bool differs(const struct vantage_row *a, const struct vantage_row *b)
{
    return a->kind != b->kind || !str_eq(a->path, b->path) || a->status != b->status ||
           !str_eq(a->contains, b->contains) || a->days != b->days;
}

enum rc vantage_set(struct tx *tx, struct str service, const struct vantage_order *o,
                    struct vantage *ret)
{
    struct service v;
    struct profile p;
    struct vantage_row w = row_of(service);
    const struct vantage_query q = {.set = 0};
    bool found = false;
    TRY(service_get(tx, service, &v));
    TRY(drill_refuse(tx, &v));
    if (v.wanted == SPEC_GONE || v.state == SERVICE_REFUSED)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s: nobody looks at it",
                       STRF(v.name), service_states[v.state]);
    TRY(kind_profile(tx, v.kind, &p));
    TRY(vantage_find(tx, service, &found, &w));
    if (!(found && reached(&p, w.port)) && !as_profile_says(&p, tx, &w))
        return err_set(tx->err, RC_CONFLICT,
                       "'%.*s' publishes no port by TCP: there is nothing to look at",
                       STRF(v.name));
    const struct vantage_row was = w;
    TRY(lay_port(tx, &p, o, &w));
    TRY(lay_kind(tx, o, &w));
    w.watched = says(o, "watched") ? o->watched : true;
    /* null is the default again. */
    if (says(o, "places"))
        w.places = o->places > 0 ? o->places : VANTAGE_PLACES;
    if (says(o, "every_s"))
        w.every_s = o->every_s > 0 ? o->every_s : PROBE_EVERY_S;
    TRY(write_row(tx, &w));
    if (differs(&was, &w))
        TRY(vantage_renew(tx, service));
    TRY(event_put(tx, "event.service.changed", v.client, "service", v.id, v.version,
                  STR("[\"vantage\"]")));
    return vantage_get(tx, service, &q, ret);
}

/* --- days --- */

static struct str day_text(struct tx *tx, int64_t day)
{
    char text[DAY_TEXT_MAX];
    return arena_str(tx->arena, str_n(text, day_format(day, text)));
}

static struct str percent_text(struct tx *tx, int64_t probes, int64_t failures)
{
    /* Of at most some 10^7 looks. */
    int64_t parts = probes > 0 ? (probes - failures) * THOUSANDTHS / probes : 0;
    return arena_fmt(tx->arena, "%lld.%03lld", (long long)(parts / FIRST),
                     (long long)(parts % FIRST));
}

enum rc vantage_slow(struct tx *tx, const struct vantage_cell *c, int64_t percent, int64_t *ret_us)
{
    struct rows rows;
    /* The nearest rank: of 20 looks, 95 of 100 is the 19th. */
    int64_t rank = (c->good * percent + PERCENT - 1) / PERCENT;
    *ret_us = 0;
    if (c->good == 0)
        return RC_OK;
    TRY(sql_rows(tx, &rows,
                 "SELECT total_us FROM vantage_probe WHERE service = $1 AND looked >= $2 "
                 "AND looked < $3 AND country = $4 AND city = $5 AND good = 1 "
                 "ORDER BY total_us LIMIT 1 OFFSET $6",
                 V(c->service), V(c->day * US_PER_DAY), V((c->day + 1) * US_PER_DAY), V(c->country),
                 V(c->city), V(rank - 1)));
    *ret_us = rows.count > 0 ? row_int(&rows, 0, 0) : 0;
    return RC_OK;
}

static enum rc read_days(struct tx *tx, struct str service, int64_t from, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT day, country, city, probes, failures, p50_us, p95_us, open "
                 "FROM vantage_day WHERE service = $1 AND day >= $2 "
                 "ORDER BY day DESC, country, city LIMIT $3",
                 V(service), V(from), V((int64_t)VANTAGE_ROWS_MAX)));
    struct vantage_day *days = NEW_N(tx->arena, struct vantage_day, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        struct vantage_day *d = &days[i];
        *d = (struct vantage_day){
            .set = schema_all(&vantage_day_schema) & ~schema_bit(&vantage_day_schema, "services"),
            .day = day_text(tx, row_int(&rows, i, 0)),
            .country = row_str(&rows, i, 1),
            .city = row_str(&rows, i, 2),
            .probes = row_int(&rows, i, 3),
            .failures = row_int(&rows, i, 4),
            .percent = percent_text(tx, row_int(&rows, i, 3), row_int(&rows, i, 4)),
            .p50_us = row_int(&rows, i, 5),
            .p95_us = row_int(&rows, i, 6)};
        if (row_int(&rows, i, 7) == 0)
            continue;
        struct vantage_cell c = {service, row_int(&rows, i, 0), d->country, d->city,
                                 d->probes - d->failures};
        TRY(vantage_slow(tx, &c, 50, &d->p50_us));
        TRY(vantage_slow(tx, &c, 95, &d->p95_us));
    }
    *ret = (struct list){days, rows.count};
    return RC_OK;
}

static int64_t first_day(struct tx *tx, const struct vantage_query *q)
{
    int64_t days = schema_has(&vantage_query_schema, q, "days") ? q->days : VANTAGE_DAYS;
    return tx->now / US_PER_DAY - days + 1;
}

/* --- one service --- */

time_us vantage_late(const struct vantage_row *w, time_us now)
{
    /* Two looks, and the time that agents take at most until they tell. */
    return now - (2 * w->every_s * US_PER_SECOND + 3 * US_PER_MINUTE);
}

static enum rc read_places(struct tx *tx, const struct vantage_row *w, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT country, city, seen, looked, connect_us, total_us, days, text "
                 "FROM vantage_point WHERE service = $1 ORDER BY id LIMIT $2",
                 V(w->service), V((int64_t)VANTAGE_ROWS_MAX)));
    struct vantage_place *places = NEW_N(tx->arena, struct vantage_place, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        places[i] =
            (struct vantage_place){.set = schema_all(&vantage_place_schema),
                                   .country = row_str(&rows, i, 0),
                                   .city = row_str(&rows, i, 1),
                                   .seen = code_word(vantage_seen_words, row_str(&rows, i, 2)),
                                   .looked = row_int(&rows, i, 3),
                                   .late = row_int(&rows, i, 3) < vantage_late(w, tx->now),
                                   .connect_us = row_int(&rows, i, 4),
                                   .total_us = row_int(&rows, i, 5),
                                   .days = row_int(&rows, i, 6),
                                   .text = row_str(&rows, i, 7)};
    *ret = (struct list){places, rows.count};
    return RC_OK;
}

enum rc vantage_get(struct tx *tx, struct str service, const struct vantage_query *q,
                    struct vantage *ret)
{
    struct service v;
    struct vantage_row w = row_of(service);
    bool found = false;
    TRY(service_get(tx, service, &v));
    TRY(vantage_find(tx, service, &found, &w));
    struct vantage a = {.set = schema_all(&vantage_schema),
                        .service = service,
                        .watched = w.watched,
                        .places = w.places,
                        .every_s = w.every_s,
                        .port = w.port,
                        .kind = w.kind,
                        .path = w.path,
                        .status = w.status,
                        .contains = w.contains,
                        .days = w.days,
                        .state = w.state,
                        .since = w.changed,
                        .text = w.text};
    TRY(read_places(tx, &w, &a.seen_from));
    TRY(read_days(tx, service, first_day(tx, q), &a.seen_daily));
    *ret = a;
    return RC_OK;
}

/* --- a site, a node --- */

enum rc vantage_site(struct tx *tx, struct str id, const struct vantage_query *q,
                     struct site_vantage *ret)
{
    struct rows rows;
    struct site site;
    TRY(site_get(tx, id, &site));
    TRY(sql_rows(tx, &rows,
                 "SELECT day, country, city, COUNT(*), CAST(SUM(probes) AS BIGINT), "
                 "CAST(SUM(failures) AS BIGINT), MAX(p95_us) FROM vantage_day "
                 "WHERE site = $1 AND day >= $2 GROUP BY day, country, city "
                 "ORDER BY day DESC, country, city LIMIT $3",
                 V(id), V(first_day(tx, q)), V((int64_t)VANTAGE_ROWS_MAX)));
    struct vantage_day *days = NEW_N(tx->arena, struct vantage_day, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        days[i] = (struct vantage_day){
            .set = schema_all(&vantage_day_schema) & ~schema_bit(&vantage_day_schema, "p50_us"),
            .day = day_text(tx, row_int(&rows, i, 0)),
            .country = row_str(&rows, i, 1),
            .city = row_str(&rows, i, 2),
            .services = row_int(&rows, i, 3),
            .probes = row_int(&rows, i, 4),
            .failures = row_int(&rows, i, 5),
            .percent = percent_text(tx, row_int(&rows, i, 4), row_int(&rows, i, 5)),
            .p95_us = row_int(&rows, i, 6)};
    *ret = (struct site_vantage){
        .set = schema_all(&site_vantage_schema), .site = id, .seen_daily = {days, rows.count}};
    return RC_OK;
}

static const struct page_column probe_columns[] = {{"id", "p.id", PAGE_TEXT}};
static const struct page_table probe_table = {
    .select = "SELECT p.id, w.kind, w.seen_address, w.seen_port, w.every_s, p.seen, p.looked, "
              "p.total_us, p.text FROM vantage_point p JOIN vantage w ON w.service = p.service",
    .id = "p.id",
    .sort = probe_columns,
    .sort_count = COUNT(probe_columns),
    .default_sort = "id",
};

enum rc vantage_node(struct tx *tx, struct str node, const struct page_query *q, struct page *ret)
{
    struct page_term term = {"p.node = ?", V(node)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &probe_table, q, &term, 1, &rows, &next));
    struct node_probe *items = NEW_N(tx->arena, struct node_probe, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = (struct node_probe){.set = schema_all(&node_probe_schema),
                                       .id = row_str(&rows, i, 0),
                                       .kind = code_word(probe_kinds, row_str(&rows, i, 1)),
                                       .address = row_str(&rows, i, 2),
                                       .port = row_int(&rows, i, 3),
                                       .every_s = row_int(&rows, i, 4),
                                       .seen = code_word(vantage_seen_words, row_str(&rows, i, 5)),
                                       .looked = row_int(&rows, i, 6),
                                       .total_us = row_int(&rows, i, 7),
                                       .text = row_str(&rows, i, 8)};
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}
