#include "store/memo.h"

#include "store/engine.h"

struct slot {
    const char *sql; /* NULL: free */
    uint64_t hash;
    struct memo_tables reads;
    size_t args;
    size_t rows;
    size_t columns;
    struct value *values; /* the arguments, then the cells; their bytes follow, in one piece */
    size_t capacity;
};

struct memo {
    struct slot slots[MEMO_SLOTS];
    struct memo_tables reads; /* of all slots, and of some that were forgotten since */
    size_t tables;
    char names[MEMO_TABLES_MAX - 1][MEMO_TABLE_NAME_MAX];
};

struct memo *memo_open(void)
{
    return store_alloc(1, sizeof(struct memo));
}

void memo_close(struct memo *m)
{
    for (size_t i = 0; m != NULL && i < MEMO_SLOTS; i++)
        free(m->slots[i].values);
    free(m);
}

/* --- tables --- */

static size_t table_of(struct memo *m, const char *name)
{
    for (size_t i = 0; i < m->tables; i++)
        if (strcmp(m->names[i], name) == 0)
            return i;
    size_t n = strlen(name);
    if (m->tables == COUNT(m->names) || n >= MEMO_TABLE_NAME_MAX)
        return MEMO_TABLES_MAX - 1;
    memcpy(m->names[m->tables], name, n + 1);
    return m->tables++;
}

void memo_add_table(struct memo *m, const char *name, struct memo_tables *to)
{
    size_t i = table_of(m, name);
    to->bits[i / 64] |= UINT64_C(1) << i % 64;
}

static bool meet(const struct memo_tables *a, const struct memo_tables *b)
{
    uint64_t common = 0;
    for (size_t i = 0; i < COUNT(a->bits); i++)
        common |= a->bits[i] & b->bits[i];
    return common != 0;
}

/* --- keys: a collision costs a look at the store, no more, as arguments are compared --- */

static bool has_text(const struct value *v)
{
    return v->type == VALUE_TEXT || v->type == VALUE_BYTES;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, struct str s)
{
    uint64_t word = 0;
    size_t i = 0;
    for (; i + sizeof word <= s.n; i += sizeof word) {
        memcpy(&word, s.p + i, sizeof word);
        hash = mix(hash, word);
    }
    word = s.n;
    if (i < s.n)
        memcpy(&word, s.p + i, s.n - i);
    return mix(hash, word);
}

static uint64_t key_hash(const char *sql, const struct value *args, size_t count)
{
    uint64_t hash = mix(count, (uint64_t)(uintptr_t)sql);
    for (size_t i = 0; i < count; i++)
        hash =
            has_text(&args[i]) ? mix_text(hash, args[i].text) : mix(hash, (uint64_t)args[i].number);
    return hash;
}

static bool same_value(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    return has_text(a) ? str_eq(a->text, b->text) : a->type == VALUE_NULL || a->number == b->number;
}

static bool same_key(const struct slot *s, uint64_t hash, const char *sql, const struct value *args,
                     size_t count)
{
    bool same = s->sql == sql && s->hash == hash && s->args == count;
    for (size_t i = 0; same && i < count; i++)
        same = same_value(&s->values[i], &args[i]);
    return same;
}

/* --- rows --- */

static size_t text_bytes(const struct value *values, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += has_text(&values[i]) ? values[i].text.n + 1 : 0;
    return n;
}

/* Copy values and their bytes; at: room for the bytes. Returns the room behind them. */
static char *copy_values(const struct value *from, size_t count, struct value *to, char *at)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
        if (!has_text(&from[i]))
            continue;
        if (from[i].text.n > 0)
            memcpy(at, from[i].text.p, from[i].text.n);
        at[from[i].text.n] = '\0';
        to[i].text.p = at;
        at += from[i].text.n + 1;
    }
    return at;
}

bool memo_find(struct memo *m, const char *sql, const struct value *args, size_t count,
               struct arena *arena, struct rows *ret)
{
    uint64_t hash = key_hash(sql, args, count);
    const struct slot *s = &m->slots[hash % MEMO_SLOTS];
    if (!same_key(s, hash, sql, args, count))
        return false;
    size_t cells = s->rows * s->columns;
    const struct value *kept = s->values + s->args;
    size_t bytes = text_bytes(kept, cells);
    if (arena_room(arena) < cells * sizeof *kept + bytes)
        return false; /* told as it is told without a memo */
    struct value *fresh = NEW_N(arena, struct value, cells);
    (void)copy_values(kept, cells, fresh, arena_bytes(arena, bytes));
    *ret = (struct rows){s->rows, s->columns, fresh};
    return true;
}

void memo_keep(struct memo *m, const char *sql, const struct value *args, size_t count,
               const struct memo_tables *reads, const struct rows *rows)
{
    size_t cells = rows->count * rows->columns;
    if (rows->count == 0 || count + cells > MEMO_BYTES_MAX / sizeof(struct value))
        return; /* nothing was found: strangers must not push out what others use */
    size_t bytes = (count + cells) * sizeof(struct value) + text_bytes(args, count) +
                   text_bytes(rows->cells, cells);
    if (bytes > MEMO_BYTES_MAX)
        return;
    uint64_t hash = key_hash(sql, args, count);
    struct slot *s = &m->slots[hash % MEMO_SLOTS];
    if (s->capacity < bytes) {
        free(s->values);
        s->values = store_alloc(1, bytes);
        s->capacity = bytes;
    }
    char *at = (char *)(s->values + count + cells);
    at = copy_values(args, count, s->values, at);
    (void)copy_values(rows->cells, cells, s->values + count, at);
    s->sql = sql;
    s->hash = hash;
    s->reads = *reads;
    s->args = count;
    s->rows = rows->count;
    s->columns = rows->columns;
    for (size_t i = 0; i < COUNT(m->reads.bits); i++)
        m->reads.bits[i] |= reads->bits[i];
}

/* --- forgetting --- */

void memo_forget(struct memo *m, const struct memo_tables *changed)
{
    bool any = meet(&m->reads, changed);
    for (size_t i = 0; any && i < MEMO_SLOTS; i++)
        if (m->slots[i].sql != NULL && meet(&m->slots[i].reads, changed))
            m->slots[i].sql = NULL;
}

void memo_forget_all(struct memo *m)
{
    for (size_t i = 0; i < MEMO_SLOTS; i++)
        m->slots[i].sql = NULL;
    m->reads = (struct memo_tables){0};
}
