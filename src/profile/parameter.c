/*
 * parameter.c - what clients choose: checked by the profile's rules, described for forms.
 */
#include "profile/inside.h"
#include "profile/pattern.h"

enum { LENGTH_DEFAULT = 200 };

static bool has(const struct profile_parameter *p, const char *field)
{
    return schema_has(&profile_parameter_schema, p, field);
}

int64_t parameter_max_length(const struct profile_parameter *p)
{
    return p->max_length > 0 ? p->max_length : LENGTH_DEFAULT;
}

bool parameter_is_plain(const struct profile_parameter *p)
{
    if (p->type != PARAMETER_STRING)
        return true;
    if (p->pattern.n > 0)
        return pattern_is_plain(p->pattern);
    const struct str *values = p->values.items;
    for (size_t i = 0; i < p->values.count; i++)
        if (!text_is_plain(values[i]))
            return false;
    return p->values.count > 0;
}

static enum rc take_integer(const struct profile_parameter *p, const struct json *json,
                            struct arena *arena, struct template_value *ret, struct err *err)
{
    int64_t value = 0;
    if (json_type(json) != JSON_NUMBER || !json_i64(json, &value))
        return err_set(err, RC_INVALID, "must be a whole number");
    if (has(p, "minimum") && value < p->minimum)
        return err_set(err, RC_INVALID, "must be at least %lld", (long long)p->minimum);
    if (has(p, "maximum") && value > p->maximum)
        return err_set(err, RC_INVALID, "must be at most %lld", (long long)p->maximum);
    ret->text = arena_fmt(arena, "%lld", (long long)value);
    ret->number = true;
    return RC_OK;
}

static bool has_control(struct str s, bool multiline)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && !(multiline && (c == '\n' || c == '\t'))) || c == 127)
            return true;
    }
    return false;
}

static enum rc check_enum(const struct profile_parameter *p, struct str s, struct err *err)
{
    const struct str *values = p->values.items;
    for (size_t i = 0; i < p->values.count; i++)
        if (str_eq(values[i], s))
            return RC_OK;
    if (p->values.count == 0)
        return RC_OK;
    return err_set(err, RC_INVALID, "must be one of %zu texts, such as '%.*s'", p->values.count,
                   STRF(values[0]));
}

static enum rc take_string(const struct profile_parameter *p, const struct json *json,
                           struct template_value *ret, struct err *err)
{
    if (json_type(json) != JSON_STRING)
        return err_set(err, RC_INVALID, "must be a text");
    struct str s = json_text(json);
    int64_t length = (int64_t)str_count_utf8(s);
    if (s.n > PROFILE_VALUE_MAX || length > parameter_max_length(p))
        return err_set(err, RC_INVALID, "must have at most %lld characters",
                       (long long)parameter_max_length(p));
    if (length < p->min_length)
        return err_set(err, RC_INVALID, "must have at least %lld characters",
                       (long long)p->min_length);
    if (has_control(s, p->multiline))
        return err_set(err, RC_INVALID, "must have no control characters");
    if (p->pattern.n > 0 && !pattern_matches(p->pattern, s))
        return err_set(err, RC_INVALID, "must look like %.*s", STRF(p->pattern));
    TRY(check_enum(p, s, err));
    ret->text = s;
    return RC_OK;
}

enum rc parameter_take(const struct profile_parameter *p, const struct json *json,
                       struct arena *arena, struct template_value *ret, struct err *err)
{
    struct template_value value = {.plain = parameter_is_plain(p)};
    if (json == NULL)
        json = p->fallback;
    if (json == NULL)
        return err_set(err, RC_INVALID, "must be said");
    switch ((enum parameter_type)p->type) {
    case PARAMETER_INTEGER:
        TRY(take_integer(p, json, arena, &value, err));
        break;
    case PARAMETER_BOOLEAN:
        if (json_type(json) != JSON_TRUE && json_type(json) != JSON_FALSE)
            return err_set(err, RC_INVALID, "must be true or false");
        value.text = json_type(json) == JSON_TRUE ? STR("true") : STR("false");
        value.number = true;
        break;
    case PARAMETER_STRING:
        TRY(take_string(p, json, &value, err));
        break;
    }
    *ret = value;
    return RC_OK;
}

static const struct profile_parameter *find(const struct profile *p, struct str name)
{
    const struct profile_parameter *items = p->parameters.items;
    for (size_t i = 0; i < p->parameters.count; i++)
        if (str_eq(items[i].name, name))
            return &items[i];
    return NULL;
}

