#include "cli/chart.h"

#include "cli/text.h"

enum { EIGHTHS = 8, CELL_WIDTH_MAX = 3 };

void chart_bar(struct buf *b, int64_t value, int64_t most, size_t width)
{
    static const char *const parts[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    ASSERT(value >= 0 && value <= most);
    ASSERT(width <= CHART_WIDTH_MAX);
    if (value == 0)
        return;
    __int128 eighths =
        ((__int128)value * (int64_t)width * EIGHTHS * 2 + most) / ((__int128)most * 2);
    size_t n = max_size((size_t)eighths, 1);
    for (size_t i = 0; i < n / EIGHTHS; i++)
        buf_add(b, STR("█"));
    buf_add(b, str_c(parts[n % EIGHTHS]));
}

/* How a chart is laid out. */
struct layout {
    size_t cells; /* columns of values */
    size_t group; /* values of one */
    size_t wide;  /* characters of one */
    size_t above; /* lines */
    size_t below;
    __int128 unit; /* what one line stands for */
    size_t margin; /* of the labels */
};

/* n / d, rounded up. */
static __int128 lines_of(__int128 n, __int128 d)
{
    ASSERT(d > 0);
    return (n + d - 1) / d;
}

static struct layout lay_out(const struct chart *c)
{
    int64_t top = 0;
    int64_t bottom = 0;
    for (size_t i = 0; i < c->count; i++) {
        top = max_i64(top, c->values[i]);
        bottom = min_i64(bottom, c->values[i]);
    }
    struct layout l = {.group = (c->count + c->width - 1) / c->width};
    l.cells = (c->count + l.group - 1) / l.group;
    l.wide = min_size(max_size(c->width / l.cells, 1), CELL_WIDTH_MAX);
    l.margin = max_size(max_size(text_width(c->top), text_width(c->bottom)), 1);
    __int128 range = (__int128)top - bottom;
    if (range == 0) {
        l.unit = 1;
        return l;
    }
    /* Lines on each side by its share, then the larger of the two units, so that both fit. */
    __int128 down = -(__int128)bottom;
    __int128 height = (__int128)c->height;
    __int128 above = top > 0 ? lines_of(top * height, range) : 1;
    __int128 below = bottom < 0 ? lines_of(down * height, range) : 1;
    l.unit =
        lines_of(top, above) > lines_of(down, below) ? lines_of(top, above) : lines_of(down, below);
    l.above = (size_t)lines_of(top, l.unit);
    l.below = (size_t)lines_of(down, l.unit);
    return l;
}

static int64_t value_of(const struct chart *c, const struct layout *l, size_t cell)
{
    return c->values[min_size((cell + 1) * l->group, c->count) - 1];
}

/* Eighths of the line that is row lines away from the base (0: beside it), filled by value. */
static int filled(__int128 value, const struct layout *l, size_t row)
{
    if (value <= 0)
        return 0;
    __int128 eighths = (value * EIGHTHS * 2 + l->unit) / (l->unit * 2);
    if (eighths == 0)
        eighths = 1;
    __int128 rest = eighths - (__int128)row * EIGHTHS;
    return rest <= 0 ? 0 : rest >= EIGHTHS ? EIGHTHS : (int)rest;
}

static void add_line(struct buf *b, const struct chart *c, const struct layout *l, size_t row,
                     bool up)
{
    static const char *const rising[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const hanging[EIGHTHS + 1] = {" ", "▔", "▔", "▔", "▀", "▀", "▀", "▀", "█"};
    size_t blanks = 0; /* none at the end of a line */
    for (size_t i = 0; i < l->cells; i++) {
        __int128 value = value_of(c, l, i);
        int n = filled(up ? value : -value, l, row);
        for (size_t k = 0; k < l->wide; k++) {
            if (n == 0) {
                blanks++;
                continue;
            }
            for (; blanks > 0; blanks--)
                buf_add_char(b, ' ');
            buf_add(b, str_c(up ? rising[n] : hanging[n]));
        }
    }
    buf_add_char(b, '\n');
}

static void add_base(struct buf *b, const struct layout *l)
{
    text_pad(b, STR("0"), l->margin, true);
    buf_add(b, STR(" ┼"));
    for (size_t i = 0; i < l->cells * l->wide; i++)
        buf_add(b, STR("─"));
    buf_add_char(b, '\n');
}

/* The numbers of some values, below their columns. */
static void add_ticks(struct buf *b, const struct chart *c, const struct layout *l)
{
    text_pad(b, STR(""), l->margin + 2, false);
    size_t at = 0;
    for (size_t number = 1; number <= c->count; number += number == 1 ? c->tick - 1 : c->tick) {
        size_t column = (number - 1) / l->group * l->wide;
        if (column < at)
            continue;
        text_pad(b, STR(""), column - at, false);
        size_t before = b->n;
        buf_fmt(b, "%zu", number);
        buf_add_char(b, ' ');
        at = column + (b->n - before);
    }
    if (b->n > 0 && b->p[b->n - 1] == ' ')
        b->n--;
    buf_add_char(b, '\n');
}

void chart_curve(struct buf *b, const struct chart *c)
{
    ASSERT(c->count >= 1 && c->count <= CHART_POINTS_MAX);
    ASSERT(c->width >= 1 && c->width <= CHART_WIDTH_MAX);
    ASSERT(c->height >= 2);
    ASSERT(c->tick >= 2);
    struct layout l = lay_out(c);
    for (size_t row = l.above; row-- > 0;) {
        text_pad(b, row + 1 == l.above ? c->top : STR(""), l.margin, true);
        buf_add(b, row + 1 == l.above ? STR(" ┤") : STR(" │"));
        add_line(b, c, &l, row, true);
    }
    add_base(b, &l);
    for (size_t row = 0; row < l.below; row++) {
        text_pad(b, row + 1 == l.below ? c->bottom : STR(""), l.margin, true);
        buf_add(b, row + 1 == l.below ? STR(" ┤") : STR(" │"));
        add_line(b, c, &l, row, false);
    }
    add_ticks(b, c, &l);
}
