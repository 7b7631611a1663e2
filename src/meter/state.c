#include "meter/state.h"

#include <endian.h>
#include <stdlib.h>

enum rc state_read(struct str bytes, struct arena *arena, struct state *ret, struct err *err)
{
    if (bytes.n % STATE_ENTRY_BYTES != 0 || bytes.n / STATE_ENTRY_BYTES > STATE_ENTRIES_MAX)
        return err_set(err, RC_INVALID, "a meter's state is damaged");
    struct state s = {.count = bytes.n / STATE_ENTRY_BYTES};
    s.entries = NEW_N(arena, struct entry, s.count);
    for (size_t i = 0; i < s.count; i++) {
        uint64_t words[2];
        memcpy(words, bytes.p + i * STATE_ENTRY_BYTES, sizeof words);
        s.entries[i] = (struct entry){(int64_t)le64toh(words[0]), (int64_t)le64toh(words[1])};
    }
    *ret = s;
    return RC_OK;
}

struct str state_write(const struct state *s, struct arena *arena)
{
    char *p = arena_bytes(arena, s->count * STATE_ENTRY_BYTES + 1);
    for (size_t i = 0; i < s->count; i++) {
        uint64_t words[2] = {htole64((uint64_t)s->entries[i].place),
                             htole64((uint64_t)s->entries[i].value)};
        memcpy(p + i * STATE_ENTRY_BYTES, words, sizeof words);
    }
    return str_n(p, s->count * STATE_ENTRY_BYTES);
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

static void add(struct state *s, struct entry e)
{
    struct entry *last = s->count > 0 ? &s->entries[s->count - 1] : NULL;
    if (last != NULL && last->place == e.place)
        last->value = max_i64(last->value, e.value);
    else
        s->entries[s->count++] = e;
}

enum rc state_merge(const struct state *a, struct entry *fresh, size_t count, struct arena *arena,
                    struct state *ret, struct err *err)
{
    size_t i = 0;
    size_t k = 0;
    if (a->count + count > STATE_ENTRIES_MAX)
        return err_set(err, RC_TOO_LARGE, "a meter remembers at most %d samples",
                       STATE_ENTRIES_MAX);
    struct state s = {.entries = NEW_N(arena, struct entry, a->count + count)};
    qsort(fresh, count, sizeof *fresh, by_place);
    while (i < a->count || k < count) {
        bool old = k == count || (i < a->count && a->entries[i].place <= fresh[k].place);
        add(&s, old ? a->entries[i++] : fresh[k++]);
    }
    *ret = s;
    return RC_OK;
}

int64_t state_part(enum meter_kind kind, int64_t place)
{
    int64_t day = kind == METER_P95 ? US_PER_DAY / STATE_SLOT_US : US_PER_DAY;
    if (kind == METER_UNIQUE)
        return (int64_t)((uint64_t)place >> (64 - STATE_SLICE_BITS));
    return place / day - (place % day < 0);
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

int64_t state_p95(int64_t *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, by_value);
    return values[count - 1 - count * 5 / 100];
}

int64_t state_step(int64_t before, int64_t now)
{
    ASSERT(before >= 0);
    return now >= before ? now - before : now;
}

__int128 state_growth(const struct state *s)
{
    __int128 sum = 0;
    for (size_t i = 1; i < s->count; i++)
        sum += state_step(s->entries[i - 1].value, s->entries[i].value);
    return sum;
}
