#include "party/audit.h"

#define COLUMNS                                                                         \
    "a.id, a.at, a.user_id, a.token, a.party, a.action, a.subject, a.before, a.after, " \
    "a.address, a.request"

enum rc audit_put(struct tx *tx, const struct audit *entry)
{
    ASSERT(entry->action.n > 0);
    return sql_run(
        tx,
        "INSERT INTO audit (id, at, user_id, token, party, action, subject, before, after, "
        "address, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        V(id_new(tx->ids, tx->arena, "aud")), V(tx->now), value_opt(entry->user),
        value_opt(entry->token), value_opt(entry->party), V(entry->action),
        value_opt(entry->subject), value_opt(entry->before), value_opt(entry->after),
        value_opt(entry->address), value_opt(entry->request));
}

static struct audit read_row(const struct rows *rows, size_t row)
{
    return (struct audit){.set = schema_all(&audit_schema),
                          .id = row_str(rows, row, 0),
                          .at = row_int(rows, row, 1),
                          .user = row_str(rows, row, 2),
                          .token = row_str(rows, row, 3),
                          .party = row_str(rows, row, 4),
                          .action = row_str(rows, row, 5),
                          .subject = row_str(rows, row, 6),
                          .before = row_str(rows, row, 7),
                          .after = row_str(rows, row, 8),
                          .address = row_str(rows, row, 9),
                          .request = row_str(rows, row, 10)};
}

static const struct page_column sort_columns[] = {
    {"id", "a.id", PAGE_TEXT},
    {"at", "a.at", PAGE_NUMBER},
    {"action", "a.action", PAGE_TEXT},
};

static const struct page_table audit_table = {
    .select = "SELECT " COLUMNS " FROM audit a",
    .id = "a.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id", /* ids ascend with time: the newest first */
};

/* Those of one log that are asked for. */
static enum rc list(struct tx *tx, struct page_term log, const struct audit_query *q,
                    struct page *ret)
{
    struct page_term terms[6];
    size_t count = 0;
    terms[count++] = log;
    if (q->subject.n > 0)
        terms[count++] = (struct page_term){"a.subject = ?", V(q->subject)};
    if (q->action.n > 0)
        terms[count++] = (struct page_term){"a.action = ?", V(q->action)};
    if (q->user.n > 0)
        terms[count++] = (struct page_term){"a.user_id = ?", V(q->user)};
    if (q->since != 0)
        terms[count++] = (struct page_term){"a.at >= ?", V(q->since)};
    if (q->until != 0)
        terms[count++] = (struct page_term){"a.at < ?", V(q->until)};
    ASSERT(count <= COUNT(terms));
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &audit_table, &q->page, terms, count, &rows, &next));
    struct audit *entries = NEW_N(tx->arena, struct audit, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        entries[i] = read_row(&rows, i);
    *ret = (struct page){{entries, rows.count}, next};
    return RC_OK;
}

enum rc audit_list(struct tx *tx, struct str party, const struct audit_query *q, struct page *ret)
{
    return list(tx, (struct page_term){"a.party = ?", V(party)}, q, ret);
}

enum rc audit_list_own(struct tx *tx, struct str user, const struct audit_query *q,
                       struct page *ret)
{
    return list(tx, (struct page_term){"a.party IS NULL AND a.user_id = ?", V(user)}, q, ret);
}
