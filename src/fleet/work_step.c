/* What becomes of a work order: accepted, declined, done, returned, cancelled, told in steps. */
#include "channel/owed.h"
#include "fleet/photo.h"
#include "fleet/work_inside.h"
#include "money/amount.h"

#include <sodium.h>

enum { HASH_TEXT_BYTES = 2 * crypto_hash_sha256_BYTES + 1, PROMISE_STEPS_MAX = 100 };

/* --- steps --- */

static enum rc write_step(struct tx *tx, struct work_step *s, struct str photo)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT steps FROM work_order WHERE id = $1", V(s->work_order)));
    ASSERT(rows.count == 1);
    s->id = id_new(tx->ids, tx->arena, "wks");
    TRY(sql_run(tx,
                "INSERT INTO work_step (id, work_order, number, party, text, type, bytes, sha256, "
                "created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                V(s->id), V(s->work_order), V(row_int(&rows, 0, 0) + 1), V(s->party), V(s->text),
                V(s->type), V(s->bytes), V(s->sha256), V(tx->now)));
    if (photo.n > 0)
        TRY(sql_run(tx, "INSERT INTO work_photo (step, content) VALUES ($1, $2)", V(s->id),
                    value_bytes(photo)));
    return sql_run(tx,
                   "UPDATE work_order SET steps = steps + 1, photos = photos + $2 WHERE id = $1",
                   V(s->work_order), V((int64_t)(photo.n > 0)));
}

enum rc work_note(struct tx *tx, struct str by, struct str id, struct str text)
{
    struct work_order w;
    struct work_step s = {.work_order = id, .party = by, .text = text};
    TRY(work_order_get(tx, id, &w));
    return w.steps < WORK_STEPS_MAX ? write_step(tx, &s, STR("")) : RC_OK;
}

static struct str hash_of(struct tx *tx, struct str bytes)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[HASH_TEXT_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)bytes.p, bytes.n);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    return arena_str(tx->arena, str_c(text));
}

enum rc work_step_add(struct tx *tx, struct str by, struct str id, struct str text,
                      struct str photo, struct work_step *ret)
{
    struct work_order w;
    const char *type = "";
    struct work_step s = {.work_order = id, .party = by, .text = text, .sha256 = STR("")};
    TRY(work_order_get(tx, id, &w));
    if (w.state == WORK_CANCELLED)
        return err_set(tx->err, RC_CONFLICT, "it was cancelled");
    if (w.steps >= WORK_STEPS_MAX)
        return err_set(tx->err, RC_CONFLICT, "it has %d steps, which is the most", WORK_STEPS_MAX);
    if (photo.n > 0 && w.photos >= WORK_PHOTOS_MAX)
        return err_set(tx->err, RC_CONFLICT, "it has %d photos, which is the most",
                       WORK_PHOTOS_MAX);
    if (photo.n > 0) {
        TRY(photo_check(photo, &type, tx->err));
        s.sha256 = hash_of(tx, photo);
    }
    s.type = str_c(type);
    s.bytes = (int64_t)photo.n;
    TRY(write_step(tx, &s, photo));
    return work_step_get(tx, s.id, ret);
}

#define STEP_COLUMNS \
    "s.id, s.work_order, s.party, s.text, s.type, s.bytes, s.sha256, s.created, s.number"

static struct work_step read_step(const struct rows *r, size_t row)
{
    return (struct work_step){
        .set = schema_all(&work_step_schema),
        .id = row_str(r, row, 0),
        .work_order = row_str(r, row, 1),
        .party = row_str(r, row, 2),
        .text = row_str(r, row, 3),
        .type = row_str(r, row, 4),
        .bytes = row_int(r, row, 5),
        .sha256 = row_str(r, row, 6),
        .created = row_int(r, row, 7),
    };
}

enum rc work_step_get(struct tx *tx, struct str id, struct work_step *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " STEP_COLUMNS " FROM work_step s WHERE s.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no step '%.*s'", STRF(id));
    *ret = read_step(&rows, 0);
    return RC_OK;
}

static const struct page_column step_columns[] = {{"id", "s.id", PAGE_TEXT},
                                                  {"number", "s.number", PAGE_NUMBER}};
static const struct page_table step_table = {
    .select = "SELECT " STEP_COLUMNS " FROM work_step s",
    .id = "s.id",
    .sort = step_columns,
    .sort_count = COUNT(step_columns),
    .default_sort = "number",
};

enum rc work_step_list(struct tx *tx, struct str id, const struct page_query *q, struct page *ret)
{
    struct page_term term = {"s.work_order = ?", V(id)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &step_table, q, &term, 1, &rows, &next));
    struct work_step *items = NEW_N(tx->arena, struct work_step, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = read_step(&rows, i);
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

enum rc work_photo(struct tx *tx, struct str step, struct str *ret_type, struct str *ret_bytes)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT s.type, p.content FROM work_step s JOIN work_photo p ON p.step = s.id "
                 "WHERE s.id = $1",
                 V(step)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "step '%.*s' has no photo", STRF(step));
    *ret_type = row_str(&rows, 0, 0);
    *ret_bytes = row_bytes(&rows, 0, 1);
    return RC_OK;
}

/* --- what becomes of it --- */

