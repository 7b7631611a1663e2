/*
 * A file that is said to be an export of picos, from a stranger: the bytes as they are, and as the
 * lines of a file that is whole and signed. It is refused with a sentence, or its picos are there:
 * they work, they are exported again as they came, and what was exported is taken again.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "pico/move.h"

#include <sodium.h>
#include <zlib.h>

enum {
    GZIP = 15 + 16,
    LEVEL = 1,
    ARENA_BYTES = 256 * 1024 * 1024,
    FILE_BYTES_MAX = 8 * 1024 * 1024,
    LINES_BYTES_MAX = 64 * 1024,
    STEPS = 100 * 1000,
    MEMORY = 4 * 1024 * 1024,
    RUNS_MAX = 100, /* on one engine: rulesets stay */
};

/* One engine for some inputs. */
struct table {
    struct clock_sim sim;
    struct store *store;
    struct pico_engine *e;
    struct arena arena;
    struct err err;
    int runs;
};

static void lay(struct table *t)
{
    struct err err = {0};
    clock_sim_init(&t->sim, INT64_C(1764000000) * US_PER_SECOND, 1);
    ASSERT(
        store_open(&t->store,
                   &(struct store_options){.url = STR("sqlite::memory:"), .clock = &t->sim.clock},
                   &err) == RC_OK);
    const struct pico_options o = {.store = t->store,
                                   .clock = &t->sim.clock,
                                   .base_url = STR("http://localhost:3000"),
                                   .steps_max = STEPS,
                                   .memory_max = MEMORY};
    ASSERT(pico_engine_open(&t->e, &o, &err) == RC_OK);
    t->runs = 0;
}

static void clear(struct table *t)
{
    pico_engine_close(t->e);
    store_close(t->store);
}

/* --- the file --- */

static struct str pack(struct arena *arena, struct str lines)
{
    z_stream z = {0};
    size_t room = lines.n + lines.n / 2 + 1024;
    unsigned char *out = arena_alloc(arena, room);
    ASSERT(deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)lines.p;
    z.avail_in = (unsigned)lines.n;
    z.next_out = out;
    z.avail_out = (unsigned)room;
    ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    ASSERT(deflateEnd(&z) == Z_OK);
    return str_n((char *)out, room - z.avail_out);
}

static struct str unpack(struct arena *arena, struct str file)
{
    z_stream z = {0};
    unsigned char *out = arena_alloc(arena, FILE_BYTES_MAX);
    ASSERT(inflateInit2(&z, GZIP) == Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)file.p;
    z.avail_in = (unsigned)file.n;
    z.next_out = out;
    z.avail_out = FILE_BYTES_MAX;
    ASSERT(inflate(&z, Z_FINISH) == Z_STREAM_END);
    ASSERT(inflateEnd(&z) == Z_OK);
    return str_n((char *)out, FILE_BYTES_MAX - z.avail_out);
}

static void add_base64(struct buf *b, const uint8_t *p, size_t n)
{
    char text[256];
    ASSERT(sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL) <= sizeof text);
    (void)sodium_bin2base64(text, sizeof text, p, n, sodium_base64_VARIANT_ORIGINAL);
    buf_add(b, str_c(text));
}

/* The lines with the last one that an engine of ours would have put below. */
static struct str signed_file(struct arena *arena, struct str lines)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
    uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint8_t hash[crypto_generichash_BYTES], signature[crypto_sign_BYTES];
    struct buf b;
    long long picos = 0;
    ASSERT(crypto_sign_seed_keypair(public, secret, seed) == 0);
    ASSERT(crypto_generichash(hash, sizeof hash, (const uint8_t *)lines.p, lines.n, NULL, 0) == 0);
    ASSERT(crypto_sign_detached(signature, NULL, hash, sizeof hash, secret) == 0);
    for (struct str rest = lines; rest.n > 0;)
        picos += str_has(str_cut(&rest, '\n'), STR("\"is\":\"pico\""));
    buf_init(&b, arena, (size_t)2 * LINES_BYTES_MAX);
    buf_add(&b, lines);
    buf_fmt(&b, "{\"is\":\"end\",\"picos\":%lld,\"key\":\"", picos);
    add_base64(&b, public, sizeof public);
    buf_add(&b, STR("\",\"signature\":\""));
    add_base64(&b, signature, sizeof signature);
    buf_add(&b, STR("\"}\n"));
    ASSERT(!b.full);
    return pack(arena, buf_str(&b));
}

