#include "api/csv.h"

static bool is_formula(const struct field *f, struct str cell)
{
    bool text = f->type == FIELD_TEXT || f->type == FIELD_LIST;
    return text && cell.n > 0 && strchr("=+-@\t\r", cell.p[0]) != NULL;
}

static void cell_write(const struct field *f, struct str cell, struct buf *out)
{
    bool guard = is_formula(f, cell);
    bool quote = guard;
    for (size_t i = 0; i < cell.n && !quote; i++)
        quote = strchr(",\"\r\n", cell.p[i]) != NULL;
    if (!quote) {
        buf_add(out, cell);
        return;
    }
    buf_add_char(out, '"');
    if (guard)
        buf_add_char(out, '\'');
    while (cell.n > 0) {
        size_t end = str_find(cell, '"', 0);
        buf_add(out, str_sub(cell, 0, end));
        if (end < cell.n)
            buf_add(out, STR("\"\""));
        cell = str_sub(cell, end + 1, cell.n);
    }
    buf_add_char(out, '"');
}

static void row_write(const struct schema *s, const void *item, struct arena *arena,
                      struct buf *out)
{
    const char *separator = "";
    for (size_t i = 0; i < s->count; i++) {
        if (s->fields[i].flags & FIELD_WRITE_ONLY)
            continue;
        buf_add(out, str_c(separator));
        if (item != NULL)
            cell_write(&s->fields[i], schema_text(s, i, item, arena), out);
        else
            buf_add(out, str_c(s->fields[i].name));
        separator = ",";
    }
    buf_add(out, STR("\r\n"));
}

void csv_write(const struct schema *s, struct list items, struct arena *arena, struct buf *out)
{
    row_write(s, NULL, arena, out);
    for (size_t i = 0; i < items.count; i++)
        row_write(s, (const char *)items.items + i * s->size, arena, out);
}
