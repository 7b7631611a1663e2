#include "api/idempotency.h"

#include "api/inside.h"

#include <sodium.h>

enum {
    SWEEP_EVERY = 64, /* one in so many keyed requests clears what is too old */
    SWEEP_ROWS = 512,
    HEAD_BYTES_MAX = 16 * 1024,
};

enum rc idempotency_read(struct request *r)
{
    struct call *c = &r->call;
    bool taken = (c->route->kind == ROUTE_WRITE || c->route->kind == ROUTE_WORK) &&
                 !(c->route->flags & ROUTE_NO_REPLAY);
    r->idempotency.key = taken ? http_header(c->x, "Idempotency-Key") : STR("");
    struct str key = r->idempotency.key;
    if (key.n == 0 && (c->route->flags & ROUTE_NEEDS_KEY))
        return err_set(c->err, RC_INVALID, "an Idempotency-Key header is wanted here");
    bool printable = key.n <= IDEMPOTENCY_KEY_MAX;
    for (size_t i = 0; i < key.n && printable; i++)
        printable = key.p[i] >= 0x21 && key.p[i] <= 0x7E;
    if (!printable)
        return err_set(c->err, RC_SYNTAX,
                       "an Idempotency-Key has 1 to %d printable characters without spaces",
                       IDEMPOTENCY_KEY_MAX);
    return RC_OK;
}

/* Whose keys these are: never two callers' in one space. */
static struct str scope_of(const struct caller *who)
{
    switch (who->kind) {
    case CALLER_TOKEN:
        return who->token;
    case CALLER_SESSION:
        return who->session;
    case CALLER_NODE:
        return who->node;
    case CALLER_NOBODY:
        break;
    }
    return STR("nobody");
}

static void hash_part(crypto_generichash_state *state, struct str part)
{
    uint64_t n = part.n; /* the length in front: no two lists of parts look the same */
    crypto_generichash_update(state, (const unsigned char *)&n, sizeof n);
    crypto_generichash_update(state, (const unsigned char *)part.p, part.n);
}

static void make_hashes(struct request *r)
{
    struct call *c = &r->call;
    struct idempotency *i = &r->idempotency;
    unsigned char out[IDEMPOTENCY_HASH + IDEMPOTENCY_SEAL];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof out);
    hash_part(&state, STR("hanse idempotent answer 1"));
    hash_part(&state, c->caller.kind == CALLER_NOBODY ? STR("") : r->credential.secret);
    hash_part(&state, i->key);
    hash_part(&state, http_method_name(c->x));
    hash_part(&state, http_target(c->x));
    hash_part(&state, http_body(c->x));
    crypto_generichash_final(&state, out, sizeof out);
    memcpy(i->hash, out, sizeof i->hash);
    memcpy(i->seal, out + sizeof i->hash, sizeof i->seal);
    sodium_memzero(out, sizeof out);
    i->ready = true;
}

static struct str to_hex(const unsigned char *bytes, size_t n, struct arena *arena)
{
    char *text = arena_bytes(arena, 2 * n + 1);
    sodium_bin2hex(text, 2 * n + 1, bytes, n);
    return str_n(text, 2 * n);
}

/* --- sealing --- */

/* The nonce is a keyed hash of the text (as in SIV), so that none is used for two texts, and no
 * chance is needed inside a unit of work. Stored: base64 of nonce and sealed text. */
static struct str seal(const struct idempotency *i, struct str text, struct arena *arena)
{
    size_t n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.n;
    unsigned char *box = (unsigned char *)arena_bytes(arena, n);
    crypto_generichash(box, crypto_secretbox_NONCEBYTES, (const unsigned char *)text.p, text.n,
                       i->seal, sizeof i->seal);
    crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, (const unsigned char *)text.p, text.n,
                          box, i->seal);
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    char *out = arena_bytes(arena, size);
    sodium_bin2base64(out, size, box, n, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    return str_c(out);
}

