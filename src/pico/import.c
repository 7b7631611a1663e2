/* A file of pico_export becomes picos again: read once to check it, once to register its rulesets,
 * once to write the rows, all of them in one unit of work. */
#include "base/json.h"
#include "base/map.h"
#include "pico/inside.h"
#include "pico/move.h"

#include <sodium.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    GZIP = 15 + 16,
    PIECE_BYTES = 64 * 1024,
    LINE_ARENA_BYTES = 16 * EXPORT_LINE_MAX,
    ARENA_BYTES = 1024 * 1024 * 1024,
    PINNED_HASH_N = 12,
};

/* --- lines --- */

struct lines {
    struct str file;
    z_stream z;
    bool open;
    bool end;
    int64_t unpacked;
    unsigned char piece[PIECE_BYTES];
    size_t piece_at;
    size_t piece_n;
    char *line; /* EXPORT_LINE_MAX */
    size_t line_n;
    int64_t line_no;
};

static struct lines *lines_open(struct str file)
{
    struct lines *l = calloc(1, sizeof *l);
    ASSERT(l != NULL);
    l->line = malloc(EXPORT_LINE_MAX);
    ASSERT(l->line != NULL);
    l->file = file;
    return l;
}

/* To the begin of the file. */
static void lines_rewind(struct lines *l)
{
    if (l->open)
        (void)inflateEnd(&l->z); /* only fails for what was not begun */
    l->z = (z_stream){.next_in = (unsigned char *)(uintptr_t)l->file.p,
                      .avail_in = (unsigned)l->file.n};
    int z = inflateInit2(&l->z, GZIP);
    ASSERT(z == Z_OK);
    l->open = true;
    l->end = false;
    l->unpacked = 0;
    l->piece_at = 0;
    l->piece_n = 0;
    l->line_no = 0;
}

static void lines_close(struct lines *l)
{
    if (l->open)
        (void)inflateEnd(&l->z); /* as above */
    free(l->line);
    free(l);
}

static enum rc more(struct lines *l, struct err *err)
{
    l->z.next_out = l->piece;
    l->z.avail_out = sizeof l->piece;
    int z = inflate(&l->z, Z_NO_FLUSH);
    if (z != Z_OK && z != Z_STREAM_END)
        return err_set(err, RC_INVALID, "the file is no export of picos, or not whole");
    l->piece_at = 0;
    l->piece_n = sizeof l->piece - l->z.avail_out;
    l->end = z == Z_STREAM_END;
    l->unpacked += (int64_t)l->piece_n;
    if (l->unpacked > EXPORT_FILE_MAX)
        return err_set(err, RC_TOO_LARGE, "the file is larger than an import takes");
    if (l->piece_n == 0 && !l->end)
        return err_set(err, RC_INVALID, "the file is not whole");
    return RC_OK;
}

/* The next line without its end. *ret_some false: there is none. */
static enum rc next_line(struct lines *l, struct str *ret, bool *ret_some, struct err *err)
{
    l->line_n = 0;
    l->line_no++;
    for (;;) {
        if (l->piece_at == l->piece_n) {
            if (l->end && l->line_n > 0)
                return err_set(err, RC_INVALID, "the file is not whole");
            *ret_some = false;
            if (l->end)
                return RC_OK;
            TRY(more(l, err));
            continue;
        }
        const unsigned char *from = l->piece + l->piece_at;
        const unsigned char *nl = memchr(from, '\n', l->piece_n - l->piece_at);
        size_t n = nl == NULL ? l->piece_n - l->piece_at : (size_t)(nl - from);
        if (l->line_n + n > EXPORT_LINE_MAX)
            return err_set(err, RC_TOO_LARGE, "line %lld of the file is too long",
                           (long long)l->line_no);
        memcpy(l->line + l->line_n, from, n);
        l->line_n += n;
        l->piece_at += n + (nl != NULL);
        if (nl == NULL)
            continue;
        *ret = str_n(l->line, l->line_n);
        *ret_some = true;
        return RC_OK;
    }
}

