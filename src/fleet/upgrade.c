#include "fleet/upgrade.h"

#include "catalog/code.h"
#include "fleet/backup.h"
#include "fleet/drill.h"
#include "fleet/move.h"
#include "fleet/promise_change.h"
#include "fleet/service_inside.h"
#include "fleet/vantage.h"

/* One with what the service was and shall be. */
struct work {
    struct upgrade shown;
    struct str from_profile, from_parameters, from_secrets;
    struct str to_profile, to_parameters;
    time_us tried;
};

#define COLUMNS                                                                                   \
    "u.id, u.service, u.client, o.version, n.version, u.backup, u.state, u.reason, u.began, "     \
    "u.ended, u.from_profile, u.from_parameters, u.from_secrets, u.to_profile, u.to_parameters, " \
    "u.tried"
#define FROM                                                                            \
    " FROM upgrade u JOIN profile o ON o.id = u.from_profile JOIN profile n ON n.id = " \
    "u.to_profile"

static struct work read_row(const struct rows *r, size_t row)
{
    return (struct work){
        .shown =
            {
                .set = schema_all(&upgrade_schema),
                .id = row_str(r, row, 0),
                .service = row_str(r, row, 1),
                .client = row_str(r, row, 2),
                .from = row_str(r, row, 3),
                .to = row_str(r, row, 4),
                .backup = row_str(r, row, 5),
                .state = code_word(upgrade_states, row_str(r, row, 6)),
                .reason = row_str(r, row, 7),
                .began = row_int(r, row, 8),
                .ended = row_int(r, row, 9),
            },
        .from_profile = row_str(r, row, 10),
        .from_parameters = row_str(r, row, 11),
        .from_secrets = row_bytes(r, row, 12),
        .to_profile = row_str(r, row, 13),
        .to_parameters = row_str(r, row, 14),
        .tried = row_int(r, row, 15),
    };
}

static enum rc get(struct tx *tx, struct str id, struct work *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS FROM " WHERE u.id = $1", V(id)));
    ASSERT(rows.count == 1);
    *ret = read_row(&rows, 0);
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"id", "u.id", PAGE_TEXT},
    {"began", "u.began", PAGE_NUMBER},
};
static const struct page_table upgrade_table = {
    .select = "SELECT " COLUMNS FROM,
    .id = "u.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

enum rc upgrade_list(struct tx *tx, struct str service, const struct page_query *q,
                     struct page *ret)
{
    const struct page_term term = {"u.service = ?", V(service)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &upgrade_table, q, &term, 1, &rows, &next));
    struct upgrade *items = NEW_N(tx->arena, struct upgrade, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_row(&rows, i).shown;
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

static enum rc end_it(struct tx *tx, struct str id, enum upgrade_state state, struct str reason)
{
    return sql_run(tx, "UPDATE upgrade SET state = $2, reason = $3, ended = $4 WHERE id = $1",
                   V(id), V(upgrade_states[state]), V(reason), V(tx->now));
}

enum rc upgrade_stop(struct tx *tx, struct str service, struct str reason)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, state FROM upgrade WHERE service = $1 AND state IN ($2, $3) "
                 "ORDER BY id",
                 V(service), V(upgrade_states[UPGRADE_SAVING]), V(upgrade_states[UPGRADE_TRYING])));
    for (size_t i = 0; i < rows.count; i++) {
        bool tried = str_eq(row_str(&rows, i, 1), str_c(upgrade_states[UPGRADE_TRYING]));
        TRY(end_it(tx, row_str(&rows, i, 0), tried ? UPGRADE_DONE : UPGRADE_FAILED, reason));
    }
    return RC_OK;
}

/* --- whether it may --- */

