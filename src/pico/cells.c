#include "pico/cells.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 4 };

static int compare(const struct cell *c, int64_t rid, struct str name)
{
    if (c->rid != rid)
        return c->rid < rid ? -1 : 1;
    return str_cmp(c->name, name);
}

/* Where the key is, or would be. */
static size_t place_of(const struct cell_list *l, int64_t rid, struct str name, bool *ret_there)
{
    size_t low = 0;
    size_t high = l->n;
    *ret_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(l->at[middle], rid, name);
        if (order == 0) {
            *ret_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t size_of(const struct cell *c)
{
    return sizeof *c + c->name.n + c->bytes.n;
}

/* One block a cell: its name and its bytes lie behind it. */
static struct cell *copy_of(const struct cell *cell)
{
    struct cell *c = malloc(size_of(cell));
    ASSERT(c != NULL);
    char *at = (char *)(c + 1);
    *c = *cell;
    if (cell->name.n > 0)
        memcpy(at, cell->name.p, cell->name.n);
    c->name = str_n(at, cell->name.n);
    at += cell->name.n;
    if (cell->bytes.n > 0)
        memcpy(at, cell->bytes.p, cell->bytes.n);
    c->bytes = str_n(at, cell->bytes.n);
    return c;
}

const struct cell *cells_get(const struct cells *c, enum cell_kind kind, int64_t rid,
                             struct str name)
{
    bool there = false;
    size_t i = place_of(&c->of[kind], rid, name, &there);
    return there ? c->of[kind].at[i] : NULL;
}

void cells_put(struct cells *c, const struct cell *cell)
{
    struct cell_list *l = &c->of[cell->kind];
    bool there = false;
    size_t i = place_of(l, cell->rid, cell->name, &there);
    struct cell *copy = copy_of(cell);
    c->bytes += size_of(copy);
    if (there) {
        c->bytes -= size_of(l->at[i]);
        free(l->at[i]);
        l->at[i] = copy;
        return;
    }
    if (l->n == l->capacity) {
        l->capacity = l->capacity * 2 + CAPACITY_FIRST;
        l->at = realloc(l->at, l->capacity * sizeof(struct cell *));
        ASSERT(l->at != NULL);
    }
    memmove(l->at + i + 1, l->at + i, (l->n - i) * sizeof(struct cell *));
    l->at[i] = copy;
    l->n++;
}

void cells_drop(struct cells *c, enum cell_kind kind, int64_t rid, struct str name)
{
    struct cell_list *l = &c->of[kind];
    bool there = false;
    size_t i = place_of(l, rid, name, &there);
    if (!there)
        return;
    c->bytes -= size_of(l->at[i]);
    free(l->at[i]);
    l->n--;
    memmove(l->at + i, l->at + i + 1, (l->n - i) * sizeof(struct cell *));
}

void cells_fini(struct cells *c)
{
    for (size_t kind = 0; kind < CELL_KINDS; kind++) {
        for (size_t i = 0; i < c->of[kind].n; i++)
            free(c->of[kind].at[i]);
        free(c->of[kind].at);
    }
    *c = (struct cells){0};
}
