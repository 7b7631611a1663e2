/* Channels: what they let through, and how rulesets make and change them. */
#include "pico/activation.h"

#include "krl/lib.h"
#include "krl/pack.h"
#include "pico/policy.h"

enum { DETAIL_TAGS, DETAIL_EVENT, DETAIL_QUERY, DETAIL_N };

/* --- access --- */

static const struct krl_value *detail(struct activation *a, const struct cell *c,
                                      struct krl_value *room, size_t i)
{
    *room = krl_unpack(&a->m.heap, c->bytes);
    if (krl_is_failed(*room) || room->type != KRL_ARRAY || room->array->n != DETAIL_N) {
        krl_fail(&a->m.heap, RC_INTERNAL, "Error: the channel cannot be read");
        return NULL;
    }
    return &room->array->v[i];
}

static bool check_policy(struct activation *a, const struct cell *c, enum pico_policy_kind kind,
                         struct str first, struct str name)
{
    struct krl_value room;
    struct pico_policy policy;
    struct err err;
    if (c->bytes.n == 0) /* everything is allowed */
        return true;
    const struct krl_value *v =
        detail(a, c, &room, kind == PICO_POLICY_EVENT ? DETAIL_EVENT : DETAIL_QUERY);
    if (v == NULL || !pico_policy_read(&a->m.heap, kind, *v, &policy))
        return false;
    enum rc rc = pico_policy_check(&policy, first, name, &err);
    if (rc != RC_OK)
        krl_fail(&a->m.heap, rc, "%.*s", STRF(err_text(&err)));
    return rc == RC_OK;
}

static bool may_use(struct activation *a, int64_t user)
{
    if (a->sender == user)
        return true;
    krl_fail(&a->m.heap, RC_FORBIDDEN,
             "Error: This is a family channel and only the owner can use it.");
    return false;
}

static bool access(struct activation *a, enum pico_policy_kind kind, struct str first,
                   struct str name)
{
    struct eci_node node;
    bool found = false;
    if (str_eq(a->eci, a->p->id))
        return may_use(a, a->p->no);
    if (str_eq(a->eci, a->p->child_eci))
        return may_use(a, a->p->parent);
    const struct cell *c = view_get(a, CELL_CHANNEL, 0, a->eci);
    if (c != NULL)
        return check_policy(a, c, kind, first, name);
    if (!activation_eci(a, a->eci, &node, &found))
        return false;
    if (found && node.kind == ECI_FAMILY && node.pico == a->p->no)
        return may_use(a, node.user);
    krl_fail(&a->m.heap, RC_NOT_FOUND, "Error: ECI not found %.*s", STRF(a->eci));
    return false;
}

bool access_event(struct activation *a, struct str domain, struct str name)
{
    return access(a, PICO_POLICY_EVENT, str_trim(domain), str_trim(name));
}

bool access_query(struct activation *a, struct str rid, struct str name)
{
    return access(a, PICO_POLICY_QUERY, rid, name);
}

/* --- as values --- */

static struct krl_value make_value(struct activation *a, struct str eci, struct krl_value tags,
                                   struct krl_value policies[2], struct krl_value family)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *map = krl_map_new(h, 8);
    if (map == NULL || !krl_map_set_ascii(h, map, "id", value_of(a, eci)) ||
        !krl_map_set_ascii(h, map, "tags", tags) ||
        !krl_map_set_ascii(h, map, "eventPolicy", policies[0]) ||
        !krl_map_set_ascii(h, map, "queryPolicy", policies[1]) ||
        !krl_map_set_ascii(h, map, "familyChannelPicoID", family))
        return krl_failed();
    return krl_of_map(map);
}

static bool default_policies(struct activation *a, struct krl_value ret[2])
{
    const struct pico_policy all = pico_policy_default();
    ret[0] = pico_policy_value(&a->m.heap, PICO_POLICY_EVENT, &all);
    ret[1] = pico_policy_value(&a->m.heap, PICO_POLICY_QUERY, &all);
    return !krl_is_failed(ret[0]) && !krl_is_failed(ret[1]);
}