static enum rc find_version(struct tx *tx, const struct service *v, struct str version,
                            struct kind *ret, struct profile *ret_profile)
{
    struct rows rows;
    if (version.n == 0)
        return kind_read_newest(tx, v->profile, ret, ret_profile);
    TRY(sql_rows(tx, &rows, "SELECT id FROM profile WHERE name = $1 AND version = $2 ORDER BY id",
                 V(v->profile), V(version)));
    if (rows.count == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/version"),
                          "there is no version '%.*s' of '%.*s'", STRF(version), STRF(v->profile));
    return kind_read(tx, row_str(&rows, 0, 0), ret, ret_profile);
}

/* What it keeps stays where it is, so the new version must look for it there. */
static enum rc check_volumes(struct tx *tx, const struct profile *old, const struct profile *new)
{
    const struct spec_volume *kept = old->volumes.items;
    const struct spec_volume *known = new->volumes.items;
    for (size_t i = 0; i < old->volumes.count; i++) {
        size_t k = 0;
        while (k < new->volumes.count &&
               !(str_eq(known[k].name, kept[i].name) && str_eq(known[k].path, kept[i].path)))
            k++;
        if (k == new->volumes.count)
            return err_set(tx->err, RC_CONFLICT,
                           "version '%.*s' does not keep '%.*s' at %.*s, where its data lies",
                           STRF(new->version), STRF(kept[i].name), STRF(kept[i].path));
    }
    return RC_OK;
}

static enum rc check_needs(struct tx *tx, const struct service *v, const struct profile *new)
{
    struct rows rows;
    const struct profile_need *needs = new->needs.items;
    TRY(sql_rows(tx, &rows,
                 "SELECT d.name, o.profile_name FROM service_need d JOIN service o ON o.id = "
                 "d.needed WHERE d.service = $1 ORDER BY d.name",
                 V(v->id)));
    for (size_t i = 0; i < new->needs.count; i++) {
        size_t k = 0;
        while (k < rows.count && !(str_eq(row_str(&rows, k, 0), needs[i].name) &&
                                   str_eq(row_str(&rows, k, 1), needs[i].profile)))
            k++;
        if (k == rows.count)
            return err_set(tx->err, RC_CONFLICT,
                           "version '%.*s' needs a '%.*s' as '%.*s', which this service was not "
                           "ordered with",
                           STRF(new->version), STRF(needs[i].profile), STRF(needs[i].name));
    }
    return RC_OK;
}

static enum rc check_state(struct tx *tx, const struct service *v)
{
    struct rows rows;
    bool may =
        v->state == SERVICE_RUNNING || v->state == SERVICE_STOPPED || v->state == SERVICE_FAILED;
    TRY(drill_refuse(tx, v));
    TRY(move_refuse(tx, v));
    if (!may || v->wanted == SPEC_GONE)
        return err_set(tx->err, RC_CONFLICT, "service '%.*s' is %s and cannot be upgraded",
                       STRF(v->name), service_states[v->state]);
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM upgrade WHERE service = $1 AND state IN ($2, $3) ORDER BY id",
                 V(v->id), V(upgrade_states[UPGRADE_SAVING]), V(upgrade_states[UPGRADE_TRYING])));
    if (rows.count > 0)
        return err_set(tx->err, RC_CONFLICT, "an upgrade of '%.*s' is in hand already",
                       STRF(v->name));
    return RC_OK;
}

/* --- another form --- */

/* What the other form takes more of its node; a disk does not shrink. */
static enum rc measure(struct tx *tx, const struct profile *p, struct service *v,
                       struct node_taken *ret_more)
{
    struct node_taken before = {v->cpu_milli, v->memory_bytes, v->disk_bytes};
    TRY(service_measure(tx, p, v));
    v->disk_bytes = max_i64(v->disk_bytes, before.disk_bytes);
    *ret_more =
        (struct node_taken){v->cpu_milli - before.cpu_milli, v->memory_bytes - before.memory_bytes,
                            v->disk_bytes - before.disk_bytes};
    return RC_OK;
}

