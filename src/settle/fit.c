#include "settle/fit.h"

static enum rc check_agreement(struct division *d, const struct agreement *a,
                               const struct rated_line *line)
{
    const struct rule *rules = a->terms.rules.items;
    for (size_t i = 0; i < a->terms.rules.count; i++) {
        int64_t share = 0;
        if (!division_counts_units(&rules[i]) || !division_in_months(&rules[i], line))
            continue;
        enum rc rc = division_for_units(d, &rules[i], line, &share);
        if (rc != RC_OK) {
            err_add(division_tx(d)->err, "agreement '%.*s', rule %zu", STRF(a->id), i + 1);
            return rc;
        }
    }
    return RC_OK;
}

static bool any_units(const struct agreement *a)
{
    const struct rule *rules = a->terms.rules.items;
    bool any = false;
    for (size_t i = 0; i < a->terms.rules.count; i++)
        any = any || division_counts_units(&rules[i]);
    return any;
}

static enum rc check_list(struct division *d, const struct list *list,
                          const struct rated_line *line)
{
    const struct agreement *a = list->items;
    for (size_t i = 0; i < list->count; i++) {
        bool meant = any_units(&a[i]);
        if (meant)
            TRY(division_covers(d, list, &a[i], line, &meant));
        if (meant)
            TRY(check_agreement(d, &a[i], line));
    }
    return RC_OK;
}

static enum rc check_from(struct division *d, enum agreement_kind kind, struct str from,
                          const struct rated_line *line, time_us at)
{
    struct list list;
    if (!division_has(d, kind) || from.n == 0)
        return RC_OK;
    TRY(division_agreements(d, kind, from, at, &list));
    return check_list(d, &list, line);
}

enum rc fit_line(struct division *d, const struct rated_line *line, time_us at)
{
    const struct supply_edge *edges = line->path->edges;
    bool paid = !line->free_tier || line->path->count > 1; /* as division_run has it */
    struct list list;
    TRY(check_from(d, AGREEMENT_COST, edges[0].seller, line, at));
    TRY(check_from(d, AGREEMENT_COST, line->producer, line, at));
    TRY(check_from(d, AGREEMENT_FEE, line->producer, line, at));
    for (size_t k = 0; k < line->path->count; k++) {
        TRY(check_from(d, AGREEMENT_FEE, edges[k].seller, line, at));
        if (paid)
            TRY(check_from(d, AGREEMENT_REVSHARE, edges[k].seller, line, at));
    }
    if (!paid || !division_has(d, AGREEMENT_REFERRAL))
        return RC_OK;
    TRY(division_referrals(d, line, at, &list));
    return check_list(d, &list, line);
}
