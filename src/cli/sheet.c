#include "cli/sheet.h"

#include "cli/show.h"
#include "cli/text.h"

void sheet_begin(struct sheet *s, struct run *run, const char *const *heads, size_t rows_max)
{
    *s = (struct sheet){.run = run, .rows_max = rows_max};
    s->table.indent = 2;
    for (; heads[s->table.column_count] != NULL; s->table.column_count++) {
        struct str head = str_c(heads[s->table.column_count]);
        struct column *c = &s->table.columns[s->table.column_count];
        c->right = str_starts(head, STR(">"));
        c->head = str_sub(head, c->right ? 1 : 0, head.n);
    }
    s->table.cells = NEW_N(run->arena, struct str, s->table.column_count * rows_max);
}

void sheet_row(struct sheet *s, const struct str *cells)
{
    struct table *t = &s->table;
    ASSERT(t->row_count < s->rows_max);
    for (size_t i = 0; i < t->column_count; i++)
        t->cells[t->row_count * t->column_count + i] = text_plain(s->run->arena, cells[i]);
    t->row_count++;
}

/* "HEAD  value", a block for each row. */
static void print_blocks(const struct sheet *s)
{
    const struct table *t = &s->table;
    size_t width = 0;
    for (size_t c = 0; c < t->column_count; c++)
        width = max_size(width, text_width(t->columns[c].head));
    for (size_t i = 0; i < t->row_count * t->column_count; i++) {
        size_t c = i % t->column_count;
        struct str label = t->columns[c].head;
        if (t->cells[i].n > 0)
            fprintf(s->run->cli->out, "%*s%.*s%*s%.*s\n", c == 0 ? 2 : 4, "", STRF(label),
                    (int)(width - text_width(label) + (c == 0 ? 4 : 2)), "", STRF(t->cells[i]));
    }
}

void sheet_print(struct sheet *s)
{
    if (s->table.row_count == 0)
        return;
    const struct cli *cli = s->run->cli;
    bool bounded = cli->out_terminal && !args_has(&s->run->args, "wide");
    if (table_fit(&s->table, bounded ? cli->columns : 0))
        table_print(&s->table, s->run->arena, cli->out, show_colours(cli));
    else
        print_blocks(s);
}

void sheet_text(struct run *run, struct str text)
{
    const struct cli *cli = run->cli;
    size_t columns = cli->out_terminal ? cli->columns : 0;
    size_t at = 1; /* the space before the first word makes it 2 */
    fprintf(cli->out, " ");
    while (text.n > 0) {
        struct str word = str_cut(&text, ' ');
        size_t width = text_width(word);
        if (columns > 0 && at > 4 && at + 1 + width > columns) {
            fprintf(cli->out, "\n   ");
            at = 3;
        }
        fprintf(cli->out, " %.*s", STRF(word));
        at += 1 + width;
    }
    fprintf(cli->out, "\n");
}

struct str sheet_amount(struct arena *arena, struct str decimal)
{
    size_t first = str_starts(decimal, STR("-")) ? 1 : 0;
    size_t end = str_find(decimal, '.', 0);
    struct buf b;
    buf_init(&b, arena, 2 * decimal.n + 1);
    for (size_t i = 0; i < decimal.n; i++) {
        if (i > first && i < end && (end - i) % 3 == 0)
            buf_add_char(&b, ',');
        buf_add_char(&b, decimal.p[i]);
    }
    return buf_str(&b);
}

struct str sheet_percent(struct arena *arena, int64_t ppm, bool exact)
{
    ASSERT(ppm > -INT64_C(1000000000000) && ppm < INT64_C(1000000000000));
    enum { TENTHS = 1000, DIGITS = 4 };
    int64_t size = ppm < 0 ? -ppm : ppm;
    const char *sign = ppm < 0 ? "-" : "";
    if (!exact) {
        int64_t tenths = (size + TENTHS / 2) / TENTHS;
        return arena_fmt(arena, "%s%lld.%lld %%", sign, (long long)(tenths / 10),
                         (long long)(tenths % 10));
    }
    int digits = DIGITS;
    int64_t rest = size % (10 * TENTHS);
    for (; digits > 0 && rest % 10 == 0; digits--)
        rest /= 10;
    if (digits == 0)
        return arena_fmt(arena, "%s%lld %%", sign, (long long)(size / (10 * TENTHS)));
    return arena_fmt(arena, "%s%lld.%0*lld %%", sign, (long long)(size / (10 * TENTHS)), digits,
                     (long long)rest);
}
