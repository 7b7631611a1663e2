/*
 * usage_json.c - the door for programs: CloudEvents 1.0 in JSON, one event or an array.
 *
 *     {"specversion":"1.0","type":"vm.vcpu-seconds","source":"urn:pop:par1:node7","id":"01J...",
 *      "subject":"sub_...","time":"2026-01-31T23:59:59Z",
 *      "data":{"t0":"...","t1":"...","qty":"3600","unit":"SEC","dims":{"key":"..."},
 *              "supersedes":"01H..."}}
 *
 * type is the code of a meter. t1 is `time` and t0 is t1 where they are left out. Attributes that
 * CloudEvents allows as extensions are passed over; within data all is ours, and what is not
 * known is refused. CloudEvents 1.0.2, JSON Event Format 3 and 4.
 */
#include "base/map.h"
#include "meter/record.h"

struct json_door {
    struct tx *tx;
    struct map codes; /* code of a meter: struct meter */
    struct str source;
    size_t index;
    bool batch;
};

static enum rc wrong(struct json_door *d, const char *field, const char *what)
{
    struct str at = d->batch ? arena_fmt(d->tx->arena, "/%zu/%s", d->index, field)
                             : arena_fmt(d->tx->arena, "/%s", field);
    return err_set_at(d->tx->err, RC_INVALID, at, "%s", what);
}

/* A text of an event or of its data; empty where it is not there. */
static enum rc text_of(struct json_door *d, const struct json *value, const char *field, size_t max,
                       struct str *ret)
{
    if (json_type(value) != JSON_STRING)
        return wrong(d, field, "a string is wanted");
    struct str text = json_text(value);
    if (text.n == 0 || text.n > max)
        return wrong(d, field, "the text is empty or too long");
    *ret = text;
    return RC_OK;
}

static enum rc time_of(struct json_door *d, const struct json *value, const char *field,
                       time_us *ret)
{
    struct str text;
    TRY(text_of(d, value, field, TIME_TEXT_MAX * 2, &text));
    return time_parse(text, ret) ? RC_OK
                                 : wrong(d, field, "a time such as 2026-01-31T23:59:59Z is wanted");
}

/* --- data --- */

struct data {
    bool from_given;
    bool until_given;
    bool quantity_given;
    struct str unit;
};

static enum rc read_quantity(struct json_door *d, const struct json *value, struct quantity *ret)
{
    bool number = json_type(value) == JSON_NUMBER || json_type(value) == JSON_STRING;
    struct err why;
    err_clear(&why);
    if (!number || quantity_parse(json_text(value), ret, &why) != RC_OK)
        return wrong(d, "data/qty",
                     "a decimal number is wanted, with at most 9 digits behind the "
                     "point, as a string or a number");
    return RC_OK;
}

static enum rc read_dims(struct json_door *d, const struct json *value, struct usage_record *r)
{
    struct buf b;
    struct json_writer w;
    const struct json *key = NULL;
    if (json_type(value) != JSON_OBJECT)
        return wrong(d, "data/dims", "an object is wanted");
    key = json_get(value, STR("key"));
    if (key != NULL && json_type(key) != JSON_STRING)
        return wrong(d, "data/dims/key", "a string is wanted");
    if (value->n == 0)
        return RC_OK; /* says what none says */
    if (arena_room(d->tx->arena) < (size_t)USAGE_DIMS_MAX * 4)
        return err_set(d->tx->err, RC_TOO_LARGE, "these are too many events: send them in parts");
    buf_init(&b, d->tx->arena, USAGE_DIMS_MAX);
    json_writer_init(&w, &b);
    json_put_node(&w, value);
    if (b.full)
        return wrong(d, "data/dims", "the dimensions are too long");
    r->dims = buf_str(&b);
    r->key = key != NULL ? record_key(json_text(key)) : 0;
    return RC_OK;
}

static enum rc read_datum(struct json_door *d, struct str name, const struct json *value,
                          struct data *data, struct usage_record *r)
{
    if (str_eq(name, STR("t0"))) {
        data->from_given = true;
        return time_of(d, value, "data/t0", &r->from);
    }
    if (str_eq(name, STR("t1"))) {
        data->until_given = true;
        return time_of(d, value, "data/t1", &r->until);
    }
    if (str_eq(name, STR("qty"))) {
        data->quantity_given = true;
        return read_quantity(d, value, &r->quantity);
    }
    if (str_eq(name, STR("unit")))
        return text_of(d, value, "data/unit", USAGE_ID_MAX, &data->unit);
    if (str_eq(name, STR("supersedes")))
        return text_of(d, value, "data/supersedes", USAGE_ID_MAX, &r->supersedes);
    if (str_eq(name, STR("dims")))
        return read_dims(d, value, r);
    return wrong(d, "data", "it has t0, t1, qty, unit, dims and supersedes, and nothing else");
}

static enum rc read_data(struct json_door *d, const struct json *json, const struct meter *m,
                         bool time_given, time_us time, struct usage_record *r)
{
    struct data data = {0};
    if (json != NULL && json_type(json) != JSON_OBJECT)
        return wrong(d, "data", "an object is wanted");
    for (const struct json *c = json ? json_first(json) : NULL; c != NULL; c = json_next(json, c))
        TRY(read_datum(d, json_key(c), c, &data, r));
    if (!data.until_given && !time_given)
        return wrong(d, "data/t1", "say when: in t1, or in the event's time");
    if (!data.until_given)
        r->until = time;
    if (!data.from_given)
        r->from = r->until;
    bool counts = m->kind == METER_COUNT || m->kind == METER_UNIQUE;
    if (!data.quantity_given && !counts)
        return wrong(d, "data/qty", "the quantity is missing");
    if (data.unit.n > 0 && !str_eq(data.unit, m->unit))
        return wrong(d, "data/unit", "the meter counts in another unit");
    return RC_OK;
}

