/*
 * mailer.h - the outbox topic "mail": what a unit of work wants to say to somebody by mail.
 *
 * A row is {"to","subject","text","from"}; where "from" is empty the installation's sender is used.
 * Without a mail server a row is done with a warning: whoever invites passes the link on. The log
 * says to whom, never what: mails carry links that are secrets.
 */
#ifndef API_MAILER_H
#define API_MAILER_H

#include "base/log.h"
#include "http/wire.h"
#include "store/outbox.h"

struct mailer {
    struct wire *wire;
    const struct log *log;
    struct str url; /* of the mail server; empty: none */
    struct str user;
    struct str password;
    struct str from;
};

/* The outbox_fn of "mail"; arg is a struct mailer. */
MUST_CHECK enum rc mailer_send(void *arg, const struct outbox_row *row, struct arena *arena,
                               struct err *err);

#endif
