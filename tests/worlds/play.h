/*
 * play.h - a world in Hanse: built through the public functions of its rooms, on a store of its
 * own and a clock that stands still until it is moved.
 *
 * What Hanse refuses although the world means it to succeed ends the program with the seed.
 */
#ifndef TESTS_WORLDS_PLAY_H
#define TESTS_WORLDS_PLAY_H

#include "ledger/ledger.h"
#include "model.h"
#include "store/store_fixture.h"

struct play {
    struct world *w;
    struct model *m;
    struct fixture f;
    struct clock_sim clock;
    struct ledger *l;
    char user[2][ID_MAX]; /* four eyes */
    int step;
    bool trace;          /* tell each step */
    int looks;           /* comparisons so far */
    uint64_t references; /* of payments */
    int runs;            /* of settlement */
};

void play_open(struct play *p, struct world *w, struct model *m);
void play_close(struct play *p);
/* The process ends, and begins anew. */
void play_restart(struct play *p);

/* One unit of work. In worlds with crashes it is sometimes undone once at its end, or the process
 * that did it is killed, and it is done again. */
void play_write(struct play *p, tx_fn fn, void *arg);
/* All that a close has to do; with crashes in it. */
void play_work(struct play *p);
/* Print seed, step and text, and end. */
_Noreturn void play_fail(const struct play *p, const char *format, ...) PRINTF(2, 3);

/* Tell what is about to happen. */
void play_say(const struct play *p, const char *format, ...) PRINTF(2, 3);

/* The party of an id as "#3"; other names as they are. */
int play_party(const struct play *p, struct str id);

/* --- steps, in Hanse and in the model --- */

void play_build(struct play *p);
void play_usage(struct play *p, int sub);
void play_month(struct play *p, int month);
void play_payment(struct play *p, int doc, int64_t amount);
void play_return(struct play *p, int payment);
void play_price(struct play *p);
void play_terms(struct play *p);
/* The buyer of an edge has another book. */
void play_join(struct play *p, int edge);
/* What somebody gives for an invitation from now on; somebody invites a client of an edge's
 * seller. */
void play_promise(struct play *p, int edge);
void play_invite(struct play *p, int edge);
/* A financier of some agreement puts capital in. */
void play_finance(struct play *p);
void play_subscribe(struct play *p);
void play_change(struct play *p, int sub);
void play_end(struct play *p, int sub);
void play_move(struct play *p, int sub);
void play_credit(struct play *p, int doc);
/* Nobody pays what is open of it. */
void play_write_off(struct play *p, int doc);
void play_wallet(struct play *p, int edge);
void play_coupon(struct play *p, int edge);
void play_settlement(struct play *p, int party);
/* What each currency is in each other, entered as of now. */
void play_rates(struct play *p);
/* The operator lends Clearing what a party owes it, or a part; nothing where none does. */
void play_fund(struct play *p);
/* One step further. */
void play_payout(struct play *p, int payout);

/* --- comparing --- */

/* Everything that the model knows, against everything that Hanse says. */
void play_compare(struct play *p);
/* hansed verify, in all its parts, and that a second reading of the journal says the same. */
void play_verify(struct play *p);

#endif
