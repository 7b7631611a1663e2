#include "plan/example.h"

const struct forecast_example *forecast_example_find(struct str name)
{
    for (size_t i = 0; i < forecast_example_count; i++)
        if (str_eq(name, str_c(forecast_examples[i].name)))
            return &forecast_examples[i];
    return NULL;
}

enum rc forecast_parse(struct str text, struct arena *arena, struct forecast *ret, struct err *err)
{
    if (text.n > FORECAST_TEXT_MAX)
        return err_set(err, RC_TOO_LARGE, "a plan has at most %d bytes", FORECAST_TEXT_MAX);
    const struct json *json = NULL;
    TRY(json_parse(text, arena, &json, err));
    return schema_decode(&forecast_schema, SCHEMA_WHOLE, json, arena, ret, err);
}
