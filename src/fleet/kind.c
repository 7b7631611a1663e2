#include "fleet/kind.h"

#include "catalog/plan.h"
#include "party/event.h"
#include "party/party.h"
#include "profile/profile.h"

enum {
    SCHEMA_BYTES_MAX = 256 * 1024,
    READ_BYTES = 24 * 1024 * 1024,
    PARSED_BYTES_MAX = 6 * 1024 * 1024, /* a byte of the text may become six */
};

/* --- profiles --- */

#define COLUMNS "p.id, p.owner, p.name, p.version, p.title, p.author, p.runtime, p.created"

static struct kind read_row(const struct rows *r, size_t row)
{
    uint64_t without = schema_bit(&kind_schema, "text") | schema_bit(&kind_schema, "schema");
    return (struct kind){
        .set = schema_all(&kind_schema) & ~without,
        .id = row_str(r, row, 0),
        .owner = row_str(r, row, 1),
        .name = row_str(r, row, 2),
        .version = row_str(r, row, 3),
        .title = row_str(r, row, 4),
        .author = row_str(r, row, 5),
        .runtime = row_str(r, row, 6),
        .created = row_int(r, row, 7),
    };
}

static enum rc read_profile(struct tx *tx, struct str text, struct profile *ret)
{
    if (arena_room(tx->arena) < READ_BYTES)
        return err_set(tx->err, RC_TOO_LARGE, "too many profiles at once");
    enum rc rc = profile_read(text, tx->arena, ret, tx->err);
    if (rc != RC_OK)
        err_at(tx->err, STR("/text"));
    return rc;
}

static struct str describe(struct tx *tx, const struct profile *p)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, SCHEMA_BYTES_MAX);
    json_writer_init(&w, &b);
    profile_describe(p, &w);
    return b.full ? STR("{}") : buf_str(&b);
}

/* With its text and the schema of its parameters. */
static enum rc whole(struct tx *tx, const struct rows *rows, struct kind *ret)
{
    struct kind k = read_row(rows, 0);
    struct profile p;
    k.text = row_str(rows, 0, 8);
    k.set = schema_all(&kind_schema);
    TRY(read_profile(tx, k.text, &p));
    k.schema = describe(tx, &p);
    *ret = k;
    return RC_OK;
}

enum rc kind_get(struct tx *tx, struct str id, struct kind *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS ", p.text FROM profile p WHERE p.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no profile '%.*s'", STRF(id));
    return whole(tx, &rows, ret);
}

enum rc kind_find(struct tx *tx, struct str name, struct kind *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS ", p.text FROM profile p WHERE p.name = $1 "
                 "ORDER BY p.id DESC LIMIT 1",
                 V(name)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no profile '%.*s'", STRF(name));
    return whole(tx, &rows, ret);
}

/* Text that became JSON, for the column; empty where it is too long for that. */
static struct str parsed_text(struct tx *tx, const struct profile *p)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, PARSED_BYTES_MAX);
    json_writer_init(&w, &b);
    schema_encode(&service_profile_schema, p, &w);
    return b.full ? STR("") : buf_str(&b);
}

static enum rc read_parsed(struct tx *tx, struct str text, struct profile *ret)
{
    const struct json *json = NULL;
    *ret = (struct profile){0};
    TRY(json_parse(text, tx->arena, &json, tx->err));
    return schema_decode(&service_profile_schema, SCHEMA_WHOLE, json, tx->arena, ret, tx->err);
}

/* A version that was registered before there was such a column is read from its text, and kept for
 * the next time. */
static enum rc read_slowly(struct tx *tx, struct str id, struct profile *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT p.text FROM profile p WHERE p.id = $1", V(id)));
    TRY(read_profile(tx, row_str(&rows, 0, 0), ret));
    if (!tx->writing)
        return RC_OK;
    return sql_run(tx, "UPDATE profile SET parsed = $2 WHERE id = $1", V(id),
                   value_opt(parsed_text(tx, ret)));
}

enum rc kind_read(struct tx *tx, struct str id, struct kind *ret, struct profile *ret_profile)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS ", p.parsed FROM profile p WHERE p.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no profile '%.*s'", STRF(id));
    if (row_null(&rows, 0, 8))
        TRY(read_slowly(tx, id, ret_profile));
    else
        TRY(read_parsed(tx, row_str(&rows, 0, 8), ret_profile));
    *ret = read_row(&rows, 0);
    return RC_OK;
}

