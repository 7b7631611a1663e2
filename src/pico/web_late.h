/*
 * web_late.h - answers that leave a moment later: who asked too much, and asks again as soon as he
 * is refused, would otherwise take the processors from all who did not.
 *
 * One thread sends them, each WEB_LATE_US after it was added, and not at once what came at once:
 * those who ask again would again all come in one moment. A few leave together.
 */
#ifndef PICO_WEB_LATE_H
#define PICO_WEB_LATE_H

#include "http/http.h"

enum {
    WEB_LATE_US = 500 * 1000,
    WEB_LATE_APART_US = 2000, /* for each of them */
    WEB_LATE_STEP_US = 5000, /* what is due within one leaves at its end: each time that some leave,
                                libmicrohttpd looks at all that are held */
    WEB_LATE_MAX = 10000,    /* that wait; more leave at once */
};

struct web_late;

/* The caller's until it is sent; in the arena of its exchange. */
struct web_late_answer {
    struct http_exchange *x; /* held, and replied to */
    struct web_late_answer *next;
    time_us due; /* steady */
};

/* Never fails. */
struct web_late *web_late_open(struct clock *clock);
/* What waits still is sent at once. NULL is fine. */
void web_late_close(struct web_late *l);

/* Send it later; any thread. */
void web_late_send(struct web_late *l, struct web_late_answer *a);

#endif
