#include "billing/document_text.h"

#include "base/buf.h"

static void add_text(struct buf *b, struct str text)
{
    buf_add(b, text.n > 0 ? text : STR("-"));
    buf_add_char(b, ' ');
}

static void add_number(struct buf *b, int64_t number, char behind)
{
    buf_add_i64(b, number);
    buf_add_char(b, behind);
}

/* Without the last separator. */
static struct str written(const struct buf *b)
{
    ASSERT(!b->full);
    return str_sub(buf_str(b), 0, b->n > 0 ? b->n - 1 : 0);
}

struct str document_incomes_write(const struct document_row *row, struct arena *arena)
{
    struct buf b;
    ASSERT(row->income_count <= DOCUMENT_INCOMES_MAX);
    buf_init(&b, arena, DOCUMENT_TEXT_MAX);
    for (size_t i = 0; i < row->income_count; i++) {
        const struct document_income *income = &row->incomes[i];
        add_text(&b, income->label);
        add_number(&b, income->net, ' ');
        add_number(&b, income->wholesale, ' ');
        add_number(&b, income->deferred, ';');
    }
    return written(&b);
}

struct str document_taxes_write(const struct document_row *row, struct arena *arena)
{
    struct buf b;
    ASSERT(row->group_count <= TAX_GROUPS_MAX);
    buf_init(&b, arena, DOCUMENT_TEXT_MAX);
    for (size_t i = 0; i < row->group_count; i++) {
        const struct document_tax_group *g = &row->groups[i];
        add_text(&b, str_c(tax_category_code(g->group.category)));
        add_number(&b, g->group.rate_ppm, ' ');
        add_number(&b, g->group.net, ' ');
        add_number(&b, g->group.tax, ' ');
        add_text(&b, g->decision.country);
        add_text(&b, str_c(g->decision.reason));
        add_number(&b, g->decision.buyer_rate_ppm, ' ');
        add_number(&b, g->buyer_tax, ' ');
        add_number(&b, g->classes, ' ');
        add_text(&b, g->expense);
        b.p[b.n - 1] = ';';
    }
    return written(&b);
}

struct str document_exchange_write(const struct document_row *row, struct arena *arena)
{
    struct buf b;
    const struct document_exchange *e = &row->exchange;
    if (e->rate.to == NULL)
        return STR("");
    buf_init(&b, arena, DOCUMENT_TEXT_MAX);
    add_text(&b, str_c(e->rate.to->code));
    add_number(&b, e->tax, ' ');
    add_number(&b, e->rate.numerator, ' ');
    add_number(&b, e->rate.denominator, ' ');
    add_number(&b, e->rate.day, ' ');
    for (size_t i = 0; i < row->group_count; i++)
        add_number(&b, e->parts[i], i + 1 < row->group_count ? ',' : ' ');
    buf_add(&b, e->rate.source);
    ASSERT(!b.full);
    return buf_str(&b);
}

/* --- reading --- */

static enum rc damaged(struct str text, struct err *err)
{
    return err_set(err, RC_INVALID, "the sums of a document are damaged: '%.*s'", STRF(text));
}

/* How many parts a text has that ';' separates. */
static size_t count_parts(struct str text)
{
    size_t count = 0;
    while (text.n > 0) {
        (void)str_cut(&text, ';');
        count++;
    }
    return count;
}

static bool read_number(struct str *rest, int64_t *ret)
{
    return str_to_i64(str_cut(rest, ' '), INT64_MIN, INT64_MAX, ret);
}

/* Printable ASCII: labels, codes of countries and of reasons have nothing else. */
static bool read_text(struct str *rest, struct arena *arena, struct str *ret)
{
    struct str text = str_cut(rest, ' ');
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~')
            return false;
    *ret = str_eq(text, STR("-")) ? STR("") : arena_str(arena, text);
    return text.n > 0;
}

static bool read_income(struct str part, struct arena *arena, struct document_income *ret)
{
    int64_t deferred = 0;
    if (!read_text(&part, arena, &ret->label) || !read_number(&part, &ret->net) ||
        !read_number(&part, &ret->wholesale) || !read_number(&part, &deferred))
        return false;
    ret->deferred = deferred == 1;
    return part.n == 0 && (deferred == 0 || deferred == 1);
}

