/*
 * ledger_inside.h - the ledger's parts: ledger.c (opening, batches), post.c (what callers change),
 * write.c (what is written before a commit), read.c (what callers see). Private to ledger/.
 */
#ifndef LEDGER_LEDGER_INSIDE_H
#define LEDGER_LEDGER_INSIDE_H

#include "ledger/journal.h"
#include "ledger/published.h"
#include "ledger/series.h"

#include <stdatomic.h>

/* Records of the batch in hand, as the journal will have them. */
struct gathered {
    struct arena arena;
    char *bytes;
    size_t n;
    size_t room;
};

/* Of each source: where its numbers are. */
struct source_place {
    uint64_t
        commit; /* the commit that has number first and those that follow, not yet in the store */
    uint64_t first;
    uint64_t row; /* rows_tried, where its range was last noted */
};

/* One row of the journal, kept at hand while repeats are compared with it. */
struct old_row {
    struct arena arena;
    int64_t seq; /* 0: none */
    struct str body;
    size_t at; /* where the last one was found: the next repeat is often the next record */
};

struct ledger {
    struct store *store;
    const struct log *log;
    struct arena arena;
    /* The rest belongs to the writing thread, but for what is atomic. */
    struct machine *machine;
    struct journal_head head; /* committed */
    struct published *published;

    bool in_batch;  /* of the store */
    bool started;   /* the machine's batch has begun */
    bool lost_race; /* PostgreSQL: the last batch was not kept */
    struct gathered gathered;
    size_t unit_mark;     /* of the machine */
    size_t unit_gathered; /* bytes */
    size_t repeat_at;     /* in gathered: as old_row.at */
    uint64_t commit;      /* counts begun batches */
    struct series places; /* struct source_place, by source */
    struct old_row old;

    /* What the commit that is under way will have changed. */
    struct journal_head next;
    uint64_t rows_tried; /* counts rows, those of failed commits too */
    const struct touched *touched;
    size_t touched_count;
    bool wrote_checkpoint;

    /* Since the last checkpoint. */
    struct series dirty;    /* account_id */
    struct series is_dirty; /* bool, by account */
    int64_t checkpoint_records;
    time_us checkpoint_at;
    atomic_bool want_checkpoint;
};

/* --- ledger.c --- */

/* The machine's batch begins with the first use of the ledger in a batch of the store. */
void ledger_start(struct ledger *l, const struct tx *tx);
/* A record for the journal. */
void ledger_gather(struct ledger *l, const struct record *r);
struct source_place *ledger_place(struct ledger *l, uint32_t source);

/* --- write.c --- */

/* Everything that gathered, into the tables. Fills in next, touched, wrote_checkpoint. */
MUST_CHECK enum rc ledger_write(struct ledger *l, struct tx *tx);

#endif
