#include "pico/registry.h"

#include "base/map.h"
#include "krl/compile.h"
#include "pico/inside.h"

#include <sodium.h>
#include <stdlib.h>

enum { BUCKETS = 4096, CYCLE_DEPTH_MAX = 64, LOAD_BYTES_MAX = 8 * RULESET_SOURCE_MAX };

struct ruleset_code {
    const struct krl_code *code;
    struct arena arena;
    unsigned refs; /* with the registry's lock */
};

struct entry {
    struct ruleset r;
    char hash[RULESET_HASH_N + 1];
    time_us flushed;
    struct ruleset_code *code; /* NULL: not compiled now; the registry holds one */
    uint64_t used;             /* the registry's count when it was last held */
    struct entry *by_url;
    struct entry *by_rid;
};

struct registry {
    struct pico_engine *e;
    pthread_mutex_t lock;
    struct entry **entries; /* in the order in which they were registered */
    size_t n;
    size_t capacity;
    size_t codes;
    uint64_t count;
    struct entry *url_bucket[BUCKETS];
    struct entry *rid_bucket[BUCKETS];
};

/* --- entries; with the lock --- */

static size_t bucket_of(const struct registry *g, struct str key)
{
    return hash_str(key, g->e->seed) % BUCKETS;
}

static struct entry *find_url(const struct registry *g, struct str url)
{
    struct entry *e = g->url_bucket[bucket_of(g, url)];
    while (e != NULL && !str_eq(e->r.url, url))
        e = e->by_url;
    return e;
}

static struct entry *find_rid(const struct registry *g, struct str rid)
{
    struct entry *e = g->rid_bucket[bucket_of(g, rid)];
    while (e != NULL && !str_eq(e->r.rid, rid))
        e = e->by_rid;
    return e;
}

static struct entry *add_entry(struct registry *g, const struct ruleset *r)
{
    struct entry *e = calloc(1, sizeof *e + r->url.n + r->rid.n);
    ASSERT(e != NULL);
    char *at = (char *)(e + 1);
    e->r = *r;
    memcpy(at, r->url.p, r->url.n);
    e->r.url = str_n(at, r->url.n);
    memcpy(at + r->url.n, r->rid.p, r->rid.n);
    e->r.rid = str_n(at + r->url.n, r->rid.n);
    if (g->n == g->capacity) {
        g->capacity = g->capacity * 2 + 16;
        g->entries = realloc(g->entries, g->capacity * sizeof(struct entry *));
        ASSERT(g->entries != NULL);
    }
    size_t at_n = g->n++;
    for (; at_n > 0 && g->entries[at_n - 1]->r.no > e->r.no; at_n--)
        g->entries[at_n] = g->entries[at_n - 1];
    g->entries[at_n] = e;
    struct entry **url = &g->url_bucket[bucket_of(g, e->r.url)];
    e->by_url = *url;
    *url = e;
    struct entry **rid = &g->rid_bucket[bucket_of(g, e->r.rid)];
    while (*rid != NULL) /* the first one registered is found first */
        rid = &(*rid)->by_rid;
    *rid = e;
    return e;
}

const struct ruleset *registry_url(struct registry *g, struct str url)
{
    pthread_mutex_lock(&g->lock);
    struct entry *e = find_url(g, url);
    pthread_mutex_unlock(&g->lock);
    return e == NULL ? NULL : &e->r;
}

const struct ruleset *registry_rid(struct registry *g, struct str rid)
{
    pthread_mutex_lock(&g->lock);
    struct entry *e = find_rid(g, rid);
    pthread_mutex_unlock(&g->lock);
    return e == NULL ? NULL : &e->r;
}

const struct ruleset *registry_no(struct registry *g, int64_t no)
{
    const struct ruleset *found = NULL;
    pthread_mutex_lock(&g->lock);
    size_t low = 0;
    size_t high = g->n;
    while (low < high) { /* numbers ascend */
        size_t middle = low + (high - low) / 2;
        if (g->entries[middle]->r.no < no)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < g->n && g->entries[low]->r.no == no)
        found = &g->entries[low]->r;
    pthread_mutex_unlock(&g->lock);
    return found;
}

