/*
 * Modules that need no engine: math, random, event (time has its own, time.h); and where all other
 * members are found.
 */
#include "krl/lib.h"
#include "krl/number.h"
#include "krl/time.h"

#include <math.h>

enum { UUID_UNITS = 25, PRECISION_MAX = 292 };

double krl_chance(struct krl_machine *m)
{
    uint64_t bits = 0;
    m->host->chance(m->host, &bits, sizeof bits);
    return (double)(bits >> 11) * 0x1.0p-53;
}

static double number_or(const struct krl_value *args, size_t n, size_t i, double otherwise)
{
    double number = 0;
    if (i >= n || args[i].type == KRL_UNDEFINED || !krl_to_number(args[i], &number))
        return otherwise;
    return number;
}

/* --- math --- */

/* Number(v) of JavaScript: NaN, which is a null, where it is none. An array is what its text is. */
static double js_number(struct krl_machine *m, const struct krl_value *args, size_t n, size_t i)
{
    double number = 0;
    struct krl_value v = krl_arg(args, n, i);
    if (v.type == KRL_ARRAY)
        v = krl_of_text(krl_to_js_text(&m->heap, v));
    if (v.type == KRL_UNDEFINED || v.type == KRL_MAP || krl_is_failed(v) ||
        !krl_to_number(v, &number))
        return v.type == KRL_NUMBER ? v.number : NAN;
    return number;
}

/* number * 10^by by way of its text, so that 1.005 is not 1.00499999... */
static double shift(double number, int by)
{
    char text[KRL_NUMBER_TEXT_MAX + 32];
    if (!isfinite(number))
        return number;
    size_t n = krl_number_print(number, text);
    long exponent = by;
    for (size_t i = 0; i < n; i++) {
        if (text[i] != 'e')
            continue;
        text[n] = '\0';
        exponent += strtol(text + i + 1, NULL, 10);
        n = i;
    }
    n += (size_t)snprintf(text + n, 32, "e%ld", exponent);
    return krl_number_parse(str_n(text, n));
}

static double round_up(double number)
{
    return floor(number + 0.5);
}

/* _.round, _.ceil and _.floor of lodash. */
static struct krl_value rounded(struct krl_machine *m, const struct krl_value *args, size_t n,
                                double (*fn)(double))
{
    double number = js_number(m, args, n, 0);
    double precision = js_number(m, args, n, 1);
    precision = isnan(precision) ? 0 : trunc(precision);
    if (precision > PRECISION_MAX || precision < -PRECISION_MAX)
        precision = precision > 0 ? PRECISION_MAX : -PRECISION_MAX;
    if (precision == 0)
        return krl_number(fn(number));
    return krl_number(shift(fn(shift(number, (int)precision)), -(int)precision));
}

static struct krl_value math_abs(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_number(fabs(js_number(m, args, n, 0)));
}

static struct krl_value math_ceiling(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return rounded(m, args, n, ceil);
}

static struct krl_value math_floor(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return rounded(m, args, n, floor);
}

static struct krl_value math_round(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return rounded(m, args, n, round_up);
}

static struct krl_value math_int(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_number(trunc(js_number(m, args, n, 0)));
}

static struct krl_value math_hash_functions(struct krl_machine *m, const struct krl_value *args,
                                            size_t n)
{
    (void)args;
    (void)n;
    return krl_hash_algorithms(&m->heap);
}

static const struct krl_builtin math_members[] = {
    {"abs", {"number"}, math_abs, KRL_KIND_FUNCTION, 1, false},
    {"base64decode", {"str", "str"}, lib_base64decode, KRL_KIND_FUNCTION, 2, false},
    {"base64encode", {"str", "str"}, lib_base64encode, KRL_KIND_FUNCTION, 2, false},
    {"ceiling", {"number", "precision"}, math_ceiling, KRL_KIND_FUNCTION, 2, false},
    {"floor", {"number", "precision"}, math_floor, KRL_KIND_FUNCTION, 2, false},
    {"hash", {"algorithm", "str", "encoding"}, lib_hash, KRL_KIND_FUNCTION, 3, false},
    {"hashFunctions", {NULL}, math_hash_functions, KRL_KIND_FUNCTION, 0, false},
    {"hmac", {"algorithm", "key", "message", "encoding"}, lib_hmac, KRL_KIND_FUNCTION, 4, false},
    {"int", {"number"}, math_int, KRL_KIND_FUNCTION, 1, false},
    {"round", {"number", "precision"}, math_round, KRL_KIND_FUNCTION, 2, false},
    {.name = NULL},
};

static const char *const math_properties[] = {"hashAlgorithms", NULL};

static struct krl_value math_property(struct krl_machine *m, const struct krl_event *event,
                                      size_t i)
{
    (void)event;
    (void)i;
    return krl_hash_algorithms(&m->heap);
}

/* --- random --- */

static struct krl_value random_integer(struct krl_machine *m, const struct krl_value *args,
                                       size_t n)
{
    double upper = floor(number_or(args, n, 0, 1));
    double lower = floor(number_or(args, n, 1, 0));
    double low = upper < lower ? upper : lower;
    double high = upper < lower ? lower : upper;
    return krl_number(low + floor(krl_chance(m) * (high - low + 1)));
}

