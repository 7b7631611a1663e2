/* Who is in memory: picos by number, channels by name, and the lists of those that wait. */
#include "base/map.h"
#include "pico/inside.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 1024 };

/* --- lists --- */

void list_add(struct ready_list *l, struct pico *p)
{
    p->before = l->last;
    p->after = NULL;
    if (l->last == NULL)
        l->first = p;
    else
        l->last->after = p;
    l->last = p;
    l->n++;
}

void list_drop(struct ready_list *l, struct pico *p)
{
    ASSERT(l->n > 0);
    if (p->before == NULL)
        l->first = p->after;
    else
        p->before->after = p->after;
    if (p->after == NULL)
        l->last = p->before;
    else
        p->after->before = p->before;
    p->before = NULL;
    p->after = NULL;
    l->n--;
}

/* --- picos --- */

/* Numbers are dealt out one after the other: their low bits spread them. */
static size_t slot_of(const struct pico_engine *e, int64_t no)
{
    return (size_t)no & e->picos_mask;
}

static void grow_picos(struct pico_engine *e)
{
    size_t slots = e->picos == NULL ? SLOTS_FIRST : (e->picos_mask + 1) * 2;
    struct pico **old = e->picos;
    size_t old_n = e->picos == NULL ? 0 : e->picos_mask + 1;
    e->picos = calloc(slots, sizeof(struct pico *));
    ASSERT(e->picos != NULL);
    e->picos_mask = slots - 1;
    for (size_t i = 0; i < old_n; i++)
        for (struct pico *p = old[i], *next = NULL; p != NULL; p = next) {
            next = p->chain;
            p->chain = e->picos[slot_of(e, p->no)];
            e->picos[slot_of(e, p->no)] = p;
        }
    free(old);
}

struct pico *table_pico(struct pico_engine *e, int64_t no)
{
    struct pico *p = e->picos == NULL ? NULL : e->picos[slot_of(e, no)];
    while (p != NULL && p->no != no)
        p = p->chain;
    return p;
}

void table_add(struct pico_engine *e, struct pico *p)
{
    if (e->picos == NULL || e->picos_n > e->picos_mask)
        grow_picos(e);
    p->chain = e->picos[slot_of(e, p->no)];
    e->picos[slot_of(e, p->no)] = p;
    e->picos_n++;
}

struct pico *table_need(struct pico_engine *e, int64_t no)
{
    struct pico *p = table_pico(e, no);
    if (p == NULL) {
        p = pico_new(no);
        table_add(e, p);
    }
    return p;
}

void table_forget(struct pico_engine *e, struct pico *p)
{
    ASSERT(p->run == RUN_IDLE);
    ASSERT(p->pending == 0);
    ASSERT(p->first == NULL);
    if (p->listed)
        list_drop(&e->idle, p);
    table_unload(e, p);
    struct pico **at = &e->picos[slot_of(e, p->no)];
    while (*at != p)
        at = &(*at)->chain;
    *at = p->chain;
    e->picos_n--;
    pico_free(p);
}

/* --- channels --- */

static size_t eci_slot(const struct pico_engine *e, struct str eci)
{
    return hash_str(eci, e->seed) & e->ecis_mask;
}

static void grow_ecis(struct pico_engine *e)
{
    size_t slots = e->ecis == NULL ? SLOTS_FIRST : (e->ecis_mask + 1) * 2;
    struct eci_node **old = e->ecis;
    size_t old_n = e->ecis == NULL ? 0 : e->ecis_mask + 1;
    e->ecis = calloc(slots, sizeof(struct eci_node *));
    ASSERT(e->ecis != NULL);
    e->ecis_mask = slots - 1;
    for (size_t i = 0; i < old_n; i++)
        for (struct eci_node *n = old[i], *next = NULL; n != NULL; n = next) {
            next = n->chain;
            size_t slot = eci_slot(e, n->eci);
            n->chain = e->ecis[slot];
            e->ecis[slot] = n;
        }
    free(old);
}

const struct eci_node *table_eci(struct pico_engine *e, struct str eci)
{
    struct eci_node *n = e->ecis == NULL ? NULL : e->ecis[eci_slot(e, eci)];
    while (n != NULL && !str_eq(n->eci, eci))
        n = n->chain;
    return n;
}

void table_eci_add(struct pico_engine *e, struct pico *owner, struct eci_node node)
{
    if (node.eci.n == 0 || table_eci(e, node.eci) != NULL)
        return;
    if (e->ecis == NULL || e->ecis_n > e->ecis_mask)
        grow_ecis(e);
    struct eci_node *n = malloc(sizeof *n + node.eci.n);
    ASSERT(n != NULL);
    *n = node;
    memcpy(n + 1, node.eci.p, node.eci.n);
    n->eci = str_n((char *)(n + 1), node.eci.n);
    n->of_pico = owner->ecis;
    owner->ecis = n;
    size_t slot = eci_slot(e, n->eci);
    n->chain = e->ecis[slot];
    e->ecis[slot] = n;
    e->ecis_n++;
}

static void unchain(struct pico_engine *e, struct eci_node *n)
{
    struct eci_node **at = &e->ecis[eci_slot(e, n->eci)];
    while (*at != n)
        at = &(*at)->chain;
    *at = n->chain;
    e->ecis_n--;
    free(n);
}

void table_eci_drop(struct pico_engine *e, struct pico *owner, struct str eci)
{
    for (struct eci_node **at = &owner->ecis; *at != NULL; at = &(*at)->of_pico) {
        struct eci_node *n = *at;
        if (!str_eq(n->eci, eci))
            continue;
        *at = n->of_pico;
        unchain(e, n);
        return;
    }
}

void table_enter(struct pico_engine *e, struct pico *p)
{
    table_eci_add(e, p, (struct eci_node){.pico = p->no, .kind = ECI_SELF, .eci = p->id});
    table_eci_add(e, p,
                  (struct eci_node){
                      .pico = p->no, .kind = ECI_FAMILY, .user = p->parent, .eci = p->child_eci});
    table_eci_add(e, p,
                  (struct eci_node){
                      .pico = p->parent, .kind = ECI_FAMILY, .user = p->no, .eci = p->parent_eci});
    const struct cell_list *channels = &p->cells.of[CELL_CHANNEL];
    for (size_t i = 0; i < channels->n; i++)
        table_eci_add(
            e, p,
            (struct eci_node){.pico = p->no, .kind = ECI_PLAIN, .eci = channels->at[i]->name});
    p->loaded = true;
    e->loaded++;
}

void table_unload(struct pico_engine *e, struct pico *p)
{
    if (!p->loaded)
        return;
    for (struct eci_node *n = p->ecis, *next = NULL; n != NULL; n = next) {
        next = n->of_pico;
        unchain(e, n);
    }
    p->ecis = NULL;
    cells_fini(&p->cells);
    p->loaded = false;
    e->loaded--;
}
