/*
 * alerter.h - makes messages of what has failed for long enough, and sends them (fleet/alert.h).
 *
 * A webhook is a POST of one JSON object (alert_message_schema) with these headers:
 *
 *     Hanse-Event, Idempotency-Key: the id of the message, the same whenever it is sent again
 *     Hanse-Webhook-Signature: t=SECONDS,v1=HEX: HMAC-SHA-256 (RFC 2104), its key the whole
 *         secret, over SECONDS, a point and the body; SECONDS of this sending since 1970, so that
 *         a receiver can refuse what somebody else kept and sends again
 *
 * Any answer but 2xx is tried again later. Private and loopback addresses are refused after name
 * resolution, unless private_hosts is set, and so are redirects. A mail has the id as its
 * Message-ID. The log says of which alert, never to whom or what.
 */
#ifndef API_ALERTER_H
#define API_ALERTER_H

#include "api/mailer.h"
#include "store/seal.h"

#include <stdatomic.h>

struct alerter {
    struct store *store;
    const struct mailer *mailer; /* with its wire */
    const struct log *log;
    const struct seal *seal; /* NULL: no webhooks */
    bool private_hosts;
    struct arena *arena;        /* emptied by each step */
    const atomic_bool *closing; /* a call under way is given up; may be NULL */
};

/* One step: what is due is made, and one message sent. *ret_worked: there may be more now; else
 * *ret_wait_us is how long there is nothing unless something is committed (INT64_MAX). */
MUST_CHECK enum rc alerter_work(struct alerter *a, bool *ret_worked, int64_t *ret_wait_us,
                                struct err *err);

#endif
