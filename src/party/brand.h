/*
 * brand.h - how a party looks to those it serves: name, logo, colours, host name, mail sender.
 *
 * One colour is chosen; the rest is derived, and a colour on which neither white nor near-black
 * text reaches the contrast 4.5 of WCAG 2.2 is refused with the nearest that does.
 */
#ifndef PARTY_BRAND_H
#define PARTY_BRAND_H

#include "party/party.h"

enum { BRAND_LOGO_MAX = 64 * 1024 /* characters of the data: URL */ };
#define BRAND_COLOUR STR("#2747d8") /* Hanse's own */

struct brand {
    uint64_t set;
    struct str party;
    int64_t version;
    struct str name;
    struct str logo; /* "data:image/png;base64,..." or "data:image/svg+xml;base64,...", checked;
                             SVG by an allow-list of elements and attributes */
    struct str logo_dark;
    struct str colour;      /* "#2747d8" */
    struct str ink;         /* read only: text on that colour, "#ffffff" or "#111111" */
    struct str host;        /* "cloud.example.net", unique */
    struct str mail_sender; /* "Name <address>" */
    struct str legal_footer;
    time_us changed;
};
extern const struct schema brand_schema;

/* A party without a brand of its own has its sponsor's, and at last the operator's; where nobody
 * has one, the operator's name on Hanse's colour. Such a brand has version 1 and no host; the first
 * change makes version 2. RC_NOT_FOUND: no such party. */
MUST_CHECK enum rc brand_get(struct tx *tx, struct str party, struct brand *ret);
/* Change what is set in patch; the first change begins with the party's own name and Hanse's
 * colour, not with what the sponsor has. version 0: whatever it is. RC_CHANGED; RC_INVALID names
 * the field; RC_CONFLICT: the party is closed, or (at "/host") another brand answers at the host
 * name. Writes event.brand.changed. */
MUST_CHECK enum rc brand_change(struct tx *tx, struct str party, int64_t version,
                                const struct brand *patch, struct brand *ret);
/* The brand that answers at a host name (a port behind it is ignored): exact, else "*.domain", else
 * the operator's for hosts that nobody claimed. RC_NOT_FOUND before the first start. */
MUST_CHECK enum rc brand_of_host(struct tx *tx, struct str host, struct brand *ret);

/* A mail in a brand's name, by the outbox when the unit of work commits. Its texts are bounded
 * where they enter: 32 KiB of JSON in all. */
struct brand_mail {
    struct str party; /* whose business it is */
    struct str to;
    struct str subject;
    struct str text;
};
MUST_CHECK enum rc brand_mail_put(struct tx *tx, const struct brand *b,
                                  const struct brand_mail *mail);

#endif