/* --- fields --- */

struct importing {
    struct pico_engine *e;
    struct lines *lines;
    struct arena line_arena;
    struct arena arena; /* of the pass that writes */
    struct str parent;
    const uint8_t *key;
    struct map picos;   /* id to struct made */
    struct map details; /* number to struct str */
    size_t details_bytes;
    int64_t last_ruleset; /* its line; 0: the file has none */
    int64_t parent_no;
    int64_t now; /* number of the pico in hand; 0: none yet */
    int64_t first;
    int64_t count;
    int64_t things; /* of the pico in hand */
    struct str id;
    struct str eci;
    struct err *err;
    struct str move;   /* empty: a plain import */
    bool arrived;      /* it had come before */
    struct str answer; /* in arena */
};

struct made {
    int64_t no;
};

static enum rc wrong(struct importing *m, const char *what)
{
    return err_set(m->err, RC_INVALID, "line %lld of the file: %s", (long long)m->lines->line_no,
                   what);
}

static struct str text(const struct json *j, const char *key)
{
    const struct json *v = json_get(j, str_c(key));
    return v != NULL && json_type(v) == JSON_STRING ? json_text(v) : STR("");
}

/* A text that must be there, up to max bytes. */
static enum rc need(struct importing *m, const struct json *j, const char *key, size_t max,
                    struct str *ret)
{
    struct str s = text(j, key);
    if (s.n == 0 || s.n > max) {
        char what[64];
        (void)snprintf(what, sizeof what, "'%s' is missing or too long", key);
        return wrong(m, what);
    }
    *ret = s;
    return RC_OK;
}

static int64_t integer(const struct json *j, const char *key)
{
    const struct json *v = json_get(j, str_c(key));
    int64_t i = 0;
    return v != NULL && json_type(v) == JSON_NUMBER && json_i64(v, &i) ? i : 0;
}

/* Bytes from base64; none where it is missing. */
static enum rc bytes(struct importing *m, const struct json *j, const char *key, size_t max,
                     struct str *ret)
{
    struct str s = text(j, key);
    size_t n = 0;
    char *p = arena_bytes(&m->line_arena, s.n + 1);
    if (s.n > 0 && sodium_base642bin((unsigned char *)p, s.n + 1, s.p, s.n, NULL, &n, NULL,
                                     sodium_base64_VARIANT_ORIGINAL) != 0)
        return wrong(m, "what should be base64 is none");
    if (n > max)
        return wrong(m, "a value is too large");
    *ret = str_n(p, n);
    return RC_OK;
}

static enum rc parse(struct importing *m, struct str line, const struct json **ret)
{
    arena_reset(&m->line_arena);
    if (json_parse(line, &m->line_arena, ret, m->err) != RC_OK || json_type(*ret) != JSON_OBJECT)
        return wrong(m, "no line of an export");
    return RC_OK;
}

/* --- the signature --- */

static enum rc check_end(struct importing *m, const struct json *j, const uint8_t *hash,
                         int64_t picos)
{
    struct str key = STR("");
    struct str signature = STR("");
    TRY(bytes(m, j, "key", EXPORT_KEY_BYTES, &key));
    TRY(bytes(m, j, "signature", crypto_sign_BYTES, &signature));
    if (integer(j, "picos") != picos || picos == 0)
        return wrong(m, "the number of picos is another");
    if (key.n != EXPORT_KEY_BYTES || signature.n != crypto_sign_BYTES ||
        crypto_sign_verify_detached((const unsigned char *)signature.p, hash,
                                    crypto_generichash_BYTES, (const unsigned char *)key.p) != 0)
        return err_set(m->err, RC_UNAUTHENTICATED, "the signature of the file does not fit");
    if (m->key != NULL && memcmp(m->key, key.p, EXPORT_KEY_BYTES) != 0)
        return err_set(m->err, RC_UNAUTHENTICATED, "the file was signed by another key");
    return RC_OK;
}