enum rc kind_read_newest(struct tx *tx, struct str name, struct kind *ret,
                         struct profile *ret_profile)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.id FROM profile p WHERE p.name = $1 ORDER BY p.id DESC LIMIT 1",
                 V(name)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no profile '%.*s'", STRF(name));
    return kind_read(tx, row_str(&rows, 0, 0), ret, ret_profile);
}

enum rc kind_profile(struct tx *tx, struct str id, struct profile *ret)
{
    struct kind unused;
    return kind_read(tx, id, &unused, ret);
}

static const struct page_column kind_sort[] = {
    {"id", "p.id", PAGE_TEXT},
    {"name", "p.name", PAGE_TEXT},
};
static const struct page_table kind_table = {
    .select = "SELECT " COLUMNS " FROM profile p",
    .id = "p.id",
    .sort = kind_sort,
    .sort_count = COUNT(kind_sort),
    .default_sort = "name",
};

enum rc kind_list(struct tx *tx, const struct page_query *q, struct page *ret)
{
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &kind_table, q, NULL, 0, &rows, &next));
    struct kind *kinds = NEW_N(tx->arena, struct kind, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        kinds[i] = read_row(&rows, i);
    *ret = (struct page){{kinds, rows.count}, next};
    return RC_OK;
}

/* The name is free or the party's own, and the version is new. */
static enum rc check_name(struct tx *tx, struct str owner, const struct profile *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT owner, version FROM profile WHERE name = $1 ORDER BY id LIMIT 1000",
                 V(p->name)));
    for (size_t i = 0; i < rows.count; i++) {
        if (!str_eq(row_str(&rows, i, 0), owner))
            return err_set_at(tx->err, RC_CONFLICT, STR("/text"),
                              "the name '%.*s' is another party's", STRF(p->name));
        if (str_eq(row_str(&rows, i, 1), p->version))
            return err_set_at(tx->err, RC_CONFLICT, STR("/text"),
                              "version '%.*s' of '%.*s' is there: say a new one", STRF(p->version),
                              STRF(p->name));
    }
    return RC_OK;
}

/* By these codes agents report; what no meter counts would not be kept. */
static enum rc make_meters(struct tx *tx)
{
    static const struct meter meters[] = {
        {.code = STR_INIT("cpu"), .kind = METER_SUM, .unit = STR_INIT("s"), .scale = 6},
        {.code = STR_INIT("memory"), .kind = METER_SUM, .unit = STR_INIT("B.s")},
        {.code = STR_INIT("disk"), .kind = METER_SUM, .unit = STR_INIT("B.s")},
        {.code = STR_INIT("network-in"), .kind = METER_SUM, .unit = STR_INIT("B")},
        {.code = STR_INIT("network-out"), .kind = METER_SUM, .unit = STR_INIT("B")},
        {.code = STR_INIT("disk-read"), .kind = METER_SUM, .unit = STR_INIT("B")},
        {.code = STR_INIT("disk-written"), .kind = METER_SUM, .unit = STR_INIT("B")},
    };
    struct party operator;
    TRY(party_operator(tx, &operator));
    for (size_t i = 0; i < COUNT(meters); i++) {
        struct meter made;
        enum rc rc = meter_find(tx, meters[i].code, &made);
        if (rc != RC_NOT_FOUND) {
            TRY(rc);
            continue;
        }
        err_clear(tx->err);
        TRY(meter_create(tx, operator.id, &meters[i], &made));
    }
    return RC_OK;
}

enum rc kind_create(struct tx *tx, struct str owner, const struct kind *fresh, struct kind *ret)
{
    struct profile p;
    TRY(read_profile(tx, fresh->text, &p));
    TRY(check_name(tx, owner, &p));
    TRY(make_meters(tx));
    struct str id = id_new(tx->ids, tx->arena, "prf");
    TRY(sql_run(tx,
                "INSERT INTO profile (id, owner, name, version, title, author, runtime, text, "
                "created, parsed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                V(id), V(owner), V(p.name), V(p.version), V(p.title), V(p.author),
                V(spec_runtimes[p.runtime]), V(fresh->text), V(tx->now),
                value_opt(parsed_text(tx, &p))));
    TRY(event_put(tx, "event.profile.created", owner, "profile", id, 0, STR("")));
    return kind_get(tx, id, ret);
}

/* --- offers --- */