static bool unseal(const struct idempotency *i, struct str sealed, struct arena *arena,
                   struct str *ret)
{
    unsigned char *box = (unsigned char *)arena_bytes(arena, sealed.n + 1);
    size_t n = 0;
    if (sodium_base642bin(box, sealed.n + 1, sealed.p, sealed.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
        n < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)
        return false;
    size_t size = n - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES;
    unsigned char *text = (unsigned char *)arena_bytes(arena, size + 1);
    if (crypto_secretbox_open_easy(text, box + crypto_secretbox_NONCEBYTES,
                                   n - crypto_secretbox_NONCEBYTES, box, i->seal) != 0)
        return false;
    *ret = str_n((const char *)text, size);
    return true;
}

/* The answer's head as lines "name value": type, location, etag, and the other headers. */
static struct str head_write(const struct call *c)
{
    struct buf b;
    buf_init(&b, c->arena, HEAD_BYTES_MAX);
    buf_fmt(&b, "type %s\nlocation %.*s\netag %.*s\n", c->type ? c->type : "", STRF(c->location),
            STRF(c->etag));
    for (size_t i = 0; i < c->header_count; i++)
        buf_fmt(&b, "%.*s %.*s\n", STRF(c->headers[i].name), STRF(c->headers[i].value));
    ASSERT(!b.full);
    return buf_str(&b);
}

static void head_read(struct call *c, struct str head)
{
    while (head.n > 0) {
        struct str value = str_cut(&head, '\n');
        struct str name = str_cut(&value, ' ');
        if (str_eq(name, STR("type")))
            c->type = value.n ? arena_cstr(c->arena, value) : NULL;
        else if (str_eq(name, STR("location")))
            c->location = value;
        else if (str_eq(name, STR("etag")))
            c->etag = value;
        else
            call_header(c, arena_cstr(c->arena, name), value);
    }
}

/* --- the table --- */

enum rc idempotency_find(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    struct idempotency *i = &r->idempotency;
    r->replayed = false;
    if (i->key.n == 0)
        return RC_OK;
    make_hashes(r);
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT hash, status, headers, body FROM idempotency"
                 " WHERE caller = $1 AND key = $2 AND created > $3",
                 V(scope_of(&c->caller)), V(i->key), V(tx->now - IDEMPOTENCY_KEEP_US)));
    if (rows.count == 0)
        return RC_OK;
    struct str head;
    struct str body;
    if (!str_eq(row_str(&rows, 0, 0), to_hex(i->hash, sizeof i->hash, c->arena)) ||
        !unseal(i, row_str(&rows, 0, 2), c->arena, &head) ||
        !unseal(i, row_str(&rows, 0, 3), c->arena, &body))
        return err_set(c->err, RC_INVALID,
                       "this Idempotency-Key was used for another request: take a new one");
    call_reset(c);
    c->status = (int)row_int(&rows, 0, 1);
    c->reply_body = body;
    head_read(c, head);
    call_header(c, "Idempotent-Replayed", STR("true"));
    r->replayed = true;
    return RC_OK;
}

/* Rows that are too old go in small portions beside the requests that use keys: no thread and no
 * timer, and a table that is not used does not grow. */
static enum rc sweep(struct request *r, struct tx *tx)
{
    if (r->idempotency.hash[0] % SWEEP_EVERY != 0)
        return RC_OK;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT caller, key FROM idempotency WHERE created <= $1"
                 " ORDER BY created, caller, key LIMIT $2",
                 V(tx->now - IDEMPOTENCY_KEEP_US), V((int64_t)SWEEP_ROWS)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(sql_run(tx, "DELETE FROM idempotency WHERE caller = $1 AND key = $2",
                    V(row_str(&rows, i, 0)), V(row_str(&rows, i, 1))));
    return RC_OK;
}

enum rc idempotency_keep(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    struct idempotency *i = &r->idempotency;
    if (i->key.n == 0)
        return RC_OK;
    ASSERT(i->ready);
    ASSERT(!r->replayed);
    TRY(sweep(r, tx));
    struct str scope = scope_of(&c->caller);
    /* What is there under this key is too old, or idempotency_find had found it. */
    return sql_run(tx,
                   "INSERT INTO idempotency (caller, key, hash, status, headers, body, created)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7)"
                   " ON CONFLICT (caller, key) DO UPDATE SET hash = $3, status = $4, headers = $5,"
                   " body = $6, created = $7",
                   V(scope), V(i->key), V(to_hex(i->hash, sizeof i->hash, c->arena)),
                   V((int64_t)c->status), V(seal(i, head_write(c), c->arena)),
                   V(seal(i, c->reply_body, c->arena)), V(tx->now));
}
