#include "base/schema_field.h"

enum { PATTERN_MAX = 96 };

static void put(struct json_writer *w, const char *key, const char *text)
{
    json_put_key(w, str_c(key));
    json_put_str(w, str_c(text));
}

static void put_number(struct json_writer *w, const char *key, int64_t number)
{
    json_put_key(w, str_c(key));
    json_put_i64(w, number);
}

static void put_type(struct json_writer *w, const char *type, bool nullable)
{
    json_put_key(w, STR("type"));
    if (nullable)
        json_begin_array(w);
    json_put_str(w, str_c(type));
    if (nullable) {
        json_put_str(w, STR("null"));
        json_end_array(w);
    }
}

static void put_words(struct json_writer *w, const char *const *words, bool nullable)
{
    json_put_key(w, STR("enum"));
    json_begin_array(w);
    for (size_t i = 0; words[i] != NULL; i++)
        json_put_str(w, str_c(words[i]));
    if (nullable) /* "enum" wants null listed even where "type" has it */
        json_put_null(w);
    json_end_array(w);
}

/* What a text must look like; also of the items of a list of text. */
static void put_text_rules(struct json_writer *w, const struct field *f, bool nullable)
{
    char pattern[PATTERN_MAX];
    if (f->words != NULL) {
        put_words(w, f->words, nullable);
    } else if (f->prefix != NULL) {
        (void)snprintf(pattern, sizeof pattern, "^%s_[0-7][0-9a-hjkmnp-tv-z]{25}$", f->prefix);
        put(w, "pattern", pattern);
    } else if (f->type == FIELD_LIST) {
        put_number(w, "maxLength", FIELD_TEXT_MAX);
    } else {
        if (f->min > 0)
            put_number(w, "minLength", f->min);
        put_number(w, "maxLength", field_max(f));
    }
}

const char *schema_suffix(enum schema_view view)
{
    switch (view) {
    case SCHEMA_REPLY:
        return "";
    case SCHEMA_INPUT:
        return "_input";
    case SCHEMA_CHANGE:
        return "_patch";
    }
    NEVER("a view outside its enum");
}

enum schema_view schema_view_of(const struct field *f, enum schema_view view)
{
    return f->type == FIELD_LIST && view == SCHEMA_CHANGE ? SCHEMA_INPUT : view;
}

static void put_reference(struct json_writer *w, const struct field *f, enum schema_view view,
                          bool nullable)
{
    char reference[128];
    int n = snprintf(reference, sizeof reference, "#/components/schemas/%s%s", f->schema->name,
                     schema_suffix(schema_view_of(f, view)));
    ASSERT(n > 0 && (size_t)n < sizeof reference);
    if (!nullable) {
        put(w, "$ref", reference);
        return;
    }
    json_put_key(w, STR("anyOf"));
    json_begin_array(w);
    json_begin_object(w);
    put(w, "$ref", reference);
    json_end_object(w);
    json_begin_object(w);
    put(w, "type", "null");
    json_end_object(w);
    json_end_array(w);
}

static void put_list(struct json_writer *w, const struct field *f, enum schema_view view,
                     bool nullable)
{
    put_type(w, "array", nullable);
    if (f->min > 0)
        put_number(w, "minItems", f->min);
    put_number(w, "maxItems", field_max(f));
    json_put_key(w, STR("items"));
    json_begin_object(w);
    if (f->schema != NULL) {
        put_reference(w, f, view, false);
    } else {
        put_type(w, "string", false);
        put_text_rules(w, f, false);
    }
    json_end_object(w);
}

