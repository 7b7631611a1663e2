/* Parents and children, and where channels lead. */
#include "pico/activation.h"

#include "krl/lib.h"

static const struct activation *outermost(const struct activation *a)
{
    while (a->outer != NULL)
        a = a->outer;
    return a;
}

struct pico *family_born(const struct activation *a, struct str eci)
{
    for (const struct born *b = outermost(a)->born; b != NULL; b = b->next)
        if (str_eq(eci, b->p->child_eci) || str_eq(eci, b->p->id) ||
            cells_get(&b->p->cells, CELL_CHANNEL, 0, eci) != NULL)
            return b->p;
    return NULL;
}

/* --- where a channel leads --- */

static bool find_new(const struct activation *a, struct str eci, struct eci_node *ret,
                     bool *ret_found)
{
    for (const struct born *b = outermost(a)->born; b != NULL; b = b->next) {
        *ret_found = true;
        *ret = (struct eci_node){.pico = b->p->no, .kind = ECI_PLAIN, .eci = eci};
        if (str_eq(eci, b->p->parent_eci)) {
            *ret = (struct eci_node){
                .pico = b->p->parent, .kind = ECI_FAMILY, .user = b->p->no, .eci = eci};
            return true;
        }
        if (str_eq(eci, b->p->child_eci)) {
            ret->kind = ECI_FAMILY;
            ret->user = b->p->parent;
            return true;
        }
        if (str_eq(eci, b->p->id)) {
            ret->kind = ECI_SELF;
            return true;
        }
        if (cells_get(&b->p->cells, CELL_CHANNEL, 0, eci) != NULL)
            return true;
    }
    for (const struct activation *at = a; at != NULL; at = at->outer) {
        const struct cell *c = cells_get(&at->changes, CELL_CHANNEL, 0, eci);
        if (c == NULL)
            continue;
        *ret_found = !c->gone;
        *ret = (struct eci_node){.pico = at->p->no, .kind = ECI_PLAIN, .eci = eci};
        return true;
    }
    return false;
}

bool activation_eci(struct activation *a, struct str eci, struct eci_node *ret, bool *ret_found)
{
    struct pico_engine *e = a->e;
    struct err err;
    if (find_new(a, eci, ret, ret_found))
        return true;
    pthread_mutex_lock(&e->lock);
    const struct eci_node *node = table_eci(e, eci);
    *ret_found = node != NULL;
    if (node != NULL)
        *ret = *node;
    pthread_mutex_unlock(&e->lock);
    if (*ret_found || rows_eci(e, eci, ret, ret_found, &err) == RC_OK)
        return true;
    krl_fail(&a->m.heap, RC_UNAVAILABLE, "%.*s", STRF(err_text(&err)));
    return false;
}

/* --- reading the store --- */

struct reading {
    struct activation *a;
    int64_t no;
    struct family *list;
    size_t n;
    size_t capacity;
    struct str id;
    int64_t parent;
    bool full;
};

static bool is_deleted(const struct activation *a, int64_t no)
{
    const struct commit *c = a->commit;
    for (const struct op *op = c == NULL ? NULL : c->first; op != NULL; op = op->next)
        if (op->kind == OP_PICO_GONE && op->row == no)
            return true;
    return false;
}

static void add_child(struct reading *r, const struct family *f)
{
    struct krl_heap *h = &r->a->m.heap;
    if (r->full || is_deleted(r->a, f->no))
        return;
    if (r->n == r->capacity) {
        struct family *more = krl_take_n(h, r->capacity * 2 + 16, sizeof *more);
        r->full = more == NULL;
        if (r->full)
            return;
        if (r->n > 0)
            memcpy(more, r->list, r->n * sizeof *more);
        r->list = more;
        r->capacity = r->capacity * 2 + 16;
    }
    char *bytes = krl_take_raw(h, f->id.n + f->parent_eci.n + f->child_eci.n + 1);
    r->full = bytes == NULL;
    if (r->full)
        return;
    struct family *to = &r->list[r->n++];
    to->no = f->no;
    memcpy(bytes, f->id.p, f->id.n);
    to->id = str_n(bytes, f->id.n);
    bytes += f->id.n;
    memcpy(bytes, f->parent_eci.p, f->parent_eci.n);
    to->parent_eci = str_n(bytes, f->parent_eci.n);
    bytes += f->parent_eci.n;
    memcpy(bytes, f->child_eci.p, f->child_eci.n);
    to->child_eci = str_n(bytes, f->child_eci.n);
}