void registry_hash(struct registry *g, const struct ruleset *r, char ret[RULESET_HASH_N + 1])
{
    const struct entry *e = (const struct entry *)(const void *)r; /* r is its first member */
    pthread_mutex_lock(&g->lock);
    memcpy(ret, e->hash, sizeof e->hash);
    pthread_mutex_unlock(&g->lock);
}

/* --- code --- */

static void free_code(struct ruleset_code *c)
{
    arena_fini(&c->arena);
    free(c);
}

static enum rc compile(struct str source, struct ruleset_code **ret, struct err *err)
{
    if (source.n > RULESET_SOURCE_MAX)
        return err_set(err, RC_TOO_LARGE, "Error: a ruleset has at most %d bytes",
                       RULESET_SOURCE_MAX);
    struct ruleset_code *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    arena_init(&c->arena, KRL_COMPILE_BYTES);
    enum rc rc = krl_compile(source, &c->arena, &c->code, err);
    if (rc == RC_OK && c->code->rid.n == 0)
        rc = err_set(err, RC_SYNTAX, "Error: this is no ruleset");
    if (rc != RC_OK) {
        free_code(c);
        return rc;
    }
    *ret = c;
    return RC_OK;
}

/* With the lock: give up one reference. */
static void let_go(struct registry *g, struct ruleset_code *c)
{
    ASSERT(c->refs > 0);
    if (--c->refs > 0)
        return;
    ASSERT(g->codes > 0);
    g->codes--;
    free_code(c);
}

/* With the lock: what nobody runs makes room. */
static void make_room(struct registry *g)
{
    struct entry *oldest = NULL;
    if (g->codes <= RULESET_CODES_MAX)
        return;
    for (size_t i = 0; i < g->n; i++) {
        struct entry *e = g->entries[i];
        if (e->code != NULL && e->code->refs == 1 && (oldest == NULL || e->used < oldest->used))
            oldest = e;
    }
    if (oldest == NULL)
        return;
    let_go(g, oldest->code);
    oldest->code = NULL;
}

struct source {
    int64_t no;
    struct str text;
    struct str hash;
};

static enum rc read_source(struct tx *tx, void *arg)
{
    struct source *s = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT source, hash FROM pico_ruleset WHERE no = $1", V(s->no)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "Error: the ruleset is not known");
    s->text = row_str(&rows, 0, 0);
    s->hash = row_str(&rows, 0, 1);
    return RC_OK;
}

/* With the lock: take a reference where it is compiled. */
static bool take_code(struct registry *g, struct entry *e, struct ruleset_code **ret,
                      struct ruleset_facts *ret_facts)
{
    if (e->code == NULL)
        return false;
    e->used = ++g->count;
    e->code->refs++;
    *ret = e->code;
    if (ret_facts != NULL) {
        ret_facts->code = e->code->code;
        ret_facts->flushed = e->flushed;
        memcpy(ret_facts->hash, e->hash, sizeof e->hash);
    }
    return true;
}

static enum rc compile_stored(struct registry *g, struct entry *e, struct err *err)
{
    struct arena arena;
    struct source s = {.no = e->r.no};
    struct ruleset_code *made = NULL;
    arena_init(&arena, LOAD_BYTES_MAX);
    enum rc rc = store_read(g->e->store, &arena, err, read_source, &s);
    if (rc == RC_OK)
        rc = compile(s.text, &made, err);
    if (rc == RC_OK) {
        pthread_mutex_lock(&g->lock);
        if (e->code == NULL && str_eq(s.hash, str_c(e->hash))) {
            made->refs = 1;
            e->code = made;
            g->codes++;
        } else {
            free_code(made); /* somebody was faster, or it was replaced: look again */
        }
        pthread_mutex_unlock(&g->lock);
    }
    arena_fini(&arena);
    return rc;
}

enum rc registry_hold(struct registry *g, const struct ruleset *r, struct ruleset_code **ret,
                      struct ruleset_facts *ret_facts, struct err *err)
{
    struct entry *e = CONTAINER_OF((uintptr_t)r, struct entry, r); /* ours, and changes here */
    for (;;) {
        pthread_mutex_lock(&g->lock);
        bool taken = take_code(g, e, ret, ret_facts);
        if (taken)
            make_room(g);
        pthread_mutex_unlock(&g->lock);
        if (taken)
            return RC_OK;
        TRY(compile_stored(g, e, err));
    }
}

