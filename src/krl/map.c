/* Maps of KRL (value.h): an array of entries in their order, and an index where there are many. */
#include "krl/value.h"

enum {
    LINEAR_MAX = 8,      /* so many entries are searched one by one */
    INTEGER_DIGITS = 10, /* of 4294967294 */
    SHIFT_STEP = 16,     /* so many moved entries cost one step */
};

bool krl_integer_key(const struct krl_text *key, uint32_t *ret)
{
    if (key->wide || key->n == 0 || key->n > INTEGER_DIGITS || (key->a[0] == '0' && key->n > 1))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < key->n; i++) {
        if (key->a[i] < '0' || key->a[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(key->a[i] - '0');
    }
    if (value >= UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* --- the index --- */

static uint32_t slot_of(const struct krl_table *t, const struct krl_text *key)
{
    return (uint32_t)krl_text_hash(key, t->seed) & t->mask;
}

static void index_entry(struct krl_table *t, uint32_t i)
{
    uint32_t slot = slot_of(t, t->entries[i].key);
    while (t->slots[slot] != 0)
        slot = (slot + 1) & t->mask;
    t->slots[slot] = i + 1;
}

static void index_again(struct krl_table *t)
{
    if (t->mask == 0)
        return;
    memset(t->slots, 0, ((size_t)t->mask + 1) * sizeof *t->slots);
    for (uint32_t i = 0; i < t->used; i++)
        index_entry(t, i);
}

static struct krl_table *table_new(struct krl_heap *h, size_t capacity)
{
    capacity = max_size(capacity, 4);
    if (capacity >= UINT32_MAX / 4) {
        krl_fail(h, RC_TOO_LARGE, "Error: out of memory: a map is too large");
        return NULL;
    }
    struct krl_table *t = krl_take(h, sizeof *t + capacity * sizeof(struct krl_entry));
    if (t == NULL)
        return NULL;
    t->owner = h;
    t->capacity = (uint32_t)capacity;
    t->seed[0] = h->seed[0];
    t->seed[1] = h->seed[1];
    if (capacity <= LINEAR_MAX)
        return t;
    size_t slots = 16;
    while (slots < capacity * 2)
        slots *= 2;
    t->slots = krl_take_n(h, slots, sizeof *t->slots);
    t->mask = (uint32_t)slots - 1;
    return t->slots == NULL ? NULL : t;
}

/* Index of the entry with the key among the first n, or n. */
static uint32_t find(const struct krl_map *m, const struct krl_text *key)
{
    const struct krl_table *t = m->table;
    if (t->mask == 0) {
        for (uint32_t i = 0; i < m->n; i++)
            if (krl_text_eq(t->entries[i].key, key))
                return i;
        return m->n;
    }
    for (uint32_t slot = slot_of(t, key); t->slots[slot] != 0; slot = (slot + 1) & t->mask) {
        uint32_t i = t->slots[slot] - 1;
        if (krl_text_eq(t->entries[i].key, key))
            return i < m->n ? i : m->n;
    }
    return m->n;
}

/* --- reading --- */

struct krl_map *krl_map_new(struct krl_heap *h, size_t capacity)
{
    struct krl_map *m = krl_take(h, sizeof *m);
    if (m == NULL)
        return NULL;
    m->table = table_new(h, capacity);
    return m->table == NULL ? NULL : m;
}

/* A copy that nobody else has seen, with room for more. */
static struct krl_map *copy(struct krl_heap *h, const struct krl_map *m, size_t more)
{
    struct krl_map *c = krl_map_new(h, (size_t)m->n + more);
    if (c == NULL || !krl_pay(h, m->n / SHIFT_STEP))
        return NULL;
    if (m->newer != NULL)
        krl_map_recall(m);
    memcpy(c->table->entries, m->table->entries, m->n * sizeof(struct krl_entry));
    c->table->used = m->n;
    c->n = m->n;
    c->integers = m->integers;
    index_again(c->table);
    return c;
}

/* The newest map made from m, and how many links lead there; *ret_same: all only made it longer. */
static const struct krl_map *newest(const struct krl_map *m, uint32_t *ret_links, bool *ret_same)
{
    *ret_links = 0;
    *ret_same = true;
    for (; m->newer != NULL; m = m->newer, (*ret_links)++)
        *ret_same = *ret_same && m->changed == KRL_MAP_LONGER;
    return m;
}

/* Put back what the links changed, the last of them first. */
static void put_back(const struct krl_map **links, uint32_t n, const struct krl_map *m,
                     struct krl_entry *entries)
{
    for (uint32_t i = n; i > 0; i--)
        if (links[i - 1]->changed < m->n)
            entries[links[i - 1]->changed].value = links[i - 1]->old;
}

void krl_map_recall(const struct krl_map *m)
{
    uint32_t n = 0;
    bool same = true;
    struct krl_map *self = (struct krl_map *)(uintptr_t)m; /* the same map, kept otherwise */
    struct krl_heap *h = m->table->owner;
    const struct krl_map *last = newest(m, &n, &same);
    if (!krl_pay(h, n / SHIFT_STEP))
        return;
    if (same) { /* its entries are the first of the newest's */
        self->table = last->table;
        self->newer = last;
        return;
    }
    struct krl_table *t = table_new(h, m->n);
    const struct krl_map **links = krl_take_raw(h, n * sizeof(void *));
    if (t == NULL || links == NULL || !krl_pay(h, m->n / SHIFT_STEP))
        return;
    n = 0;
    for (const struct krl_map *at = m; at->newer != NULL; at = at->newer)
        links[n++] = at;
    memcpy(t->entries, last->table->entries, m->n * sizeof *t->entries);
    put_back(links, n, m, t->entries);
    t->used = m->n;
    index_again(t);
    self->table = t;
    self->newer = NULL;
}

const struct krl_value *krl_map_get(const struct krl_map *m, const struct krl_text *key)
{
    uint32_t i = find(m, key);
    return i < m->n ? &krl_map_at(m, i)->value : NULL;
}

const struct krl_value *krl_map_find(const struct krl_map *m, const char *key)
{
    struct krl_text t = {.n = (uint32_t)strlen(key), .a = key};
    return krl_map_get(m, &t);
}

/* --- writing --- */

/* Where an integer key belongs among the integers. */
static uint32_t integer_place(const struct krl_map *m, uint32_t key)
{
    uint32_t low = 0;
    uint32_t high = m->integers;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t there = 0;
        bool integer = krl_integer_key(m->table->entries[middle].key, &there);
        ASSERT(integer);
        if (there < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool grow(struct krl_heap *h, struct krl_map *m)
{
    struct krl_map *c = copy(h, m, (size_t)m->n + 4);
    if (c != NULL)
        m->table = c->table;
    return c != NULL;
}

/* Put a new entry at its place in a table that is this map's alone. */
static bool insert(struct krl_heap *h, struct krl_map *m, const struct krl_text *key,
                   struct krl_value v)
{
    if (m->table->used == m->table->capacity && !grow(h, m))
        return false;
    struct krl_table *t = m->table;
    uint32_t integer = 0;
    uint32_t at = m->n;
    if (krl_integer_key(key, &integer)) {
        at = integer_place(m, integer);
        m->integers++;
    }
    if (at < m->n) {
        if (!krl_pay(h, (m->n - at) / SHIFT_STEP + 1))
            return false;
        memmove(&t->entries[at + 1], &t->entries[at], (m->n - at) * sizeof t->entries[0]);
    }
    t->entries[at] = (struct krl_entry){key, v};
    t->used++;
    m->n++;
    if (at + 1 < m->n)
        index_again(t);
    else if (t->mask != 0)
        index_entry(t, at);
    return true;
}

bool krl_map_set(struct krl_heap *h, struct krl_map *m, const struct krl_text *key,
                 struct krl_value v)
{
    ASSERT(m->table->used == m->n);
    if (key == NULL || krl_is_failed(v) || !krl_pay(h, key->n / KRL_STEP_BYTES))
        return false;
    uint32_t i = find(m, key);
    if (i == m->n)
        return insert(h, m, key, v);
    m->table->entries[i].value = v;
    return true;
}

bool krl_map_set_ascii(struct krl_heap *h, struct krl_map *m, const char *key, struct krl_value v)
{
    return krl_map_set(h, m, krl_text(h, str_c(key)), v);
}

/* The newer map over the table of m. */
static struct krl_map *follow(struct krl_heap *h, const struct krl_map *m, uint32_t changed)
{
    struct krl_map *c = krl_take(h, sizeof *c);
    if (c == NULL)
        return NULL;
    *c = *m;
    struct krl_map *self = (struct krl_map *)(uintptr_t)m; /* the same map, kept otherwise */
    self->newer = c;
    self->changed = changed;
    if (changed != KRL_MAP_LONGER)
        self->old = m->table->entries[changed].value;
    return c;
}

/* The map in hand is the newest over a table that this activation may write. */
static bool is_newest(const struct krl_heap *h, const struct krl_map *m)
{
    return m->newer == NULL && m->table->owner == h;
}

static const struct krl_map *change(struct krl_heap *h, const struct krl_map *m, uint32_t i,
                                    struct krl_value v)
{
    struct krl_map *c = is_newest(h, m) ? follow(h, m, i) : copy(h, m, 0);
    if (c != NULL)
        c->table->entries[i].value = v;
    return c;
}

const struct krl_map *krl_map_put(struct krl_heap *h, const struct krl_map *m,
                                  const struct krl_text *key, struct krl_value v)
{
    if (!krl_pay(h, key->n / KRL_STEP_BYTES))
        return NULL;
    if (m->newer != NULL)
        krl_map_recall(m);
    uint32_t i = find(m, key);
    if (i < m->n)
        return change(h, m, i, v);
    uint32_t integer = 0;
    bool behind = !krl_integer_key(key, &integer) ||
                  (m->integers == m->n && integer_place(m, integer) == m->n);
    bool fits = behind && is_newest(h, m) && m->table->used < m->table->capacity;
    struct krl_map *c = fits ? follow(h, m, KRL_MAP_LONGER) : copy(h, m, (size_t)m->n / 2 + 4);
    return c != NULL && insert(h, c, key, v) ? c : NULL;
}

const struct krl_map *krl_map_without(struct krl_heap *h, const struct krl_map *m,
                                      const struct krl_text *key)
{
    uint32_t at = find(m, key);
    if (at == m->n)
        return m;
    struct krl_map *c = copy(h, m, 0);
    if (c == NULL)
        return NULL;
    struct krl_entry *e = c->table->entries;
    memmove(&e[at], &e[at + 1], (c->n - at - 1) * sizeof *e);
    c->n--;
    c->table->used--;
    c->integers -= at < c->integers;
    index_again(c->table);
    return c;
}