/* Whole, of our version, signed. */
static enum rc check_file(struct importing *m)
{
    crypto_generichash_state state;
    uint8_t hash[crypto_generichash_BYTES];
    const struct json *j = NULL;
    struct str line;
    bool some = false;
    int64_t picos = 0;
    lines_rewind(m->lines);
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    TRY(next_line(m->lines, &line, &some, m->err));
    for (int64_t n = 0; some; n++) {
        TRY(parse(m, line, &j));
        struct str is = text(j, "is");
        if (n == 0 && !str_eq(is, STR("hanse-pico")))
            return wrong(m, "no export of picos");
        if (n == 0 && (integer(j, "version") < 1 || integer(j, "version") > EXPORT_VERSION))
            return wrong(m, "a version that is not known here");
        picos += str_eq(is, STR("pico"));
        if (str_eq(is, STR("ruleset")))
            m->last_ruleset = m->lines->line_no;
        if (str_eq(is, STR("end"))) {
            crypto_generichash_final(&state, hash, sizeof hash);
            TRY(check_end(m, j, hash, picos));
            TRY(next_line(m->lines, &line, &some, m->err));
            return some ? wrong(m, "there is more behind the end") : RC_OK;
        }
        crypto_generichash_update(&state, (const unsigned char *)line.p, line.n);
        crypto_generichash_update(&state, (const unsigned char *)"\n", 1);
        TRY(next_line(m->lines, &line, &some, m->err));
    }
    return wrong(m, "the file is not whole");
}

/* --- rulesets --- */

static struct str pinned(struct importing *m, struct str url, struct str hash)
{
    return arena_fmt(&m->line_arena, "%.*s#%.*s", STRF(url), STRF(str_sub(hash, 0, PINNED_HASH_N)));
}

/* The ruleset with that content, under its own URL or beside it. NULL: it is not here. */
static const struct ruleset *find(struct importing *m, struct str url, struct str hash)
{
    const struct str urls[] = {url, pinned(m, url, hash)};
    for (size_t i = 0; i < COUNT(urls); i++) {
        char is[RULESET_HASH_N + 1];
        const struct ruleset *set = registry_url(m->e->registry, urls[i]);
        if (set == NULL)
            continue;
        registry_hash(m->e->registry, set, is);
        if (str_eq(str_c(is), hash))
            return set;
    }
    return NULL;
}

static enum rc take_ruleset(struct importing *m, const struct json *j)
{
    struct str url = STR("");
    struct str hash = STR("");
    struct str source = STR("");
    const struct ruleset *set = NULL;
    TRY(need(m, j, "url", RULESET_URL_MAX - PINNED_HASH_N - 1, &url));
    TRY(need(m, j, "hash", RULESET_HASH_N, &hash));
    TRY(need(m, j, "source", RULESET_SOURCE_MAX, &source));
    if (find(m, url, hash) != NULL)
        return RC_OK;
    if (registry_url(m->e->registry, url) != NULL)
        url = pinned(m, url, hash);
    return registry_put(m->e->registry, url, source, &set, m->err);
}

/* --- rows --- */

static enum rc check_free(struct importing *m, struct tx *tx, struct str eci)
{
    struct rows rows;
    for (size_t i = 0; i < eci.n; i++)
        if (!((eci.p[i] >= 'a' && eci.p[i] <= 'z') || (eci.p[i] >= '0' && eci.p[i] <= '9') ||
              eci.p[i] == '-' || eci.p[i] == '_'))
            return wrong(m, "an identifier has a letter that none has");
    TRY(sql_rows(tx, &rows,
                 "SELECT 1 FROM pico WHERE id = $1 "
                 "UNION ALL SELECT 1 FROM pico_channel WHERE eci = $1 "
                 "UNION ALL SELECT 1 FROM pico WHERE child_eci = $1 "
                 "UNION ALL SELECT 1 FROM pico WHERE parent_eci = $1 ORDER BY 1 LIMIT 1",
                 V(eci)));
    if (rows.count == 0 && atomic_load(&m->e->emigrated)) /* it was here before */
        return sql_run(tx, "DELETE FROM pico_moved WHERE eci = $1", V(eci));
    if (rows.count == 0)
        return RC_OK;
    return err_set(m->err, RC_CONFLICT, "the identifier %.*s is in use here", STRF(eci));
}