/* --- events --- */

struct event {
    struct str version;
    struct str type;
    struct str source;
    time_us time;
    bool time_given;
    const struct json *data;
};

static enum rc read_attribute(struct json_door *d, struct str name, const struct json *value,
                              struct event *e, struct usage_record *r)
{
    if (str_eq(name, STR("id")))
        return text_of(d, value, "id", USAGE_ID_MAX, &r->id);
    if (str_eq(name, STR("source")))
        return text_of(d, value, "source", USAGE_ID_MAX, &e->source);
    if (str_eq(name, STR("type")))
        return text_of(d, value, "type", USAGE_ID_MAX, &e->type);
    if (str_eq(name, STR("subject")))
        return text_of(d, value, "subject", USAGE_ID_MAX, &r->subscription);
    if (str_eq(name, STR("specversion")))
        return text_of(d, value, "specversion", USAGE_ID_MAX, &e->version);
    if (str_eq(name, STR("time"))) {
        e->time_given = true;
        return time_of(d, value, "time", &e->time);
    }
    if (str_eq(name, STR("data"))) {
        e->data = value;
        return RC_OK;
    }
    if (str_eq(name, STR("data_base64")))
        return wrong(d, "data_base64", "data is JSON here");
    if (json_type(value) == JSON_OBJECT || json_type(value) == JSON_ARRAY)
        return wrong(d, "data", "what is no attribute of CloudEvents goes into data");
    return RC_OK;
}

static enum rc check_source(struct json_door *d, const struct event *e)
{
    if (e->source.n == 0)
        return wrong(d, "source", "the source is missing");
    if (d->source.n > 0 && !str_eq(d->source, e->source))
        return wrong(d, "source", "the events of one call have one source");
    d->source = e->source;
    return RC_OK;
}

static enum rc read_event(struct json_door *d, const struct json *json, struct usage_record *ret)
{
    struct event e = {0};
    struct usage_record r = {0};
    if (json_type(json) != JSON_OBJECT)
        return wrong(d, "id", "an event is an object");
    for (const struct json *c = json_first(json); c != NULL; c = json_next(json, c))
        TRY(read_attribute(d, json_key(c), c, &e, &r));
    if (!str_eq(e.version, STR("1.0")))
        return wrong(d, "specversion", "an event of CloudEvents says \"specversion\":\"1.0\"");
    if (r.id.n == 0)
        return wrong(d, "id", "the id is missing");
    TRY(check_source(d, &e));
    const struct meter *m = e.type.n > 0 ? map_get(&d->codes, e.type) : NULL;
    if (m == NULL)
        return wrong(d, "type", "the type is the code of a meter; there is none with this one");
    if (r.subscription.n == 0)
        return wrong(d, "subject", "the subject is the id of a subscription");
    r.meter = m->number;
    TRY(read_data(d, e.data, m, e.time_given, e.time, &r));
    *ret = r;
    return RC_OK;
}

static void know_meters(struct json_door *d, const struct meter *meters, size_t count)
{
    static const uint64_t seed[2] = {UINT64_C(0x6d65746572), UINT64_C(0x636f6465)};
    struct meter *list = NEW_N(d->tx->arena, struct meter, count);
    map_init(&d->codes, d->tx->arena, seed); /* keys are the operator's own */
    for (size_t i = 0; i < count; i++) {
        list[i] = meters[i];
        (void)map_put(&d->codes, list[i].code, &list[i]);
    }
}

enum rc usage_read_events(struct tx *tx, const struct list *meters, struct str body,
                          struct usage_record **ret, size_t *ret_count, struct str *ret_source)
{
    const struct json *json = NULL;
    struct json_door d = {.tx = tx};
    know_meters(&d, meters->items, meters->count);
    TRY(json_parse(body, tx->arena, &json, tx->err));
    d.batch = json_type(json) == JSON_ARRAY;
    size_t count = d.batch ? json->n : 1;
    if (count > USAGE_BATCH_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "at most %d events at once", USAGE_BATCH_MAX);
    if (count == 0)
        return err_set(tx->err, RC_INVALID, "there is no event");
    if (arena_room(tx->arena) / 2 < count * sizeof **ret)
        return err_set(tx->err, RC_TOO_LARGE, "these are too many events: send them in parts");
    struct usage_record *records = NEW_N(tx->arena, struct usage_record, count);
    const struct json *event = d.batch ? json_first(json) : json;
    for (; d.index < count; d.index++) {
        TRY(read_event(&d, event, &records[d.index]));
        event = d.batch ? json_next(json, event) : NULL;
    }
    *ret = records;
    *ret_count = count;
    *ret_source = d.source;
    return RC_OK;
}

enum rc usage_read_json(struct tx *tx, struct str body, struct usage_record **ret,
                        size_t *ret_count, struct str *ret_source)
{
    struct list meters;
    TRY(meter_list(tx, &meters));
    return usage_read_events(tx, &meters, body, ret, ret_count, ret_source);
}