/* *v is made of the profile and the parameters from its next generation on. */
static enum rc become(struct tx *tx, const struct seal *seal, struct service *v,
                      struct str profile_id, struct str parameters)
{
    struct kind kind;
    struct profile profile;
    struct node_taken more;
    TRY(kind_read(tx, profile_id, &kind, &profile));
    v->kind = kind.id;
    v->parameters = parameters;
    TRY(measure(tx, &profile, v, &more));
    TRY(node_take(tx, v->node, more));
    TRY(sql_run(tx, "UPDATE service SET profile = $2 WHERE id = $1", V(v->id), V(kind.id)));
    if (v->wanted == SPEC_RUNNING)
        v->state = SERVICE_PREPARING;
    v->reason = STR("");
    TRY(vantage_begin(tx, v, &profile));
    return service_renew(tx, seal, v);
}

/* Its secrets are those of the new version already. */
static enum rc go(struct tx *tx, const struct seal *seal, const struct work *w, struct service *v)
{
    TRY(become(tx, seal, v, w->to_profile, w->to_parameters));
    if (v->wanted != SPEC_RUNNING) {
        TRY(operation_reach(tx, v->id, NULL));
        return end_it(tx, w->shown.id, UPGRADE_DONE, STR("it does not run, and was not tried"));
    }
    TRY(operation_reach(tx, v->id, "prepare"));
    return sql_run(tx, "UPDATE upgrade SET state = $2, tried = $3 WHERE id = $1", V(w->shown.id),
                   V(upgrade_states[UPGRADE_TRYING]), V(tx->now));
}

static enum rc old_secrets(struct tx *tx, const struct work *w)
{
    return sql_run(tx, "UPDATE service SET secrets = $2 WHERE id = $1", V(w->shown.service),
                   value_bytes(w->from_secrets));
}

static enum rc go_back(struct tx *tx, const struct seal *seal, const struct work *w,
                       struct service *v, struct str why)
{
    static const char *const steps[] = {"prepare", "start", NULL};
    struct operation unused;
    struct str reason =
        arena_fmt(tx->arena, "after %d minutes %.*s: version %.*s again",
                  (int)(UPGRADE_MAX_US / (60 * US_PER_SECOND)), STRF(why), STRF(w->shown.from));
    TRY(operation_fail(tx, v->id, reason));
    TRY(operation_begin(tx, v->id, v->client, "upgrade-back", steps, &unused));
    TRY(old_secrets(tx, w));
    TRY(become(tx, seal, v, w->from_profile, w->from_parameters));
    TRY(operation_reach(tx, v->id, "prepare"));
    return end_it(tx, w->shown.id, UPGRADE_BACK, reason);
}

/* --- begin --- */

static enum rc insert(struct tx *tx, const struct service *v, const struct kind *to,
                      struct str parameters, struct str backup, struct work *ret)
{
    struct rows rows;
    struct str id = id_new(tx->ids, tx->arena, "upg");
    TRY(sql_rows(tx, &rows, "SELECT secrets FROM service WHERE id = $1", V(v->id)));
    TRY(sql_run(tx,
                "INSERT INTO upgrade (id, service, client, from_profile, from_parameters, "
                "from_secrets, to_profile, to_parameters, backup, state, reason, began, tried, "
                "ended) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, 0, 0)",
                V(id), V(v->id), V(v->client), V(v->kind), V(v->parameters),
                value_bytes(row_bytes(&rows, 0, 0)), V(to->id), V(parameters), value_opt(backup),
                V(upgrade_states[UPGRADE_SAVING]), V(tx->now)));
    return get(tx, id, ret);
}

