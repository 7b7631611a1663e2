/* What a pico keeps, as an activation sees it: its own changes lie over what is there. */
#include "pico/activation.h"

#include <stdlib.h>

const struct cell *view_get(const struct activation *a, enum cell_kind kind, int64_t rid,
                            struct str name)
{
    const struct cell *c = cells_get(&a->changes, kind, rid, name);
    if (c != NULL)
        return c->gone ? NULL : c;
    return cells_get(&a->p->cells, kind, rid, name);
}

static int by_place(const void *a, const void *b)
{
    const struct cell *x = *(const struct cell *const *)a;
    const struct cell *y = *(const struct cell *const *)b;
    if (x->kind == CELL_SCHEDULE && x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->kind != CELL_SCHEDULE && x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return str_cmp(x->name, y->name);
}

bool view_list(struct activation *a, enum cell_kind kind, const struct cell *const **ret,
               size_t *ret_n)
{
    const struct cell_list *base = &a->p->cells.of[kind];
    const struct cell_list *over = &a->changes.of[kind];
    const size_t pointer = sizeof(void *);
    const struct cell **list = krl_take_n(&a->m.heap, base->n + over->n + 1, pointer);
    size_t n = 0;
    if (list == NULL)
        return false;
    for (size_t i = 0; i < base->n; i++)
        if (over->n == 0 ||
            cells_get(&a->changes, kind, base->at[i]->rid, base->at[i]->name) == NULL)
            list[n++] = base->at[i];
    for (size_t i = 0; i < over->n; i++)
        if (!over->at[i]->gone)
            list[n++] = over->at[i];
    qsort(list, n, pointer, by_place);
    *ret = list;
    *ret_n = n;
    return true;
}

size_t view_count(const struct activation *a, enum cell_kind kind)
{
    const struct cell_list *over = &a->changes.of[kind];
    size_t n = a->p->cells.of[kind].n;
    for (size_t i = 0; i < over->n; i++) {
        bool there = cells_get(&a->p->cells, kind, over->at[i]->rid, over->at[i]->name) != NULL;
        if (over->at[i]->gone && there)
            n--;
        if (!over->at[i]->gone && !there)
            n++;
    }
    return n;
}

void view_put(struct activation *a, const struct cell *cell)
{
    cells_put(&a->changes, cell);
}

void view_drop(struct activation *a, enum cell_kind kind, int64_t rid, struct str name)
{
    cells_put(&a->changes, &(struct cell){.kind = kind, .rid = rid, .name = name, .gone = true});
}
