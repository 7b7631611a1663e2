#include "profile/yaml.h"

#include <yaml.h>

enum {
    ARENA_FACTOR = 40,  /* bytes that a byte of the text may need */
    JSON_FACTOR = 8,    /* a control character is written as six */
    POINTER_FACTOR = 2, /* '~' and '/' are written as two */
    POINTER_BYTES_MAX = 4096,
    POINTERS_BYTES_MAX = 4 * 1024 * 1024, /* of all values */
    KEY_BYTES_MAX = 100,
};

/* A container that is open, and where in it we are. */
struct level {
    bool mapping;
    bool want_key;
    size_t index;     /* of a sequence: of the next item */
    size_t pointer_n; /* length of the pointer of the container itself */
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct err *err;
    struct buf json;
    struct json_writer writer;
    struct yaml *yaml;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
    size_t documents;
    bool done;
    size_t pointers_bytes; /* of all places */
    size_t pointer_n;
    char pointer[POINTER_BYTES_MAX];
};

static enum rc refuse(struct reader *r, size_t line, const char *text)
{
    return err_set(r->err, RC_SYNTAX, "line %zu: %s", line, text);
}

static size_t line_of(const yaml_event_t *e)
{
    return e->start_mark.line + 1;
}

/* --- where we are --- */

static bool push_step(struct reader *r, struct str step)
{
    if (r->pointer_n + 1 + POINTER_FACTOR * step.n > sizeof r->pointer)
        return false;
    r->pointer[r->pointer_n++] = '/';
    for (size_t i = 0; i < step.n; i++) {
        bool special = step.p[i] == '~' || step.p[i] == '/';
        r->pointer[r->pointer_n++] = special ? '~' : step.p[i];
        if (special)
            r->pointer[r->pointer_n++] = step.p[i] == '~' ? '0' : '1';
    }
    return true;
}

static enum rc note_place(struct reader *r, size_t line)
{
    struct yaml *y = r->yaml;
    if (y->count == YAML_VALUES_MAX)
        return err_set(r->err, RC_TOO_LARGE, "line %zu: more than %d values", line,
                       YAML_VALUES_MAX);
    r->pointers_bytes += r->pointer_n + 1;
    if (r->pointers_bytes > POINTERS_BYTES_MAX)
        return err_set(r->err, RC_TOO_LARGE, "line %zu: the keys are too long", line);
    y->places[y->count++] = (struct yaml_place){
        .pointer = arena_str(r->arena, str_n(r->pointer, r->pointer_n)), .line = line};
    return RC_OK;
}

/* A value begins: its step is on the pointer afterwards. */
static enum rc begin_value(struct reader *r, size_t line)
{
    if (r->depth > 0) {
        struct level *l = &r->levels[r->depth - 1];
        if (l->mapping && l->want_key)
            return refuse(r, line, "a key is a plain text");
        if (!l->mapping) {
            char number[24];
            int n = snprintf(number, sizeof number, "%zu", l->index++);
            r->pointer_n = l->pointer_n;
            if (!push_step(r, str_n(number, (size_t)n)))
                return refuse(r, line, "the keys are too long");
        }
    }
    return note_place(r, line);
}

static void end_value(struct reader *r)
{
    if (r->depth == 0)
        return;
    struct level *l = &r->levels[r->depth - 1];
    l->want_key = true;
    r->pointer_n = l->pointer_n;
}

/* --- scalars --- */

static bool is_word(struct str s, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (str_eq_nocase(s, str_c(words[i])))
            return true;
    return false;
}

static bool is_integer(struct str s)
{
    int64_t value = 0;
    return str_to_i64(s, INT64_MIN, INT64_MAX, &value) && (s.p[0] != '0' || s.n == 1) &&
           !str_starts(s, STR("-0"));
}

static enum rc put_plain(struct reader *r, size_t line, struct str s)
{
    static const char *const doubtful[] = {"yes", "no", "on", "off", "y", "n", NULL};
    if (is_word(s, doubtful))
        return refuse(r, line, "some readers take this word for true or false: quote it");
    if (s.n == 0 || str_eq(s, STR("null")) || str_eq(s, STR("~")))
        json_put_null(&r->writer);
    else if (str_eq(s, STR("true")) || str_eq(s, STR("false")) || is_integer(s))
        json_put_raw(&r->writer, s);
    else
        json_put_str(&r->writer, s);
    return RC_OK;
}

static enum rc take_key(struct reader *r, size_t line, struct str s, bool merge)
{
    struct level *l = &r->levels[r->depth - 1];
    if (merge)
        return refuse(r, line, "merge keys are not read here");
    if (s.n == 0 || s.n > KEY_BYTES_MAX)
        return refuse(r, line, "a key has 1 to 100 bytes");
    r->pointer_n = l->pointer_n;
    if (!push_step(r, s))
        return refuse(r, line, "the keys are too long");
    struct str pointer = str_n(r->pointer, r->pointer_n);
    for (size_t i = r->yaml->count; i > 0; i--) { /* back to the container itself */
        struct yaml_place *p = &r->yaml->places[i - 1];
        if (p->pointer.n == l->pointer_n)
            break;
        if (str_eq(p->pointer, pointer))
            return refuse(r, line, "this key was there before");
    }
    json_put_key(&r->writer, s);
    l->want_key = false;
    return RC_OK;
}