static enum rc read_child(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 4);
    add_child(arg, &(struct family){.no = v[0].number,
                                    .id = v[1].text,
                                    .parent_eci = v[2].text,
                                    .child_eci = v[3].text});
    return RC_OK;
}

static enum rc read_children(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    r->n = 0;
    return sql_each(tx, read_child, r,
                    "SELECT no, id, parent_eci, child_eci FROM pico WHERE parent = $1 ORDER BY no",
                    V(r->no));
}

static enum rc read_one(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT id, parent FROM pico WHERE no = $1", V(r->no)));
    r->id = STR("");
    r->parent = 0;
    if (rows.count > 0) {
        r->id = row_str(&rows, 0, 0);
        r->parent = row_int(&rows, 0, 1);
    }
    return RC_OK;
}

static bool read_store(struct activation *a, tx_fn fn, struct reading *r)
{
    struct err err;
    ASSERT(a != NULL);
    if (store_read(a->e->store, a->arena_own, &err, fn, r) == RC_OK)
        return !krl_failing(&a->m.heap);
    krl_fail(&a->m.heap, RC_UNAVAILABLE, "%.*s", STRF(err_text(&err)));
    return false;
}

bool family_list(struct activation *a, const struct family **ret, size_t *ret_n)
{
    struct reading r = {.a = a, .no = a->p->no};
    if (a->p->children && (!activation_settled(a) || !read_store(a, read_children, &r)))
        return false;
    for (const struct born *b = outermost(a)->born; b != NULL; b = b->next)
        if (b->p->parent == a->p->no)
            add_child(&r, &(struct family){.no = b->p->no,
                                           .id = b->p->id,
                                           .parent_eci = b->p->parent_eci,
                                           .child_eci = b->p->child_eci});
    *ret = r.list;
    *ret_n = r.n;
    return !krl_failing(&a->m.heap);
}

bool family_id(struct activation *a, int64_t no, struct str *ret)
{
    struct reading r = {.a = a, .no = no};
    for (const struct activation *at = a; at != NULL; at = at->outer)
        if (at->p->no == no) {
            *ret = at->p->id;
            return true;
        }
    if (!read_store(a, read_one, &r))
        return false;
    *ret = r.id;
    return true;
}

/* --- births and deaths --- */

struct pico *activation_new_pico(struct activation *a)
{
    struct activation *first = a;
    char names[3][ECI_N + 1];
    while (first->outer != NULL)
        first = first->outer;
    if (a->commit->born_n++ >= BORN_MAX) {
        krl_fail(&a->m.heap, RC_TOO_MANY, "Error: one event makes at most %d picos", BORN_MAX);
        return NULL;
    }
    struct born *born = krl_take(&first->m.heap, sizeof *born);
    if (born == NULL) {
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: out of memory");
        return NULL;
    }
    for (size_t i = 0; i < COUNT(names); i++)
        chance_eci(a->e, names[i]);
    struct pico *p = pico_new(atomic_fetch_add(&a->e->next_no, 1));
    pico_name(p, str_c(names[0]), str_c(names[1]), str_c(names[2]));
    p->parent = a->p->no;
    p->account = a->p->account;
    p->suspended = a->p->suspended;
    commit_op(a->commit, OP_PICO, p->no)->born = p;
    born->p = p;
    struct born **at = &first->born;
    while (*at != NULL)
        at = &(*at)->next;
    *at = born;
    a->p->children = true;
    return p;
}

bool activation_delete_pico(struct activation *a, struct str eci)
{
    struct eci_node node;
    bool found = false;
    int64_t parent = 0;
    struct pico *born = family_born(a, eci);
    if (!activation_eci(a, eci, &node, &found))
        return false;
    if (born != NULL)
        parent = born->parent;
    else if (found) {
        struct reading r = {.a = a, .no = node.pico};
        if (!read_store(a, read_one, &r))
            return false;
        parent = r.parent;
        if (parent == 0 && node.pico != a->e->root_no) {
            /* Made by a commit that is on its way. */
            (void)activation_settled(a);
            return false;
        }
    }
    if (!found || parent != a->p->no || is_deleted(a, node.pico)) {
        krl_fail(&a->m.heap, RC_NOT_FOUND, "Error: ECI not found %.*s", STRF(eci));
        return false;
    }
    commit_op(a->commit, OP_PICO_GONE, a->p->no)->row = node.pico;
    return true;
}
