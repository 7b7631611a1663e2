/*
 * outgoing.h - what leaves the engine by HTTP or mail and is no event of another engine: usage for
 * the meter, webhooks, mail. For this room.
 *
 * A row that a transaction made is sent after it, at least once, always with the same id (in the
 * headers Hanse-Event and Idempotency-Key, in a mail as its Message-ID), with growing pauses, for
 * seven days; usage for as long as it takes. Each receiver is served by one thread at a time and
 * left alone for a while after a failure, so that none who is slow holds up the others but by one
 * call. What a receiver refuses is not sent again, and noted in the log of the pico.
 *
 * It is not the outbox of the store (store/outbox.h), which gives up after twelve tries, sends one
 * at a time, and knows no receivers: here each of many strangers may be slow or gone.
 *
 * Webhooks follow the rule of http: (no private addresses, unless private_hosts is set). The meter
 * and the mail server are the owner's choice, and may be anywhere.
 */
#ifndef PICO_OUTGOING_H
#define PICO_OUTGOING_H

#include "pico/inside.h"

enum outgoing_kind { OUTGOING_USAGE, OUTGOING_WEBHOOK, OUTGOING_MAIL };

enum {
    OUTGOING_THREADS = 2,     /* what take_row asks for counts on two */
    OUTGOING_PICO_MAX = 1000, /* rows of one pico that wait; a ruleset gets an error then */
};

struct outgoing {
    enum outgoing_kind kind;
    struct str id;
    struct str target; /* the URL; of a mail: who gets it */
    struct str subject;
    struct str body;
};

/* Within a transaction; the row's number is given here. */
MUST_CHECK enum rc outgoing_put(struct tx *tx, struct pico_engine *e, int64_t pico,
                                const struct outgoing *o);
MUST_CHECK enum rc outgoing_open(struct pico_engine *e, struct err *err);
/* With the lock: there is something new. */
void outgoing_wake(struct pico_engine *e);
void outgoing_close(struct pico_engine *e);
void *outgoing_thread(void *arg);
/* With the lock, which is given up meanwhile: all that is due; how many were sent or given up. */
size_t outgoing_run(struct pico_engine *e);
/* Whether a pico may add one more. */
MUST_CHECK enum rc outgoing_room(struct pico_engine *e, int64_t pico, bool *ret, struct err *err);

#endif
