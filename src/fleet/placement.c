#include "fleet/placement.h"

#include "fleet/words.h"

/* Sites and sets of labels are few: a wish is compared with each once, and nodes look it up. */
struct hot {
    int64_t cpu_free;
    int64_t memory_free;
    int64_t disk_free;
    uint32_t site; /* index in sites */
    uint32_t kind; /* index in kinds */
};

struct site {
    struct str id, country, city, legal;
};

struct kind {
    struct str labels, features;
    int64_t price_class;
};

struct placement {
    const struct placement_node *nodes;
    struct hot *hot;
    size_t count;
    struct site *sites;
    size_t site_count;
    struct kind *kinds;
    size_t kind_count;
};

/* Countries whose law wants a licence of whoever shows the public something. */
static const struct {
    const char *country, *licence, *name;
} licences[] = {
    {"CN", "icp", "the ICP licence"},
};

struct str placement_licence(struct str country)
{
    for (size_t i = 0; i < COUNT(licences); i++)
        if (str_eq(country, str_c(licences[i].country)))
            return str_c(licences[i].licence);
    return STR("");
}

/* --- making one --- */

static uint32_t site_of(struct placement *p, const struct placement_node *n)
{
    for (size_t i = p->site_count; i > 0; i--) { /* nodes come site by site */
        const struct site *s = &p->sites[i - 1];
        if (str_eq(s->id, n->site))
            return (uint32_t)(i - 1);
    }
    p->sites[p->site_count] =
        (struct site){.id = n->site, .country = n->country, .city = n->city, .legal = n->legal};
    return (uint32_t)p->site_count++;
}

static uint32_t kind_of(struct placement *p, const struct placement_node *n)
{
    for (size_t i = p->kind_count; i > 0; i--) {
        const struct kind *k = &p->kinds[i - 1];
        if (k->price_class == n->price_class && str_eq(k->labels, n->labels) &&
            str_eq(k->features, n->features))
            return (uint32_t)(i - 1);
    }
    p->kinds[p->kind_count] =
        (struct kind){.labels = n->labels, .features = n->features, .price_class = n->price_class};
    return (uint32_t)p->kind_count++;
}

struct placement *placement_new(const struct placement_node *nodes, size_t count,
                                struct arena *arena)
{
    ASSERT(count <= PLACEMENT_NODES_MAX);
    struct placement *p = NEW(arena, struct placement);
    p->nodes = nodes;
    p->count = count;
    p->hot = NEW_N(arena, struct hot, count);
    p->sites = NEW_N(arena, struct site, count);
    p->kinds = NEW_N(arena, struct kind, count);
    for (size_t i = 0; i < count; i++)
        p->hot[i] = (struct hot){.cpu_free = nodes[i].cpu_free,
                                 .memory_free = nodes[i].memory_free,
                                 .disk_free = nodes[i].disk_free,
                                 .site = site_of(p, &nodes[i]),
                                 .kind = kind_of(p, &nodes[i])};
    return p;
}

/* --- the wishes, in the order in which a refusal tells them --- */

enum wish_step {
    STEP_FEATURE,
    STEP_MEMORY,
    STEP_CPU,
    STEP_DISK,
    STEP_COUNTRY,
    STEP_CITY,
    STEP_SITE,
    STEP_LABELS,
    STEP_PRICE,
    STEP_LICENCE,
    STEP_BESIDE,
    STEP_COUNT
};

static bool is_beside(const struct placement_wish *w, struct str id)
{
    for (size_t i = 0; i < w->not_beside_count; i++)
        if (str_eq(w->not_beside[i], id))
            return true;
    return false;
}

static bool site_fits(const struct site *s, const struct placement_wish *w, enum wish_step step)
{
    struct str licence = placement_licence(s->country);
    switch (step) {
    case STEP_COUNTRY:
        return w->country.n == 0 || str_eq(s->country, w->country);
    case STEP_CITY:
        return w->city.n == 0 || str_eq_nocase(s->city, w->city);
    case STEP_SITE:
        return w->site.n == 0 || str_eq(s->id, w->site);
    case STEP_LICENCE:
        return !w->public || licence.n == 0 || words_have(s->legal, licence);
    case STEP_FEATURE:
    case STEP_MEMORY:
    case STEP_CPU:
    case STEP_DISK:
    case STEP_LABELS:
    case STEP_PRICE:
    case STEP_BESIDE:
    case STEP_COUNT:
        return true;
    }
    NEVER("every step was looked at");
}

