/*
 * close.h - the close of a month: a job of named steps that can be stopped anywhere and run again.
 *
 *   collect     fold what is left of the usage
 *   rate        each subscription's windows into rated lines, chunk by chunk
 *   draft       lines into one draft invoice for each (seller, buyer); upstream ones from sums
 *   review      stops here unless told to go on: drafts can be looked at, held, and lines explained
 *   finalise    numbers, gapless for each issuer
 *   post        the books of all parties; shares accrue
 *   statements  partners' statements and self-billed invoices
 *
 * Each step goes on from its cursor, which is kept in the same unit of work as what it did: killed
 * at any point, it goes on without doing anything twice. Closing a closed month again has no
 * effect, but for invoices that could not be made. Subscriptions that cannot be rated, invoices
 * that cannot be made or posted, and statements that cannot be made, become exceptions; the others
 * go on, and the next close tries those again.
 *
 * An invoice takes a number when some line of it is worth something to somebody, even if its lines
 * add up to 0.00; lines that are 0.00 for every tier, and sums between tiers that are, make none.
 *
 * The rate step reads and computes in the calling thread while the writing thread keeps the page
 * before; what comes out is the same as if one did both.
 */
#ifndef BILLING_CLOSE_H
#define BILLING_CLOSE_H

#include "billing/document_row.h"
#include "billing/rate.h"

enum close_step {
    CLOSE_COLLECT,
    CLOSE_RATE,
    CLOSE_DRAFT,
    CLOSE_REVIEW,
    CLOSE_FINALISE,
    CLOSE_POST,
    CLOSE_STATEMENTS,
    CLOSE_DONE,
};
extern const char *const close_steps[];

struct close {
    uint64_t set;
    struct str id;     /* "cls_..." */
    int64_t no;        /* of the store, dense; not shown */
    struct str party;  /* the operator: owner */
    struct str period; /* "2026-01" */
    time_us begin;
    time_us end;
    int64_t step;
    bool review;   /* stop before finalise until it is told to go on */
    bool dry;      /* computed and told, nothing kept */
    int64_t done;  /* subscriptions so far */
    int64_t total; /* of them */
    int64_t per_second;
    int64_t seconds_left;
    int64_t lines;
    int64_t documents;
    int64_t exceptions;
    /* What the operator's own buyers owe it, by currency: "195.00 EUR, 12.50 CNY". Not the clients'
     * invoices: their sum would tell the operator what the tiers below earn. */
    struct str net;
    time_us started;
    time_us finished;
};
extern const struct schema close_schema;

struct close_exception {
    uint64_t set;
    struct str subscription;
    struct str step;
    struct str text;
};
extern const struct schema close_exception_schema;

/* What a credit note took of a rated line: of its whole net, `before` was taken by others. */
struct line_credit {
    int64_t number; /* of the line in the invoice's close; by hand: in the invoice */
    int64_t whole;
    int64_t before;
    int64_t now;
};

/* What a close passes by: what could not be posted, or stated, in an earlier unit of work of the
 * same step. It is an exception of the close, and tried again by the next one. NULL: nothing is
 * passed by. */
enum { CLOSE_WHAT_MAX = 240 };
struct close_pass {
    size_t count;
    const struct str *list;
    char *hand; /* CLOSE_WHAT_MAX + 1 bytes; NULL: nobody wants to know */
};
bool close_passed(const struct close_pass *p, struct str what);
/* What is in hand from now on: passed by from the next unit of work on, if this one fails. Empty:
 * nothing alone. */
void close_hand(const struct close_pass *p, struct str what);
/* What closes before this one passed by in the step of statements, of names that begin so: what
 * follows from nothing that is still there, and is tried again by its name. */
MUST_CHECK enum rc close_stuck_before(struct tx *tx, int64_t close_no, const char *begins,
                                      struct str **ret, size_t *ret_count);

/* What the rooms above do within the close: settle/. Called in the unit of work that books the
 * document or closes the step. */
struct close_above {
    /* Once in each unit of work that calls the others: what it returns is their arg (NULL: the arg
     * below). */
    void *(*begin)(struct tx *tx, void *arg);
    /* Whether a line that is rated can be shared. RC_INVALID, RC_TOO_LARGE: it cannot, and the
     * sentence is for the exceptions; its subscription is rated again by the next close. In a
     * snapshot. */
    enum rc (*rated)(struct tx *tx, const struct rated_line *line, void *arg);
    /* A final invoice of the close was posted; its rated lines. Shares accrue. */
    enum rc (*posted)(struct tx *tx, struct ledger *l, const struct document_row *d,
                      const struct rated_line *lines, size_t count, void *arg);
    /* A credit note of an invoice was posted; `credited` of the invoice has it already. */
    enum rc (*credited)(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                        const struct line_credit *lines, size_t count, void *arg);
    /* Make the statements of the period; *ret_done where nothing is left. */
    enum rc (*statements)(struct tx *tx, struct ledger *l, const struct close *c,
                          const struct close_pass *pass, bool *ret_done, void *arg);
    void *arg;
};

/* The arg for the others, in this unit of work. above may be NULL. */
static inline void *close_above_begin(const struct close_above *above, struct tx *tx)
{
    if (above == NULL)
        return NULL;
    return above->begin != NULL ? above->begin(tx, above->arg) : above->arg;
}

/* Begin, or find the one of this period. The latest one that is done, and that could not make some
 * invoices, posts or statements, goes on with those: what is in its list of exceptions says what
 * became of each.
 * RC_CONFLICT: the period has not ended in every time zone of a seller, or an earlier one is not
 * closed. */
MUST_CHECK enum rc close_begin(struct tx *tx, struct str period, bool review, bool dry,
                               struct close *ret);
MUST_CHECK enum rc close_get(struct tx *tx, struct str id, struct close *ret);
MUST_CHECK enum rc close_list(struct tx *tx, const struct page_query *q, struct page *ret);
MUST_CHECK enum rc close_exceptions(struct tx *tx, struct str id, const struct page_query *q,
                                    struct page *ret);
/* Past review. */
MUST_CHECK enum rc close_approve(struct tx *tx, struct str id, struct close *ret);

/* RC_CONFLICT: the document is final and not in the books, as a close passed it by. */
MUST_CHECK enum rc close_posted(struct tx *tx, const struct document_row *row);

/* One piece of work of whatever is open, in its own units of work; *ret_worked false: nothing to
 * do. What hansed's job thread, the tests and the simulator call again and again. */
MUST_CHECK enum rc close_work(struct store *s, struct ledger *l, const struct close_above *above,
                              struct arena *arena, bool *ret_worked, struct err *err);

#endif
