/*
 * usage.h - usage records: what a node or a program says was used, taken once and kept.
 *
 * A record is known by (source, id) for ever. The same again is a success without effect; another
 * body under the same id is refused and raised (a conflict that stays until somebody has looked).
 * Records are kept as they came, in rows of many; nothing rewrites them. Running totals
 * (meter/total.h) are made from them and can be made again.
 *
 * Two doors:
 *   JSON    CloudEvents 1.0, one or a batch (application/cloudevents-batch+json); ids are any text
 *   binary  fixed records of 64 bytes, for nodes; ids are numbers that ascend within the source, so
 *           that a repeat is known without a table of all ids (specs/billing.md 5.2)
 *
 * specs/billing.md 3.3, 4.4.
 */
#ifndef METER_USAGE_H
#define METER_USAGE_H

#include "catalog/subscription.h"

enum {
    USAGE_RECORD_BYTES = 64,
    USAGE_BATCH_MAX = 65536, /* records in one call */
    USAGE_ID_MAX = 200,
    USAGE_DIMS_MAX = 2000, /* bytes of JSON */
};

struct usage_record {
    struct str id;           /* JSON: the event's; binary: empty */
    uint64_t number;         /* binary: ascending within the source, > 0; JSON: 0 */
    struct str subscription; /* "sub_..." */
    int64_t meter;           /* number */
    time_us from;            /* < until, but = for COUNT, LAST, COUNTER readings, P95 samples */
    time_us until;
    struct quantity quantity; /* COUNTER: the reading */
    struct str dims;          /* JSON object, or empty */
    uint64_t key;             /* of what UNIQUE counts: record_key of "key" in dims; 0: none */
    struct str supersedes;    /* id of the record that this one corrects, or empty */
};

struct usage_report {
    uint64_t set;
    int64_t accepted;
    int64_t repeated;      /* were there already */
    int64_t refused;       /* conflicts: the same id with another body */
    struct list conflicts; /* struct str: ids, at most 100 */
};
extern const struct schema usage_report_schema;

/* Take records of a source of the party's ("urn:pop:par1:node7"; meter/source.h says which a party
 * may report under). All or nothing where one is wrong: RC_INVALID names which ("/17/data/qty"): a
 * subscription or meter that is not there or that this party may not report for, a time outside
 * the subscription's life, more digits than the meter has. Conflicts do not stop the others. */
MUST_CHECK enum rc usage_take(struct tx *tx, struct str party, struct str source,
                              const struct usage_record *records, size_t count,
                              struct usage_report *ret);

/* The JSON of the door: one event or an array. RC_INVALID, RC_SYNTAX, RC_TOO_LARGE. */
MUST_CHECK enum rc usage_read_json(struct tx *tx, struct str body, struct usage_record **ret,
                                   size_t *ret_count, struct str *ret_source);
/* The binary door: header (magic, version, source) and records; layout in usage_binary.c. */
MUST_CHECK enum rc usage_read_binary(struct tx *tx, struct str body, struct usage_record **ret,
                                     size_t *ret_count, struct str *ret_source);
/* Media types of the two doors, NULL at the end; the last one is the binary one. */
extern const char *const usage_media[];
extern const char usage_media_binary[];

/* What was not counted, and why. */
struct usage_conflict {
    uint64_t set;
    struct str id; /* "ucf_..." */
    struct str source;
    struct str party; /* for whom the source reports */
    struct str event; /* id or number of the record */
    struct str text;
    time_us created;
    time_us seen; /* 0: nobody has looked yet */
    struct str seen_by;
};
extern const struct schema usage_conflict_schema;
struct usage_conflict_query {
    uint64_t set;
    struct page_query page;
    bool seen; /* those that somebody has looked at, too */
};
extern const struct schema usage_conflict_query_schema;
/* Those of the sources of a party; party empty: of all. */
MUST_CHECK enum rc usage_conflict_list(struct tx *tx, struct str party,
                                       const struct usage_conflict_query *q, struct page *ret);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc usage_conflict_get(struct tx *tx, struct str id, struct usage_conflict *ret);
/* A user has looked: it is raised no more. The first who did so stays named. RC_NOT_FOUND. */
MUST_CHECK enum rc usage_conflict_see(struct tx *tx, struct str id, struct str user,
                                      struct usage_conflict *ret);

#endif
