#include "pico/export.h"

#include "base/json.h"
#include "base/map.h"
#include "pico/inside.h"

#include <sodium.h>
#include <zlib.h>

enum { GZIP = 15 + 16, PIECE_BYTES = 64 * 1024, LEVEL = 6, ARENA_BYTES = 1024 * 1024 * 1024 };

/* --- the key --- */

struct keys {
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

static enum rc need_key(struct tx *tx, void *arg)
{
    struct keys *k = arg;
    struct rows rows;
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    TRY(sql_rows(tx, &rows, "SELECT value FROM pico_fact WHERE name = 'export-key'"));
    if (rows.count > 0) {
        struct str kept = row_bytes(&rows, 0, 0);
        if (kept.n != sizeof k->secret)
            return err_set(tx->err, RC_INTERNAL, "the key for exports cannot be read");
        memcpy(k->secret, kept.p, kept.n);
        return RC_OK;
    }
    crypto_sign_keypair(public, k->secret);
    return sql_run(tx, "INSERT INTO pico_fact (name, value) VALUES ('export-key', $1)",
                   V(value_bytes(str_n((const char *)k->secret, sizeof k->secret))));
}

static enum rc read_keys(struct pico_engine *e, struct keys *ret, struct err *err)
{
    struct arena arena;
    if (sodium_init() < 0)
        return err_set(err, RC_INTERNAL, "libsodium does not work here");
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, err, need_key, ret);
    arena_fini(&arena);
    return rc;
}

enum rc pico_export_key(struct pico_engine *e, uint8_t ret[EXPORT_KEY_BYTES], struct err *err)
{
    struct keys keys;
    TRY(read_keys(e, &keys, err));
    (void)crypto_sign_ed25519_sk_to_pk(ret, keys.secret); /* cannot fail */
    sodium_memzero(&keys, sizeof keys);
    return RC_OK;
}

/* --- writing lines --- */

struct writing {
    crypto_generichash_state hash;
    struct pico_engine *e;
    struct str id;
    export_put put;
    void *arg;
    struct arena arena; /* of the list of picos */
    struct arena line_arena;
    struct buf line;
    struct json_writer w;
    z_stream z;
    struct map rulesets; /* written already */
    struct map details;  /* the same, by their numbers here, to those in the file */
    size_t details_bytes;
    struct todo {
        struct todo *next;
        int64_t no;
    } * first, **last;
    int64_t picos;
    struct str now_id; /* of the pico in hand */
    struct err *err;
};

static enum rc deflate_some(struct writing *w, struct str s, int flush)
{
    unsigned char out[PIECE_BYTES];
    w->z.next_in = (unsigned char *)(uintptr_t)s.p;
    w->z.avail_in = (unsigned)s.n;
    do {
        w->z.next_out = out;
        w->z.avail_out = sizeof out;
        int z = deflate(&w->z, flush);
        ASSERT(z == Z_OK || z == Z_STREAM_END || z == Z_BUF_ERROR);
        size_t n = sizeof out - w->z.avail_out;
        if (n > 0)
            TRY(w->put(w->arg, str_n((char *)out, n), w->err));
    } while (w->z.avail_out == 0);
    return RC_OK;
}

static void begin_line(struct writing *w, const char *kind)
{
    buf_reset(&w->line);
    json_writer_init(&w->w, &w->line);
    json_begin_object(&w->w);
    json_put_key(&w->w, STR("is"));
    json_put_str(&w->w, str_c(kind));
}

static void put_text(struct writing *w, const char *key, struct str s)
{
    json_put_key(&w->w, str_c(key));
    json_put_str(&w->w, s);
}

static void put_int(struct writing *w, const char *key, int64_t v)
{
    json_put_key(&w->w, str_c(key));
    json_put_i64(&w->w, v);
}

