/*
 * service_make.c - from a row to the spec that its node gets: profile, values, secrets, images.
 */
#include "fleet/backup.h"
#include "fleet/drill.h"
#include "fleet/service_inside.h"
#include "fleet/snapshot.h"

enum { SPEC_BYTES_MAX = 4 * 1024 * 1024, SECRETS_BYTES_MAX = 8 * 1024 };

struct secrets {
    uint64_t set;
    struct list secrets;
};
static const struct field secrets_fields[] = {
    FIELD(struct secrets, secrets, LIST, .max = PROFILE_SECRETS_MAX, .doc = "In order."),
};
static const struct schema secrets_schema =
    SCHEMA(struct secrets, "secrets", secrets_fields, "What was made once.");

struct facts {
    uint64_t set;
    struct list facts;
};
static const struct field facts_fields[] = {
    FIELD(struct facts, facts, LIST, .max = SPEC_PUBLISHED_MAX, .schema = &sighting_fact_schema,
          .doc = "As the node gave them."),
};
static const struct schema facts_schema =
    SCHEMA(struct facts, "facts", facts_fields, "Addresses and ports.");

static enum rc decode(struct tx *tx, const struct schema *s, struct str text, void *ret)
{
    const struct json *json = NULL;
    TRY(json_parse(text, tx->arena, &json, tx->err));
    return schema_decode(s, SCHEMA_WHOLE, json, tx->arena, ret, tx->err);
}

/* none where none were made yet. */
static enum rc read_secrets(struct tx *tx, const struct seal *seal, struct str service,
                            struct secrets *ret)
{
    struct rows rows;
    struct str plain;
    *ret = (struct secrets){.set = 1};
    TRY(sql_rows(tx, &rows, "SELECT secrets FROM service WHERE id = $1", V(service)));
    struct str closed = row_bytes(&rows, 0, 0);
    if (closed.n == 0)
        return RC_OK;
    TRY(seal_read(seal, closed, tx->arena, &plain, tx->err));
    return decode(tx, &secrets_schema, plain, ret);
}

static enum rc write_secrets(struct tx *tx, const struct seal *seal, struct str service,
                             const struct secrets *s)
{
    struct buf b;
    struct json_writer w;
    ASSERT(tx->writing);
    buf_init(&b, tx->arena, SECRETS_BYTES_MAX);
    json_writer_init(&w, &b);
    schema_encode(&secrets_schema, s, &w);
    ASSERT(!b.full);
    return sql_run(tx, "UPDATE service SET secrets = $2 WHERE id = $1", V(service),
                   value_bytes(seal_close(seal, tx, buf_str(&b))));
}

enum rc service_carry_secrets(struct tx *tx, const struct seal *seal, const struct service *v,
                              struct str kind)
{
    struct profile old, new;
    struct secrets had, has = {.set = 1};
    TRY(kind_profile(tx, v->kind, &old));
    TRY(kind_profile(tx, kind, &new));
    TRY(read_secrets(tx, seal, v->id, &had));
    has.secrets = profile_secrets(&new, tx->ids->clock, tx->arena);
    const struct profile_secret *old_names = old.secrets.items, *names = new.secrets.items;
    const struct str *old_values = had.secrets.items;
    struct str *values = has.secrets.items;
    for (size_t i = 0; i < new.secrets.count; i++)
        for (size_t k = 0; k < old.secrets.count && k < had.secrets.count; k++)
            if (str_eq(names[i].name, old_names[k].name))
                values[i] = old_values[k];
    return write_secrets(tx, seal, v->id, &has);
}