static struct krl_value cell_value(struct activation *a, const struct cell *c)
{
    struct krl_value policies[2];
    struct krl_value room;
    if (c->bytes.n == 0) {
        struct krl_value none = krl_of_array(krl_array_new(&a->m.heap, 0));
        if (krl_is_failed(none) || !default_policies(a, policies))
            return krl_failed();
        return make_value(a, c->name, none, policies, krl_null());
    }
    const struct krl_value *v = detail(a, c, &room, 0);
    if (v == NULL)
        return krl_failed();
    policies[0] = v[DETAIL_EVENT];
    policies[1] = v[DETAIL_QUERY];
    return make_value(a, c->name, v[DETAIL_TAGS], policies, krl_null());
}

/* "system" and one word more, everything allowed, for one user. */
static bool add_system(struct activation *a, struct krl_array *list, struct str eci,
                       const char *word, struct str user)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_array *tags = krl_array_reserve(h, 2);
    struct krl_value policies[2];
    if (eci.n == 0)
        return true;
    if (tags == NULL || !krl_array_add(h, tags, krl_ascii(h, "system")) ||
        !krl_array_add(h, tags, krl_ascii(h, word)) || !default_policies(a, policies))
        return false;
    return krl_array_add(h, list,
                         make_value(a, eci, krl_of_array(tags), policies,
                                    user.n == 0 ? krl_null() : value_of(a, user)));
}

struct krl_value channel_list(struct activation *a)
{
    const struct cell *const *cells = NULL;
    const struct family *children = NULL;
    size_t n = 0;
    size_t children_n = 0;
    struct krl_array *list = krl_array_reserve(&a->m.heap, 8);
    if (list == NULL || !add_system(a, list, a->p->id, "self", a->p->id) ||
        !view_list(a, CELL_CHANNEL, &cells, &n) || !family_list(a, &children, &children_n))
        return krl_failed();
    struct str parent = STR("");
    if (a->p->parent != 0 && !family_id(a, a->p->parent, &parent))
        return krl_failed();
    if (!add_system(a, list, a->p->child_eci, "child", parent))
        return krl_failed();
    for (size_t i = 0; i < n; i++) {
        struct krl_value v = cell_value(a, cells[i]);
        if (krl_is_failed(v) || !krl_array_add(&a->m.heap, list, v))
            return krl_failed();
    }
    for (size_t i = 0; i < children_n; i++)
        if (!add_system(a, list, children[i].parent_eci, "parent", children[i].id))
            return krl_failed();
    return krl_of_array(list);
}

/* --- changes --- */

/* tags and both policies, checked and cleaned. */
static bool read_detail(struct activation *a, struct krl_value tags, struct krl_value event,
                        struct krl_value query, struct krl_array **ret)
{
    struct krl_heap *h = &a->m.heap;
    struct pico_policy policy;
    struct krl_array *all = krl_array_new(h, DETAIL_N);
    if (all == NULL)
        return false;
    all->v[DETAIL_TAGS] = pico_tags_clean(h, tags);
    if (krl_is_failed(all->v[DETAIL_TAGS]))
        return false;
    if (!pico_policy_read(h, PICO_POLICY_EVENT, event, &policy))
        return false;
    all->v[DETAIL_EVENT] = pico_policy_value(h, PICO_POLICY_EVENT, &policy);
    if (!pico_policy_read(h, PICO_POLICY_QUERY, query, &policy))
        return false;
    all->v[DETAIL_QUERY] = pico_policy_value(h, PICO_POLICY_QUERY, &policy);
    *ret = all;
    return !krl_failing(h);
}

static struct krl_value store_channel(struct activation *a, struct str eci, int64_t place,
                                      const struct krl_array *all)
{
    struct str bytes = krl_pack(&a->m.heap, krl_of_array(all));
    if (bytes.p == NULL)
        return krl_failed();
    struct cell c = {.kind = CELL_CHANNEL, .name = eci, .place = place, .bytes = bytes};
    view_put(a, &c);
    return cell_value(a, &c);
}

struct krl_value channel_new(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_array *all = NULL;
    char eci[ECI_N + 1];
    if (!read_detail(a, krl_arg(args, n, 0), krl_arg(args, n, 1), krl_arg(args, n, 2), &all))
        return krl_failed();
    if (view_count(a, CELL_CHANNEL) >= PICO_CHANNELS_MAX) {
        krl_fail(&a->m.heap, RC_TOO_MANY, "Error: a pico has at most %d channels",
                 PICO_CHANNELS_MAX);
        return krl_failed();
    }
    chance_eci(a->e, eci);
    /* Channels are listed in the order in which they were made. */
    int64_t place = atomic_fetch_add(&a->e->next_row, 1);
    return store_channel(a, arena_str(a->arena_own, str_c(eci)), place, all);
}