static enum rc find_parent(struct importing *m, const struct json *j, int64_t *ret)
{
    struct str id = text(j, "parent");
    if (m->count == 0) {
        *ret = m->parent_no;
        return RC_OK;
    }
    const struct made *parent = map_get(&m->picos, id);
    if (parent == NULL)
        return wrong(m, "the parent is not in the file");
    *ret = parent->no;
    return RC_OK;
}

static enum rc take_pico(struct importing *m, struct tx *tx, const struct json *j)
{
    struct str id = STR("");
    struct str parent_eci = text(j, "parent_eci");
    struct str child_eci = text(j, "child_eci");
    int64_t parent = 0;
    char made[2][ECI_N + 1];
    TRY(need(m, j, "id", ECI_MAX, &id));
    TRY(find_parent(m, j, &parent));
    if (m->count >= EXPORT_PICOS_MAX || parent_eci.n > ECI_MAX || child_eci.n > ECI_MAX)
        return wrong(m, "too many picos, or a name that is too long");
    if (parent_eci.n == 0 || child_eci.n == 0) { /* it was a root */
        chance_eci(m->e, made[0]);
        chance_eci(m->e, made[1]);
        parent_eci = str_c(made[0]);
        child_eci = str_c(made[1]);
    }
    TRY(check_free(m, tx, id));
    TRY(check_free(m, tx, parent_eci));
    TRY(check_free(m, tx, child_eci));
    struct made *one = NEW(&m->arena, struct made);
    one->no = atomic_fetch_add(&m->e->next_no, 1);
    id = arena_str(&m->arena, id);
    (void)map_put(&m->picos, id, one); /* twice the same was refused */
    m->now = one->no;
    m->things = 0;
    if (m->count++ == 0) {
        m->first = one->no;
        m->id = id;
        m->eci = arena_str(&m->arena, child_eci);
    }
    return sql_run(tx,
                   "INSERT INTO pico (no, id, parent, parent_eci, child_eci, made, account) VALUES "
                   "($1, $2, $3, $4, $5, $6, (SELECT above.account FROM pico above WHERE above.no "
                   "= $3))",
                   V(one->no), V(id), V(parent), V(parent_eci), V(child_eci),
                   V(integer(j, "made")));
}

static enum rc put(struct importing *m, struct tx *tx, struct cell cell)
{
    const struct op op = {.kind = OP_PUT, .pico = m->now, .cell = cell};
    return rows_write(tx, m->e, &op);
}

/* What many channels say. */
static enum rc take_detail(struct importing *m, const struct json *j)
{
    int64_t no = integer(j, "no");
    struct str *detail = NEW(&m->arena, struct str);
    struct str unpacked = STR("");
    TRY(bytes(m, j, "detail", PICO_ENTITY_BYTES_MAX, &unpacked));
    m->details_bytes += unpacked.n;
    if (m->details_bytes > EXPORT_DETAILS_BYTES_MAX)
        return wrong(m, "there are too many details");
    if (unpacked.n == 0)
        return wrong(m, "a detail is empty");
    *detail = arena_str(&m->arena, unpacked);
    struct str key = arena_str(&m->arena, str_n((const char *)&no, sizeof no));
    return map_put(&m->details, key, detail) == NULL ? RC_OK : wrong(m, "a detail comes twice");
}

static enum rc find_detail(struct importing *m, const struct json *j, struct str *ret)
{
    int64_t no = integer(j, "shared");
    if (json_get(j, STR("shared")) == NULL)
        return bytes(m, j, "detail", PICO_ENTITY_BYTES_MAX, ret);
    const struct str *detail = map_get(&m->details, str_n((const char *)&no, sizeof no));
    if (detail == NULL)
        return wrong(m, "the detail is not in the file");
    *ret = *detail;
    return RC_OK;
}

