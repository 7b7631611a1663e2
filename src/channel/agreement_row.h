/*
 * agreement_row.h - agreements and their terms as rows of the store. For this folder alone.
 */
#ifndef CHANNEL_AGREEMENT_ROW_H
#define CHANNEL_AGREEMENT_ROW_H

#include "channel/agreement.h"

enum {
    AGREEMENT_TERMS_MAX = 400, /* rows of one agreement */
    ROW_AGREEMENT_COLUMNS = 9,
    ROW_TERMS_COLUMNS = 25,
};

/* In the order in which the functions below read them. */
#define ROW_AGREEMENT \
    "a.id, a.version, a.kind, a.from_party, a.to_party, a.state, a.ended, a.created, a.changed"
#define ROW_TERMS                                                                             \
    "t.agreement, t.number, t.valid_from, t.currency, t.upstream, t.book, t.settle, t.tax, "  \
    "t.earn, t.scope_party, t.scope_subtree, t.scope_item, t.scope_category, t.scope_asset, " \
    "t.rules, t.residual, t.min_payout, t.maturity_days, t.clawback_days, t.payment_days, "   \
    "t.self_billing, t.document_hash, t.offered, t.signed_at, t.bad_debt"
/* That a signed row t is not in force at the instant $2 or later any more, as another one came in
 * its place. */
#define ROW_SUPERSEDED                                                                      \
    "EXISTS (SELECT 1 FROM agreement_terms n WHERE n.agreement = t.agreement "              \
    "AND n.signed_at IS NOT NULL AND ((n.valid_from > t.valid_from AND n.valid_from <= $2)" \
    " OR (n.valid_from = t.valid_from AND n.number > t.number)))"

/* Index of a word in its table. The store holds no others. */
int64_t row_word(const char *const *words, struct str text);

/* Without terms: their bits are not set. The state is as of tx->now. */
struct agreement row_agreement(const struct tx *tx, const struct rows *rows, size_t row,
                               size_t first_column);
MUST_CHECK enum rc row_terms(struct tx *tx, const struct rows *rows, size_t row,
                             size_t first_column, struct terms *ret);
/* ROW_AGREEMENT and ROW_TERMS in one row: the agreement as of the instant at which these are its
 * terms. */
MUST_CHECK enum rc row_active(struct tx *tx, const struct rows *rows, size_t row,
                              struct agreement *ret);

MUST_CHECK enum rc row_insert(struct tx *tx, const struct agreement *a);
/* What can change, as the next version. */
MUST_CHECK enum rc row_update(struct tx *tx, struct agreement *a);
/* A new row: a->terms, with their number. */
MUST_CHECK enum rc row_insert_terms(struct tx *tx, const struct agreement *a);
/* Take the row away that nobody has signed, where there is one. */
MUST_CHECK enum rc row_delete_unsigned(struct tx *tx, struct str agreement);
/* The number behind the last. RC_CONFLICT: AGREEMENT_TERMS_MAX are there. */
MUST_CHECK enum rc row_next_terms(struct tx *tx, struct str agreement, int64_t *ret);

#endif