static bool kind_fits(const struct kind *k, const struct placement_wish *w, enum wish_step step)
{
    if (step == STEP_FEATURE)
        return w->feature.n == 0 || words_have(k->features, w->feature);
    if (step == STEP_LABELS)
        return words_have_all(k->labels, w->labels);
    if (step == STEP_PRICE)
        return w->price_class_max < 0 || k->price_class <= w->price_class_max;
    return true;
}

static bool step_fits(const struct placement *p, size_t i, const struct placement_wish *w,
                      enum wish_step step)
{
    const struct hot *h = &p->hot[i];
    if (step == STEP_MEMORY)
        return h->memory_free >= w->memory_bytes;
    if (step == STEP_CPU)
        return h->cpu_free >= w->cpu_milli;
    if (step == STEP_DISK)
        return h->disk_free >= w->disk_bytes;
    if (step == STEP_BESIDE)
        return !is_beside(w, p->nodes[i].id);
    return site_fits(&p->sites[h->site], w, step) && kind_fits(&p->kinds[h->kind], w, step);
}

/* --- the refusal --- */

static struct str gib(int64_t bytes, struct arena *arena)
{
    const int64_t mib = INT64_C(1048576);
    if (bytes % (1024 * mib) == 0)
        return arena_fmt(arena, "%lld GiB", (long long)(bytes / (1024 * mib)));
    return arena_fmt(arena, "%lld MiB", (long long)((bytes + mib - 1) / mib));
}

static struct str place_of(const struct placement_wish *w)
{
    return w->city.n > 0 ? w->city : w->country.n > 0 ? w->country : w->site;
}

static struct str licence_text(const struct placement_wish *w, struct arena *arena)
{
    const char *name = licences[0].name;
    for (size_t i = 0; i < COUNT(licences); i++)
        if (str_eq(w->country, str_c(licences[i].country)))
            name = licences[i].name;
    struct str place = place_of(w);
    if (place.n == 0)
        return arena_fmt(arena, "has %s", name);
    return arena_fmt(arena, "in %.*s has %s", STRF(place), name);
}

/* Behind "none ". */
static struct str wish_text(const struct placement_wish *w, enum wish_step step,
                            struct arena *arena)
{
    switch (step) {
    case STEP_FEATURE:
        return arena_fmt(arena, "can run a %.*s", STRF(w->feature));
    case STEP_MEMORY:
        return arena_fmt(arena, "has %.*s of memory free", STRF(gib(w->memory_bytes, arena)));
    case STEP_CPU:
        return arena_fmt(arena, "has %lld thousandths of a core free", (long long)w->cpu_milli);
    case STEP_DISK:
        return arena_fmt(arena, "has %.*s of disk free", STRF(gib(w->disk_bytes, arena)));
    case STEP_COUNTRY:
        return arena_fmt(arena, "is in the country %.*s", STRF(w->country));
    case STEP_CITY:
        return arena_fmt(arena, "is in %.*s", STRF(w->city));
    case STEP_SITE:
        return arena_fmt(arena, "is at the site %.*s", STRF(w->site));
    case STEP_LABELS:
        return arena_fmt(arena, "has the labels %.*s", STRF(w->labels));
    case STEP_PRICE:
        return arena_fmt(arena, "is of price class %lld or below", (long long)w->price_class_max);
    case STEP_LICENCE:
        return licence_text(w, arena);
    case STEP_BESIDE:
        return STR("is away from what it must not stand beside");
    case STEP_COUNT:
        break;
    }
    NEVER("every step has its words");
}

/* What the nodes that were left have in common, behind their number. */
static const char *had_text(enum wish_step last)
{
    static const char *const texts[STEP_COUNT] = {
        [STEP_FEATURE] = "can run it",          [STEP_MEMORY] = "have the memory",
        [STEP_CPU] = "have memory and cores",   [STEP_DISK] = "have the room",
        [STEP_COUNTRY] = "are in that country", [STEP_CITY] = "are in that city",
        [STEP_SITE] = "are at that site",       [STEP_LABELS] = "have the labels",
        [STEP_PRICE] = "are cheap enough",      [STEP_LICENCE] = "have the licence",
    };
    return texts[last];
}

/* The same of a single node. */
static const char *had_text_one(const char *had, struct arena *arena)
{
    static const struct {
        const char *many, *one;
    } verbs[] = {{"have ", "has"}, {"are ", "is"}, {"take ", "takes"}};
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_starts(str_c(had), str_c(verbs[i].many)))
            return arena_cstr(arena, arena_fmt(arena, "%s%s", verbs[i].one, strchr(had, ' ')));
    return had;
}

