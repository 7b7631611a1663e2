/*
 * alert_inside.h - what the files of alert.h share.
 */
#ifndef FLEET_ALERT_INSIDE_H
#define FLEET_ALERT_INSIDE_H

#include "fleet/alert.h"

/* A message of a rule, counted in its hour: made, or (*ret false) held for the summary. id and
 * created of *d are filled in. */
MUST_CHECK enum rc alert_put(struct tx *tx, struct alert_delivery *d, bool *ret);

/* Who may see a service or a node, and what it is called. */
struct alert_subject {
    struct str parties[2]; /* client and seller; owner and host */
    struct str site;       /* where it is; empty: nowhere */
    struct str title;
    bool gone; /* a service that has ended or is about to */
};
/* RC_NOT_FOUND: no such thing. */
MUST_CHECK enum rc alert_subject(struct tx *tx, struct str id, struct alert_subject *ret);

#endif