/* The secrets are made with the first spec, and stay. */
static enum rc add_secrets(struct tx *tx, const struct seal *seal, const struct service *v,
                           struct made *m)
{
    struct secrets s;
    TRY(read_secrets(tx, seal, v->id, &s));
    if (s.secrets.count == 0 && m->profile.secrets.count > 0) {
        s.secrets = profile_secrets(&m->profile, tx->ids->clock, tx->arena);
        TRY(write_secrets(tx, seal, v->id, &s));
    }
    const struct profile_secret *names = m->profile.secrets.items;
    const struct str *values = s.secrets.items;
    for (size_t i = 0; i < m->profile.secrets.count && i < s.secrets.count; i++)
        profile_values_add(&m->values, names[i].name, values[i]);
    return RC_OK;
}

enum rc service_published(struct tx *tx, const struct service *v, const struct made *made,
                          struct list *ret)
{
    struct facts facts = {0};
    struct str text = arena_fmt(tx->arena, "{\"facts\":%.*s}", STRF(v->facts));
    TRY(decode(tx, &facts_schema, text, &facts));
    return profile_publish(&made->profile, &made->values, &made->service, &facts.facts, tx->arena,
                           ret, tx->err);
}

static enum rc read_needed(struct tx *tx, const struct seal *seal, struct str id,
                           struct service *ret, struct made **ret_made, struct list *ret_told)
{
    TRY(service_get(tx, id, ret));
    TRY(service_make(tx, seal, ret, false, ret_made));
    return service_published(tx, ret, *ret_made, ret_told);
}

enum rc service_waits(struct tx *tx, const struct seal *seal, const struct service *v,
                      struct str *ret)
{
    struct rows rows;
    *ret = STR("");
    TRY(sql_rows(tx, &rows,
                 "SELECT needed FROM service_need WHERE service = $1 ORDER BY name LIMIT $2",
                 V(v->id), V((int64_t)PROFILE_NEEDS_MAX)));
    for (size_t i = 0; i < rows.count && ret->n == 0; i++) {
        struct service other;
        struct made *unused = NULL;
        struct list told;
        TRY(read_needed(tx, seal, row_str(&rows, i, 0), &other, &unused, &told));
        const struct str *values = told.items;
        bool will = other.wanted == SPEC_RUNNING && other.state != SERVICE_ORDERED;
        bool known = other.state == SERVICE_RUNNING;
        for (size_t k = 0; k < told.count; k++)
            known = known && values[k].n > 0;
        if (will && !known)
            *ret = arena_fmt(tx->arena, "it waits until '%.*s' runs", STRF(other.name));
    }
    return RC_OK;
}

/* A service that is needed gives what it publishes under the need's name. It uses others itself:
 * those it was made with are in its own spec, so one step is enough. */
static enum rc add_need(struct tx *tx, const struct seal *seal, const struct profile_need *need,
                        struct str id, struct made *m)
{
    struct service v;
    struct made *other = NULL;
    struct list told;
    TRY(read_needed(tx, seal, id, &v, &other, &told));
    const struct profile_published *items = other->profile.publishes.items;
    const struct str *values = told.items;
    for (size_t i = 0; i < told.count; i++) {
        if (values[i].n == 0)
            return err_set_at(tx->err, RC_CONFLICT, STR("/needs"),
                              "'%.*s' does not run yet: its '%.*s' is not known",
                              STRF(v.name.n > 0 ? v.name : v.id), STRF(items[i].name));
        profile_values_add(&m->values,
                           arena_fmt(tx->arena, "%.*s.%.*s", STRF(need->name), STRF(items[i].name)),
                           values[i]);
    }
    return RC_OK;
}

static enum rc add_needs(struct tx *tx, const struct seal *seal, const struct service *v,
                         struct made *m)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT name, needed FROM service_need WHERE service = $1 ORDER BY name",
                 V(v->id)));
    const struct profile_need *needs = m->profile.needs.items;
    for (size_t i = 0; i < m->profile.needs.count; i++)
        for (size_t k = 0; k < rows.count; k++)
            if (str_eq(row_str(&rows, k, 0), needs[i].name))
                TRY(add_need(tx, seal, &needs[i], row_str(&rows, k, 1), m));
    return RC_OK;
}

