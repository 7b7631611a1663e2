#include "channel/percent.h"
#include "channel/price_inside.h"

/* --- what the books say --- */

enum entry_op price_op(struct str text)
{
    for (size_t i = 0; entry_ops[i] != NULL; i++)
        if (str_eq(text, str_c(entry_ops[i])))
            return (enum entry_op)i;
    NEVER("an operation in the store that is not in its table");
}

static const struct price_step as_bought = {
    .op = ENTRY_MUL, .ppm = PERCENT_HUNDRED_PPM, .max_discount_ppm = -1};

/* The entry that holds for an item: of the narrowest target, the latest. What hides says nothing of
 * the price: whoever runs on pays by the entry that holds without it. */
static enum rc find_entry(struct tx *tx, struct str book, const struct str targets[2], time_us at,
                          bool priced, struct rows *ret)
{
    return sql_rows(tx, ret,
                    "SELECT op, value, msrp FROM price_entry WHERE book = $1 "
                    "AND target IN ($2, $3, 'all') AND valid_from <= $4 "
                    "AND ($5 = 0 OR op <> 'hide') "
                    "ORDER BY CASE target WHEN $2 THEN 0 WHEN $3 THEN 1 ELSE 2 END, "
                    "valid_from DESC, number DESC LIMIT 1",
                    V(book), V(targets[0]), V(targets[1]), V(at), V(priced));
}

static bool hides(const struct rows *found)
{
    return found->count > 0 && price_op(row_str(found, 0, 0)) == ENTRY_HIDE;
}

static enum rc read_entry(struct tx *tx, struct str book, const struct str targets[2], time_us at,
                          struct price_step *step, bool *ret_hidden)
{
    struct rows rows;
    TRY(find_entry(tx, book, targets, at, false, &rows));
    *ret_hidden = hides(&rows);
    if (*ret_hidden)
        TRY(find_entry(tx, book, targets, at, true, &rows));
    if (rows.count == 0)
        return RC_OK;
    struct str value = row_str(&rows, 0, 1);
    step->op = price_op(row_str(&rows, 0, 0));
    step->msrp = row_str(&rows, 0, 2);
    switch (step->op) {
    case ENTRY_ABS:
    case ENTRY_ADD:
        return price_parse(value, &step->value, tx->err);
    case ENTRY_MUL:
        return percent_parse(value, INT64_MAX, &step->ppm, tx->err);
    case ENTRY_HIDE:
        break;
    }
    NEVER("an entry that hides was found as one with a price");
}

/* The rails of the book, each where it is tighter than those from above. */
static enum rc read_guard(struct tx *tx, struct str book, time_us at, struct price_step *rails)
{
    struct rows rows;
    int64_t ppm = 0;
    TRY(sql_rows(tx, &rows,
                 "SELECT floor_percent, max_discount_percent FROM price_guard WHERE book = $1 "
                 "AND valid_from <= $2 ORDER BY valid_from DESC, number DESC LIMIT 1",
                 V(book), V(at)));
    if (rows.count > 0 && !row_null(&rows, 0, 0)) {
        TRY(percent_parse(row_str(&rows, 0, 0), INT64_MAX, &ppm, tx->err));
        rails->floor_ppm = max_i64(rails->floor_ppm, ppm);
    }
    if (rows.count > 0 && !row_null(&rows, 0, 1)) {
        TRY(percent_parse(row_str(&rows, 0, 1), INT64_MAX, &ppm, tx->err));
        rails->max_discount_ppm =
            rails->max_discount_ppm < 0 ? ppm : min_i64(rails->max_discount_ppm, ppm);
    }
    return RC_OK;
}

enum rc price_steps_at(struct tx *tx, const struct supply_path *path, struct str item,
                       struct str category, time_us at, struct price_steps *ret)
{
    struct price_steps steps = {.visible = true, .count = path->count};
    struct price_step rails = as_bought;
    struct str targets[2] = {price_target(item, STR(""), tx->arena),
                             price_target(STR(""), category, tx->arena)};
    ASSERT(path->count <= SUPPLY_DEPTH_MAX);
    for (size_t i = 0; i < path->count; i++) {
        struct price_step *step = &steps.steps[i];
        struct str book = path->edges[i].book;
        bool hidden = false;
        *step = as_bought;
        if (book.n > 0) {
            TRY(read_entry(tx, book, targets, at, step, &hidden));
            TRY(read_guard(tx, book, at, &rails));
        }
        steps.visible = steps.visible && !hidden;
        step->floor_ppm = rails.floor_ppm;
        step->max_discount_ppm = rails.max_discount_ppm;
    }
    *ret = steps;
    return RC_OK;
}

/* --- applied: pure --- */

/* Lifted to the part of the buying price that a rail names. */
static enum rc lift(struct price bought, int64_t ppm, struct price *p, struct err *err)
{
    struct price least;
    TRY(price_scale_ppm(bought, ppm, &least, err));
    if (price_compare(*p, least) < 0)
        *p = least;
    return RC_OK;
}

static enum rc apply(const struct price_step *step, struct price bought, struct price *ret,
                     struct err *err)
{
    struct price p = bought;
    switch (step->op) {
    case ENTRY_ABS:
        p = step->value;
        break;
    case ENTRY_MUL:
        TRY(price_scale_ppm(bought, step->ppm, &p, err));
        break;
    case ENTRY_ADD:
        TRY(price_add(bought, step->value, &p, err));
        break;
    case ENTRY_HIDE:
        NEVER("an entry that hides is no step of a price");
    }
    if (step->floor_ppm > 0)
        TRY(lift(bought, step->floor_ppm, &p, err));
    if (step->max_discount_ppm >= 0)
        TRY(lift(bought, PERCENT_HUNDRED_PPM - step->max_discount_ppm, &p, err));
    if (p.mantissa < 0)
        return err_set(err, RC_INVALID, "a price would be below 0");
    *ret = p;
    return RC_OK;
}

enum rc price_steps_apply(const struct price_steps *steps, struct price list,
                          struct price ret[SUPPLY_DEPTH_MAX], struct err *err)
{
    struct price prices[SUPPLY_DEPTH_MAX];
    struct price bought = list;
    ASSERT(steps->count <= SUPPLY_DEPTH_MAX);
    for (size_t i = 0; i < steps->count; i++) {
        TRY(apply(&steps->steps[i], bought, &prices[i], err));
        bought = prices[i];
    }
    memcpy(ret, prices, steps->count * sizeof *prices);
    return RC_OK;
}

enum rc price_steps_percent(const struct price_steps *steps, struct price list,
                            struct price ret[SUPPLY_DEPTH_MAX], struct err *err)
{
    struct price_steps of = *steps;
    for (size_t i = 0; i < of.count; i++) {
        struct price_step *step = &of.steps[i];
        if (step->op != ENTRY_ABS && step->op != ENTRY_ADD)
            continue;
        step->op = ENTRY_MUL;
        step->ppm = PERCENT_HUNDRED_PPM;
    }
    return price_steps_apply(&of, list, ret, err);
}