#define OFFER_COLUMNS "o.id, o.owner, o.plan, o.profile, o.parameters, o.approval, o.created"

static enum rc read_offer(struct tx *tx, const struct rows *r, size_t row, struct offer *ret)
{
    struct offer o = {
        .set = schema_all(&offer_schema),
        .id = row_str(r, row, 0),
        .owner = row_str(r, row, 1),
        .plan = row_str(r, row, 2),
        .kind = row_str(r, row, 3),
        .approval = row_int(r, row, 5) != 0,
        .created = row_int(r, row, 6),
    };
    TRY(json_parse(row_str(r, row, 4), tx->arena, &o.parameters, tx->err));
    *ret = o;
    return RC_OK;
}

enum rc offer_get(struct tx *tx, struct str id, struct offer *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " OFFER_COLUMNS " FROM offer o WHERE o.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no offer '%.*s'", STRF(id));
    return read_offer(tx, &rows, 0, ret);
}

enum rc offer_of_plan(struct tx *tx, struct str plan, struct offer *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " OFFER_COLUMNS " FROM offer o WHERE o.plan = $1", V(plan)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "no service is sold by this plan");
    return read_offer(tx, &rows, 0, ret);
}

static const struct page_column offer_sort[] = {{"id", "o.id", PAGE_TEXT}};
static const struct page_table offer_table = {
    .select = "SELECT " OFFER_COLUMNS " FROM offer o",
    .id = "o.id",
    .sort = offer_sort,
    .sort_count = COUNT(offer_sort),
    .default_sort = "id",
};

enum rc offer_list(struct tx *tx, struct str owner, const struct page_query *q, struct page *ret)
{
    struct page_term term = {"o.owner = ?", V(owner)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &offer_table, q, &term, 1, &rows, &next));
    struct offer *offers = NEW_N(tx->arena, struct offer, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_offer(tx, &rows, i, &offers[i]));
    *ret = (struct page){{offers, rows.count}, next};
    return RC_OK;
}

static enum rc blame(struct tx *tx, enum rc rc, const char *pointer)
{
    if (rc != RC_NOT_FOUND)
        return rc;
    err_at(tx->err, str_c(pointer));
    tx->err->rc = RC_INVALID;
    return RC_INVALID;
}

/* Every fixed parameter is one that the profile has, with a value that it takes: the others get
 * their defaults, or stay to be said by the client. */
static enum rc check_fixed(struct tx *tx, const struct profile *p, const struct json *fixed)
{
    struct profile_parameter *items = p->parameters.items;
    if (json_type(fixed) != JSON_OBJECT)
        return err_set_at(tx->err, RC_INVALID, STR("/parameters"), "must be an object");
    for (const struct json *c = json_first(fixed); c != NULL; c = json_next(fixed, c)) {
        size_t at = 0;
        while (at < p->parameters.count && !str_eq(items[at].name, json_key(c)))
            at++;
        if (at == p->parameters.count)
            return err_set_at(tx->err, RC_INVALID, STR("/parameters"),
                              "'%.*s' has no parameter '%.*s'", STRF(p->name), STRF(json_key(c)));
        struct profile one = *p;
        struct profile_values *v = NEW(tx->arena, struct profile_values);
        struct buf b;
        struct json_writer w;
        const struct json *alone = NULL;
        one.parameters = (struct list){&items[at], 1};
        buf_init(&b, tx->arena, KIND_PARAMETERS_BYTES_MAX);
        json_writer_init(&w, &b);
        json_begin_object(&w);
        json_put_key(&w, json_key(c));
        json_put_node(&w, c);
        json_end_object(&w);
        if (b.full)
            return err_set_at(tx->err, RC_TOO_LARGE, STR("/parameters"), "too much is fixed");
        TRY(json_parse(buf_str(&b), tx->arena, &alone, tx->err));
        TRY(profile_parameters(&one, alone, tx->arena, v, tx->err));
    }
    return RC_OK;
}

static enum rc fixed_text(struct tx *tx, const struct json *fixed, struct str *ret)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, KIND_PARAMETERS_BYTES_MAX);
    json_writer_init(&w, &b);
    if (fixed != NULL)
        json_put_node(&w, fixed);
    else
        json_put_raw(&w, STR("{}"));
    if (b.full)
        return err_set_at(tx->err, RC_TOO_LARGE, STR("/parameters"), "too much is fixed");
    *ret = buf_str(&b);
    return RC_OK;
}

