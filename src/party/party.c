#include "party/party.h"

#include "party/email.h"
#include "party/event.h"
#include "party/party_check.h"
#include "party/patch.h"

enum { IN_LIST_MAX = 16 * 1024 };

#define COLUMNS                                                                             \
    "p.id, p.version, p.kind, p.name, p.legal_name, p.registration, p.email, p.phone, "     \
    "p.street, p.street2, p.postcode, p.city, p.region, p.country, p.taxable, p.currency, " \
    "p.language, p.time_zone, p.iban, p.bic, p.account_holder, p.sponsor, p.state, "        \
    "p.created, p.changed, p.tax_currency, p.suspend_days"

/* --- rows --- */

static int64_t word_index(const char *const *words, struct str text)
{
    for (int64_t i = 0; words[i] != NULL; i++)
        if (str_eq(text, str_c(words[i])))
            return i;
    NEVER("a word in the store that is not in its table");
}

static struct party read_row(const struct rows *rows, size_t row)
{
    return (struct party){
        .set = schema_all(&party_schema),
        .id = row_str(rows, row, 0),
        .version = row_int(rows, row, 1),
        .kind = word_index(party_kinds, row_str(rows, row, 2)),
        .name = row_str(rows, row, 3),
        .legal_name = row_str(rows, row, 4),
        .registration = row_str(rows, row, 5),
        .email = row_str(rows, row, 6),
        .phone = row_str(rows, row, 7),
        .address = {.set = schema_all(&address_schema),
                    .street = row_str(rows, row, 8),
                    .street2 = row_str(rows, row, 9),
                    .postcode = row_str(rows, row, 10),
                    .city = row_str(rows, row, 11),
                    .region = row_str(rows, row, 12),
                    .country = row_str(rows, row, 13)},
        .taxable = row_int(rows, row, 14) != 0,
        .currency = row_str(rows, row, 15),
        .language = row_str(rows, row, 16),
        .time_zone = row_str(rows, row, 17),
        .bank = {.set = schema_all(&bank_schema),
                 .iban = row_str(rows, row, 18),
                 .bic = row_str(rows, row, 19),
                 .holder = row_str(rows, row, 20)},
        .sponsor = row_str(rows, row, 21),
        .state = word_index(party_states, row_str(rows, row, 22)),
        .created = row_int(rows, row, 23),
        .changed = row_int(rows, row, 24),
        .tax_currency = row_str(rows, row, 25),
        .suspend_days = row_int(rows, row, 26),
    };
}

/* "... IN ($1, $2, ...)" for the ids, and then the rest. */
static enum rc rows_of(struct tx *tx, const char *select, const char *rest, const struct value *ids,
                       size_t count, struct rows *ret)
{
    struct buf sql;
    buf_init(&sql, tx->arena, IN_LIST_MAX);
    buf_fmt(&sql, "%s IN (", select);
    for (size_t i = 0; i < count; i++)
        buf_fmt(&sql, "%s$%zu", i > 0 ? ", " : "", i + 1);
    buf_fmt(&sql, ")%s", rest);
    ASSERT(!sql.full);
    return sql_rows_text(tx, ret, buf_str(&sql), ids, count);
}

/* One party is read again and again: its statement is prepared once. */
static enum rc select_tax_ids(struct tx *tx, const struct value *ids, size_t count,
                              struct rows *ret)
{
    if (count == 1)
        return sql_rows(tx, ret,
                        "SELECT party, scheme, value FROM party_tax_id WHERE party = $1 "
                        "ORDER BY party, scheme",
                        ids[0]);
    return rows_of(tx, "SELECT party, scheme, value FROM party_tax_id WHERE party",
                   " ORDER BY party, scheme", ids, count, ret);
}