static enum rc check_known(const struct profile *p, const struct json *chosen, struct err *err)
{
    if (json_type(chosen) != JSON_OBJECT)
        return err_set_at(err, RC_INVALID, STR("/parameters"), "must be an object");
    for (const struct json *c = json_first(chosen); c != NULL; c = json_next(chosen, c))
        if (find(p, json_key(c)) == NULL)
            return err_set_at(err, RC_INVALID, STR("/parameters"), "'%.*s' has no parameter '%.*s'",
                              STRF(p->name), STRF(json_key(c)));
    return RC_OK;
}

static void add_value(struct profile_values *v, struct str name, struct template_value value)
{
    ASSERT(v->count < PROFILE_VALUES_MAX);
    v->items[v->count].name = name;
    v->items[v->count].value = value;
    v->count++;
}

enum rc profile_parameters(const struct profile *p, const struct json *chosen, struct arena *arena,
                           struct profile_values *ret, struct err *err)
{
    if (chosen != NULL)
        TRY(check_known(p, chosen, err));
    const struct profile_parameter *items = p->parameters.items;
    for (size_t i = 0; i < p->parameters.count; i++) {
        struct template_value value;
        const struct json *json = chosen != NULL ? json_get(chosen, items[i].name) : NULL;
        enum rc rc = parameter_take(&items[i], json, arena, &value, err);
        if (rc != RC_OK) {
            err_under(err, arena_fmt(arena, "/parameters/%.*s", STRF(items[i].name)));
            return rc;
        }
        add_value(ret, items[i].name, value);
    }
    return RC_OK;
}

void profile_values_add(struct profile_values *v, struct str name, struct str text)
{
    add_value(v, name, (struct template_value){.text = text, .plain = text_is_plain(text)});
}

bool profile_values_find(const void *arg, struct str name, struct template_value *ret)
{
    const struct profile_values *v = arg;
    for (size_t i = 0; i < v->count; i++)
        if (str_eq(v->items[i].name, name)) {
            *ret = v->items[i].value;
            return true;
        }
    return false;
}

/* --- for forms --- */

static void describe_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.n == 0)
        return;
    json_put_key(w, str_c(key));
    json_put_str(w, text);
}

static void describe_number(struct json_writer *w, const char *key, int64_t number)
{
    json_put_key(w, str_c(key));
    json_put_i64(w, number);
}

static void describe_string(const struct profile_parameter *p, struct json_writer *w)
{
    describe_number(w, "maxLength", parameter_max_length(p));
    if (p->min_length > 0)
        describe_number(w, "minLength", p->min_length);
    if (p->pattern.n > 0) {
        struct str whole = arena_fmt(w->buf->arena, "^%.*s$", STRF(p->pattern));
        describe_text(w, "pattern", whole);
    }
    if (p->values.count == 0)
        return;
    json_put_key(w, STR("enum"));
    json_begin_array(w);
    for (size_t i = 0; i < p->values.count; i++)
        json_put_str(w, ((const struct str *)p->values.items)[i]);
    json_end_array(w);
}

static void describe_one(const struct profile_parameter *p, struct json_writer *w)
{
    json_put_key(w, p->name);
    json_begin_object(w);
    describe_text(w, "title", p->title);
    describe_text(w, "description", p->doc);
    describe_text(w, "type", str_c(parameter_types[p->type]));
    if (has(p, "minimum"))
        describe_number(w, "minimum", p->minimum);
    if (has(p, "maximum"))
        describe_number(w, "maximum", p->maximum);
    if (p->type == PARAMETER_STRING)
        describe_string(p, w);
    if (p->fallback != NULL) {
        json_put_key(w, STR("default"));
        json_put_node(w, p->fallback);
    }
    json_end_object(w);
}

void profile_describe(const struct profile *p, struct json_writer *w)
{
    const struct profile_parameter *items = p->parameters.items;
    json_begin_object(w);
    describe_text(w, "type", STR("object"));
    json_put_key(w, STR("additionalProperties"));
    json_put_bool(w, false);
    json_put_key(w, STR("properties"));
    json_begin_object(w);
    for (size_t i = 0; i < p->parameters.count; i++)
        describe_one(&items[i], w);
    json_end_object(w);
    json_put_key(w, STR("required"));
    json_begin_array(w);
    for (size_t i = 0; i < p->parameters.count; i++)
        if (items[i].fallback == NULL)
            json_put_str(w, items[i].name);
    json_end_array(w);
    json_end_object(w);
}
