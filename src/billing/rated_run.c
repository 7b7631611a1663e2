#include "billing/rated_run.h"

#include "base/buf.h"

enum { FORM = 1, SEVEN = 7, MORE = 0x80, NUMBER_BYTES_MAX = 10, TEXT_MAX = 1000, CLASSES_MAX = 64 };

enum has {
    HAS_FREE_TIER = 1,
    HAS_LATE = 2,
    HAS_ADVANCE = 4,
    HAS_TAX_INCLUDED = 8,
    HAS_SUBSCRIPTION = 16, /* another one than the line before, with its producer and asset */
    HAS_PLAN = 32,
    HAS_WINDOW = 64,
};

/* --- writing --- */

static void put(struct buf *b, uint64_t number)
{
    char bytes[NUMBER_BYTES_MAX];
    size_t n = 0;
    for (; number >= MORE; number >>= SEVEN)
        bytes[n++] = (char)(unsigned char)(number | MORE);
    bytes[n++] = (char)(unsigned char)number;
    buf_add(b, str_n(bytes, n));
}

static void put_signed(struct buf *b, int64_t number)
{
    put(b, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

static void put_text(struct buf *b, struct str text)
{
    ASSERT(text.n <= TEXT_MAX);
    put(b, text.n);
    buf_add(b, text);
}

static bool same_window(const struct window *a, const struct window *b)
{
    return a->begin == b->begin && a->end == b->end && a->from == b->from && a->until == b->until &&
           a->period_number == b->period_number;
}

static unsigned has_of(const struct rated_line *line, const struct rated_line *before)
{
    bool subscription = !str_eq(line->subscription, before->subscription) ||
                        !str_eq(line->producer, before->producer) ||
                        !str_eq(line->asset, before->asset);
    bool plan = line->plan_number != before->plan_number || !str_eq(line->plan, before->plan);
    return (line->free_tier ? HAS_FREE_TIER : 0U) | (line->late ? HAS_LATE : 0U) |
           (line->advance ? HAS_ADVANCE : 0U) | (line->tax_included ? HAS_TAX_INCLUDED : 0U) |
           (subscription ? HAS_SUBSCRIPTION : 0U) | (plan ? HAS_PLAN : 0U) |
           (same_window(&line->window, &before->window) ? 0U : HAS_WINDOW);
}

static void put_line(struct buf *b, const struct rated_line *line, const struct rated_line *before)
{
    unsigned has = has_of(line, before);
    const struct window *w = &line->window;
    put(b, has);
    if (has & HAS_SUBSCRIPTION) {
        put_text(b, line->subscription);
        put_text(b, line->producer);
        put_text(b, line->asset);
    }
    if (has & HAS_PLAN) {
        put_text(b, line->plan);
        put_signed(b, line->plan_number);
    }
    if (has & HAS_WINDOW) {
        const int64_t parts[] = {w->begin, w->end, w->from, w->until, w->period_number};
        for (size_t i = 0; i < COUNT(parts); i++)
            put_signed(b, parts[i]);
    }
    put(b, (uint64_t)line->charge);
    put(b, (uint64_t)line->tax_class);
    put_signed(b, line->quantity.mantissa);
    put(b, (uint64_t)line->quantity.scale);
    put_signed(b, line->units.mantissa);
    put(b, (uint64_t)line->units.scale);
    put_signed(b, line->list_amount);
    put_signed(b, line->discount);
}

struct str rated_run_write(const struct rated_line *lines, size_t count, struct arena *arena)
{
    static const struct rated_line nothing;
    size_t tiers = lines[0].path->count;
    struct buf b;
    ASSERT(count > 0 && count <= RATED_RUN_LINES_MAX);
    ASSERT(tiers >= 1 && tiers <= SUPPLY_DEPTH_MAX);
    buf_init(&b, arena, RATED_RUN_BYTES_MAX);
    put(&b, FORM);
    put(&b, tiers);
    put(&b, count);
    for (size_t i = 0; i < count; i++) {
        const struct rated_line *line = &lines[i];
        ASSERT(line->path->count == tiers);
        put_line(&b, line, i > 0 ? &lines[i - 1] : &nothing);
        for (size_t k = 0; k < tiers; k++) {
            put_signed(&b, line->prices[k].mantissa);
            put(&b, (uint64_t)line->prices[k].scale);
            put_signed(&b, line->amounts[k]);
        }
    }
    ASSERT(!b.full);
    return buf_str(&b);
}

/* --- reading --- */

/* What is left, and whether all that was taken was there. */
struct taking {
    const unsigned char *p;
    const unsigned char *end;
    bool bad;
};

static uint64_t take(struct taking *t)
{
    uint64_t number = 0;
    for (unsigned shift = 0; t->p < t->end && shift < NUMBER_BYTES_MAX * SEVEN; shift += SEVEN) {
        unsigned byte = *t->p++;
        bool last = byte < MORE;
        if (shift == (NUMBER_BYTES_MAX - 1) * SEVEN && byte > 1)
            break;
        number |= (uint64_t)(byte & (MORE - 1)) << shift;
        if (last)
            return number;
    }
    t->bad = true;
    return 0;
}

static int64_t take_signed(struct taking *t)
{
    uint64_t number = take(t);
    return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

static int64_t take_below(struct taking *t, uint64_t bound)
{
    uint64_t number = take(t);
    t->bad = t->bad || number >= bound;
    return t->bad ? 0 : (int64_t)number;
}

static struct str take_text(struct taking *t)
{
    size_t n = (size_t)take_below(t, TEXT_MAX + 1);
    if (t->bad || n > (size_t)(t->end - t->p)) {
        t->bad = true;
        return STR("");
    }
    struct str text = str_n((const char *)t->p, n);
    t->p += n;
    return text;
}

static struct rated_line take_line(struct taking *t, const struct rated_line *before)
{
    unsigned has = (unsigned)take_below(t, HAS_WINDOW << 1);
    struct rated_line line = {
        .subscription = before->subscription,
        .producer = before->producer,
        .asset = before->asset,
        .plan = before->plan,
        .plan_number = before->plan_number,
        .window = before->window,
        .free_tier = (has & HAS_FREE_TIER) != 0,
        .late = (has & HAS_LATE) != 0,
        .advance = (has & HAS_ADVANCE) != 0,
        .tax_included = (has & HAS_TAX_INCLUDED) != 0,
    };
    if (has & HAS_SUBSCRIPTION) {
        line.subscription = take_text(t);
        line.producer = take_text(t);
        line.asset = take_text(t);
    }
    if (has & HAS_PLAN) {
        line.plan = take_text(t);
        line.plan_number = take_signed(t);
    }
    if (has & HAS_WINDOW) {
        line.window.begin = take_signed(t);
        line.window.end = take_signed(t);
        line.window.from = take_signed(t);
        line.window.until = take_signed(t);
        line.window.period_number = take_signed(t);
    }
    line.charge = take_below(t, INT32_MAX);
    line.tax_class = (enum tax_class)take_below(t, CLASSES_MAX);
    line.quantity.mantissa = take_signed(t);
    line.quantity.scale = (int)take_below(t, QUANTITY_SCALE_MAX + 1);
    line.units.mantissa = take_signed(t);
    line.units.scale = (int)take_below(t, QUANTITY_SCALE_MAX + 1);
    line.list_amount = take_signed(t);
    line.discount = take_signed(t);
    return line;
}

enum rc rated_run_read(struct str bytes, struct arena *arena, struct rated_run *ret,
                       struct err *err)
{
    static const struct rated_line nothing;
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct taking t = {.p = p, .end = p + bytes.n};
    bool form = take(&t) == FORM;
    size_t tiers = (size_t)take_below(&t, SUPPLY_DEPTH_MAX + 1);
    size_t count = (size_t)take_below(&t, RATED_RUN_LINES_MAX + 1);
    bool good = form && !t.bad && tiers > 0 && count > 0;
    struct rated_line *lines = good ? NEW_N(arena, struct rated_line, count) : NULL;
    for (size_t i = 0; i < count && good; i++) {
        lines[i] = take_line(&t, i > 0 ? &lines[i - 1] : &nothing);
        for (size_t k = 0; k < tiers; k++) {
            lines[i].prices[k].mantissa = take_signed(&t);
            lines[i].prices[k].scale = (int)take_below(&t, PRICE_SCALE_MAX + 1);
            lines[i].amounts[k] = take_signed(&t);
        }
        good = !t.bad;
    }
    if (!good || t.p != t.end)
        return err_set(err, RC_INVALID, "the rated lines of a close are damaged");
    *ret = (struct rated_run){tiers, count, lines};
    return RC_OK;
}
