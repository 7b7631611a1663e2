#include "pico/owner.h"

#include "krl/pack.h"

enum { NAME_MEMORY = 64 * 1024, NAME_STEPS = 10000, RULESETS_MAX = 10000 };

/* --- picos --- */

static void put_opt(struct json_writer *w, struct value v)
{
    if (v.type == VALUE_NULL)
        json_put_null(w);
    else
        json_put_str(w, v.text);
}

/* The name of its box, which is a packed text; else none. A child has it from its first moment. */
static struct value name_of(struct tx *tx, const struct rows *r, size_t row, size_t column)
{
    static const uint64_t seed[2] = {1, 2};
    struct krl_heap h;
    struct arena arena;
    struct value ret = SQL_NULL;
    if (row_null(r, row, column))
        return ret;
    arena_init(&arena, NAME_MEMORY);
    krl_heap_init(&h, &arena, NAME_STEPS, seed);
    struct krl_value v = krl_unpack(&h, row_bytes(r, row, column));
    if (v.type == KRL_TEXT)
        ret = value_opt(arena_str(tx->arena, krl_text_utf8(&h, v.text, false)));
    arena_fini(&arena);
    return ret;
}

static void put_pico(struct tx *tx, const struct rows *r, size_t row, struct json_writer *w)
{
    json_begin_object(w);
    json_put_key(w, STR("id"));
    json_put_str(w, row_str(r, row, 0));
    json_put_key(w, STR("name"));
    put_opt(w, name_of(tx, r, row, 1));
    json_put_key(w, STR("parent"));
    put_opt(w, *row_cell(r, row, 2));
    json_put_key(w, STR("children"));
    json_put_i64(w, row_int(r, row, 3));
    json_end_object(w);
}

#define PICO_COLUMNS "p.id, e.value, q.id, (SELECT COUNT(*) FROM pico c WHERE c.parent = p.no)"
#define PICO_JOINS                                                  \
    " FROM pico p LEFT JOIN pico q ON q.no = p.parent"              \
    " LEFT JOIN pico_rid r ON r.rid = 'io.picolabs.pico-engine-ui'" \
    " LEFT JOIN pico_entity e ON e.pico = p.no AND e.rid = r.no AND e.name = 'name'"

static enum rc find(struct tx *tx, struct str id, int64_t *ret_no)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT no FROM pico WHERE id = $1", V(id)));
    if (r.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no pico '%.*s'", STRF(id));
    *ret_no = row_int(&r, 0, 0);
    return RC_OK;
}

enum rc owner_list(struct tx *tx, const struct owner_list *q, struct json_writer *w)
{
    struct rows r;
    int64_t parent = 0;
    ASSERT(q->limit >= 1 && q->limit <= OWNER_LIMIT_MAX);
    if (q->parent.n > 0) {
        TRY(find(tx, q->parent, &parent));
        TRY(sql_rows(tx, &r,
                     "SELECT " PICO_COLUMNS PICO_JOINS
                     " WHERE p.parent = $1 AND p.id > $2 ORDER BY p.id LIMIT $3",
                     V(parent), V(q->after), V(q->limit + 1)));
    } else {
        TRY(sql_rows(tx, &r,
                     "SELECT " PICO_COLUMNS PICO_JOINS " WHERE p.id > $1 ORDER BY p.id LIMIT $2",
                     V(q->after), V(q->limit + 1)));
    }
    size_t n = min_size(r.count, (size_t)q->limit);
    json_begin_object(w);
    json_put_key(w, STR("items"));
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        put_pico(tx, &r, i, w);
    json_end_array(w);
    json_put_key(w, STR("next"));
    put_opt(w, n < r.count ? value_str(row_str(&r, n - 1, 0)) : SQL_NULL);
    json_end_object(w);
    return RC_OK;
}

enum rc owner_show(struct tx *tx, struct str id, struct json_writer *w)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT " PICO_COLUMNS PICO_JOINS " WHERE p.id = $1", V(id)));
    if (r.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no pico '%.*s'", STRF(id));
    put_pico(tx, &r, 0, w);
    return RC_OK;
}

/* --- rulesets --- */

static void put_ruleset(const struct rows *r, size_t row, struct json_writer *w)
{
    char time[TIME_TEXT_MAX];
    json_begin_object(w);
    json_put_key(w, STR("rid"));
    json_put_str(w, row_str(r, row, 0));
    json_put_key(w, STR("url"));
    json_put_str(w, row_str(r, row, 1));
    json_put_key(w, STR("hash"));
    json_put_str(w, row_str(r, row, 2));
    json_put_key(w, STR("flushed"));
    json_put_str(w, str_n(time, time_format(row_int(r, row, 3), time)));
    json_end_object(w);
}

enum rc owner_rulesets(struct tx *tx, struct str id, struct json_writer *w)
{
    struct rows r;
    int64_t no = 0;
    if (id.n > 0) {
        TRY(find(tx, id, &no));
        TRY(sql_rows(tx, &r,
                     "SELECT n.rid, s.url, s.hash, s.flushed FROM pico_installed i"
                     " JOIN pico_rid n ON n.no = i.rid JOIN pico_ruleset s ON s.no = i.ruleset"
                     " WHERE i.pico = $1 ORDER BY i.place LIMIT $2",
                     V(no), V(RULESETS_MAX)));
    } else {
        TRY(sql_rows(tx, &r,
                     "SELECT n.rid, s.url, s.hash, s.flushed FROM pico_ruleset s"
                     " JOIN pico_rid n ON n.no = s.rid ORDER BY s.url LIMIT $1",
                     V(RULESETS_MAX)));
    }
    json_begin_object(w);
    json_put_key(w, STR("items"));
    json_begin_array(w);
    for (size_t i = 0; i < r.count; i++)
        put_ruleset(&r, i, w);
    json_end_array(w);
    json_end_object(w);
    return RC_OK;
}

/* --- the family --- */

enum rc owner_child(struct tx *tx, struct str eci, struct str *ret_id)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT id FROM pico WHERE child_eci = $1", V(eci)));
    if (r.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "no pico has this channel to its parent");
    *ret_id = row_str(&r, 0, 0);
    return RC_OK;
}