static void put_kind(struct json_writer *w, const struct field *f, enum schema_view view,
                     bool nullable)
{
    char pattern[PATTERN_MAX];
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_WORD:
        put_type(w, "string", nullable);
        put_text_rules(w, f, nullable);
        return;
    case FIELD_INT:
        put_type(w, "integer", nullable);
        put(w, "format", "int64");
        if (f->min != 0 || f->max != 0) {
            put_number(w, "minimum", f->min);
            put_number(w, "maximum", f->max);
        }
        return;
    case FIELD_BOOL:
        put_type(w, "boolean", nullable);
        return;
    case FIELD_TIME:
        put_type(w, "string", nullable);
        put(w, "format", "date-time");
        return;
    case FIELD_DATE:
        put_type(w, "string", nullable);
        put(w, "format", "date");
        return;
    case FIELD_DECIMAL:
        put_type(w, "string", nullable);
        (void)snprintf(pattern, sizeof pattern, "^-?(0|[1-9][0-9]{0,%d})(\\.[0-9]{1,%d})?$",
                       FIELD_DIGITS_BEFORE - 1, FIELD_DIGITS_BEHIND);
        put(w, "pattern", pattern);
        return;
    case FIELD_OBJECT:
        put_reference(w, f, view, nullable);
        return;
    case FIELD_LIST:
        put_list(w, f, view, nullable);
        return;
    case FIELD_JSON:
    case FIELD_RAW:
        return; /* no rule: any value */
    }
    NEVER("a field type outside its enum");
}

/* Where an answer may hold null: see field_is_nothing. */
static bool answers_null(const struct field *f)
{
    switch (f->type) {
    case FIELD_TEXT:
        return !field_takes_empty(f);
    case FIELD_INT:
        return f->min > 0 || f->max < 0;
    case FIELD_TIME:
    case FIELD_DATE:
    case FIELD_DECIMAL:
        return true;
    case FIELD_OBJECT:
        for (size_t i = 0; i < f->schema->count; i++)
            if ((f->schema->fields[i].flags & FIELD_REQUIRED) != 0 &&
                answers_null(&f->schema->fields[i]))
                return true;
        return false;
    case FIELD_BOOL:
    case FIELD_WORD:
    case FIELD_LIST:
    case FIELD_JSON:
    case FIELD_RAW:
        return false;
    }
    NEVER("a field type outside its enum");
}

static void put_field(struct json_writer *w, const struct field *f, enum schema_view view)
{
    bool for_request = view != SCHEMA_REPLY;
    bool optional = (f->flags & FIELD_REQUIRED) == 0;
    json_put_key(w, str_c(f->name));
    json_begin_object(w);
    put_kind(w, f, view, optional && (for_request || answers_null(f)));
    if (f->doc != NULL)
        put(w, "description", f->doc);
    if (f->example != NULL) {
        json_put_key(w, STR("examples"));
        json_begin_array(w);
        json_put_raw(w, str_c(f->example));
        json_end_array(w);
    }
    if (!field_is_taken(f) || (f->flags & FIELD_WRITE_ONLY) != 0) {
        json_put_key(w, field_is_taken(f) ? STR("writeOnly") : STR("readOnly"));
        json_put_bool(w, true);
    }
    json_end_object(w);
}

static bool is_shown(const struct field *f, bool for_request)
{
    return for_request ? field_is_taken(f) : (f->flags & FIELD_WRITE_ONLY) == 0;
}

static void put_required(struct json_writer *w, const struct schema *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!field_is_taken(&s->fields[i]) || (s->fields[i].flags & FIELD_REQUIRED) == 0)
            continue;
        if (count++ == 0) {
            json_put_key(w, STR("required"));
            json_begin_array(w);
        }
        json_put_str(w, str_c(s->fields[i].name));
    }
    if (count > 0)
        json_end_array(w);
}

void schema_describe(const struct schema *s, enum schema_view view, struct json_writer *w)
{
    bool for_request = view != SCHEMA_REPLY;
    json_begin_object(w);
    put(w, "type", "object");
    if (s->doc != NULL)
        put(w, "description", s->doc);
    json_put_key(w, STR("properties"));
    json_begin_object(w);
    for (size_t i = 0; i < s->count; i++)
        if (is_shown(&s->fields[i], for_request))
            put_field(w, &s->fields[i], view);
    json_end_object(w);
    if (view == SCHEMA_INPUT)
        put_required(w, s);
    if (for_request) {
        json_put_key(w, STR("additionalProperties")); /* answers may grow, requests may not */
        json_put_bool(w, false);
    }
    json_end_object(w);
}
