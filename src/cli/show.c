#include "cli/show.h"

#include "cli/peek.h"
#include "cli/table.h"
#include "cli/text.h"

enum { COMPACT_MAX = 1024 * 1024 };

void show_str(FILE *out, struct str s)
{
    (void)fwrite(s.p, 1, s.n, out); /* cli_run looks at ferror at the end */
}

bool show_colours(const struct cli *cli)
{
    return cli->out_terminal && cli_env(cli, "NO_COLOR").n == 0 &&
           !str_eq(cli_env(cli, "TERM"), STR("dumb"));
}

/* --- values --- */

static struct str compact(struct arena *arena, const struct json *value)
{
    struct buf b;
    buf_init(&b, arena, COMPACT_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_put_node(&w, value);
    return b.full ? STR("...") : buf_str(&b);
}

struct str show_time(struct arena *arena, struct str text)
{
    time_us t = 0;
    if (!time_parse(text, &t))
        return text_plain(arena, text);
    char utc[TIME_TEXT_MAX];
    size_t n = time_format(t, utc);
    struct str date = str_n(utc, str_find(str_n(utc, n), 'T', 0));
    struct str clock = str_sub(str_n(utc, n), date.n + 1, date.n + sizeof "T12:34:56" - 1);
    return arena_fmt(arena, "%.*s %.*s", STRF(date), STRF(clock));
}

static struct str joined(struct arena *arena, const struct json *list)
{
    struct buf b;
    buf_init(&b, arena, COMPACT_MAX);
    for (const struct json *c = json_first(list); c != NULL; c = json_next(list, c)) {
        if (json_type(c) != JSON_STRING)
            return compact(arena, list);
        if (b.n > 0)
            buf_add(&b, STR(", "));
        buf_add(&b, json_text(c));
    }
    return b.full ? STR("...") : buf_str(&b);
}

struct str show_value(struct arena *arena, const struct field *f, const struct json *value)
{
    switch (json_type(value)) {
    case JSON_NULL:
        return STR("");
    case JSON_FALSE:
        return STR("no");
    case JSON_TRUE:
        return STR("yes");
    case JSON_NUMBER:
        return json_text(value);
    case JSON_STRING:
        if (f != NULL && f->type == FIELD_TIME)
            return show_time(arena, json_text(value));
        return text_plain(arena, json_text(value));
    case JSON_ARRAY:
        return text_plain(arena, joined(arena, value));
    case JSON_OBJECT:
        return text_plain(arena, compact(arena, value));
    }
    NEVER("a value of no type");
}

/* --- tables --- */

/* Objects and lists of objects have no place in a cell unless all is wanted. */
static bool has_column(const struct field *f, bool wide)
{
    if ((f->flags & FIELD_WRITE_ONLY) != 0)
        return false;
    if (wide)
        return true;
    bool nested = f->type == FIELD_OBJECT || f->type == FIELD_JSON || f->type == FIELD_RAW ||
                  (f->type == FIELD_LIST && f->schema != NULL);
    return (f->flags & FIELD_WIDE) == 0 && !nested;
}

static struct str head_of(struct arena *arena, const struct field *f)
{
    struct str words = text_words(arena, str_c(f->name), ' ');
    struct buf b;
    buf_init(&b, arena, words.n + sizeof " (UTC)");
    for (size_t i = 0; i < words.n; i++) {
        char c = words.p[i];
        buf_add_char(&b, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    if (f->type == FIELD_TIME)
        buf_add(&b, STR(" (UTC)"));
    return buf_str(&b);
}

static struct str cell_of(struct arena *arena, const struct field *f, const struct json *item)
{
    const struct json *value = peek(item, f->name);
    return value == NULL ? STR("") : show_value(arena, f, value);
}

/* Whether some item has something to show for the field. */
static bool is_used(struct arena *arena, const struct field *f, const struct json *const *items,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cell_of(arena, f, items[i]).n > 0)
            return true;
    return false;
}

static bool make_table(struct run *run, const struct schema *s, const struct json *const *items,
                       size_t count, struct table *t)
{
    bool wide = args_has(&run->args, "wide");
    const struct field *fields[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if (!has_column(f, wide) || !is_used(run->arena, f, items, count))
            continue;
        ASSERT(t->column_count < TABLE_COLUMNS_MAX);
        fields[t->column_count] = f;
        t->columns[t->column_count++] = (struct column){
            .head = head_of(run->arena, f),
            .right = f->type == FIELD_INT || f->type == FIELD_DECIMAL,
            .whole = wide || f->prefix != NULL || f->type == FIELD_TIME || f->type == FIELD_DATE ||
                     strcmp(f->name, "id") == 0,
        };
    }
    t->row_count = count;
    t->cells = NEW_N(run->arena, struct str, count * t->column_count + 1);
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < t->column_count; c++)
            t->cells[r * t->column_count + c] = cell_of(run->arena, fields[c], items[r]);
    return t->column_count > 0;
}

/* --- one resource --- */

struct line {
    size_t indent;
    struct str label;
    struct str value;
    const struct schema *schema; /* of a list's items, which become a table */
    const struct json *list;
};

struct lines {
    struct run *run;
    bool as_row; /* what a table would show, no more */
    struct line *items;
    size_t count;
};

static void add_line(struct lines *l, struct line line)
{
    if (l->count < SHOW_LINES_MAX)
        l->items[l->count++] = line;
}

static void add_object(struct lines *l, const struct schema *s, const struct json *object,
                       size_t depth);

static void add_member(struct lines *l, const struct field *f, const struct json *value,
                       size_t depth)
{
    struct arena *arena = l->run->arena;
    bool wide = args_has(&l->run->args, "wide");
    struct line line = {.indent = 2 * depth,
                        .label = text_plain(arena, text_words(arena, json_key(value), ' '))};
    if (f != NULL && f->type == FIELD_OBJECT && json_type(value) == JSON_OBJECT) {
        size_t before = l->count;
        add_line(l, line);
        add_object(l, f->schema, value, depth + 1);
        if (l->count == before + 1)
            l->count = before; /* nothing in it: not worth its label */
        return;
    }
    if (f != NULL && f->type == FIELD_LIST && f->schema != NULL && json_type(value) == JSON_ARRAY &&
        value->n > 0) {
        line.schema = f->schema;
        line.list = value;
        add_line(l, line);
        return;
    }
    line.value = show_value(arena, f, value);
    if (!wide)
        line.value = text_cut(arena, line.value, SHOW_VALUE_MAX);
    bool empty = line.value.n == 0 || (json_type(value) == JSON_ARRAY && value->n == 0);
    if (f != NULL && f->type == FIELD_TIME && !empty)
        line.value = arena_fmt(arena, "%.*s UTC", STRF(line.value));
    if (wide || !empty)
        add_line(l, line);
}

/* Known members in the order of the schema, then the unknown ones. As deep as the schemas go. */
static void add_object(struct lines *l, const struct schema *s, const struct json *object,
                       size_t depth)
{
    ASSERT(depth < SHOW_DEPTH_MAX);
    bool wide = args_has(&l->run->args, "wide");
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        const struct json *value = json_get(object, str_c(f->name));
        if (value != NULL && (wide || !l->as_row || has_column(f, false)))
            add_member(l, f, value, depth);
    }
    if (!wide)
        return;
    for (const struct json *c = json_first(object); c != NULL; c = json_next(object, c))
        if (schema_find(s, json_key(c)) < 0)
            add_member(l, NULL, c, depth);
}

