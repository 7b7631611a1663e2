/*
 * Any JSON is refused with a sentence and a pointer, or decoded; what was decoded is encoded to
 * JSON that decodes to the same. The first byte chooses: whole, patch, or name=value pairs.
 */
#include "fuzz.h"

#include "base/schema.h"

struct part {
    uint64_t set;
    struct str name;
    struct str price;
    int64_t count;
};

struct thing {
    uint64_t set;
    struct str name;
    struct str note;
    int64_t count;
    int64_t any;
    bool live;
    time_us made;
    struct str day;
    struct str price;
    int64_t currency;
    struct part part;
    struct list parts;
    struct list tags;
    struct list names;
    const struct json *extra;
    struct str owner;
};

static const char *const currencies[] = {"EUR", "USD", "CNY", NULL};
static const char *const colours[] = {"red", "green", NULL};

static const struct field part_fields[] = {
    FIELD(struct part, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 20),
    FIELD(struct part, price, DECIMAL),
    FIELD(struct part, count, INT, .min = 1, .max = 9),
};
static const struct schema part_schema = SCHEMA(struct part, "part", part_fields, NULL);

static const struct field fields[] = {
    FIELD(struct thing, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 8),
    FIELD(struct thing, note, TEXT, .flags = FIELD_MULTILINE, .max = 40),
    FIELD(struct thing, count, INT, .min = -5, .max = 1000),
    FIELD(struct thing, any, INT),
    FIELD(struct thing, live, BOOL),
    FIELD(struct thing, made, TIME),
    FIELD(struct thing, day, DATE),
    FIELD(struct thing, price, DECIMAL),
    FIELD(struct thing, currency, WORD, .words = currencies),
    FIELD(struct thing, part, OBJECT, .schema = &part_schema),
    FIELD(struct thing, parts, LIST, .schema = &part_schema, .max = 5),
    FIELD(struct thing, tags, LIST, .words = colours, .max = 3),
    FIELD(struct thing, names, LIST, .max = 9),
    FIELD(struct thing, extra, JSON),
    FIELD(struct thing, owner, TEXT, .prefix = "pty"),
};
static const struct schema schema = SCHEMA(struct thing, "thing", fields, NULL);

static struct str encode(const struct thing *thing, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, (size_t)1024 * 1024);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_encode(&schema, thing, &w);
    ASSERT(!b.full);
    for (size_t i = 0; i < schema.count; i++)
        (void)schema_text(&schema, i, thing, arena);
    return buf_str(&b);
}

static enum rc decode(struct str text, enum schema_mode mode, struct arena *arena,
                      struct thing *ret, struct err *err)
{
    const struct json *json = NULL;
    TRY(json_parse(text, arena, &json, err));
    enum rc rc = schema_decode(&schema, mode, json, arena, ret, err);
    if (rc == RC_INVALID)
        ASSERT(err->pointer_n > 0);
    return rc;
}

static enum rc decode_pairs(struct str text, struct arena *arena, struct thing *ret,
                            struct err *err)
{
    struct pair pairs[16];
    size_t count = 0;
    while (text.n > 0 && count < COUNT(pairs)) {
        struct str value = str_cut(&text, '&');
        pairs[count].name = str_cut(&value, '=');
        pairs[count++].value = value;
    }
    return schema_decode_pairs(&schema, pairs, count, arena, ret, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > (size_t)64 * 1024)
        return 0;
    struct str text = str_n((const char *)data + 1, size - 1);
    enum schema_mode mode = data[0] % 3 == 0 ? SCHEMA_WHOLE : SCHEMA_PATCH;
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct err err;
    err_clear(&err);
    struct thing thing;
    enum rc rc = data[0] % 3 == 2 ? decode_pairs(text, &arena, &thing, &err)
                                  : decode(text, mode, &arena, &thing, &err);
    ASSERT(rc == err.rc);
    if (rc == RC_OK) {
        struct str once = encode(&thing, &arena);
        struct thing again;
        rc = decode(once, mode, &arena, &again, &err);
        ASSERT(rc == RC_OK);
        ASSERT(thing.set == again.set);
        ASSERT(str_eq(once, encode(&again, &arena)));
    } else {
        ASSERT(err.text_n > 0);
    }
    arena_fini(&arena);
    return 0;
}