void registry_release(struct registry *g, struct ruleset_code *code)
{
    if (code == NULL)
        return;
    pthread_mutex_lock(&g->lock);
    let_go(g, code);
    pthread_mutex_unlock(&g->lock);
}

/* --- registering --- */

/* Whether the ruleset rid can be reached from what code uses: a circle. */
static enum rc check_uses(struct registry *g, const struct krl_code *code, struct str rid,
                          struct str path, int depth, struct err *err)
{
    for (uint32_t i = 0; i < code->uses_n; i++) {
        struct ruleset_code *held = NULL;
        struct ruleset_facts facts = {.code = NULL};
        struct str used = code->uses[i].rid;
        if (str_eq(used, rid))
            return err_set(err, RC_CONFLICT, "Error: Dependency Cycle Found: %.*s -> %.*s",
                           STRF(path), STRF(rid));
        const struct ruleset *r = registry_rid(g, used);
        if (r == NULL)
            return err_set(err, RC_CONFLICT, "Error: Dependant module not loaded: %.*s",
                           STRF(used));
        if (depth == CYCLE_DEPTH_MAX)
            return err_set(err, RC_CONFLICT, "Error: modules use modules more than %d levels deep",
                           CYCLE_DEPTH_MAX);
        char text[ERR_TEXT_MAX];
        int n = snprintf(text, sizeof text, "%.*s -> %.*s", STRF(path), STRF(used));
        TRY(registry_hold(g, r, &held, &facts, err));
        enum rc rc = check_uses(g, facts.code, rid,
                                str_n(text, min_size((size_t)n, sizeof text - 1)), depth + 1, err);
        registry_release(g, held);
        TRY(rc);
    }
    return RC_OK;
}

struct putting {
    struct registry *g;
    struct str url;
    struct str rid;
    struct str hash;
    struct str source;
    time_us now;
    int64_t no;
    int64_t rid_no;
    bool known; /* only the time changes */
};

static enum rc put_rid(struct tx *tx, struct putting *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT no FROM pico_rid WHERE rid = $1", V(p->rid)));
    if (rows.count > 0) {
        p->rid_no = row_int(&rows, 0, 0);
        return RC_OK;
    }
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM pico_rid"));
    p->rid_no = row_int(&rows, 0, 0);
    return sql_run(tx, "INSERT INTO pico_rid (no, rid) VALUES ($1, $2)", V(p->rid_no), V(p->rid));
}

static enum rc put_rows(struct tx *tx, void *arg)
{
    struct putting *p = arg;
    struct rows rows;
    if (p->known)
        return sql_run(tx, "UPDATE pico_ruleset SET flushed = $1 WHERE url = $2", V(p->now),
                       V(p->url));
    TRY(put_rid(tx, p));
    TRY(sql_rows(tx, &rows, "SELECT no FROM pico_ruleset WHERE url = $1", V(p->url)));
    if (rows.count > 0) {
        p->no = row_int(&rows, 0, 0);
        return sql_run(tx,
                       "UPDATE pico_ruleset SET rid = $1, hash = $2, flushed = $3, source = $4 "
                       "WHERE no = $5",
                       V(p->rid_no), V(p->hash), V(p->now), V(p->source), V(p->no));
    }
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM pico_ruleset"));
    p->no = row_int(&rows, 0, 0);
    return sql_run(tx,
                   "INSERT INTO pico_ruleset (no, url, rid, hash, flushed, source) VALUES ($1, $2, "
                   "$3, $4, $5, $6)",
                   V(p->no), V(p->url), V(p->rid_no), V(p->hash), V(p->now), V(p->source));
}

static void hash_source(struct str source, char hash[RULESET_HASH_N + 1])
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(sum, (const unsigned char *)source.p, source.n); /* cannot fail */
    (void)sodium_bin2hex(hash, RULESET_HASH_N + 1, sum, sizeof sum);
}