enum rc service_make(struct tx *tx, const struct seal *seal, const struct service *v, bool needs,
                     struct made **ret)
{
    const struct json *parameters = NULL;
    struct made *m = NEW(tx->arena, struct made);
    TRY(kind_read(tx, v->kind, &m->kind, &m->profile));
    TRY(json_parse(v->parameters, tx->arena, &parameters, tx->err));
    TRY(profile_parameters(&m->profile, parameters, tx->arena, &m->values, tx->err));
    m->service = (struct profile_service){.id = v->id, .name = v->name};
    TRY(profile_taken(&m->profile, &m->values, tx->arena, &m->service.taken, tx->err));
    TRY(add_secrets(tx, seal, v, m));
    if (needs)
        TRY(add_needs(tx, seal, v, m));
    *ret = m;
    return RC_OK;
}

static enum rc find_image(struct tx *tx, const struct made *m, struct str name,
                          struct spec_image *ret)
{
    enum rc rc = image_find(tx, m->kind.owner, name, ret);
    if (rc == RC_NOT_FOUND)
        return err_set(tx->err, RC_CONFLICT, "the image '%.*s' was not registered yet", STRF(name));
    return rc;
}

/* Of whom the profile is: that of the profile's name, where none is said; further disks behind
 * it. */
static enum rc find_images(struct tx *tx, const struct made *m, struct list *ret)
{
    const struct profile_image *image = &m->profile.image;
    const struct str *disks = image->disks.items;
    struct spec_image *found = NEW_N(tx->arena, struct spec_image, image->disks.count + 1);
    TRY(find_image(tx, m, image->name.n > 0 ? image->name : m->profile.name, &found[0]));
    for (size_t i = 0; i < image->disks.count; i++)
        TRY(find_image(tx, m, disks[i], &found[i + 1]));
    *ret = (struct list){found, image->disks.count + 1};
    return RC_OK;
}

/* A copy that is only tried: nobody comes to it, and it does nothing to the world. */
static void leave_alone(struct tx *tx, struct service_spec *spec)
{
    const struct spec_port *open = spec->ports.items;
    struct spec_port *closed = NEW_N(tx->arena, struct spec_port, spec->ports.count);
    for (size_t i = 0; i < spec->ports.count; i++) {
        closed[i] = open[i];
        closed[i].published = false;
    }
    spec->ports.items = closed;
    spec->alone = true;
    spec->end = (struct list){0}; /* what it would take away is the service's */
}

static enum rc spec_text(struct tx *tx, const struct seal *seal, const struct service *v,
                         struct made **ret_made, struct str *ret)
{
    struct made *m = NULL;
    struct service_spec spec;
    struct list images;
    struct buf b;
    struct json_writer w;
    TRY(service_make(tx, seal, v, true, &m));
    TRY(profile_render(&m->profile, &m->values, &m->service, tx->arena, &spec, tx->err));
    TRY(find_images(tx, m, &images));
    spec.set = schema_all(&service_spec_schema);
    spec.generation = v->generation;
    spec.state = v->wanted;
    spec.restart = v->restart;
    spec.subscription = v->subscription;
    spec.images = images;
    spec.lease_s = v->failover ? NODE_LEASE_S : 0;
    if (v->drill_of.n > 0)
        leave_alone(tx, &spec);
    if (spec.end.count == 0) /* agents that do not know it have nothing to read */
        spec.set &= ~schema_bit(&service_spec_schema, "end");
    TRY(backup_from(tx, seal, v->id, &spec.from));
    TRY(snapshot_describe(tx, v, &spec));
    buf_init(&b, tx->arena, SPEC_BYTES_MAX);
    json_writer_init(&w, &b);
    schema_encode(&service_spec_schema, &spec, &w);
    if (b.full)
        return err_set(tx->err, RC_TOO_LARGE, "the files of the service are too large");
    *ret_made = m;
    *ret = buf_str(&b);
    return RC_OK;
}