/* --- what is done with it --- */

static enum rc import(struct table *t, struct str file, struct str *ret)
{
    err_clear(&t->err);
    enum rc rc = pico_import(t->e, pico_root(t->e), file, NULL, &t->arena, ret, &t->err);
    ASSERT(rc == RC_OK || rc == RC_INVALID || rc == RC_UNAUTHENTICATED || rc == RC_CONFLICT ||
           rc == RC_TOO_LARGE || rc == RC_SYNTAX);
    ASSERT(rc == RC_OK || err_text(&t->err).n > 0);
    return rc;
}

static enum rc keep(void *arg, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(arg, bytes);
    return RC_OK;
}

static struct str export(struct table *t, struct str id)
{
    struct buf b;
    buf_init(&b, &t->arena, FILE_BYTES_MAX);
    ASSERT(pico_export(t->e, id, keep, &b, &t->err) == RC_OK);
    ASSERT(!b.full);
    return buf_str(&b);
}

static void done(struct pico_request *r)
{
    *(bool *)r->inner = true;
}

static void ask(struct table *t, struct pico_request r)
{
    bool is_done = false;
    r.arena = &t->arena;
    r.done = done;
    r.inner = &is_done;
    r.inside = true;
    pico_submit(t->e, &r);
    ASSERT(pico_engine_run_due(t->e, &t->err) == RC_OK);
    ASSERT(is_done);
    ASSERT(r.rc == RC_OK || err_text(&r.err).n > 0);
    ASSERT(r.rc != RC_INTERNAL);
}

/* Its state is read, the rules go on where the file says, its schedules come. */
static void use(struct table *t, struct str id)
{
    static const char *const names[] = {"a", "b", "add", "plan", "tell"};
    for (size_t i = 0; i < COUNT(names); i++)
        ask(t, (struct pico_request){.ask = PICO_EVENT_WAIT,
                                     .eci = id,
                                     .eid = STR("none"),
                                     .domain = STR("life"),
                                     .name = str_c(names[i])});
    ask(t, (struct pico_request){
               .ask = PICO_QUERY, .eci = id, .rid = STR("life"), .query = STR("all")});
    clock_sim_advance(&t->sim, 3600 * US_PER_SECOND);
    ASSERT(pico_engine_run_due(t->e, &t->err) == RC_OK);
}

/* Lines that differ each time: the head has the time, events their new numbers, the end both. */
static bool may_differ(struct str line)
{
    return str_has(line, STR("\"is\":\"hanse-pico\"")) || str_has(line, STR("\"is\":\"event\"")) ||
           str_has(line, STR("\"is\":\"end\""));
}

static void check_same(struct str was, struct str is)
{
    while (was.n > 0 && is.n > 0) {
        struct str one = str_cut(&was, '\n');
        struct str other = str_cut(&is, '\n');
        ASSERT(may_differ(one) ? may_differ(other) : str_eq(one, other));
    }
    ASSERT(was.n == 0 && is.n == 0);
}

static void take(struct table *t, struct str file)
{
    struct str answer = STR("");
    if (import(t, file, &answer) != RC_OK)
        return;
    ASSERT(str_starts(answer, STR("{\"id\":\"")));
    struct str id = str_sub(answer, 7, answer.n);
    id = str_cut(&id, '"');
    struct str was = export(t, id);
    struct str again = STR("");
    ASSERT(import(t, was, &again) == RC_CONFLICT); /* its identifiers are in use */
    use(t, id);
    ask(t, (struct pico_request){.ask = PICO_DELETE, .eci = id});
    ASSERT(import(t, was, &again) == RC_OK);
    check_same(unpack(&t->arena, was), unpack(&t->arena, export(t, id)));
    ask(t, (struct pico_request){.ask = PICO_DELETE, .eci = id});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct table t;
    struct str bytes = str_n((const char *)data, size);
    if (size > LINES_BYTES_MAX)
        return 0;
    ASSERT(sodium_init() >= 0);
    if (t.e == NULL || ++t.runs == RUNS_MAX) {
        if (t.e != NULL)
            clear(&t);
        lay(&t);
    }
    arena_init(&t.arena, ARENA_BYTES);
    take(&t, bytes);
    take(&t, signed_file(&t.arena, bytes));
    arena_fini(&t.arena);
    return 0;
}