/* With the lock: what was stored is used from now on. */
static struct entry *take_in(struct registry *g, const struct putting *p, struct ruleset_code *code)
{
    struct entry *e = find_url(g, p->url);
    if (e == NULL)
        e = add_entry(
            g, &(struct ruleset){.no = p->no, .url = p->url, .rid = p->rid, .rid_no = p->rid_no});
    if (e->code != NULL)
        let_go(g, e->code);
    code->refs = 1;
    e->code = code;
    e->used = ++g->count;
    e->flushed = p->now;
    memcpy(e->hash, p->hash.p, RULESET_HASH_N);
    g->codes++;
    return e;
}

static enum rc check_new(struct registry *g, struct str url, const struct krl_code *code,
                         struct err *err)
{
    const struct ruleset *was = registry_url(g, url);
    if (code->rid.n > WORD_MAX)
        return err_set(err, RC_TOO_LARGE, "Error: the name of a ruleset has at most %d bytes",
                       WORD_MAX);
    if (was != NULL && !str_eq(was->rid, code->rid))
        return err_set(err, RC_CONFLICT, "Error: %.*s holds the ruleset %.*s, not %.*s", STRF(url),
                       STRF(was->rid), STRF(code->rid));
    if (was == NULL && g->n >= RULESETS_MAX)
        return err_set(err, RC_TOO_MANY, "Error: there are %d rulesets already", RULESETS_MAX);
    return check_uses(g, code, code->rid, code->rid, 0, err);
}

enum rc registry_put(struct registry *g, struct str url, struct str source,
                     const struct ruleset **ret, struct err *err)
{
    char hash[RULESET_HASH_N + 1];
    struct ruleset_code *code = NULL;
    if (url.n == 0 || url.n > RULESET_URL_MAX)
        return err_set(err, RC_INVALID, "TypeError: Expected `url`");
    hash_source(source, hash);
    TRY(compile(source, &code, err));
    enum rc rc = check_new(g, url, code->code, err);
    pthread_mutex_lock(&g->lock);
    struct entry *was = find_url(g, url);
    bool known = was != NULL && strcmp(was->hash, hash) == 0;
    pthread_mutex_unlock(&g->lock);
    struct putting p = {.g = g,
                        .url = url,
                        .rid = code->code->rid,
                        .hash = str_c(hash),
                        .source = source,
                        .now = clock_now(g->e->clock),
                        .known = known};
    struct arena arena;
    arena_init(&arena, LOAD_BYTES_MAX);
    if (rc == RC_OK)
        rc = store_write(g->e->store, &arena, err, put_rows, &p);
    arena_fini(&arena);
    if (rc != RC_OK) {
        free_code(code);
        return rc;
    }
    pthread_mutex_lock(&g->lock);
    struct entry *e = take_in(g, &p, code);
    pthread_mutex_unlock(&g->lock);
    *ret = &e->r;
    return RC_OK;
}

/* --- fetching --- */

static enum rc read_file(struct registry *g, struct str name, struct arena *arena, struct str *ret,
                         struct err *err)
{
    struct str folder = g->e->o.rulesets;
    if (folder.n == 0)
        return err_set(err, RC_FORBIDDEN, "Error: this engine reads no files");
    if (name.n == 0 || name.p[0] == '/' || str_has(name, STR("..")) || memchr(name.p, 0, name.n))
        return err_set(err, RC_FORBIDDEN, "Error: file: names a file in the folder of rulesets");
    struct str path = arena_fmt(arena, "%.*s/%.*s", STRF(folder), STRF(name));
    FILE *f = fopen(arena_cstr(arena, path), "re");
    if (f == NULL)
        return err_set(err, RC_NOT_FOUND, "Error: there is no file %.*s", STRF(name));
    char *bytes = arena_bytes(arena, RULESET_SOURCE_MAX + 1);
    size_t n = fread(bytes, 1, RULESET_SOURCE_MAX + 1, f);
    bool failed = ferror(f) != 0;
    (void)fclose(f); /* read only */
    if (failed)
        return err_set(err, RC_UNAVAILABLE, "Error: %.*s cannot be read", STRF(name));
    *ret = str_n(bytes, n);
    return RC_OK;
}