/* Without those that the new version does not know any more. */
static enum rc known_of(struct tx *tx, const struct profile *p, const struct json *holds,
                        const struct json **ret)
{
    const struct profile_parameter *known = p->parameters.items;
    struct json_writer w;
    struct buf b;
    buf_init(&b, tx->arena, KIND_PARAMETERS_BYTES_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    for (const struct json *c = json_first(holds); c != NULL; c = json_next(holds, c)) {
        size_t i = 0;
        while (i < p->parameters.count && !str_eq(known[i].name, json_key(c)))
            i++;
        if (i == p->parameters.count)
            continue;
        json_put_key(&w, json_key(c));
        json_put_node(&w, c);
    }
    json_end_object(&w);
    ASSERT(!b.full); /* less than was held */
    return json_parse(buf_str(&b), tx->arena, ret, tx->err);
}

/* Everything that would be refused later is refused now. */
static enum rc check(struct tx *tx, const struct service *v, const struct upgrade_order *order,
                     struct kind *ret_to, struct str *ret_parameters)
{
    struct profile old, new;
    struct service probe = *v;
    struct node node;
    struct node_taken more;
    struct offer offer;
    const struct json *holds = NULL;
    TRY(check_state(tx, v));
    TRY(find_version(tx, v, order->version, ret_to, &new));
    if (str_eq(ret_to->id, v->kind))
        return err_set(tx->err, RC_CONFLICT, "'%.*s' is of version '%.*s' already", STRF(v->name),
                       STRF(ret_to->version));
    TRY(kind_profile(tx, v->kind, &old));
    if (old.runtime == SPEC_VM || new.runtime == SPEC_VM)
        return err_set(tx->err, RC_CONFLICT, "'%.*s' is a machine: it is upgraded from within",
                       STRF(v->name));
    TRY(check_volumes(tx, &old, &new));
    TRY(check_needs(tx, v, &new));
    TRY(json_parse(v->parameters, tx->arena, &holds, tx->err));
    TRY(known_of(tx, &new, holds, &holds));
    TRY(offer_of_plan(tx, v->plan, &offer));
    TRY(service_merge(tx, holds, order->parameters, offer.parameters, ret_parameters));
    probe.parameters = *ret_parameters;
    TRY(measure(tx, &new, &probe, &more));
    TRY(node_get(tx, v->node, &node));
    return node_fits(tx, &node, more);
}

enum rc upgrade_begin(struct tx *tx, const struct seal *seal, struct str service,
                      const struct upgrade_order *order, struct upgrade *ret)
{
    static const char *const steps[] = {"backup", "prepare", "start", NULL};
    struct service v;
    struct kind to;
    struct rows plan;
    struct backup backup = {0};
    struct operation unused;
    struct work w;
    struct str parameters;
    TRY(service_get(tx, service, &v));
    TRY(check(tx, &v, order, &to, &parameters));
    TRY(sql_rows(tx, &plan, "SELECT every_s FROM backup_plan WHERE service = $1", V(v.id)));
    bool saves = plan.count > 0 && v.state == SERVICE_RUNNING;
    if (saves)
        TRY(backup_ask(tx, v.id, &backup));
    TRY(insert(tx, &v, &to, parameters, backup.id, &w));
    TRY(operation_begin(tx, v.id, v.client, "upgrade", saves ? steps : steps + 1, &unused));
    if (saves) {
        TRY(operation_reach(tx, v.id, "backup"));
    } else {
        TRY(service_carry_secrets(tx, seal, &v, to.id));
        TRY(go(tx, seal, &w, &v));
    }
    TRY(get(tx, w.shown.id, &w));
    *ret = w.shown;
    return RC_OK;
}

/* --- the clock's --- */

/* The backup was made, or not. What cannot be any more (its image is gone, its node is full) ends
 * it, with nothing changed. */
static enum rc saved(struct tx *tx, const struct seal *seal, const struct work *w,
                     struct service *v)
{
    struct backup b;
    struct service probe = *v;
    struct str unused;
    struct str why = STR("");
    TRY(backup_get(tx, w->shown.backup, &b));
    if (b.state == BACKUP_WANTED)
        return RC_OK;
    if (b.state != BACKUP_KEPT)
        why = arena_fmt(tx->arena, "it could not be backed up: %.*s", STRF(b.reason));
    else if (v->node.n == 0 || v->wanted == SPEC_GONE)
        why = STR("the service has no place any more");
    if (why.n == 0) {
        probe.kind = w->to_profile;
        probe.parameters = w->to_parameters;
        TRY(service_carry_secrets(tx, seal, v, w->to_profile));
        enum rc rc = service_spec_text(tx, seal, &probe, &unused);
        if (rc == RC_CONFLICT || rc == RC_INVALID || rc == RC_TOO_LARGE) {
            why = arena_str(tx->arena, err_text(tx->err));
            err_clear(tx->err);
            rc = old_secrets(tx, w);
        }
        TRY(rc);
    }
    if (why.n == 0)
        return go(tx, seal, w, v);
    TRY(operation_fail(tx, v->id, why));
    return end_it(tx, w->shown.id, UPGRADE_FAILED, why);
}

/* Why the service is not as it should be; empty: it is. */
static enum rc trouble_of(struct tx *tx, const struct service *v, struct str *ret)
{
    const struct sighting_promise *broken = NULL;
    struct list told;
    struct profile profile;
    *ret = STR("");
    if (v->state != SERVICE_RUNNING) {
        *ret = v->reason.n > 0 ? arena_fmt(tx->arena, "it is %s (%.*s)", service_states[v->state],
                                           STRF(v->reason))
                               : arena_fmt(tx->arena, "it is %s", service_states[v->state]);
        return RC_OK;
    }
    TRY(kind_profile(tx, v->kind, &profile));
    TRY(promise_read(tx, v->promises, &told));
    (void)promise_kept(&told, &broken);
    if (broken != NULL)
        *ret = arena_fmt(tx->arena, "promise '%.*s' is not kept (%.*s)", STRF(broken->name),
                         STRF(broken->text));
    else if (told.count < profile.promises.count)
        *ret = STR("not every promise was looked at");
    return RC_OK;
}

static enum rc tried(struct tx *tx, const struct seal *seal, const struct work *w,
                     struct service *v)
{
    struct str trouble;
    if (v->wanted != SPEC_RUNNING)
        return end_it(tx, w->shown.id, UPGRADE_DONE, STR("it was stopped before it was judged"));
    TRY(trouble_of(tx, v, &trouble));
    if (trouble.n == 0)
        return end_it(tx, w->shown.id, UPGRADE_DONE, STR(""));
    if (tx->now >= w->tried + UPGRADE_MAX_US)
        return go_back(tx, seal, w, v, trouble);
    return RC_OK;
}

static enum rc step(struct tx *tx, const struct seal *seal, struct service *v, void *arg UNUSED)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS FROM " WHERE u.service = $1 AND u.state IN ($2, $3) "
                 "ORDER BY u.id",
                 V(v->id), V(upgrade_states[UPGRADE_SAVING]), V(upgrade_states[UPGRADE_TRYING])));
    if (rows.count == 0)
        return RC_OK;
    struct work w = read_row(&rows, 0);
    return w.shown.state == UPGRADE_SAVING ? saved(tx, seal, &w, v) : tried(tx, seal, &w, v);
}

/* Those whose backup is over, or that were looked at for long enough. */
#define DUE                                                       \
    "FROM upgrade u LEFT JOIN backup b ON b.id = u.backup WHERE " \
    "(u.state = 'saving' AND b.state <> 'wanted') OR (u.state = 'trying' AND u.tried <= $1) "

enum rc upgrade_tick_due(struct tx *tx, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT u.id " DUE "ORDER BY u.id LIMIT 1",
                 V(tx->now - UPGRADE_LOOK_US)));
    *ret = rows.count > 0;
    return RC_OK;
}

enum rc upgrade_tick(struct tx *tx, const struct seal *seal, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " SERVICE_COLUMNS SERVICE_FROM "WHERE v.id IN (SELECT u.service " DUE
                 ") ORDER BY v.id LIMIT $2",
                 V(tx->now - UPGRADE_LOOK_US), V((int64_t)UPGRADE_TICK_MAX)));
    *ret = rows.count == UPGRADE_TICK_MAX;
    return service_each(tx, seal, &rows, step, NULL);
}