static enum rc take_channel(struct importing *m, struct tx *tx, const struct json *j)
{
    struct cell c = {.kind = CELL_CHANNEL, .place = integer(j, "place")};
    TRY(need(m, j, "eci", ECI_MAX, &c.name));
    TRY(find_detail(m, j, &c.bytes));
    TRY(check_free(m, tx, c.name));
    return put(m, tx, c);
}

static enum rc take_installed(struct importing *m, struct tx *tx, const struct json *j)
{
    struct cell c = {.kind = CELL_INSTALLED, .place = integer(j, "place")};
    struct str url = STR("");
    struct str hash = STR("");
    TRY(need(m, j, "url", RULESET_URL_MAX, &url));
    TRY(need(m, j, "hash", RULESET_HASH_N, &hash));
    TRY(bytes(m, j, "config", PICO_ENTITY_BYTES_MAX, &c.bytes));
    const struct ruleset *set = find(m, url, hash);
    if (set == NULL)
        return wrong(m, "the ruleset is not in the file");
    c.rid = set->rid_no;
    c.number = set->no;
    return put(m, tx, c);
}

static enum rc rid_of(struct importing *m, const struct json *j, int64_t *ret)
{
    struct str rid = STR("");
    TRY(need(m, j, "rid", WORD_MAX, &rid));
    const struct ruleset *set = registry_rid(m->e->registry, rid);
    if (set == NULL)
        return wrong(m, "the ruleset is not in the file");
    *ret = set->rid_no;
    return RC_OK;
}

static enum rc take_entity(struct importing *m, struct tx *tx, const struct json *j)
{
    struct cell c = {.kind = CELL_ENTITY};
    TRY(rid_of(m, j, &c.rid));
    TRY(need(m, j, "name", WORD_MAX, &c.name));
    TRY(bytes(m, j, "value", PICO_ENTITY_BYTES_MAX, &c.bytes));
    return c.bytes.n == 0 ? wrong(m, "a variable has no value") : put(m, tx, c);
}

static enum rc take_waiting(struct importing *m, struct tx *tx, const struct json *j)
{
    struct cell c = {.kind = CELL_WAITING};
    TRY(rid_of(m, j, &c.rid));
    TRY(bytes(m, j, "states", PICO_ENTITY_BYTES_MAX, &c.bytes));
    return c.bytes.n == 0 ? wrong(m, "a rule has no state") : put(m, tx, c);
}

static enum rc take_schedule(struct importing *m, struct tx *tx, const struct json *j)
{
    struct cell c = {.kind = CELL_SCHEDULE, .number = integer(j, "due")};
    TRY(need(m, j, "id", ECI_MAX, &c.name));
    TRY(rid_of(m, j, &c.place));
    TRY(bytes(m, j, "detail", PICO_ENTITY_BYTES_MAX, &c.bytes));
    return c.bytes.n == 0 ? wrong(m, "a schedule has no event") : put(m, tx, c);
}

static enum rc put_seen(struct importing *m, struct tx *tx, struct str key, time_us at)
{
    return sql_run(tx,
                   "INSERT INTO pico_seen (pico, key, at) VALUES ($1, $2, $3) ON CONFLICT (pico, "
                   "key) DO NOTHING",
                   V(m->now), V(key), V(at));
}

static enum rc take_event(struct importing *m, struct tx *tx, const struct json *j)
{
    struct str eci = STR("");
    struct str eid = STR("");
    struct str event[2] = {STR(""), STR("")};
    struct str attrs = text(j, "attrs");
    TRY(need(m, j, "eci", ECI_MAX, &eci));
    TRY(need(m, j, "eid", WORD_MAX, &eid));
    TRY(need(m, j, "domain", WORD_MAX, &event[0]));
    TRY(need(m, j, "name", WORD_MAX, &event[1]));
    const struct made *sender = map_get(&m->picos, text(j, "sender"));
    struct item *i = item_new(ITEM_STORED, eci, eid, event, attrs);
    i->row = atomic_fetch_add(&m->e->next_row, 1);
    i->sender = sender != NULL ? sender->no : str_eq(eci, m->eci) ? m->parent_no : 0;
    i->hops = max_i64(0, min_i64(integer(j, "hops"), PICO_HOPS_MAX));
    const struct op op = {.kind = OP_ACCEPT, .pico = m->now, .event = i};
    enum rc rc = rows_write(tx, m->e, &op);
    if (rc == RC_OK && m->move.n > 0)
        rc = put_seen(
            m, tx,
            arena_fmt(&m->line_arena, "%.*s.%lld", STRF(m->move), (long long)integer(j, "row")),
            tx->now);
    item_free(i);
    return rc;
}