enum rc document_incomes_read(struct str text, struct arena *arena, struct document_row *ret,
                              struct err *err)
{
    size_t count = count_parts(text);
    if (count > DOCUMENT_INCOMES_MAX)
        return damaged(text, err);
    struct document_income *incomes = NEW_N(arena, struct document_income, count);
    struct str rest = text;
    for (size_t i = 0; i < count; i++)
        if (!read_income(str_cut(&rest, ';'), arena, &incomes[i]))
            return damaged(text, err);
    ret->incomes = incomes;
    ret->income_count = count;
    return RC_OK;
}

static bool read_group(struct str part, struct arena *arena, struct document_tax_group *ret,
                       struct err *err)
{
    struct str category;
    struct str reason;
    int64_t classes = 0;
    struct tax_group *g = &ret->group;
    struct tax_decision *d = &ret->decision;
    if (!read_text(&part, arena, &category) || !read_number(&part, &g->rate_ppm) ||
        !read_number(&part, &g->net) || !read_number(&part, &g->tax) ||
        !read_text(&part, arena, &d->country) || !read_text(&part, arena, &reason) ||
        !read_number(&part, &d->buyer_rate_ppm) || !read_number(&part, &ret->buyer_tax) ||
        !read_number(&part, &classes) || !read_text(&part, arena, &ret->expense) || part.n > 0)
        return false;
    if (tax_category_parse(category, &g->category, err) != RC_OK || g->rate_ppm < 0 ||
        g->rate_ppm > TAX_RATE_MAX_PPM || d->buyer_rate_ppm < 0 ||
        d->buyer_rate_ppm > TAX_RATE_MAX_PPM || classes < 0 || classes > UINT8_MAX)
        return false;
    d->category = g->category;
    d->rate_ppm = g->rate_ppm;
    d->reason = reason.n > 0 ? arena_cstr(arena, reason) : NULL;
    d->known = true;
    ret->classes = (unsigned)classes;
    return true;
}

enum rc document_taxes_read(struct str text, struct arena *arena, struct document_row *ret,
                            struct err *err)
{
    size_t count = count_parts(text);
    if (count > TAX_GROUPS_MAX)
        return damaged(text, err);
    struct document_tax_group *groups = NEW_N(arena, struct document_tax_group, count);
    struct str rest = text;
    for (size_t i = 0; i < count; i++)
        if (!read_group(str_cut(&rest, ';'), arena, &groups[i], err))
            return damaged(text, err);
    ret->groups = groups;
    ret->group_count = count;
    return RC_OK;
}

/* The source is what is left: words of any kind. */
enum rc document_exchange_read(struct str text, struct arena *arena, struct document_row *ret,
                               struct err *err)
{
    struct str code;
    struct str rest = text;
    struct document_exchange e = {.rate = {.from = ret->currency}};
    ret->exchange = (struct document_exchange){0};
    if (text.n == 0)
        return RC_OK;
    int64_t *parts = NEW_N(arena, int64_t, ret->group_count);
    if (!read_text(&rest, arena, &code) || !read_number(&rest, &e.tax) ||
        !read_number(&rest, &e.rate.numerator) || !read_number(&rest, &e.rate.denominator) ||
        !read_number(&rest, &e.rate.day) || e.rate.numerator <= 0 || e.rate.denominator <= 0)
        return damaged(text, err);
    e.rate.to = currency_find(code);
    if (e.rate.to == NULL || e.rate.to == ret->currency)
        return damaged(text, err);
    struct str list = str_cut(&rest, ' ');
    for (size_t i = 0; i < ret->group_count; i++)
        if (!str_to_i64(str_cut(&list, ','), INT64_MIN, INT64_MAX, &parts[i]))
            return damaged(text, err);
    if (list.n > 0)
        return damaged(text, err);
    e.parts = parts;
    e.rate.source = arena_str(arena, rest);
    ret->exchange = e;
    return RC_OK;
}