static void print_list(struct run *run, const struct line *line)
{
    size_t count = 0;
    const struct json **items = NEW_N(run->arena, const struct json *, line->list->n);
    for (const struct json *c = json_first(line->list); c != NULL; c = json_next(line->list, c))
        items[count++] = c;
    struct table t = {.indent = line->indent + 2};
    if (!make_table(run, line->schema, items, count, &t))
        return;
    size_t columns = run->cli->out_terminal ? run->cli->columns : 0;
    if (!table_fit(&t, columns))
        (void)table_fit(&t, 0); /* the terminal will wrap it */
    table_print(&t, run->arena, run->cli->out, false);
}

static void print_lines(const struct lines *l)
{
    FILE *out = l->run->cli->out;
    bool colours = show_colours(l->run->cli);
    size_t width = 0;
    for (size_t i = 0; i < l->count; i++)
        width = max_size(width, l->items[i].indent + text_width(l->items[i].label));
    for (size_t i = 0; i < l->count; i++) {
        const struct line *line = &l->items[i];
        size_t taken = line->indent + text_width(line->label);
        fprintf(out, "%*s%s%.*s%s", (int)line->indent, "", colours ? "\033[2m" : "",
                STRF(line->label), colours ? "\033[0m" : "");
        if (line->value.n > 0)
            fprintf(out, "%*s%.*s", (int)(width - taken) + 2, "", STRF(line->value));
        fprintf(out, "\n");
        if (line->list != NULL)
            print_list(l->run, line);
    }
}

static void print_object(struct run *run, const struct schema *s, const struct json *object,
                         bool as_row)
{
    if (json_type(object) != JSON_OBJECT)
        return;
    struct lines l = {
        .run = run, .as_row = as_row, .items = NEW_N(run->arena, struct line, SHOW_LINES_MAX)};
    add_object(&l, s, object, 0);
    print_lines(&l);
}

void show_object(struct run *run, const struct schema *s, const struct json *object)
{
    print_object(run, s, object, false);
}

void show_items(struct run *run, const struct schema *s, const struct json *const *items,
                size_t count)
{
    struct table t = {0};
    if (!make_table(run, s, items, count, &t))
        return;
    bool bounded = run->cli->out_terminal && !args_has(&run->args, "wide");
    if (table_fit(&t, bounded ? run->cli->columns : 0)) {
        table_print(&t, run->arena, run->cli->out, show_colours(run->cli));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            show_str(run->cli->out, STR("\n"));
        print_object(run, s, items[i], true);
    }
}