static enum rc take_seen(struct importing *m, struct tx *tx, const struct json *j)
{
    struct str key = STR("");
    TRY(need(m, j, "key", PICO_KEY_MAX, &key));
    m->things--; /* there may be any number of them */
    return put_seen(m, tx, key, integer(j, "at"));
}

static const struct {
    const char *is;
    enum rc (*take)(struct importing *m, struct tx *tx, const struct json *j);
} kinds[] = {
    {"channel", take_channel}, {"installed", take_installed}, {"entity", take_entity},
    {"waiting", take_waiting}, {"schedule", take_schedule},   {"event", take_event},
    {"seen", take_seen},
};

static enum rc take_line(struct importing *m, struct tx *tx, const struct json *j)
{
    struct str is = text(j, "is");
    if (str_eq(is, STR("pico")))
        return take_pico(m, tx, j);
    if (str_eq(is, STR("detail")))
        return take_detail(m, j);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (!str_eq(is, str_c(kinds[i].is)))
            continue;
        if (m->now == 0 || ++m->things > 4 * (int64_t)PICO_CHANNELS_MAX)
            return wrong(m, "belongs to no pico, or it has too much");
        return kinds[i].take(m, tx, j);
    }
    if (str_eq(is, STR("ruleset")) || str_eq(is, STR("end")) || str_eq(is, STR("hanse-pico")))
        return RC_OK;
    return wrong(m, "no such thing is known here");
}

static enum rc take_rulesets(struct importing *m)
{
    const struct json *j = NULL;
    struct str line = STR("");
    bool some = false;
    lines_rewind(m->lines);
    while (m->lines->line_no < m->last_ruleset) {
        TRY(next_line(m->lines, &line, &some, m->err));
        ASSERT(some); /* it was there before */
        TRY(parse(m, line, &j));
        if (str_eq(text(j, "is"), STR("ruleset")))
            TRY(take_ruleset(m, j));
    }
    return RC_OK;
}

static enum rc walk(struct importing *m, struct tx *tx)
{
    const struct json *j = NULL;
    struct str line;
    bool some = false;
    lines_rewind(m->lines);
    for (;;) {
        TRY(next_line(m->lines, &line, &some, m->err));
        if (!some)
            return RC_OK;
        TRY(parse(m, line, &j));
        arena_reset(tx->arena);
        TRY(take_line(m, tx, j));
    }
}

/* A move arrives once. */
static enum rc check_arrival(struct importing *m, struct tx *tx)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT answer FROM pico_arrival WHERE move = $1", V(m->move)));
    m->arrived = rows.count > 0;
    if (m->arrived && row_null(&rows, 0, 0))
        return err_set(tx->err, RC_CONFLICT, "the move was called off");
    if (m->arrived)
        m->answer = arena_str(&m->arena, row_str(&rows, 0, 0));
    return RC_OK;
}

