/*
 * mail.h - write a mail as RFC 5322 wants it: plain text, UTF-8, one receiver.
 *
 * Nothing in it comes through unchecked: a line end in a name or a subject would let a stranger
 * write headers of his own, so control characters are refused, and what is not ASCII is encoded.
 */
#ifndef HTTP_MAIL_H
#define HTTP_MAIL_H

#include "http/wire.h"

enum { MAIL_TEXT_MAX = 1024 * 1024, MAIL_HEADER_MAX = 998 };

struct mail_address {
    struct str name; /* may be empty */
    struct str mailbox;
};

/* "Hanse <no-reply@example.net>" or "no-reply@example.net". RC_INVALID: not of that form, control
 * characters, or bytes that need SMTPUTF8. Slices of text. */
MUST_CHECK enum rc mail_parse_address(struct str text, struct mail_address *ret, struct err *err);

/* The message with CR LF line ends, in the arena. now is its Date. RC_INVALID as above, also for
 * a subject with control characters or text that is not UTF-8; RC_TOO_LARGE beyond
 * MAIL_TEXT_MAX. */
MUST_CHECK enum rc mail_compose(const struct wire_mail *mail, time_us now, struct arena *arena,
                                struct str *ret, struct err *err);

#endif
