#include "channel/agreement_row.h"

#include "channel/agreement_check.h"

enum { RULES_TEXT_MAX = 256 * 1024 };

/* A list is no JSON object, and schemas describe objects. */
struct rules_box {
    uint64_t set;
    struct list rules;
};
static const struct field rules_box_fields[] = {
    FIELD(struct rules_box, rules, LIST, .max = AGREEMENT_RULES_MAX, .schema = &rule_schema),
};
static const struct schema rules_box_schema =
    SCHEMA(struct rules_box, "rules_box", rules_box_fields, "Rules in the store.");

int64_t row_word(const char *const *words, struct str text)
{
    for (int64_t i = 0; words[i] != NULL; i++)
        if (str_eq(text, str_c(words[i])))
            return i;
    NEVER("a word in the store that is not in its table");
}

/* --- rules as JSON --- */

static struct value write_rules(struct tx *tx, const struct terms *t)
{
    struct rules_box box = {.set = schema_all(&rules_box_schema), .rules = t->rules};
    struct buf b;
    struct json_writer w;
    if (t->rules.count == 0)
        return SQL_NULL;
    buf_init(&b, tx->arena, RULES_TEXT_MAX);
    json_writer_init(&w, &b);
    schema_encode(&rules_box_schema, &box, &w);
    ASSERT(!b.full); /* every rule was bounded */
    return V(buf_str(&b));
}

static enum rc read_rules(struct tx *tx, struct str text, struct list *ret)
{
    const struct json *json = NULL;
    struct rules_box box;
    if (text.n == 0)
        return RC_OK;
    TRY(json_parse(text, tx->arena, &json, tx->err));
    TRY(schema_decode(&rules_box_schema, SCHEMA_WHOLE, json, tx->arena, &box, tx->err));
    *ret = box.rules;
    return RC_OK;
}

/* --- reading --- */

static enum agreement_state state_of(struct str text, time_us ended, time_us now)
{
    int64_t state = row_word(agreement_states, text);
    if (state == AGREEMENT_ACTIVE && ended != 0 && ended <= now)
        return AGREEMENT_ENDED;
    return (enum agreement_state)state;
}

struct agreement row_agreement(const struct tx *tx, const struct rows *rows, size_t row,
                               size_t first_column)
{
    size_t c = first_column;
    uint64_t terms = UINT64_C(1) << schema_find(&agreement_schema, STR("terms")) |
                     UINT64_C(1) << schema_find(&agreement_schema, STR("offered"));
    struct agreement a = {
        .set = schema_all(&agreement_schema) & ~terms,
        .id = row_str(rows, row, c),
        .version = row_int(rows, row, c + 1),
        .kind = row_word(agreement_kinds, row_str(rows, row, c + 2)),
        .from = row_str(rows, row, c + 3),
        .to = row_str(rows, row, c + 4),
        .ended = row_int(rows, row, c + 6),
        .created = row_int(rows, row, c + 7),
        .changed = row_int(rows, row, c + 8),
    };
    a.state = state_of(row_str(rows, row, c + 5), a.ended, tx->now);
    return a;
}

enum rc row_terms(struct tx *tx, const struct rows *rows, size_t row, size_t first_column,
                  struct terms *ret)
{
    size_t c = first_column;
    struct terms t = {
        .set = schema_all(&terms_schema),
        .number = row_int(rows, row, c + 1),
        .valid_from = row_int(rows, row, c + 2),
        .currency = row_str(rows, row, c + 3),
        .upstream = row_str(rows, row, c + 4),
        .book = row_str(rows, row, c + 5),
        .settle = row_word(settle_modes, row_str(rows, row, c + 6)),
        .tax = row_word(tax_treatments, row_str(rows, row, c + 7)),
        .earn = row_word(earn_words, row_str(rows, row, c + 8)),
        .scope = {.set = schema_all(&scope_schema),
                  .party = row_str(rows, row, c + 9),
                  .subtree = row_int(rows, row, c + 10) != 0,
                  .item = row_str(rows, row, c + 11),
                  .category = row_str(rows, row, c + 12),
                  .asset = row_str(rows, row, c + 13)},
        .min_payout = row_str(rows, row, c + 16),
        .maturity_days = row_int(rows, row, c + 17),
        .clawback_days = row_int(rows, row, c + 18),
        .payment_days = row_int(rows, row, c + 19),
        .self_billing = row_int(rows, row, c + 20) != 0,
        .document_hash = row_str(rows, row, c + 21),
        .bad_debt = row_null(rows, row, c + 24) ? BAD_DEBT_BUYER
                                                : row_word(bad_debts, row_str(rows, row, c + 24)),
        .offered = row_int(rows, row, c + 22),
        .signed_at = row_int(rows, row, c + 23),
    };
    TRY(read_rules(tx, row_str(rows, row, c + 14), &t.rules));
    *ret = t;
    return RC_OK;
}

