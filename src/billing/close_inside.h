/*
 * close_inside.h - what the files of the close share. For them alone.
 */
#ifndef BILLING_CLOSE_INSIDE_H
#define BILLING_CLOSE_INSIDE_H

#include "billing/close.h"
#include "billing/document_row.h"
#include "billing/rated_row.h"

enum {
    CLOSE_CHUNK = 4000,          /* subscriptions in one unit of work */
    CLOSE_LINES_CHUNK = 20000,   /* rated lines read in one unit of work of the draft step */
    CLOSE_NUMBER_CHUNK = 50000,  /* documents numbered in one unit of work */
    CLOSE_POST_CHUNK = 2000,     /* documents posted in one unit of work */
    CLOSE_FOLD_RECORDS = 200000, /* usage records folded in one unit of work */
    CLOSE_PAGES = 16,            /* units of work of the rate step before others have their turn */
    CLOSE_CURRENCIES_MAX = 16,   /* in one unit of work */
    /* A unit of work ends early where its arena has no more room than this. */
    CLOSE_ROOM_BYTES = 16 * 1024 * 1024,
    /* A client's invoice: what is more becomes another one under the same agreement. It is posted
     * in one unit of work, with all that its lines give to others: some kilobytes a line. Others
     * are posted with it up to CLOSE_POST_BYTES. */
    CLOSE_INVOICE_LINES_MAX = 50000,
    CLOSE_POST_BYTES = 48 * 1024 * 1024,
    CLOSE_POST_ARENA_BYTES = 512 * 1024 * 1024,
    CLOSE_TEXT_MAX = 500, /* of an exception */
    CLOSE_CODES = 2,      /* kinds of document a close makes: invoices, credit notes */
};

/* DRAFT: at.client, while what could not be billed before is tried, and afterwards; empty at the
 * beginning of the step. */
#define CLOSE_AGAIN  "again" /* a close that was done goes on: nothing else is left to draft */
#define CLOSE_TRIED  "tried"
#define CLOSE_CLOSED "closed" /* tried, in a close that had been done */

/* Whose turn it is in the rate step. */
enum close_phase {
    PHASE_WALK,   /* all that run, in the order of agreements */
    PHASE_LATE,   /* what came late for those that ended before */
    PHASE_MISSED, /* those that ended before, and that an earlier close missed */
};

/* A row of table close. */
struct close_row {
    int64_t no;
    struct str id;
    struct str party;
    struct str period;
    time_us since; /* windows that end from here on, up to and with end */
    time_us begin;
    time_us end;
    enum close_step step;
    bool review;
    bool dry;
    struct subscription_cursor at; /* RATE: behind which subscription */
    /* RATE: enum close_phase; DRAFT: behind which line; later: behind which document */
    int64_t at_number;
    int64_t done;
    int64_t total;
    int64_t lines;
    int64_t documents;
    int64_t first_document; /* documents of the close have a higher number */
    int64_t last_document;
    int64_t exceptions;
    time_us started;
    time_us seen;
    time_us finished;
};

struct close_miss {
    struct str subscription; /* or empty */
    const char *step;
    struct str text;
    int64_t line;
    time_us since; /* RATE: what is rated again from here on */
    /* DRAFT: whose lines are to be billed again (0: none); between tiers line is 0. */
    int64_t of_close;
    struct str agreement;
    bool tax_included;
};
struct close_sum {
    const struct currency *currency;
    __int128 net;
};
/* Sums of a close grow by pages. Beyond CLOSE_SUM_MAX, either way, a sum is too large for a
 * document, and stays where it passed it, whatever comes then: so no sum of two overflows. */
#define CLOSE_SUM_MAX      INT64_C(4000000000000000000)
#define CLOSE_SUM_MAX_TEXT "4000000000000000000"
/* SQL for the column with $n added, both within 2 x CLOSE_SUM_MAX. */
#define CLOSE_SUM_SQL(column, n)                                                              \
    "CASE WHEN " column " NOT BETWEEN -" CLOSE_SUM_MAX_TEXT " AND " CLOSE_SUM_MAX_TEXT        \
    " THEN " column " WHEN " n " NOT BETWEEN -" CLOSE_SUM_MAX_TEXT " AND " CLOSE_SUM_MAX_TEXT \
    " THEN " n " ELSE " column " + " n " END"
/* What a page found, as CLOSE_SUM_SQL takes it. */
int64_t close_sum_bound(__int128 sum);
/* What one unit of work found, to be kept with the row. */
struct close_found {
    size_t miss_count;
    size_t miss_room;
    struct close_miss *misses;
    size_t sum_count;
    struct close_sum sums[CLOSE_CURRENCIES_MAX];
};

/* --- rating --- */

/* What closes the month in one time zone. */
struct close_bounds {
    struct str zone;
    time_us since; /* windows that end behind it, up to and with end */
    time_us begin;
    time_us end;
};

struct close_run {
    struct rated_row row;           /* path is given when it is kept */
    const struct supply_path *path; /* whose number it is */
};
/* What an agreement above the last one is owed for one kind of income. */
struct close_upstream {
    const struct supply_edge *edge;
    const struct supply_path *path; /* where the edge was last met */
    size_t edge_number;
    struct str income;
    enum tax_class tax_class;
    bool tax_included;
    bool deferred;
    __int128 amount;
};
/* A window that was billed before its time. */
struct close_ahead {
    struct str subscription;
    time_us from;
    time_us until;
    bool again; /* it was before, to another end */
};
/* Some subscriptions, rated in a snapshot: all that the writing thread has to keep of them. In the
 * arena of the reading tx. */
