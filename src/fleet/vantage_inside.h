/*
 * vantage_inside.h - what the files of vantage.h share.
 */
#ifndef FLEET_VANTAGE_INSIDE_H
#define FLEET_VANTAGE_INSIDE_H

#include "fleet/vantage.h"

/* A row of the table. */
enum { VANTAGE_POINTS_MAX = 64 }; /* of a service, with those that refuse */
struct vantage_row {
    struct str service;
    bool watched;
    int64_t places;
    int64_t every_s;
    struct str port;
    int64_t kind;
    struct str path;
    int64_t status;
    struct str contains;
    int64_t days;
    struct str address; /* where it is looked at now; empty: nowhere */
    int64_t number;     /* of its port there */
    time_us since;
    int64_t state;
    struct str text;
    time_us changed;
};
#define VANTAGE_COLUMNS                                                                         \
    "w.service, w.watched, w.places, w.every_s, w.port, w.kind, w.path, w.status, w.contains, " \
    "w.days, w.seen_address, w.seen_port, w.since, w.state, w.text, w.changed"
enum { VANTAGE_COLUMN_COUNT = 16 };
struct vantage_row vantage_row(const struct rows *r, size_t row);
MUST_CHECK enum rc vantage_find(struct tx *tx, struct str service, bool *ret_found,
                                struct vantage_row *ret);

/* Its places look at something else from now on, or in another way: each has another task, so that
 * what is still told of the old one, whenever it was looked at, is of no task any more. */
MUST_CHECK enum rc vantage_renew(struct tx *tx, struct str service);

/* What was looked at before this does not speak of now. */
time_us vantage_late(const struct vantage_row *w, time_us now);
/* Whether its promise is as its places see it; where not, it changes. node: where it runs. */
MUST_CHECK enum rc vantage_judge(struct tx *tx, const struct vantage_row *w, struct str node);
/* It is not looked at any more: nobody knows. */
MUST_CHECK enum rc vantage_blind(struct tx *tx, const struct vantage_row *w, struct str node);

/* So many of 100 good looks of a day from a city were no slower; 0: there were none. */
struct vantage_cell {
    struct str service;
    int64_t day;
    struct str country;
    struct str city;
    int64_t good;
};
MUST_CHECK enum rc vantage_slow(struct tx *tx, const struct vantage_cell *c, int64_t percent,
                                int64_t *ret_us);

#endif
