/*
 * close_inside.h - what the files of the close share. For them alone.
 */
#ifndef BILLING_CLOSE_INSIDE_H
#define BILLING_CLOSE_INSIDE_H

#include "base/map.h"
#include "billing/close.h"
#include "billing/document_row.h"

enum {
    CLOSE_CHUNK = 4000,          /* subscriptions in one unit of work */
    CLOSE_LINES_CHUNK = 20000,   /* rated lines read in one unit of work of the draft step */
    CLOSE_NUMBER_CHUNK = 50000,  /* documents numbered in one unit of work */
    CLOSE_POST_CHUNK = 2000,     /* documents posted in one unit of work */
    CLOSE_FOLD_RECORDS = 200000, /* usage records folded in one unit of work */
    CLOSE_LATE_MAX = 10000,      /* late totals looked at in one unit of work */
    CLOSE_CURRENCIES_MAX = 16,   /* in one unit of work */
    /* A unit of work ends early where its arena has no more room than this. */
    CLOSE_ROOM_BYTES = 16 * 1024 * 1024,
    CLOSE_TEXT_MAX = 500, /* of an exception */
    CLOSE_CODES = 2,      /* kinds of document a close makes: invoices, credit notes */
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
    int64_t at_number;             /* DRAFT: behind which line; later: behind which document */
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
};
struct close_sum {
    const struct currency *currency;
    int64_t net;
};
/* What one unit of work found, to be kept with the row. */
struct close_found {
    size_t miss_count;
    size_t miss_room;
    struct close_miss *misses;
    size_t sum_count;
    struct close_sum sums[CLOSE_CURRENCIES_MAX];
};

/* The oldest one that does not wait for a person. *ret_found false: there is none. */
MUST_CHECK enum rc close_row_open(struct tx *tx, struct close_row *ret, bool *ret_found);
MUST_CHECK enum rc close_row_get(struct tx *tx, struct str id, struct close_row *ret);
MUST_CHECK enum rc close_row_insert(struct tx *tx, const struct close_row *row);
/* How far it is, and what was found. seen becomes now. */
MUST_CHECK enum rc close_row_save(struct tx *tx, struct close_row *row,
                                  const struct close_found *found);
MUST_CHECK enum rc close_show(struct tx *tx, const struct close_row *row, struct close *ret);

void close_found_miss(struct close_found *f, struct arena *arena, const struct close_miss *miss);
void close_found_sum(struct close_found *f, const struct currency *currency, int64_t net);
/* Whether a failure is about one subscription or document alone, so that the others go on. */
bool close_may_go_on(enum rc rc);

/* One unit of work of a step; row and found are changed. RATE runs in a reading tx where it is
 * dry. */
MUST_CHECK enum rc close_rate_step(struct tx *tx, struct close_row *row, struct close_found *found);
MUST_CHECK enum rc close_draft_step(struct tx *tx, struct close_row *row,
                                    struct close_found *found);
MUST_CHECK enum rc close_finalise_step(struct tx *tx, struct close_row *row);
/* What an invoice between tiers told in advance waits in its seller's book, line by line. */
MUST_CHECK enum rc close_defer_upstream(struct tx *tx, const struct document_row *row);
MUST_CHECK enum rc close_post_step(struct tx *tx, struct ledger *l, struct close_row *row,
                                   const struct close_above *above);

#endif