static void put_bytes(struct writing *w, const char *key, struct str bytes)
{
    if (bytes.n == 0)
        return;
    struct arena arena;
    size_t n = sodium_base64_ENCODED_LEN(bytes.n, sodium_base64_VARIANT_ORIGINAL);
    arena_init(&arena, n + 1024 * 1024);
    char *text = arena_bytes(&arena, n);
    (void)sodium_bin2base64(text, n, (const unsigned char *)bytes.p, bytes.n,
                            sodium_base64_VARIANT_ORIGINAL);
    put_text(w, key, str_c(text));
    arena_fini(&arena);
}

static enum rc end_line(struct writing *w, bool hashed)
{
    json_end_object(&w->w);
    buf_add_char(&w->line, '\n');
    if (w->line.full)
        return err_set(w->err, RC_TOO_LARGE, "one part of the pico is larger than an export takes");
    struct str s = buf_str(&w->line);
    if (hashed)
        crypto_generichash_update(&w->hash, (const unsigned char *)s.p, s.n);
    return deflate_some(w, s, Z_NO_FLUSH);
}

/* --- what a pico has --- */

/* What many channels say goes before the first of them. *ret: the number by which the line of a
 * channel may name it; 0: it says it itself. Numbers are the file's own, so that the same picos
 * make the same lines whatever else the engine has. */
static enum rc put_detail(struct writing *w, int64_t no, struct str detail, int64_t *ret)
{
    struct str key = str_n((const char *)&no, sizeof no);
    const int64_t *there = map_get(&w->details, key);
    *ret = there == NULL ? 0 : *there;
    if (there != NULL || w->details_bytes + detail.n > EXPORT_DETAILS_BYTES_MAX)
        return RC_OK;
    w->details_bytes += detail.n;
    int64_t *own = NEW(&w->arena, int64_t);
    *own = (int64_t)w->details.count + 1;
    (void)map_put(&w->details, arena_str(&w->arena, key), own); /* nothing was there */
    *ret = *own;
    begin_line(w, "detail");
    put_int(w, "no", *own);
    put_bytes(w, "detail", detail);
    return end_line(w, true);
}

static enum rc put_channel(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    int64_t shared = 0;
    (void)tx;
    ASSERT(columns == 5);
    if (v[3].number != 0)
        TRY(put_detail(w, v[3].number, v[4].text, &shared));
    begin_line(w, "channel");
    put_text(w, "eci", v[0].text);
    put_int(w, "place", v[1].number);
    if (shared != 0)
        put_int(w, "shared", shared);
    else
        put_bytes(w, "detail", v[3].number != 0 ? v[4].text : v[2].text);
    return end_line(w, true);
}

static enum rc put_installed(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == 4);
    begin_line(w, "installed");
    put_text(w, "url", v[0].text);
    put_text(w, "hash", v[1].text);
    put_int(w, "place", v[2].number);
    put_bytes(w, "config", v[3].text);
    return end_line(w, true);
}

static enum rc put_entity(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == 3);
    begin_line(w, "entity");
    put_text(w, "rid", v[0].text);
    put_text(w, "name", v[1].text);
    put_bytes(w, "value", v[2].text);
    return end_line(w, true);
}

static enum rc put_waiting(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == 2);
    begin_line(w, "waiting");
    put_text(w, "rid", v[0].text);
    put_bytes(w, "states", v[1].text);
    return end_line(w, true);
}

static enum rc put_schedule(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == 4);
    begin_line(w, "schedule");
    put_text(w, "id", v[0].text);
    put_text(w, "rid", v[1].text);
    put_int(w, "due", v[2].number);
    put_bytes(w, "detail", v[3].text);
    return end_line(w, true);
}

static enum rc put_event(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    static const char *const keys[] = {"eci", "eid", "domain", "name", "attrs"};
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == COUNT(keys) + 3);
    begin_line(w, "event");
    for (size_t i = 0; i < COUNT(keys); i++)
        put_text(w, keys[i], v[i].text);
    if (v[5].text.n > 0)
        put_text(w, "sender", v[5].text); /* family channels ask who it is */
    put_int(w, "hops", v[6].number);
    put_int(w, "row", v[7].number); /* by which a move knows it */
    return end_line(w, true);
}