/* The tax ids of all the parties at once, put to each. */
static enum rc read_tax_ids(struct tx *tx, struct party *parties, const struct value *ids,
                            size_t count)
{
    struct rows rows;
    TRY(select_tax_ids(tx, ids, count, &rows));
    struct tax_id *all = NEW_N(tx->arena, struct tax_id, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        all[i] = (struct tax_id){.set = schema_all(&tax_id_schema),
                                 .scheme = row_str(&rows, i, 1),
                                 .value = row_str(&rows, i, 2)};
    for (size_t i = 0; i < count; i++) {
        struct list *own = &parties[i].tax_ids;
        for (size_t k = 0; k < rows.count; k++) {
            if (!str_eq(row_str(&rows, k, 0), parties[i].id))
                continue;
            if (own->count++ == 0)
                own->items = &all[k];
        }
    }
    return RC_OK;
}

/* The parties with these ids, in the same order. All of them are there. */
static enum rc read_parties(struct tx *tx, const struct rows *ids, struct party *ret)
{
    struct rows rows;
    struct value values[PAGE_LIMIT_MAX];
    ASSERT(ids->count <= PAGE_LIMIT_MAX);
    if (ids->count == 0)
        return RC_OK;
    for (size_t i = 0; i < ids->count; i++)
        values[i] = *row_cell(ids, i, 0);
    TRY(rows_of(tx, "SELECT " COLUMNS " FROM party p WHERE p.id", " ORDER BY p.id", values,
                ids->count, &rows));
    ASSERT(rows.count == ids->count);
    for (size_t i = 0; i < ids->count; i++)
        for (size_t k = 0; k < rows.count; k++)
            if (str_eq(row_str(&rows, k, 0), values[i].text))
                ret[i] = read_row(&rows, k);
    return read_tax_ids(tx, ret, values, ids->count);
}

static enum rc not_found(struct tx *tx, struct str id)
{
    return err_set(tx->err, RC_NOT_FOUND, "there is no party '%.*s'", STRF(id));
}

enum rc party_get(struct tx *tx, struct str id, struct party *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM party p WHERE p.id = $1", V(id)));
    if (rows.count == 0)
        return not_found(tx, id);
    struct party p = read_row(&rows, 0);
    struct value value = V(p.id);
    TRY(read_tax_ids(tx, &p, &value, 1));
    *ret = p;
    return RC_OK;
}

enum rc party_operator(struct tx *tx, struct party *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT p.id FROM party p WHERE p.sponsor IS NULL ORDER BY p.id LIMIT 1"));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no operator yet");
    return party_get(tx, row_str(&rows, 0, 0), ret);
}

/* --- list --- */

static const struct page_column sort_columns[] = {
    {"id", "p.id", PAGE_TEXT},
    {"name", "p.name", PAGE_TEXT},
    {"created", "p.created", PAGE_NUMBER},
    {"changed", "p.changed", PAGE_NUMBER},
    {"country", "p.country", PAGE_TEXT},
    {"kind", "p.kind", PAGE_TEXT},
    {"state", "p.state", PAGE_TEXT},
};

/* Ids only, so that what has to be sorted is narrow; the rest is read for the rows of the page. */
static const struct page_table party_table = {
    .select = "SELECT p.id FROM party p",
    .id = "p.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "id",
};

#define HELD_BY_USER(permission)                                                     \
    "(SELECT m.party FROM membership m JOIN role_permission rp ON rp.role = m.role " \
    "AND rp.permission = '" permission "' WHERE m.user_id = ?)"

/* Rules 2 to 4 of permission.h as a condition: the same as asking permission_allow for each. */
static enum rc visible(struct tx *tx, const struct caller *who, struct page_term *ret)
{
    uint64_t held = 0;
    if (who->kind == CALLER_NOBODY)
        return err_set(tx->err, RC_UNAUTHENTICATED, "log in, or send a token, to do this");
    if (who->party.n > 0)
        TRY(permission_held(tx, who, who->party, &held));
    else
        held = who->scopes;
    bool own = (held & PERM_BIT(PERM_PARTY_READ)) != 0;
    bool clients = (held & PERM_BIT(PERM_CLIENT_READ)) != 0;
    if (!own && !clients)
        *ret = (struct page_term){.sql = "1 = 0"};
    else if (who->party.n > 0)
        *ret = (struct page_term){own && clients ? "p.id = ?" PAGE_OR "p.sponsor = ?"
                                  : own          ? "p.id = ?"
                                                 : "p.sponsor = ?",
                                  V(who->party)};
    else
        *ret = (struct page_term){own && clients ? "p.id IN " HELD_BY_USER("party:read") PAGE_OR
                                      "p.sponsor IN " HELD_BY_USER("client:read")
                                  : own ? "p.id IN " HELD_BY_USER("party:read")
                                        : "p.sponsor IN " HELD_BY_USER("client:read"),
                                  V(who->user)};
    return RC_OK;
}

/* %q% in lower case, with LIKE's own signs taken literally. Only ASCII letters lose their case:
 * that is what LOWER() does to a column on both engines. */