static struct krl_value random_number(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    double upper = number_or(args, n, 0, 1);
    double lower = number_or(args, n, 1, 0);
    return krl_number(lower + krl_chance(m) * (upper - lower));
}

/* As a cuid: 25 units of [a-z0-9], c in front; all of them chance. */
static struct krl_value random_uuid(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    char text[UUID_UNITS];
    text[0] = 'c';
    for (size_t i = 1; i < sizeof text; i++)
        text[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[(size_t)(krl_chance(m) * 36)];
    return krl_of_text(krl_text(&m->heap, str_n(text, sizeof text)));
}

static const struct krl_builtin random_members[] = {
    {"integer", {"upper", "lower"}, random_integer, KRL_KIND_FUNCTION, 2, false},
    {"number", {"upper", "lower"}, random_number, KRL_KIND_FUNCTION, 2, false},
    {"uuid", {NULL}, random_uuid, KRL_KIND_FUNCTION, 0, false},
    {"word", {NULL}, lib_word, KRL_KIND_FUNCTION, 0, false},
    {.name = NULL},
};

/* --- event --- */

static struct krl_value event_attr(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    if (m->event == NULL)
        return krl_null();
    return krl_get(m, m->event->attrs, krl_arg(args, n, 0));
}

static const struct krl_builtin event_members[] = {
    {"attr", {"name"}, event_attr, KRL_KIND_FUNCTION, 1, false},
    {.name = NULL},
};

static const char *const event_properties[] = {"eci",   "domain", "name", "eid",
                                               "attrs", "time",   NULL};

static struct krl_value event_property(struct krl_machine *m, const struct krl_event *event,
                                       size_t i)
{
    (void)m;
    if (event == NULL)
        return krl_null();
    const struct krl_value values[] = {event->eci, event->domain, event->name,
                                       event->eid, event->attrs,  krl_number(event->time_ms)};
    ASSERT(i < COUNT(values));
    return values[i];
}

/* --- all --- */

const struct krl_module krl_modules[] = {
    {"event", event_members, event_properties, event_property},
    {"math", math_members, math_properties, math_property},
    {"random", random_members, NULL, NULL},
    {"time", krl_time_members, NULL, NULL},
};
const size_t krl_modules_n = COUNT(krl_modules);

/* False: the module has no such member. Functions of modules see no event. */
static bool find_in(struct krl_machine *m, const struct krl_module *module,
                    const struct krl_instance *instance, const struct krl_text *name,
                    struct krl_value *ret)
{
    for (size_t i = 0; module->properties != NULL && module->properties[i] != NULL; i++) {
        if (!krl_text_is(name, module->properties[i]))
            continue;
        *ret = module->property(m, instance == m->root ? m->event : NULL, i);
        return true;
    }
    for (const struct krl_builtin *b = module->members; b->name != NULL; b++) {
        if (!krl_text_is(name, b->name))
            continue;
        *ret = (struct krl_value){.type = KRL_BUILTIN, .builtin = b};
        return true;
    }
    return false;
}

/* What another ruleset provides under this alias. *ret_used: the alias is one. */
static bool find_used(const struct krl_instance *instance, struct str domain, struct str name,
                      bool *ret_used, struct krl_value *ret)
{
    for (uint32_t i = 0; i < instance->used_n; i++) {
        const struct krl_instance *used = instance->used[i].instance;
        if (!str_eq(instance->used[i].alias, domain))
            continue;
        *ret_used = true;
        for (uint32_t k = 0; k < used->code->provides_n; k++) {
            if (!str_eq(used->code->provides[k].name, name))
                continue;
            *ret = used->globals[used->code->provides[k].global];
            return true;
        }
    }
    return false;
}

struct krl_value krl_module_member(struct krl_machine *m, struct krl_instance *instance,
                                   const struct krl_text *domain, const struct krl_text *name,
                                   bool called)
{
    struct krl_value v = krl_undefined();
    struct str d = krl_text_utf8(&m->heap, domain, false);
    struct str s = krl_text_utf8(&m->heap, name, false);
    bool used = false;
    if (find_used(instance, d, s, &used, &v))
        return v;
    for (size_t i = 0; i < COUNT(krl_modules); i++)
        if (krl_text_is(domain, krl_modules[i].domain) &&
            find_in(m, &krl_modules[i], instance, name, &v))
            return v;
    const struct krl_door *door = used ? NULL : m->host->find(m->host, m, domain, name);
    if (krl_failing(&m->heap))
        return krl_failed();
    if (door != NULL && (door->kinds & KRL_DOOR_PROPERTY) != 0)
        return m->host->property(m->host, m, door);
    if (door != NULL)
        return (struct krl_value){.type = KRL_DOOR, .door = door};
    krl_fail(&m->heap, RC_INVALID, "TypeError: %.*s:%.*s is not %s", STRF(d), STRF(s),
             called ? "a function" : "defined");
    return krl_failed();
}
