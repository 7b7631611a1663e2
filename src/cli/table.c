#include "cli/table.h"

#include "cli/text.h"

enum { GAP = 2 };

static struct str cell_at(const struct table *t, size_t row, size_t column)
{
    return t->cells[row * t->column_count + column];
}

static void measure(struct table *t)
{
    for (size_t c = 0; c < t->column_count; c++) {
        size_t width = text_width(t->columns[c].head);
        for (size_t r = 0; r < t->row_count; r++)
            width = max_size(width, text_width(cell_at(t, r, c)));
        t->columns[c].width = width;
    }
}

static size_t total_width(const struct table *t)
{
    size_t total = t->indent + GAP * (t->column_count - 1);
    for (size_t c = 0; c < t->column_count; c++)
        total += t->columns[c].width;
    return total;
}

/* The widest column that may still be cut, NULL where there is none. */
static struct column *widest(struct table *t)
{
    struct column *found = NULL;
    for (size_t c = 0; c < t->column_count; c++) {
        struct column *column = &t->columns[c];
        if (column->right || column->whole || column->width <= TABLE_CELL_MIN)
            continue;
        if (found == NULL || column->width > found->width)
            found = column;
    }
    return found;
}

bool table_fit(struct table *t, size_t columns)
{
    ASSERT(t->column_count >= 1 && t->column_count <= TABLE_COLUMNS_MAX);
    measure(t);
    while (columns > 0 && total_width(t) > columns) {
        struct column *column = widest(t);
        if (column == NULL)
            return false;
        column->width--;
    }
    return true;
}

/* The last column is not padded: no line ends with spaces. */
static void add_cell(struct buf *b, const struct table *t, size_t c, struct str text,
                     struct arena *arena)
{
    const struct column *column = &t->columns[c];
    bool last = c + 1 == t->column_count;
    struct str cut = text_cut(arena, text, max_size(column->width, 1));
    text_pad(b, cut, last && !column->right ? 0 : column->width, column->right);
    if (!last)
        text_pad(b, STR(""), GAP, false);
}

static void print_line(struct buf *b, FILE *out, bool bold)
{
    ASSERT(!b->full);
    struct str line = buf_str(b);
    while (line.n > 0 && line.p[line.n - 1] == ' ')
        line.n--;
    fprintf(out, "%s%.*s%s\n", bold ? "\033[1m" : "", STRF(line), bold ? "\033[0m" : "");
    buf_reset(b);
}

void table_print(const struct table *t, struct arena *arena, FILE *out, bool bold)
{
    size_t bytes = 0;
    for (size_t i = 0; i < t->row_count * t->column_count; i++)
        bytes = max_size(bytes, t->cells[i].n);
    struct buf b;
    buf_init(&b, arena, (bytes + 4 * total_width(t) + 64) * t->column_count + t->indent);

    text_pad(&b, STR(""), t->indent, false);
    for (size_t c = 0; c < t->column_count; c++)
        add_cell(&b, t, c, t->columns[c].head, arena);
    print_line(&b, out, bold);
    for (size_t r = 0; r < t->row_count; r++) {
        text_pad(&b, STR(""), t->indent, false);
        for (size_t c = 0; c < t->column_count; c++)
            add_cell(&b, t, c, cell_at(t, r, c), arena);
        print_line(&b, out, false);
    }
}
