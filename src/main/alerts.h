/*
 * alerts.h - the threads that tell of promises that fail (api/alerter.h). They wait for strangers'
 * servers, so they do nothing else.
 */
#ifndef MAIN_ALERTS_H
#define MAIN_ALERTS_H

#include "api/mailer.h"
#include "store/seal.h"

struct alerts;

/* All that is named outlives it. */
struct alerts_options {
    struct store *store;
    const struct mailer *mailer;
    const struct seal *seal; /* NULL: no webhooks */
    const struct log *log;
    bool private_hosts; /* webhooks may be anywhere */
};
struct alerts *alerts_open(const struct alerts_options *o);
/* Ends within a second after a call, and after a mail in hand. NULL is fine. */
void alerts_close(struct alerts *a);

#endif