#define NOT WORK_CANCELLED /* nobody gets there but by cancelling */
/* From its state by each action; [WORK_DONE][...] and so on: NOT where it cannot be. */
static const enum work_state changes[][WORK_ACTIONS] = {
    /*                  accept         decline    finish     return         cancel */
    [WORK_OPEN] = {WORK_ACCEPTED, WORK_OPEN, NOT, NOT, WORK_CANCELLED},
    [WORK_ACCEPTED] = {NOT, WORK_OPEN, WORK_DONE, NOT, WORK_CANCELLED},
    [WORK_DONE] = {NOT, NOT, NOT, WORK_ACCEPTED, NOT},
    [WORK_CANCELLED] = {NOT, NOT, NOT, NOT, NOT},
};
static bool allowed(int64_t state, enum work_action action)
{
    return changes[state][action] != NOT || (action == WORK_CANCEL && state <= WORK_ACCEPTED);
}

/* From here on its fee is agreed, by the terms that hold now. */
static enum rc agree(struct tx *tx, const struct work_order *w, int64_t *ret_terms)
{
    struct agreement a;
    if (w->fee.n == 0)
        return RC_OK;
    if (w->agreement.n == 0)
        return err_set(tx->err, RC_CONFLICT,
                       "it has a fee and no agreement by which it would be paid: let its owner "
                       "assign one");
    enum rc rc = owed_agreement(tx, w->agreement, w->owner, w->manager, &a);
    if (rc == RC_INVALID)
        return err_set(tx->err, RC_CONFLICT, "agreement '%.*s' is not in force any more",
                       STRF(w->agreement));
    TRY(rc);
    *ret_terms = a.terms.number;
    return RC_OK;
}

static enum rc owe(struct tx *tx, const struct work_order *w, int64_t terms)
{
    const struct currency *currency = NULL;
    struct owed o = {
        .reference = w->id, .agreement = w->agreement, .terms = terms, .label = WORK_LABEL};
    if (w->fee.n == 0)
        return RC_OK;
    TRY(currency_parse(w->currency, &currency, tx->err));
    TRY(amount_parse(w->fee, currency, &o.amount, tx->err));
    o.note = arena_fmt(tx->arena, "%.*s, %.*s", STRF(w->title), STRF(w->id));
    ASSERT(o.note.n <= OWED_NOTE_MAX);
    return owed_put(tx, &o);
}

static enum rc take_effect(struct tx *tx, struct work_order *w, enum work_action action,
                           int64_t *terms)
{
    switch (action) {
    case WORK_ACCEPT:
        return agree(tx, w, terms);
    case WORK_DECLINE:
        w->manager = w->agreement = STR("");
        *terms = 0;
        return RC_OK;
    case WORK_FINISH:
        w->ended = tx->now;
        return owe(tx, w, *terms);
    case WORK_RETURN:
        w->ended = 0;
        return w->fee.n > 0 ? owed_withdraw(tx, w->id) : RC_OK;
    case WORK_CANCEL:
        w->ended = tx->now;
        return RC_OK;
    case WORK_ACTIONS:
        break;
    }
    NEVER("an action outside its enum");
}

enum rc work_order_act(struct tx *tx, struct str by, struct str id, enum work_action action,
                       struct str text, struct work_order *ret)
{
    static const char *const words[] = {"accepted", "declined", "done", "returned", "cancelled"};
    int64_t terms = 0;
    struct work_order w;
    TRY(work_order_get(tx, id, &w));
    if (!allowed(w.state, action))
        return err_set(tx->err, RC_CONFLICT, "it is %s and cannot be %s", work_states[w.state],
                       words[action]);
    TRY(work_order_terms(tx, id, &terms));
    TRY(take_effect(tx, &w, action, &terms));
    w.state = changes[w.state][action];
    struct str said = text.n > 0 ? arena_fmt(tx->arena, "%s: %.*s", words[action], STRF(text))
                                 : str_c(words[action]);
    TRY(work_order_keep(tx, &w, terms, STR("[\"state\"]")));
    TRY(work_note(tx, by, id, said));
    return work_order_get(tx, id, ret);
}

/* --- by a promise --- */

static enum rc open_for(struct tx *tx, const struct promise_change *c)
{
    struct node node;
    struct work_kind kind;
    TRY(node_get(tx, c->subject, &node));
    TRY(work_kind_for(tx, c->name, &kind));
    struct work_order w = {
        .node = node.id,
        .owner = node.owner,
        .kind = kind.code,
        .title = arena_fmt(tx->arena, "%.*s fails on %.*s", STRF(c->name), STRF(node.name)),
        .text = c->text,
        .cause = c->name,
    };
    TRY(work_order_manager(tx, &node, &w.manager, &w.agreement));
    return work_order_insert(tx, &w);
}

enum rc work_order_follow(struct tx *tx, const struct promise_change *c)
{
    static const char *const words[] = {"fails again", "is kept again", "is told of no more"};
    struct str id;
    struct work_order w;
    TRY(work_order_opened_for(tx, work_order_cause(tx, c->subject, c->name), &id));
    if (id.n == 0)
        return c->state == PROMISE_FAILING ? open_for(tx, c) : RC_OK;
    TRY(work_order_get(tx, id, &w));
    if (w.steps >= PROMISE_STEPS_MAX) /* the rest is for people */
        return RC_OK;
    return work_note(tx, STR(""), id,
                     arena_fmt(tx->arena, "%.*s %s%s%.*s", STRF(c->name), words[c->state],
                               c->text.n > 0 ? ": " : "", STRF(c->text)));
}
