#include "meter/source.h"

#include "party/party.h"

/* --- names --- */

/* A sentence with the name of the source in its midst. */
static enum rc refuse(struct tx *tx, const char *before, struct str name, const char *behind)
{
    return err_set_at(tx->err, RC_INVALID, STR("/source"), "%s '%.*s' %s", before, STRF(name),
                      behind);
}

static enum rc check_name(struct tx *tx, struct str name)
{
    bool good = name.n > 0 && name.n <= USAGE_ID_MAX;
    for (size_t i = 0; i < name.n && good; i++)
        good = name.p[i] > ' ' && name.p[i] < 127;
    if (!good)
        return err_set_at(tx->err, RC_INVALID, STR("/source"),
                          "a source is a URI of at most %d characters, such as "
                          "urn:pop:par1:node7",
                          USAGE_ID_MAX);
    return RC_OK;
}

/* Whether the name says itself whose it is. Case is passed over, as it is in "urn:": nobody takes
 * a name that looks like another's. */
static bool names_a_party(struct str name)
{
    struct str own = STR(USAGE_SOURCE_OWN);
    return name.n >= own.n && str_eq_nocase(str_sub(name, 0, own.n), own);
}

static bool is_own(struct str name, struct str party)
{
    struct str own = STR(USAGE_SOURCE_OWN);
    if (!str_starts(name, own))
        return false;
    struct str rest = str_sub(name, own.n, name.n);
    return str_starts(rest, party) && rest.n > party.n + 1 && rest.p[party.n] == ':';
}

/* Whether `by` may make the source, or bind it, for a party. */
static enum rc check_right(struct tx *tx, struct str name, struct str party, bool by_operator)
{
    if (names_a_party(name))
        return is_own(name, party) ? RC_OK
                                   : refuse(tx, "the name", name, "is not this party's to use");
    if (by_operator)
        return RC_OK;
    return refuse(tx, "the source", name,
                  "is bound to no party: report as " USAGE_SOURCE_OWN
                  "YOUR_PARTY:NAME, or ask the operator to bind it to you");
}

/* --- rows --- */

struct known_source {
    bool there;
    struct source_place place;
    struct str party;
    bool numbered;
    time_us created;
};

static enum rc find(struct tx *tx, struct str name, struct known_source *ret)
{
    struct rows rows;
    *ret = (struct known_source){0};
    TRY(sql_rows(tx, &rows,
                 "SELECT id, party, last_number, numbered, created FROM usage_source "
                 "WHERE name = $1",
                 V(name)));
    if (rows.count > 0)
        *ret = (struct known_source){true,
                                     {row_int(&rows, 0, 0), (uint64_t)row_int(&rows, 0, 2)},
                                     row_str(&rows, 0, 1),
                                     row_int(&rows, 0, 3) != 0,
                                     row_int(&rows, 0, 4)};
    return RC_OK;
}

static enum rc make(struct tx *tx, const struct usage_source *s, bool numbered, int64_t *ret_id)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(id), 0) + 1 FROM usage_source"));
    int64_t id = row_int(&rows, 0, 0);
    TRY(sql_run(tx,
                "INSERT INTO usage_source (id, name, party, numbered, last_number, created) "
                "VALUES ($1, $2, $3, $4, 0, $5)",
                V(id), V(s->source), V(s->party), V(numbered), V(tx->now)));
    *ret_id = id;
    return RC_OK;
}

enum rc usage_source_party(struct tx *tx, struct str source, struct str *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT party FROM usage_source WHERE name = $1", V(source)));
    *ret = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    return RC_OK;
}

/* --- reporting --- */

/* What was bound before its first record has not told yet how it counts. */
static enum rc check_form(struct tx *tx, const struct known_source *k, struct str name,
                          bool numbered)
{
    if (k->numbered == numbered)
        return RC_OK;
    if (k->place.last == 0)
        return sql_run(tx, "UPDATE usage_source SET numbered = $2 WHERE id = $1", V(k->place.id),
                       V(numbered));
    return refuse(tx, "the records of", name,
                  numbered ? "have ids of text: send them as JSON"
                           : "have numbers: send them in binary");
}

enum rc source_report(struct tx *tx, const struct usage_source *from, bool is_operator,
                      bool numbered, struct source_place *ret)
{
    struct known_source k;
    TRY(check_name(tx, from->source));
    TRY(find(tx, from->source, &k));
    if (k.there && !str_eq(k.party, from->party) && !is_operator)
        return refuse(tx, "the source", from->source, "reports for another party");
    if (k.there) {
        TRY(check_form(tx, &k, from->source, numbered));
    } else {
        TRY(check_right(tx, from->source, from->party, is_operator));
        TRY(make(tx, from, numbered, &k.place.id));
    }
    *ret = k.place;
    return RC_OK;
}

/* --- binding --- */

enum rc usage_source_bind(struct tx *tx, struct str by, const struct usage_source *fresh,
                          struct usage_source *ret)
{
    struct party operator_party;
    struct party party;
    struct known_source k;
    struct usage_source made = *fresh;
    int64_t id = 0;
    if (made.party.n == 0)
        made.party = by;
    TRY(party_operator(tx, &operator_party));
    bool is_operator = str_eq(by, operator_party.id);
    TRY(check_name(tx, made.source));
    TRY(check_right(tx, made.source, is_operator ? made.party : by, is_operator));
    if (!is_operator && !str_eq(made.party, by))
        return refuse(tx, "the source", made.source, "is yours alone, and stays so");
    TRY(party_get(tx, made.party, &party));
    TRY(find(tx, made.source, &k));
    if (!k.there)
        TRY(make(tx, &made, false, &id));
    else if (!str_eq(k.party, made.party))
        TRY(sql_run(tx, "UPDATE usage_source SET party = $2 WHERE id = $1", V(k.place.id),
                    V(made.party)));
    made.created = k.there ? k.created : tx->now;
    made.set = schema_all(&usage_source_schema);
    *ret = made;
    return RC_OK;
}

static const struct page_column sort_columns[] = {
    {"source", "s.name", PAGE_TEXT},
    {"party", "s.party", PAGE_TEXT},
    {"created", "s.created", PAGE_NUMBER},
};
static const struct page_table source_table = {
    .select = "SELECT s.name, s.party, s.created FROM usage_source s",
    .id = "s.name",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "source",
};

enum rc usage_source_list(struct tx *tx, struct str party, const struct page_query *q,
                          struct page *ret)
{
    struct page_term term = {"s.party = ?", V(party)};
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &source_table, q, &term, party.n > 0, &rows, &next));
    struct usage_source *items = NEW_N(tx->arena, struct usage_source, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        items[i] = (struct usage_source){.set = schema_all(&usage_source_schema),
                                         .source = row_str(&rows, i, 0),
                                         .party = row_str(&rows, i, 1),
                                         .created = row_int(&rows, i, 2)};
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}
