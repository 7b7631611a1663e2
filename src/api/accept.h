/*
 * accept.h - which form of the answer the client wants (RFC 9110, 12.5.1).
 */
#ifndef API_ACCEPT_H
#define API_ACCEPT_H

#include "base/str.h"

enum accept_form { ACCEPT_NOTHING, ACCEPT_JSON, ACCEPT_CSV };

/* The better of JSON and (where with_csv) CSV by their q-values; JSON where they are equal, and
 * where nothing was said. ACCEPT_NOTHING: both are refused. A header that cannot be understood
 * counts as not sent, as RFC 9110 lets a server do. */
enum accept_form accept_choose(struct str accept, bool with_csv);

/* The q-value, in thousandths, that the header gives to a media type: 0 where it refuses it. */
int accept_quality(struct str accept, struct str type);

#endif