static enum rc take_scalar(struct reader *r, const yaml_event_t *e)
{
    struct str s = str_n((const char *)e->data.scalar.value, e->data.scalar.length);
    size_t line = line_of(e);
    if (e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL)
        return refuse(r, line, "anchors and tags are not read here");
    if (memchr(s.p, 0, s.n) != NULL)
        return refuse(r, line, "a text has no NUL");
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (r->depth > 0 && r->levels[r->depth - 1].mapping && r->levels[r->depth - 1].want_key)
        return take_key(r, line, s, plain && str_eq(s, STR("<<")));
    TRY(begin_value(r, line));
    if (plain)
        TRY(put_plain(r, line, s));
    else
        json_put_str(&r->writer, s);
    end_value(r);
    return RC_OK;
}

/* --- containers --- */

static enum rc open_level(struct reader *r, const yaml_event_t *e, bool mapping, bool decorated)
{
    size_t line = line_of(e);
    if (decorated)
        return refuse(r, line, "anchors and tags are not read here");
    if (r->depth == YAML_DEPTH_MAX)
        return refuse(r, line, "it is nested too deeply");
    TRY(begin_value(r, line));
    r->levels[r->depth++] =
        (struct level){.mapping = mapping, .want_key = true, .pointer_n = r->pointer_n};
    if (mapping)
        json_begin_object(&r->writer);
    else
        json_begin_array(&r->writer);
    return RC_OK;
}

static void close_level(struct reader *r)
{
    ASSERT(r->depth > 0);
    struct level *l = &r->levels[--r->depth];
    if (l->mapping)
        json_end_object(&r->writer);
    else
        json_end_array(&r->writer);
    end_value(r);
}

static enum rc take_event(struct reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return RC_OK;
    case YAML_STREAM_END_EVENT:
        r->done = true;
        return RC_OK;
    case YAML_DOCUMENT_START_EVENT:
        return r->documents++ == 0 ? RC_OK : refuse(r, line_of(e), "there is a second document");
    case YAML_ALIAS_EVENT:
        return refuse(r, line_of(e), "aliases are not read here");
    case YAML_SCALAR_EVENT:
        return take_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(r, e, false,
                          e->data.sequence_start.anchor != NULL ||
                              e->data.sequence_start.tag != NULL);
    case YAML_MAPPING_START_EVENT:
        return open_level(
            r, e, true, e->data.mapping_start.anchor != NULL || e->data.mapping_start.tag != NULL);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_level(r);
        return RC_OK;
    }
    NEVER("every event was taken");
}

static enum rc read_events(struct reader *r)
{
    while (!r->done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            const char *problem = r->parser.problem != NULL ? r->parser.problem : "no YAML";
            return err_set(r->err, RC_SYNTAX, "line %zu: %s", r->parser.problem_mark.line + 1,
                           problem);
        }
        enum rc rc = take_event(r, &event);
        yaml_event_delete(&event);
        TRY(rc);
    }
    return r->documents == 1 ? RC_OK : refuse(r, 1, "it is empty");
}

enum rc yaml_read(struct str text, struct arena *arena, struct yaml *ret, struct err *err)
{
    if (text.n > YAML_TEXT_MAX)
        return err_set(err, RC_TOO_LARGE, "it has more than %d bytes", YAML_TEXT_MAX);
    size_t want = POINTERS_BYTES_MAX + YAML_VALUES_MAX * sizeof(struct yaml_place);
    if (arena_room(arena) < ARENA_FACTOR * text.n + want)
        return err_set(err, RC_TOO_LARGE, "there is no room to read %zu bytes", text.n);
    if (!str_is_utf8(text))
        return err_set(err, RC_SYNTAX, "it is not UTF-8");
    struct yaml yaml = {.places = NEW_N(arena, struct yaml_place, YAML_VALUES_MAX)};
    struct reader *r = NEW(arena, struct reader);
    r->arena = arena;
    r->err = err;
    r->yaml = &yaml;
    buf_init(&r->json, arena, JSON_FACTOR * text.n + JSON_FACTOR);
    json_writer_init(&r->writer, &r->json);
    if (!yaml_parser_initialize(&r->parser))
        return err_set(err, RC_UNAVAILABLE, "there is no memory to read it");
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text.p, text.n);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    enum rc rc = read_events(r);
    yaml_parser_delete(&r->parser);
    TRY(rc);
    ASSERT(!r->json.full);
    TRY(json_parse(buf_str(&r->json), arena, &yaml.root, err));
    *ret = yaml;
    return RC_OK;
}

size_t yaml_line(const struct yaml *y, struct str pointer)
{
    for (;;) {
        for (size_t i = 0; i < y->count; i++)
            if (str_eq(y->places[i].pointer, pointer))
                return y->places[i].line;
        if (pointer.n == 0)
            return 1;
        do
            pointer.n--;
        while (pointer.n > 0 && pointer.p[pointer.n] != '/');
    }
}