static struct str like_pattern(struct str q, struct arena *arena)
{
    struct buf b;
    q = str_lower(q, arena);
    buf_init(&b, arena, q.n * 2 + 2);
    buf_add_char(&b, '%');
    for (size_t i = 0; i < q.n; i++) {
        if (q.p[i] == '%' || q.p[i] == '_' || q.p[i] == '\\')
            buf_add_char(&b, '\\');
        buf_add_char(&b, q.p[i]);
    }
    buf_add_char(&b, '%');
    ASSERT(!b.full);
    return buf_str(&b);
}

static bool asks(const struct party_query *q, const char *name)
{
    return schema_has(&party_query_schema, q, name);
}

enum rc party_list(struct tx *tx, const struct caller *who, const struct party_query *q,
                   struct page *ret)
{
    struct page_term terms[6];
    size_t count = 0;
    TRY(visible(tx, who, &terms[count++]));
    if (asks(q, "kind"))
        terms[count++] = (struct page_term){"p.kind = ?", V(party_kinds[q->kind])};
    if (asks(q, "state"))
        terms[count++] = (struct page_term){"p.state = ?", V(party_states[q->state])};
    if (asks(q, "country"))
        terms[count++] = (struct page_term){"p.country = ?", V(q->country)};
    if (asks(q, "sponsor"))
        terms[count++] = (struct page_term){"p.sponsor = ?", V(q->sponsor)};
    if (asks(q, "q"))
        terms[count++] = (struct page_term){"LOWER(p.name) LIKE ? ESCAPE '\\'",
                                            V(like_pattern(q->q, tx->arena))};
    ASSERT(count <= COUNT(terms));
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &party_table, &q->page, terms, count, &rows, &next));
    struct party *parties = NEW_N(tx->arena, struct party, rows.count);
    TRY(read_parties(tx, &rows, parties));
    *ret = (struct page){{parties, rows.count}, next};
    return RC_OK;
}

/* --- writing --- */

static enum rc insert_tax_ids(struct tx *tx, const struct party *p)
{
    const struct tax_id *ids = p->tax_ids.items;
    for (size_t i = 0; i < p->tax_ids.count; i++)
        TRY(sql_run(tx, "INSERT INTO party_tax_id (party, scheme, value) VALUES ($1, $2, $3)",
                    V(p->id), V(ids[i].scheme), V(ids[i].value)));
    return RC_OK;
}

static enum rc insert(struct tx *tx, const struct party *p)
{
    TRY(sql_run(
        tx,
        "INSERT INTO party (id, version, kind, name, legal_name, registration, email, phone, "
        "street, street2, postcode, city, region, country, taxable, currency, language, "
        "time_zone, iban, bic, account_holder, sponsor, state, created, changed, "
        "tax_currency, suspend_days) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "
        "$18, $19, $20, $21, $22, $23, $24, $25, $26, $27)",
        V(p->id), V(p->version), V(party_kinds[p->kind]), V(p->name), value_opt(p->legal_name),
        value_opt(p->registration), value_opt(p->email), value_opt(p->phone),
        value_opt(p->address.street), value_opt(p->address.street2), value_opt(p->address.postcode),
        value_opt(p->address.city), value_opt(p->address.region), V(p->address.country),
        V(p->taxable), V(p->currency), V(p->language), V(p->time_zone), value_opt(p->bank.iban),
        value_opt(p->bank.bic), value_opt(p->bank.holder), value_opt(p->sponsor),
        V(party_states[p->state]), V(p->created), V(p->changed), value_opt(p->tax_currency),
        V(p->suspend_days)));
    return insert_tax_ids(tx, p);
}

/* Writes all that can change, as the next version. */
static enum rc update(struct tx *tx, struct party *p)
{
    int64_t changed = 0;
    TRY(sql_change(tx, &changed,
                   "UPDATE party SET version = $3, kind = $4, name = $5, legal_name = $6, "
                   "registration = $7, email = $8, phone = $9, street = $10, street2 = $11, "
                   "postcode = $12, city = $13, region = $14, country = $15, taxable = $16, "
                   "currency = $17, language = $18, time_zone = $19, iban = $20, bic = $21, "
                   "account_holder = $22, state = $23, changed = $24, tax_currency = $25, "
                   "suspend_days = $26 WHERE id = $1 AND version = $2",
                   V(p->id), V(p->version), V(p->version + 1), V(party_kinds[p->kind]), V(p->name),
                   value_opt(p->legal_name), value_opt(p->registration), value_opt(p->email),
                   value_opt(p->phone), value_opt(p->address.street), value_opt(p->address.street2),
                   value_opt(p->address.postcode), value_opt(p->address.city),
                   value_opt(p->address.region), V(p->address.country), V(p->taxable),
                   V(p->currency), V(p->language), V(p->time_zone), value_opt(p->bank.iban),
                   value_opt(p->bank.bic), value_opt(p->bank.holder), V(party_states[p->state]),
                   V(tx->now), value_opt(p->tax_currency), V(p->suspend_days)));
    ASSERT(changed == 1); /* it was read in this tx */
    p->version++;
    p->changed = tx->now;
    return RC_OK;
}