/* Whether the wish asks for anything at this step: what it does not ask is not told. */
static bool is_asked(const struct placement_wish *w, enum wish_step step)
{
    switch (step) {
    case STEP_FEATURE:
    case STEP_MEMORY:
    case STEP_CPU:
    case STEP_DISK:
        return true;
    case STEP_COUNTRY:
        return w->country.n > 0;
    case STEP_CITY:
        return w->city.n > 0;
    case STEP_SITE:
        return w->site.n > 0;
    case STEP_LABELS:
        return w->labels.n > 0;
    case STEP_PRICE:
        return w->price_class_max >= 0;
    case STEP_LICENCE:
        return w->public;
    case STEP_BESIDE:
        return w->not_beside_count > 0;
    case STEP_COUNT:
        break;
    }
    NEVER("every step was asked about");
}

static enum rc refuse(const struct placement *p, const struct placement_wish *w,
                      struct arena *arena, struct err *err)
{
    bool *left = NEW_N(arena, bool, p->count);
    size_t before = p->count;
    int last = -1;
    memset(left, true, p->count);
    if (before == 0)
        return err_set(err, RC_CONFLICT, "there is no node that takes services");
    for (int step = 0; step < STEP_COUNT; step++) {
        size_t now = 0;
        for (size_t i = 0; i < p->count; i++) {
            left[i] = left[i] && step_fits(p, i, w, (enum wish_step)step);
            now += left[i];
        }
        if (now == 0) {
            struct str none = wish_text(w, (enum wish_step)step, arena);
            const char *had = last >= 0 ? had_text((enum wish_step)last) : "take services";
            if (before == 1)
                had = had_text_one(had, arena);
            return err_set(err, RC_CONFLICT, "%zu node%s %s, none %.*s", before,
                           before == 1 ? "" : "s", had, STRF(none));
        }
        before = now;
        last = is_asked(w, (enum wish_step)step) ? step : last;
    }
    NEVER("a node that fits every wish was not chosen");
}

/* --- the decision --- */

static bool site_fits_all(const struct site *s, const struct placement_wish *w)
{
    return site_fits(s, w, STEP_COUNTRY) && site_fits(s, w, STEP_CITY) &&
           site_fits(s, w, STEP_SITE) && site_fits(s, w, STEP_LICENCE);
}

static bool kind_fits_all(const struct kind *k, const struct placement_wish *w)
{
    return kind_fits(k, w, STEP_FEATURE) && kind_fits(k, w, STEP_LABELS) &&
           kind_fits(k, w, STEP_PRICE);
}

bool placement_has_room(const struct placement *p, size_t node, const struct placement_wish *w)
{
    const struct hot *h = &p->hot[node];
    return h->memory_free >= w->memory_bytes && h->cpu_free >= w->cpu_milli &&
           h->disk_free >= w->disk_bytes;
}

enum rc placement_choose(const struct placement *p, const struct placement_wish *w,
                         struct arena *arena, size_t *ret, struct err *err)
{
    ASSERT(w->not_beside_count <= PLACEMENT_BESIDE_MAX);
    bool *sites = NEW_N(arena, bool, p->site_count);
    bool *kinds = NEW_N(arena, bool, p->kind_count);
    size_t best = SIZE_MAX;
    int64_t best_left = 0;
    for (size_t i = 0; i < p->site_count; i++)
        sites[i] = site_fits_all(&p->sites[i], w);
    for (size_t i = 0; i < p->kind_count; i++)
        kinds[i] = kind_fits_all(&p->kinds[i], w);
    for (size_t i = 0; i < p->count; i++) {
        const struct hot *h = &p->hot[i];
        int64_t left = h->memory_free - w->memory_bytes;
        bool better = best == SIZE_MAX || (w->spread ? left > best_left : left < best_left);
        if (!better || !placement_has_room(p, i, w) || !sites[h->site] || !kinds[h->kind] ||
            is_beside(w, p->nodes[i].id))
            continue;
        best = i;
        best_left = left;
    }
    if (best == SIZE_MAX)
        return refuse(p, w, arena, err);
    *ret = best;
    return RC_OK;
}

void placement_take(struct placement *p, size_t node, const struct placement_wish *w)
{
    ASSERT(node < p->count);
    p->hot[node].memory_free -= w->memory_bytes;
    p->hot[node].cpu_free -= w->cpu_milli;
    p->hot[node].disk_free -= w->disk_bytes;
}