static enum rc fetch(struct registry *g, struct str url, struct arena *arena, struct str *ret,
                     struct err *err)
{
    struct wire *wire = g->e->o.wire;
    struct wire_reply reply = {0};
    if (str_starts(url, STR("file:"))) {
        struct str name = str_sub(url, 5, url.n);
        while (str_starts(name, STR("/")))
            name = str_sub(name, 1, name.n);
        return read_file(g, name, arena, ret, err);
    }
    if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
        return err_set(err, RC_INVALID, "TypeError: Expected `url`");
    if (wire == NULL)
        return err_set(err, RC_FORBIDDEN, "Error: this engine fetches nothing from the net");
    const struct wire_request request = {.method = STR("GET"),
                                         .url = url,
                                         .timeout_us = 10 * US_PER_SECOND,
                                         .reply_bytes_max = RULESET_SOURCE_MAX,
                                         .public_only = !g->e->o.private_hosts,
                                         .follow = true};
    TRY(wire_call(wire, &request, arena, &reply, err));
    if (reply.status < 200 || reply.status > 299)
        return err_set(err, RC_REMOTE, "Error: Got a statusCode=%d for: %.*s", reply.status,
                       STRF(url));
    *ret = reply.body;
    return RC_OK;
}

/* What was handed in with its source, and what comes with the engine, can be read nowhere: it is as
 * it should be. */
static enum rc flush_handed_in(struct registry *g, struct str url, const struct ruleset **ret,
                               struct err *err)
{
    const struct ruleset *set = registry_url(g, url);
    if (set == NULL)
        return err_set(err, RC_NOT_FOUND, "Error: there is no ruleset %.*s", STRF(url));
    *ret = set;
    return RC_OK;
}

enum rc registry_flush(struct registry *g, struct str url, const struct ruleset **ret,
                       struct err *err)
{
    struct arena arena;
    struct str source;
    if (str_starts(url, STR("hanse:")))
        return flush_handed_in(g, url, ret, err);
    arena_init(&arena, LOAD_BYTES_MAX);
    enum rc rc = fetch(g, url, &arena, &source, err);
    if (rc == RC_OK && !str_is_utf8(source))
        rc = err_set(err, RC_SYNTAX, "Error: the ruleset is not UTF-8");
    if (rc == RC_OK)
        rc = registry_put(g, url, source, ret, err);
    arena_fini(&arena);
    return rc;
}

/* --- open and close --- */

static enum rc read_entry(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct registry *g = arg;
    (void)tx;
    ASSERT(columns == 6);
    struct entry *e = add_entry(g, &(struct ruleset){.no = cells[0].number,
                                                     .url = cells[1].text,
                                                     .rid = cells[2].text,
                                                     .rid_no = cells[3].number});
    ASSERT(cells[4].text.n == RULESET_HASH_N);
    memcpy(e->hash, cells[4].text.p, RULESET_HASH_N);
    e->flushed = cells[5].number;
    return RC_OK;
}

static enum rc read_entries(struct tx *tx, void *arg)
{
    return sql_each(tx, read_entry, arg,
                    "SELECT s.no, s.url, r.rid, r.no, s.hash, s.flushed FROM pico_ruleset s JOIN "
                    "pico_rid r ON r.no = s.rid ORDER BY s.no");
}

enum rc registry_open(struct registry **ret, struct pico_engine *e, struct err *err)
{
    struct registry *g = calloc(1, sizeof *g);
    struct arena arena;
    ASSERT(g != NULL);
    g->e = e;
    pthread_mutex_init(&g->lock, NULL);
    arena_init(&arena, LOAD_BYTES_MAX);
    enum rc rc = store_read(e->store, &arena, err, read_entries, g);
    arena_fini(&arena);
    if (rc != RC_OK) {
        registry_close(g);
        return rc;
    }
    *ret = g;
    return RC_OK;
}

void registry_close(struct registry *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->n; i++) {
        if (g->entries[i]->code != NULL)
            let_go(g, g->entries[i]->code);
        free(g->entries[i]);
    }
    free(g->entries);
    pthread_mutex_destroy(&g->lock);
    free(g);
}