static void take_over(struct str *to, struct str from)
{
    if (to->n == 0)
        *to = from;
}

/* What the new party does not say itself, as its sponsor has it. */
static enum rc fill_in_from_sponsor(struct tx *tx, struct party *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT name, state, currency, language, time_zone FROM party WHERE id = $1",
                 V(p->sponsor)));
    if (rows.count == 0)
        return not_found(tx, p->sponsor);
    if (word_index(party_states, row_str(&rows, 0, 1)) == PARTY_CLOSED)
        return err_set(tx->err, RC_CONFLICT, "the sponsor '%.*s' is closed",
                       STRF(row_str(&rows, 0, 0)));
    take_over(&p->currency, row_str(&rows, 0, 2));
    take_over(&p->language, row_str(&rows, 0, 3));
    take_over(&p->time_zone, row_str(&rows, 0, 4));
    return RC_OK;
}

/* The same for the operator, which has none: there is one of them. */
static enum rc fill_in_operator(struct tx *tx, struct party *p)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM party WHERE sponsor IS NULL"));
    if (row_int(&rows, 0, 0) > 0)
        return err_set(tx->err, RC_CONFLICT, "there is an operator already");
    take_over(&p->currency, STR("EUR"));
    take_over(&p->language, STR("en"));
    take_over(&p->time_zone, STR("UTC"));
    return RC_OK;
}

enum rc party_create(struct tx *tx, const struct party *fresh, struct str sponsor,
                     struct party *ret)
{
    struct party p = *fresh;
    p.sponsor = sponsor;
    TRY(p.sponsor.n > 0 ? fill_in_from_sponsor(tx, &p) : fill_in_operator(tx, &p));
    TRY(party_check(&p, tx->arena, tx->err));
    p.id = id_new(tx->ids, tx->arena, "pty");
    p.version = 1;
    p.state = PARTY_ACTIVE;
    p.created = tx->now;
    p.changed = tx->now;
    p.set = schema_all(&party_schema);
    p.address.set = schema_all(&address_schema);
    p.bank.set = schema_all(&bank_schema);
    TRY(insert(tx, &p));
    TRY(event_put(tx, "event.party.created", p.id, "party", p.id, p.version, STR("")));
    *ret = p;
    return RC_OK;
}

enum rc party_change(struct tx *tx, struct str id, int64_t version, const struct party *patch,
                     struct party *ret)
{
    struct party p;
    TRY(party_get(tx, id, &p));
    if (version != 0 && version != p.version)
        return err_set(tx->err, RC_CHANGED,
                       "party '%.*s' has version %lld by now, you changed version %lld",
                       STRF(p.name), (long long)p.version, (long long)version);
    if (p.state == PARTY_CLOSED)
        return err_set(tx->err, RC_CONFLICT, "party '%.*s' is closed: reopen it first",
                       STRF(p.name));
    patch_lay(&party_schema, &p, patch);
    TRY(party_check(&p, tx->arena, tx->err));
    TRY(update(tx, &p));
    TRY(sql_run(tx, "DELETE FROM party_tax_id WHERE party = $1", V(p.id)));
    TRY(insert_tax_ids(tx, &p));
    TRY(event_put(tx, "event.party.changed", p.id, "party", p.id, p.version,
                  patch_names(&party_schema, patch, tx->arena)));
    *ret = p;
    return RC_OK;
}

enum rc party_set_state(struct tx *tx, struct str id, enum party_state state, struct party *ret)
{
    struct party p;
    TRY(party_get(tx, id, &p));
    if (p.sponsor.n == 0 && state == PARTY_CLOSED)
        return err_set(tx->err, RC_CONFLICT, "the operator cannot be closed");
    if (p.state != (int64_t)state) {
        p.state = state;
        TRY(update(tx, &p));
        TRY(event_put(tx, "event.party.changed", p.id, "party", p.id, p.version,
                      STR("[\"state\"]")));
    }
    *ret = p;
    return RC_OK;
}