static enum rc write_rows(struct tx *tx, void *arg)
{
    struct importing *m = arg;
    struct rows rows;
    arena_reset(&m->arena); /* a unit of work may run again */
    map_init(&m->picos, &m->arena, m->e->seed);
    map_init(&m->details, &m->arena, m->e->seed);
    m->details_bytes = 0;
    m->err = tx->err;
    m->now = 0;
    m->count = 0;
    TRY(sql_rows(tx, &rows, "SELECT no FROM pico WHERE id = $1", V(m->parent)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no pico '%.*s'", STRF(m->parent));
    m->parent_no = row_int(&rows, 0, 0);
    if (m->move.n > 0)
        TRY(check_arrival(m, tx));
    if (m->arrived)
        return RC_OK;
    TRY(walk(m, tx));
    m->answer = arena_fmt(&m->arena, "{\"id\":\"%.*s\",\"eci\":\"%.*s\",\"picos\":%lld}",
                          STRF(m->id), STRF(m->eci), (long long)m->count);
    if (m->move.n == 0)
        return RC_OK;
    return sql_run(tx, "INSERT INTO pico_arrival (move, answer, at) VALUES ($1, $2, $3)",
                   V(m->move), V(m->answer), V(tx->now));
}

/* What came along goes on here. */
static void wake(struct importing *m)
{
    struct pico_engine *e = m->e;
    size_t at = 0;
    struct str key;
    void *value = NULL;
    pthread_mutex_lock(&e->lock);
    struct pico *parent = table_pico(e, m->parent_no);
    if (parent != NULL)
        parent->children = true;
    while (map_next(&m->picos, &at, &key, &value)) {
        const struct made *one = value;
        struct pico *p = table_need(e, one->no);
        p->reread = true;
        if (p->run == RUN_IDLE)
            queue_settle(e, p);
    }
    e->next_due = 0;
    pthread_cond_signal(&e->tick);
    pthread_mutex_unlock(&e->lock);
}

enum rc pico_arrive(struct pico_engine *e, const struct pico_arrival *a, struct arena *arena,
                    struct str *ret, struct err *err)
{
    struct importing m = {.e = e, .parent = a->parent, .key = a->key, .move = a->move, .err = err};
    struct str file = a->file;
    struct arena tx_arena;
    if (sodium_init() < 0)
        return err_set(err, RC_INTERNAL, "libsodium does not work here");
    if (file.n > UINT32_MAX)
        return err_set(err, RC_TOO_LARGE, "the file is larger than an import takes");
    m.lines = lines_open(file);
    arena_init(&m.line_arena, LINE_ARENA_BYTES);
    arena_init(&m.arena, ARENA_BYTES);
    arena_init(&tx_arena, ARENA_COMMIT_BYTES);
    enum rc rc = check_file(&m);
    if (rc == RC_OK)
        rc = take_rulesets(&m);
    if (rc == RC_OK)
        rc = store_write(e->store, &tx_arena, err, write_rows, &m);
    if (rc == RC_OK) {
        if (!m.arrived)
            wake(&m);
        *ret = arena_str(arena, m.answer);
    }
    lines_close(m.lines);
    arena_fini(&tx_arena);
    arena_fini(&m.arena);
    arena_fini(&m.line_arena);
    return rc;
}

enum rc pico_import(struct pico_engine *e, struct str parent, struct str file, const uint8_t *key,
                    struct arena *arena, struct str *ret, struct err *err)
{
    const struct pico_arrival a = {.parent = parent, .file = file, .key = key};
    return pico_arrive(e, &a, arena, ret, err);
}

static enum rc refuse(struct tx *tx, void *arg)
{
    const struct str *move = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT answer FROM pico_arrival WHERE move = $1", V(*move)));
    if (rows.count > 0 && !row_null(&rows, 0, 0))
        return err_set(tx->err, RC_CONFLICT, "the move has arrived");
    return sql_run(tx,
                   "INSERT INTO pico_arrival (move, answer, at) VALUES ($1, NULL, $2) ON CONFLICT "
                   "(move) DO NOTHING",
                   V(*move), V(tx->now));
}

enum rc pico_arrival_refuse(struct pico_engine *e, struct str move, struct err *err)
{
    struct arena arena;
    if (move.n == 0 || move.n > ECI_N || !str_is_utf8(move) || memchr(move.p, 0, move.n) != NULL)
        return err_set(err, RC_INVALID, "that is no name of a move");
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, err, refuse, &move);
    arena_fini(&arena);
    return rc;
}