enum rc row_active(struct tx *tx, const struct rows *rows, size_t row, struct agreement *ret)
{
    struct agreement a = row_agreement(tx, rows, row, 0);
    TRY(row_terms(tx, rows, row, ROW_AGREEMENT_COLUMNS, &a.terms));
    a.state = AGREEMENT_ACTIVE; /* then, whatever it is now */
    a.set |= UINT64_C(1) << schema_find(&agreement_schema, STR("terms"));
    *ret = a;
    return RC_OK;
}

/* --- writing --- */

static struct value time_opt(time_us t)
{
    return t == 0 ? SQL_NULL : value_int(t);
}

enum rc row_insert(struct tx *tx, const struct agreement *a)
{
    return sql_run(tx,
                   "INSERT INTO agreement (id, version, kind, from_party, to_party, state, ended, "
                   "created, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   V(a->id), V(a->version), V(agreement_kinds[a->kind]), V(a->from), V(a->to),
                   V(agreement_states[a->state]), time_opt(a->ended), V(a->created), V(a->changed));
}

enum rc row_update(struct tx *tx, struct agreement *a)
{
    int64_t changed = 0;
    /* An end that lies ahead is a time, not yet a state. */
    TRY(sql_change(tx, &changed,
                   "UPDATE agreement SET version = $3, kind = $4, to_party = $5, state = $6, "
                   "ended = $7, changed = $8 WHERE id = $1 AND version = $2",
                   V(a->id), V(a->version), V(a->version + 1), V(agreement_kinds[a->kind]),
                   V(a->to), V(agreement_states[a->state]), time_opt(a->ended), V(tx->now)));
    ASSERT(changed == 1); /* it was read in this tx */
    a->version++;
    a->changed = tx->now;
    return RC_OK;
}

/* On whose purchases a referral pays: a party's, or else all that its payer sells. */
static struct str counted(const struct agreement *a)
{
    if (a->kind != AGREEMENT_REFERRAL)
        return STR("");
    return a->terms.scope.party.n > 0 ? a->terms.scope.party : a->from;
}

enum rc row_insert_terms(struct tx *tx, const struct agreement *a)
{
    const struct terms *t = &a->terms;
    return sql_run(
        tx,
        "INSERT INTO agreement_terms (agreement, number, valid_from, currency, upstream, book, "
        "settle, tax, earn, scope_party, scope_subtree, scope_item, scope_category, scope_asset, "
        "rules, residual, min_payout, maturity_days, clawback_days, payment_days, self_billing, "
        "document_hash, offered, signed_at, counts, bad_debt) VALUES ($1, $2, $3, $4, $5, $6, $7, "
        "$8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, "
        "$26)",
        V(a->id), V(t->number), V(t->valid_from), V(t->currency), value_opt(t->upstream),
        value_opt(t->book), V(settle_modes[t->settle]), V(tax_treatments[t->tax]),
        V(earn_words[t->earn]), value_opt(t->scope.party), V(t->scope.subtree),
        value_opt(t->scope.item), value_opt(t->scope.category), value_opt(t->scope.asset),
        write_rules(tx, t), V(terms_residual(t) < t->rules.count), value_opt(t->min_payout),
        V(t->maturity_days), V(t->clawback_days), V(t->payment_days), V(t->self_billing),
        value_opt(t->document_hash), time_opt(t->offered), time_opt(t->signed_at),
        value_opt(counted(a)), V(bad_debts[t->bad_debt]));
}

enum rc row_delete_unsigned(struct tx *tx, struct str agreement)
{
    return sql_run(tx, "DELETE FROM agreement_terms WHERE agreement = $1 AND signed_at IS NULL",
                   V(agreement));
}

enum rc row_next_terms(struct tx *tx, struct str agreement, int64_t *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COALESCE(MAX(number), 0) FROM agreement_terms WHERE agreement = $1",
                 V(agreement)));
    int64_t next = row_int(&rows, 0, 0) + 1;
    if (next > AGREEMENT_TERMS_MAX)
        return err_set(tx->err, RC_CONFLICT,
                       "agreement '%.*s' was changed %d times: make a new one", STRF(agreement),
                       AGREEMENT_TERMS_MAX);
    *ret = next;
    return RC_OK;
}
