#include "cli/peek.h"

const struct json *peek(const struct json *object, const char *key)
{
    bool is_object = object != NULL && json_type(object) == JSON_OBJECT;
    return is_object ? json_get(object, str_c(key)) : NULL;
}

struct str peek_text(const struct json *object, const char *key)
{
    const struct json *value = peek(object, key);
    return value != NULL && json_type(value) == JSON_STRING ? json_text(value) : STR("");
}

int64_t peek_number(const struct json *object, const char *key)
{
    int64_t value = 0;
    const struct json *member = peek(object, key);
    return member != NULL && json_i64(member, &value) ? value : 0;
}

bool peek_true(const struct json *object, const char *key)
{
    const struct json *member = peek(object, key);
    return member != NULL && json_type(member) == JSON_TRUE;
}

const struct json *peek_array(const struct json *object, const char *key)
{
    const struct json *value = peek(object, key);
    return value != NULL && json_type(value) == JSON_ARRAY ? value : NULL;
}