/* Which kind of channel of this pico the name is; NULL with an error where it is none. */
static const struct cell *own_channel(struct activation *a, struct krl_value eci, bool *ret_family,
                                      bool *ret_self)
{
    struct eci_node node;
    bool found = false;
    struct str name = text_of(a, eci);
    *ret_self = str_eq(name, a->p->id);
    *ret_family = *ret_self || (name.n > 0 && str_eq(name, a->p->child_eci));
    const struct cell *c = *ret_family ? NULL : view_get(a, CELL_CHANNEL, 0, name);
    if (c != NULL || *ret_family || krl_failing(&a->m.heap))
        return c;
    if (!activation_eci(a, name, &node, &found))
        return NULL;
    *ret_family = found && node.kind == ECI_FAMILY && node.pico == a->p->no;
    if (!*ret_family)
        krl_fail(&a->m.heap, RC_NOT_FOUND, "Error: ECI not found %.*s", STRF(name));
    return NULL;
}

struct krl_value channel_put(struct activation *a, const struct krl_value *args, size_t n)
{
    bool family = false;
    bool self = false;
    struct krl_array *all = NULL;
    struct krl_value room;
    const struct cell *c = own_channel(a, krl_arg(args, n, 0), &family, &self);
    if (self)
        krl_fail(&a->m.heap, RC_FORBIDDEN, "Error: Cannot edit the self channel.");
    if (krl_failing(&a->m.heap))
        return krl_failed();
    if (c == NULL) /* another family channel: the official engine passes over it too */
        return krl_null();
    struct krl_value was[DETAIL_N] = {krl_of_array(krl_array_new(&a->m.heap, 0)), krl_undefined(),
                                      krl_undefined()};
    const struct krl_value *v = c->bytes.n == 0 ? was : detail(a, c, &room, 0);
    if (v == NULL)
        return krl_failed();
    struct krl_value new[DETAIL_N];
    for (size_t i = 0; i < DETAIL_N; i++) {
        struct krl_value given = krl_arg(args, n, i + 1);
        new[i] = krl_is_null(given) ? v[i] : given;
    }
    if (!read_detail(a, new[0], new[1], new[2], &all))
        return krl_failed();
    return store_channel(a, arena_str(a->arena_own, c->name), c->place, all);
}

struct krl_value channel_upsert(struct activation *a, const struct krl_value *args, size_t n)
{
    const struct cell *const *cells = NULL;
    size_t count = 0;
    struct krl_value room;
    struct krl_value tags = pico_tags_clean(&a->m.heap, krl_arg(args, n, 0));
    if (krl_is_failed(tags) || !view_list(a, CELL_CHANNEL, &cells, &count))
        return krl_failed();
    for (size_t i = 0; i < count; i++) {
        const struct krl_value *v = cells[i]->bytes.n == 0 ? NULL : detail(a, cells[i], &room, 0);
        if (v == NULL || !pico_tags_same(v[DETAIL_TAGS].array, tags.array))
            continue;
        const struct krl_value all[] = {value_of(a, cells[i]->name), krl_arg(args, n, 0),
                                        krl_arg(args, n, 1), krl_arg(args, n, 2)};
        return channel_put(a, all, COUNT(all));
    }
    return krl_failing(&a->m.heap) ? krl_failed() : channel_new(a, args, n);
}

struct krl_value channel_drop(struct activation *a, const struct krl_value *args, size_t n)
{
    bool family = false;
    bool self = false;
    const struct cell *c = own_channel(a, krl_arg(args, n, 0), &family, &self);
    if (family)
        krl_fail(&a->m.heap, RC_FORBIDDEN, "Error: Cannot delete family channels.");
    if (c == NULL || krl_failing(&a->m.heap))
        return krl_failed();
    view_drop(a, CELL_CHANNEL, 0, arena_str(a->arena_own, c->name));
    return krl_null();
}