enum rc service_spec_text(struct tx *tx, const struct seal *seal, const struct service *v,
                          struct str *ret)
{
    struct made *unused;
    return spec_text(tx, seal, v, &unused, ret);
}

enum rc service_write_spec(struct tx *tx, const struct seal *seal, const struct service *v)
{
    struct str text;
    struct made *m = NULL;
    TRY(spec_text(tx, seal, v, &m, &text));
    if ((m->profile.backup.count > 0 || m->profile.backup_disk) && v->drill_of.n == 0) {
        TRY(backup_plan(tx, v->id, m->profile.backup_every_s, m->profile.backup_disk));
        if (m->profile.drill_every_days > 0)
            TRY(drill_plan_begin(tx, v->id, m->profile.drill_every_days));
    }
    return sql_run(tx, "UPDATE service SET spec = $2 WHERE id = $1", V(v->id),
                   value_bytes(seal_close(seal, tx, text)));
}

/* Of one that was never described: its node has nothing to remove, and says so. */
static enum rc bare_spec(struct tx *tx, const struct service *v, struct service_spec *ret)
{
    struct profile profile;
    static const char *const said[] = {"id", "generation", "state", "runtime", "subscription"};
    TRY(kind_profile(tx, v->kind, &profile));
    *ret = (struct service_spec){
        .id = v->id, .runtime = profile.runtime, .subscription = v->subscription};
    for (size_t i = 0; i < COUNT(said); i++)
        ret->set |= schema_bit(&service_spec_schema, said[i]);
    return RC_OK;
}

enum rc service_rewrite_spec(struct tx *tx, const struct seal *seal, const struct service *v)
{
    struct rows rows;
    struct str text;
    struct service_spec spec = {0};
    struct buf b;
    struct json_writer w;
    TRY(sql_rows(tx, &rows, "SELECT spec FROM service WHERE id = $1", V(v->id)));
    struct str sealed = row_bytes(&rows, 0, 0);
    if (sealed.n == 0 && v->wanted != SPEC_GONE)
        return RC_OK;
    if (sealed.n == 0) {
        TRY(bare_spec(tx, v, &spec));
    } else {
        TRY(seal_read(seal, sealed, tx->arena, &text, tx->err));
        TRY(decode(tx, &service_spec_schema, text, &spec));
    }
    spec.generation = v->generation;
    spec.state = v->wanted;
    buf_init(&b, tx->arena, SPEC_BYTES_MAX);
    json_writer_init(&w, &b);
    schema_encode(&service_spec_schema, &spec, &w);
    ASSERT(!b.full); /* it was as long before */
    return sql_run(tx, "UPDATE service SET spec = $2 WHERE id = $1", V(v->id),
                   value_bytes(seal_close(seal, tx, buf_str(&b))));
}

enum rc service_connection(struct tx *tx, const struct seal *seal, struct str id, struct list *ret)
{
    struct service v;
    struct made *m = NULL;
    struct list told;
    TRY(service_get(tx, id, &v));
    if (v.state == SERVICE_ORDERED || v.state == SERVICE_REFUSED) {
        *ret = (struct list){NULL, 0};
        return RC_OK;
    }
    enum rc rc = service_make(tx, seal, &v, true, &m);
    if (rc ==
        RC_CONFLICT) { /* what it uses is not known just now: neither is what follows from it */
        err_clear(tx->err);
        rc = service_make(tx, seal, &v, false, &m);
    }
    TRY(rc);
    TRY(service_published(tx, &v, m, &told));
    const struct profile_published *items = m->profile.publishes.items;
    const struct str *values = told.items;
    struct service_connection *rows = NEW_N(tx->arena, struct service_connection, told.count);
    for (size_t i = 0; i < told.count; i++)
        rows[i] = (struct service_connection){.set = schema_all(&service_connection_schema),
                                              .name = items[i].name,
                                              .title = items[i].title,
                                              .value = values[i],
                                              .secret = items[i].secret};
    *ret = (struct list){rows, told.count};
    return RC_OK;
}