static enum rc put_seen(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == 2);
    begin_line(w, "seen");
    put_text(w, "key", v[0].text);
    put_int(w, "at", v[1].number);
    return end_line(w, true);
}

static enum rc put_ruleset(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == 4);
    if (map_get(&w->rulesets, v[0].text) != NULL)
        return RC_OK;
    (void)map_put(&w->rulesets, arena_str(&w->arena, v[0].text), w); /* nothing was there */
    begin_line(w, "ruleset");
    put_text(w, "url", v[0].text);
    put_text(w, "rid", v[1].text);
    put_text(w, "hash", v[2].text);
    put_text(w, "source", v[3].text);
    return end_line(w, true);
}

static const struct {
    row_fn put;
    const char *sql;
} parts[] = {
    {put_channel,
     "SELECT c.eci, c.place, c.detail, c.shared, d.detail FROM pico_channel c LEFT JOIN "
     "pico_detail d ON d.no = c.shared WHERE c.pico = $1 ORDER BY c.place, c.eci"},
    {put_installed, "SELECT s.url, s.hash, i.place, i.config FROM pico_installed i JOIN "
                    "pico_ruleset s ON s.no = i.ruleset WHERE i.pico = $1 ORDER BY i.place"},
    {put_entity, "SELECT r.rid, e.name, e.value FROM pico_entity e JOIN pico_rid r ON r.no = e.rid "
                 "WHERE e.pico = $1 ORDER BY r.rid, e.name"},
    {put_waiting, "SELECT r.rid, w.states FROM pico_waiting w JOIN pico_rid r ON r.no = w.rid "
                  "WHERE w.pico = $1 ORDER BY r.rid"},
    {put_schedule, "SELECT s.id, r.rid, s.due, s.detail FROM pico_schedule s JOIN pico_rid r ON "
                   "r.no = s.rid WHERE s.pico = $1 ORDER BY s.due, s.id"},
    {put_event,
     "SELECT v.eci, v.eid, v.domain, v.name, v.attrs, p.id, v.hops, v.no FROM pico_event v "
     "LEFT JOIN pico p ON p.no = v.sender WHERE v.pico = $1 UNION ALL "
     "SELECT v.eci, v.eid, v.domain, v.name, v.attrs, p.id, v.hops, v.no FROM pico_aside v "
     "LEFT JOIN pico p ON p.no = v.sender WHERE v.pico = $1 ORDER BY 8"},
    {put_seen, "SELECT key, at FROM pico_seen WHERE pico = $1 ORDER BY key"},
};

static enum rc add_todo(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct writing *w = arg;
    (void)tx;
    ASSERT(columns == 1);
    struct todo *t = NEW(&w->arena, struct todo);
    t->no = v[0].number;
    *w->last = t;
    w->last = &t->next;
    return RC_OK;
}

static enum rc write_pico(struct tx *tx, struct writing *w, int64_t no)
{
    struct rows rows;
    if (++w->picos > EXPORT_PICOS_MAX)
        return err_set(w->err, RC_TOO_LARGE, "an export has at most %d picos", EXPORT_PICOS_MAX);
    TRY(sql_each(tx, put_ruleset, w,
                 "SELECT s.url, r.rid, s.hash, s.source FROM pico_installed i JOIN pico_ruleset s "
                 "ON s.no = i.ruleset JOIN pico_rid r ON r.no = s.rid WHERE i.pico = $1 ORDER BY "
                 "i.place",
                 V(no)));
    TRY(sql_rows(tx, &rows,
                 "SELECT p.id, u.id, p.parent_eci, p.child_eci, p.made FROM pico p LEFT JOIN pico "
                 "u ON u.no = p.parent WHERE p.no = $1",
                 V(no)));
    begin_line(w, "pico");
    put_text(w, "id", row_str(&rows, 0, 0));
    if (w->picos > 1)
        put_text(w, "parent", row_str(&rows, 0, 1));
    if (!row_null(&rows, 0, 2)) {
        put_text(w, "parent_eci", row_str(&rows, 0, 2));
        put_text(w, "child_eci", row_str(&rows, 0, 3));
    }
    put_int(w, "made", row_int(&rows, 0, 4));
    TRY(end_line(w, true));
    for (size_t i = 0; i < COUNT(parts); i++)
        TRY(sql_each(tx, parts[i].put, w, parts[i].sql, V(no)));
    return sql_each(tx, add_todo, w, "SELECT no FROM pico WHERE parent = $1 ORDER BY no", V(no));
}

