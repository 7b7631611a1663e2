#include "pico/policy.h"

static const struct pico_policy_rule everything = {STR_INIT("*"), STR_INIT("*")};

struct pico_policy pico_policy_default(void)
{
    return (struct pico_policy){.allow = &everything, .allow_n = 1};
}

/* --- reading --- */

static const char *first_key(enum pico_policy_kind kind)
{
    return kind == PICO_POLICY_EVENT ? "domain" : "rid";
}

/* A member that is text and not blank, trimmed as JavaScript trims. */
static bool read_word(struct krl_heap *h, const struct krl_map *map, const char *key,
                      struct str *ret)
{
    const struct krl_value *v = krl_map_find(map, key);
    if (v == NULL || v->type != KRL_TEXT)
        return false;
    size_t from = 0;
    size_t to = v->text->n;
    while (from < to && krl_is_space(krl_unit(v->text, from)))
        from++;
    while (to > from && krl_is_space(krl_unit(v->text, to - 1)))
        to--;
    if (from == to)
        return false;
    const struct krl_text *part = krl_text_part(h, v->text, from, to);
    *ret = part == NULL ? STR("") : krl_text_utf8(h, part, true);
    return ret->n > 0 && ret->n <= PICO_POLICY_WORD_MAX;
}

static bool read_rule(struct krl_heap *h, enum pico_policy_kind kind, struct krl_value v,
                      struct pico_policy_rule *ret)
{
    if (v.type == KRL_MAP && v.map->n == 2 && read_word(h, v.map, first_key(kind), &ret->first) &&
        read_word(h, v.map, "name", &ret->name))
        return true;
    krl_fail(h, RC_INVALID, "TypeError: %sPolicyRule expects {%s: string, name: string}",
             kind == PICO_POLICY_EVENT ? "Event" : "Query", first_key(kind));
    return false;
}

static bool read_rules(struct krl_heap *h, enum pico_policy_kind kind, const struct krl_array *a,
                       const struct pico_policy_rule **ret, size_t *ret_n)
{
    if (a->n > PICO_POLICY_RULES_MAX) {
        krl_fail(h, RC_TOO_LARGE, "Error: a channel policy has at most %d rules a list",
                 PICO_POLICY_RULES_MAX);
        return false;
    }
    struct pico_policy_rule *rules = krl_take_n(h, a->n, sizeof *rules);
    if (rules == NULL)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!read_rule(h, kind, a->v[i], &rules[i]))
            return false;
    *ret = rules;
    *ret_n = a->n;
    return true;
}

bool pico_policy_read(struct krl_heap *h, enum pico_policy_kind kind, struct krl_value v,
                      struct pico_policy *ret)
{
    struct pico_policy p = pico_policy_default();
    if (!krl_truthy(v)) {
        *ret = p;
        return true;
    }
    bool map = v.type == KRL_MAP && v.map->n == 2;
    const struct krl_value *allow = map ? krl_map_find(v.map, "allow") : NULL;
    const struct krl_value *deny = map ? krl_map_find(v.map, "deny") : NULL;
    if (allow == NULL || deny == NULL || allow->type != KRL_ARRAY || deny->type != KRL_ARRAY) {
        const char *name = kind == PICO_POLICY_EVENT ? "EventPolicy" : "QueryPolicy";
        krl_fail(h, RC_INVALID, "TypeError: %s expects {allow: %sRule[], deny: %sRule[]}", name,
                 name, name);
        return false;
    }
    if (!read_rules(h, kind, allow->array, &p.allow, &p.allow_n) ||
        !read_rules(h, kind, deny->array, &p.deny, &p.deny_n))
        return false;
    *ret = p;
    return true;
}

/* --- as a value --- */

static struct krl_value rules_value(struct krl_heap *h, enum pico_policy_kind kind,
                                    const struct pico_policy_rule *rules, size_t n)
{
    struct krl_array *a = krl_array_reserve(h, n);
    for (size_t i = 0; i < n && a != NULL; i++) {
        struct krl_map *map = krl_map_new(h, 2);
        if (map == NULL ||
            !krl_map_set_ascii(h, map, first_key(kind), krl_of_text(krl_text(h, rules[i].first))) ||
            !krl_map_set_ascii(h, map, "name", krl_of_text(krl_text(h, rules[i].name))) ||
            !krl_array_add(h, a, krl_of_map(map)))
            return krl_failed();
    }
    return krl_of_array(a);
}