enum rc offer_create(struct tx *tx, struct str owner, const struct offer *fresh, struct offer *ret)
{
    struct plan plan;
    struct kind kind;
    struct profile profile;
    struct offer old;
    struct str fixed;
    enum rc rc = id_is(fresh->plan, "pln") ? plan_get(tx, fresh->plan, &plan)
                                           : plan_find(tx, fresh->plan, &plan);
    TRY(blame(tx, rc, "/plan"));
    TRY(blame(tx, kind_read_newest(tx, fresh->kind, &kind, &profile), "/kind"));
    if (fresh->parameters != NULL)
        TRY(check_fixed(tx, &profile, fresh->parameters));
    TRY(fixed_text(tx, fresh->parameters, &fixed));
    rc = offer_of_plan(tx, plan.id, &old);
    if (rc == RC_OK)
        return err_set_at(tx->err, RC_CONFLICT, STR("/plan"), "this plan sells '%.*s' already",
                          STRF(old.kind));
    if (rc != RC_NOT_FOUND)
        return rc;
    err_clear(tx->err);
    struct str id = id_new(tx->ids, tx->arena, "off");
    TRY(sql_run(tx,
                "INSERT INTO offer (id, owner, plan, profile, parameters, approval, created) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                V(id), V(owner), V(plan.id), V(kind.name), V(fixed), V(fresh->approval),
                V(tx->now)));
    return offer_get(tx, id, ret);
}

/* --- images --- */

#define IMAGE_COLUMNS "i.id, i.owner, i.name, i.sha256, i.bytes, i.format, i.created"

static struct image read_image(const struct rows *r, size_t row)
{
    return (struct image){
        .set = schema_all(&image_schema) & ~schema_bit(&image_schema, "file"),
        .id = row_str(r, row, 0),
        .owner = row_str(r, row, 1),
        .name = row_str(r, row, 2),
        .sha256 = row_str(r, row, 3),
        .bytes = row_int(r, row, 4),
        .format = row_str(r, row, 5),
        .created = row_int(r, row, 6),
    };
}

enum rc image_create(struct tx *tx, struct str owner, const struct image *fresh, struct image *ret)
{
    struct str id = id_new(tx->ids, tx->arena, "img");
    TRY(sql_run(tx,
                "INSERT INTO image (id, owner, name, sha256, bytes, format, created) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                V(id), V(owner), V(fresh->name), V(fresh->sha256), V(fresh->bytes),
                V(fresh->format), V(tx->now)));
    return image_get(tx, id, ret);
}

enum rc image_get(struct tx *tx, struct str id, struct image *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " IMAGE_COLUMNS " FROM image i WHERE i.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no image '%.*s'", STRF(id));
    *ret = read_image(&rows, 0);
    return RC_OK;
}

enum rc image_find(struct tx *tx, struct str owner, struct str name, struct spec_image *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " IMAGE_COLUMNS " FROM image i "
                 "WHERE i.name = $1 AND i.owner = $2 ORDER BY i.id DESC LIMIT 1",
                 V(name), V(owner)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no image '%.*s' yet", STRF(name));
    struct image image = read_image(&rows, 0);
    *ret = (struct spec_image){.set = schema_all(&spec_image_schema),
                               .name = image.name,
                               .sha256 = image.sha256,
                               .bytes = image.bytes,
                               .format = image.format};
    return RC_OK;
}

static const struct page_column image_sort[] = {
    {"id", "i.id", PAGE_TEXT},
    {"name", "i.name", PAGE_TEXT},
};
static const struct page_table image_table = {
    .select = "SELECT " IMAGE_COLUMNS " FROM image i",
    .id = "i.id",
    .sort = image_sort,
    .sort_count = COUNT(image_sort),
    .default_sort = "-id",
};

enum rc image_list(struct tx *tx, struct str owner, const struct page_query *q, struct page *ret)
{
    struct page_term term = {"i.owner = ?", V(owner)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &image_table, q, &term, 1, &rows, &next));
    struct image *images = NEW_N(tx->arena, struct image, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        images[i] = read_image(&rows, i);
    *ret = (struct page){{images, rows.count}, next};
    return RC_OK;
}

enum rc image_known(struct tx *tx, struct str sha256, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT i.id FROM image i WHERE i.sha256 = $1 LIMIT 1", V(sha256)));
    *ret = rows.count > 0;
    return RC_OK;
}