struct close_page {
    struct close_row from; /* of the close when it began */
    struct close_row row;  /* when it is kept */
    struct close_found found;
    struct close_run *runs;
    size_t run_count;
    size_t run_room;
    struct close_upstream **upstream;
    size_t upstream_count;
    size_t upstream_room;
    struct close_ahead *ahead;
    size_t ahead_count;
    size_t ahead_room;
    struct late *late; /* was late, and is not any more */
    size_t late_count;
    size_t late_room;
    struct str *caught; /* an earlier close missed them */
    size_t caught_count;
    size_t caught_room;
    bool stale; /* another process went on with the close meanwhile: nothing of it was kept */
};
/* Room for one more of a list in the arena; the list, or a longer copy. */
void *close_grow(struct arena *arena, void *list, size_t count, size_t *room, size_t size);

/* Made when a close begins. RC_CONFLICT: the month has not ended in some zone. */
MUST_CHECK enum rc close_bounds_make(struct tx *tx, const struct close_row *row,
                                     struct str operator_zone, struct close_bounds **ret,
                                     size_t *ret_count);
MUST_CHECK enum rc close_bounds_insert(struct tx *tx, const struct close_row *row,
                                       const struct close_bounds *list, size_t count);
/* The month with a label in a zone. RC_INVALID at /period. */
MUST_CHECK enum rc close_period(struct tx *tx, struct str zone_name, struct str label,
                                struct period *ret);
/* The operator's zone is the first one. */
MUST_CHECK enum rc close_bounds_list(struct tx *tx, const struct close_row *row,
                                     struct close_bounds **ret, size_t *ret_count);
/* Rate what follows from->at, in PHASE_WALK up to and with *until (NULL: as far as a page goes):
 * pure but for what it reads, in any tx. above (NULL: nobody) is asked about each line. ret->row is
 * where it is then; where the arena has no more room, that is before *until. */
MUST_CHECK enum rc close_rate_page(struct tx *tx, const struct close_row *from,
                                   const struct subscription_cursor *until,
                                   const struct close_above *above, struct close_page *ret);
/* A page that was rated beside the one before it, from where that one was to end, counted lines and
 * subscriptions from a row of its own: now as if from where `before` did end. */
void close_follow_page(struct close_page *page, const struct close_row *before);
/* Keep it, if the close is still where the page began. */
MUST_CHECK enum rc close_keep_page(struct tx *tx, struct close_page *page);

/* The oldest one that does not wait for a person. *ret_found false: there is none. */
MUST_CHECK enum rc close_row_open(struct tx *tx, struct close_row *ret, bool *ret_found);
MUST_CHECK enum rc close_row_get(struct tx *tx, struct str id, struct close_row *ret);
/* By its number, which is there. */
MUST_CHECK enum rc close_row_number(struct tx *tx, int64_t no, struct close_row *ret);
MUST_CHECK enum rc close_row_insert(struct tx *tx, const struct close_row *row);
/* How far it is, and what was found. seen becomes now. */
MUST_CHECK enum rc close_row_save(struct tx *tx, struct close_row *row,
                                  const struct close_found *found);
MUST_CHECK enum rc close_show(struct tx *tx, const struct close_row *row, struct close *ret);

void close_found_miss(struct close_found *f, struct arena *arena, const struct close_miss *miss);
void close_found_sum(struct close_found *f, const struct currency *currency, int64_t net);
/* Whether a failure is about one subscription or document alone, so that the others go on. */
bool close_may_go_on(enum rc rc);

/* What the close passes by in its step. hand: CLOSE_WHAT_MAX + 1 bytes that outlive the tx. */
MUST_CHECK enum rc close_pass_load(struct tx *tx, const struct close_row *row, char *hand,
                                   struct close_pass *ret);
/* A unit of work failed with this in hand: an exception, and passed by. row is saved. */
MUST_CHECK enum rc close_pass_note(struct tx *tx, struct close_row *row, struct str what,
                                   struct str why);
/* It is through after all: its exception says so. */
MUST_CHECK enum rc close_pass_end(struct tx *tx, const struct close_row *row, enum close_step step,
                                  struct str what);

/* One unit of work of a step; row and found are changed. */
MUST_CHECK enum rc close_draft_step(struct tx *tx, struct close_row *row,
                                    struct close_found *found);
/* What a final document of the close sells in advance is deferred: a client's, by its lines; one
 * between tiers, by those that pass its edge, so many at once, behind close->at (client: the path,
 * id: the line). *ret_done: all of it. Before the document is posted. */
MUST_CHECK enum rc close_defer_lines(struct tx *tx, const struct document_row *row,
                                     const struct rated_line *lines, size_t count);
MUST_CHECK enum rc close_defer_upstream(struct tx *tx, struct close_row *close,
                                        const struct document_row *row, bool *ret_done);
MUST_CHECK enum rc close_finalise_step(struct tx *tx, struct close_row *row);
MUST_CHECK enum rc close_post_step(struct tx *tx, struct ledger *l, struct close_row *row,
                                   const struct close_above *above, char *hand);

#endif