struct krl_value pico_policy_value(struct krl_heap *h, enum pico_policy_kind kind,
                                   const struct pico_policy *p)
{
    struct krl_map *map = krl_map_new(h, 2);
    if (map == NULL ||
        !krl_map_set_ascii(h, map, "allow", rules_value(h, kind, p->allow, p->allow_n)) ||
        !krl_map_set_ascii(h, map, "deny", rules_value(h, kind, p->deny, p->deny_n)) ||
        krl_failing(h))
        return krl_failed();
    return krl_of_map(map);
}

/* --- asking --- */

static bool matches(const struct pico_policy_rule *rules, size_t n, struct str first,
                    struct str name)
{
    for (size_t i = 0; i < n; i++)
        if ((str_eq(rules[i].first, STR("*")) || str_eq(rules[i].first, first)) &&
            (str_eq(rules[i].name, STR("*")) || str_eq(rules[i].name, name)))
            return true;
    return false;
}

enum rc pico_policy_check(const struct pico_policy *p, struct str first, struct str name,
                          struct err *err)
{
    if (matches(p->deny, p->deny_n, first, name))
        return err_set(err, RC_FORBIDDEN, "Error: Denied by channel policy");
    if (!matches(p->allow, p->allow_n, first, name))
        return err_set(err, RC_FORBIDDEN, "Error: Not allowed by channel policy");
    return RC_OK;
}

/* --- tags --- */

static char tag_letter(uint16_t unit)
{
    if (unit >= 'A' && unit <= 'Z')
        return (char)(unit + ('a' - 'A'));
    if ((unit >= 'a' && unit <= 'z') || (unit >= '0' && unit <= '9') || unit == '_')
        return (char)unit;
    return '-';
}

static struct krl_value clean_tag(struct krl_heap *h, const struct krl_text *tag)
{
    char clean[PICO_TAG_MAX];
    size_t n = 0;
    for (size_t i = 0; i < tag->n && n < sizeof clean; i++) {
        char c = tag_letter(krl_unit(tag, i));
        if (c != '-' || (n > 0 && clean[n - 1] != '-'))
            clean[n++] = c;
    }
    while (n > 0 && clean[n - 1] == '-')
        n--;
    if (tag->n > PICO_TAG_MAX)
        krl_fail(h, RC_TOO_LARGE, "TypeError: Channel tag is longer than %d.", PICO_TAG_MAX);
    else if (n == 0)
        krl_fail(h, RC_INVALID, "TypeError: Channel tag cannot be a blank string.");
    else if (str_eq(str_n(clean, n), STR("system")))
        krl_fail(h, RC_INVALID, "TypeError: Cannot tag channel as \"system\".");
    return krl_failing(h) ? krl_failed() : krl_of_text(krl_text(h, str_n(clean, n)));
}

struct krl_value pico_tags_clean(struct krl_heap *h, struct krl_value tags)
{
    bool none = krl_is_null(tags);
    struct krl_array *ret =
        krl_array_reserve(h, tags.type == KRL_ARRAY ? min_size(tags.array->n, PICO_TAGS_MAX) : 0);
    bool texts = none || tags.type == KRL_ARRAY;
    size_t n = tags.type == KRL_ARRAY ? tags.array->n : 0;
    if (n > PICO_TAGS_MAX)
        krl_fail(h, RC_TOO_LARGE, "TypeError: A channel has at most %d tags.", PICO_TAGS_MAX);
    for (size_t i = 0; i < n && texts && !krl_failing(h); i++) {
        texts = tags.array->v[i].type == KRL_TEXT;
        if (texts && !krl_array_add(h, ret, clean_tag(h, tags.array->v[i].text)))
            break;
    }
    if (!texts)
        krl_fail(h, RC_INVALID, "TypeError: Channel `tags` must be an array of non-empty strings.");
    return krl_failing(h) ? krl_failed() : krl_of_array(ret);
}

static size_t occurrences(const struct krl_array *a, struct krl_value tag)
{
    size_t count = 0;
    for (size_t i = 0; i < a->n; i++)
        count += a->v[i].type == KRL_TEXT && krl_text_eq(a->v[i].text, tag.text);
    return count;
}

bool pico_tags_same(const struct krl_array *a, const struct krl_array *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].type != KRL_TEXT || occurrences(a, a->v[i]) != occurrences(b, a->v[i]))
            return false;
    return true;
}