static enum rc write_all(struct tx *tx, void *arg)
{
    struct writing *w = arg;
    struct rows rows;
    char time[TIME_TEXT_MAX];
    if (w->picos > 0) /* half of it has left already */
        return err_set(tx->err, RC_UNAVAILABLE, "the store broke off; export it again");
    w->err = tx->err;
    TRY(sql_rows(tx, &rows, "SELECT no FROM pico WHERE id = $1", V(w->id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no pico '%.*s'", STRF(w->id));
    begin_line(w, "hanse-pico");
    put_int(w, "version", EXPORT_VERSION);
    put_text(w, "engine", w->e->o.base_url);
    put_text(w, "made", str_n(time, time_format(tx->now, time)));
    TRY(end_line(w, true));
    w->first = NEW(&w->arena, struct todo);
    w->first->no = row_int(&rows, 0, 0);
    w->last = &w->first->next;
    for (const struct todo *t = w->first; t != NULL; t = t->next) {
        arena_reset(tx->arena);
        TRY(write_pico(tx, w, t->no));
    }
    return RC_OK;
}

/* The last line, and the end of the gzip. */
static enum rc sign(struct writing *w, const struct keys *keys)
{
    uint8_t hash[crypto_generichash_BYTES];
    uint8_t signature[crypto_sign_BYTES];
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    crypto_generichash_final(&w->hash, hash, sizeof hash);
    (void)crypto_sign_detached(signature, NULL, hash, sizeof hash, keys->secret);
    (void)crypto_sign_ed25519_sk_to_pk(public, keys->secret); /* neither can fail */
    begin_line(w, "end");
    put_int(w, "picos", w->picos);
    put_bytes(w, "key", str_n((char *)public, sizeof public));
    put_bytes(w, "signature", str_n((char *)signature, sizeof signature));
    TRY(end_line(w, false));
    return deflate_some(w, STR(""), Z_FINISH);
}

enum rc pico_export(struct pico_engine *e, struct str id, export_put put, void *arg,
                    struct err *err)
{
    struct writing w = {.e = e, .id = id, .put = put, .arg = arg, .err = err};
    struct keys keys;
    struct arena arena;
    TRY(read_keys(e, &keys, err));
    arena_init(&arena, ARENA_BYTES);
    arena_init(&w.arena, ARENA_BYTES);
    arena_init(&w.line_arena, 4 * (size_t)EXPORT_LINE_MAX);
    buf_init(&w.line, &w.line_arena, EXPORT_LINE_MAX);
    map_init(&w.rulesets, &w.arena, e->seed);
    map_init(&w.details, &w.arena, e->seed);
    crypto_generichash_init(&w.hash, NULL, 0, crypto_generichash_BYTES);
    int z = deflateInit2(&w.z, LEVEL, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY);
    ASSERT(z == Z_OK);
    enum rc rc = store_read(e->store, &arena, err, write_all, &w);
    w.err = err;
    if (rc == RC_OK)
        rc = sign(&w, &keys);
    (void)deflateEnd(&w.z); /* complains of an export that was broken off */
    sodium_memzero(&keys, sizeof keys);
    arena_fini(&w.line_arena);
    arena_fini(&w.arena);
    arena_fini(&arena);
    return rc;
}
