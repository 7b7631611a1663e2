#include "meter/kept.h"

#include <sodium.h>

enum { KEPT_ARENA_BYTES = 64 * 1024 * 1024, BATCHES_FIRST = 64, BATCHES_MAX = 1000000 };

int kept_place_order(const void *a, const void *b)
{
    const struct kept_place *x = a;
    const struct kept_place *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

struct value kept_key(struct str id, unsigned char key[KEPT_KEY_BYTES])
{
    memset(key, 0, KEPT_KEY_START);
    memcpy(key, id.p, min_size(id.n, KEPT_KEY_START));
    crypto_generichash(key + KEPT_KEY_START, KEPT_KEY_HASH, (const unsigned char *)id.p, id.n, NULL,
                       0);
    return value_bytes(str_n((const char *)key, KEPT_KEY_BYTES));
}

static enum rc take_number(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    (void)tx;
    uint64_t *number = arg;
    ASSERT(columns == 1);
    *number = (uint64_t)cells[0].number;
    return RC_OK;
}

enum rc kept_number(struct tx *tx, int64_t source, struct str id, uint64_t *ret)
{
    unsigned char key[KEPT_KEY_BYTES];
    *ret = 0;
    return sql_each(tx, take_number, ret,
                    "SELECT number FROM usage_event WHERE source = $1 AND key = $2", V(source),
                    kept_key(id, key));
}

/* --- bodies --- */

struct reading {
    int64_t no;
    kept_body_fn fn;
    void *arg;
};

static enum rc hand_body(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct reading *r = arg;
    struct packing_reader records;
    ASSERT(columns == 1);
    packing_open(&records, cells[0].text);
    TRY(r->fn(r->arg, &records));
    if (records.damaged)
        return err_set(tx->err, RC_INVALID, "batch %lld of usage is damaged", (long long)r->no);
    return RC_OK;
}

enum rc kept_body(struct tx *tx, int64_t no, kept_body_fn fn, void *arg)
{
    struct reading r = {no, fn, arg};
    return sql_each(tx, hand_body, &r, "SELECT body FROM usage_batch WHERE no = $1", V(no));
}

/* --- records by their numbers --- */

struct finding {
    struct tx *tx;
    struct arena arena;
    const struct kept_place *places;
    size_t count;
    kept_fn fn;
    void *fn_arg;
    size_t batch_count;
    size_t batch_room;
    int64_t *batches;
};

/* The first place with at least this number. */
static size_t first_place(const struct finding *f, uint64_t number)
{
    size_t low = 0;
    size_t high = f->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->places[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Notes the batches in whose numbers one of the places lies. */
static enum rc note_batch(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct finding *f = arg;
    ASSERT(columns == 3);
    size_t at = first_place(f, (uint64_t)cells[1].number);
    if (at == f->count || f->places[at].number > (uint64_t)cells[2].number)
        return RC_OK;
    if (f->batch_count == BATCHES_MAX)
        return err_set(tx->err, RC_TOO_LARGE,
                       "these records lie in too many batches: ask for less");
    if (f->batch_count == f->batch_room) {
        size_t room = f->batch_room * 2 + BATCHES_FIRST;
        int64_t *more = NEW_N(&f->arena, int64_t, room);
        if (f->batch_count > 0)
            memcpy(more, f->batches, f->batch_count * sizeof *more);
        f->batches = more;
        f->batch_room = room;
    }
    f->batches[f->batch_count++] = cells[0].number;
    return RC_OK;
}

/* Both ascend: one pass. */
static enum rc match_body(void *arg, struct packing_reader *records)
{
    struct finding *f = arg;
    size_t place = 0;
    struct packed p;
    while (place < f->count && packing_next(records, &p)) {
        while (place < f->count && f->places[place].number < p.number)
            place++;
        for (; place < f->count && f->places[place].number == p.number; place++)
            TRY(f->fn(f->fn_arg, &p, f->places[place].index));
    }
    return RC_OK;
}

static enum rc find_places(struct finding *f, int64_t source)
{
    TRY(sql_each(f->tx, note_batch, f,
                 "SELECT no, first_number, last_number FROM usage_batch WHERE source = $1 "
                 "AND last_number >= $2 AND first_number <= $3 ORDER BY last_number, no",
                 V(source), V((int64_t)f->places[0].number),
                 V((int64_t)f->places[f->count - 1].number)));
    for (size_t i = 0; i < f->batch_count; i++)
        TRY(kept_body(f->tx, f->batches[i], match_body, f));
    return RC_OK;
}

enum rc kept_find(struct tx *tx, int64_t source, const struct kept_place *places, size_t count,
                  kept_fn fn, void *arg)
{
    if (count == 0)
        return RC_OK;
    struct finding f = {.tx = tx, .places = places, .count = count, .fn = fn, .fn_arg = arg};
    arena_init(&f.arena, KEPT_ARENA_BYTES);
    enum rc rc = find_places(&f, source);
    arena_fini(&f.arena);
    return rc;
}
