/* The step that numbers: a block of numbers for each issuer, then one statement for many
 * documents. */
#include "billing/close_inside.h"
#include "billing/rated_row.h"

/* Each issuer's block of numbers and its date, for the drafts behind `after` up to `until`. */
static enum rc take_block(struct tx *tx, const struct close_row *row, struct str issuer,
                          enum document_code code, int64_t count)
{
    struct party party;
    int64_t day = 0;
    int64_t year = 0;
    int64_t first = 0;
    TRY(party_get(tx, issuer, &party));
    TRY(document_day(&party, tx->now, &day, &year, tx->err));
    TRY(document_numbers(tx, issuer, code, year, count, &first));
    return sql_run(tx,
                   "INSERT INTO close_number (close_no, issuer, code, first, year, day) VALUES "
                   "($1, $2, $3, $4, $5, $6) ON CONFLICT (close_no, issuer, code) DO UPDATE SET "
                   "first = $4, year = $5, day = $6",
                   V(row->no), V(issuer), V((int64_t)code), V(first), V(year), V(day));
}

static enum rc take_blocks(struct tx *tx, const struct close_row *row, int64_t until)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT issuer, code, COUNT(*) FROM document WHERE close_no = $1 AND no > $2 "
                 "AND no <= $3 AND state = $4 GROUP BY issuer, code ORDER BY issuer, code",
                 V(row->no), V(row->at_number), V(until), V((int64_t)DOCUMENT_DRAFT)));
    for (size_t i = 0; i < rows.count; i++)
        TRY(take_block(tx, row, row_str(&rows, i, 0), (enum document_code)row_int(&rows, i, 1),
                       row_int(&rows, i, 2)));
    return RC_OK;
}

/* due_day, state: as document_row_finalise has it. */
static enum rc number_drafts(struct tx *tx, const struct close_row *row, int64_t until)
{
    return sql_run(
        tx,
        "UPDATE document SET number = n.first + r.rank - 1, year = n.year, issued_day = n.day, "
        "due_day = n.day + document.payment_days, "
        "state = CASE WHEN document.gross = document.prepaid THEN $5 ELSE $6 END "
        "FROM (SELECT d.no, d.issuer, d.code, ROW_NUMBER() OVER (PARTITION BY d.issuer, d.code "
        "ORDER BY d.no) AS rank FROM document d WHERE d.close_no = $1 AND d.no > $2 AND d.no <= $3 "
        "AND d.state = $4) r JOIN close_number n ON n.close_no = $1 AND n.issuer = r.issuer "
        "AND n.code = r.code WHERE document.no = r.no",
        V(row->no), V(row->at_number), V(until), V((int64_t)DOCUMENT_DRAFT),
        V((int64_t)DOCUMENT_PAID), V((int64_t)DOCUMENT_FINAL));
}

static enum rc note_held(struct tx *tx, const struct close_row *row, int64_t until)
{
    return sql_run(tx,
                   "INSERT INTO close_held (document) SELECT d.no FROM document d WHERE "
                   "d.close_no = $1 AND d.no > $2 AND d.no <= $3 AND d.state = $4 "
                   "ON CONFLICT (document) DO NOTHING",
                   V(row->no), V(row->at_number), V(until), V((int64_t)DOCUMENT_HELD));
}

enum rc close_finalise_step(struct tx *tx, struct close_row *row)
{
    int64_t until = min_i64(row->at_number + CLOSE_NUMBER_CHUNK, row->last_document);
    if (row->at_number < row->last_document) {
        TRY(take_blocks(tx, row, until));
        TRY(number_drafts(tx, row, until));
        TRY(note_held(tx, row, until));
        row->at_number = until;
    }
    if (row->at_number < row->last_document)
        return RC_OK;
    row->step = CLOSE_POST;
    row->at_number = row->first_document;
    return RC_OK;
}
