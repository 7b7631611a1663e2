/*
 * source.h - who reports usage, and for which party.
 *
 * A source is a URI. It belongs to one party, and nobody takes the name of another's:
 *
 *   urn:hanse:pty_...:NAME   belongs to the party that it names; made when that party first
 *                            reports under it
 *   any other                ("urn:pop:par1:node7") belongs to whom the operator bound it to; where
 *                            the operator reports under a free name, it is the operator's
 *
 * The operator, who answers for all of it, may report under every source that there is, and may
 * bind one to another party: a server that was sold. Records stay as they are.
 */
#ifndef METER_SOURCE_H
#define METER_SOURCE_H

#include "meter/usage.h"

#define USAGE_SOURCE_OWN "urn:hanse:"

struct usage_source {
    uint64_t set;
    struct str source;
    struct str party;
    time_us created;
};
extern const struct schema usage_source_schema;

/* Bind fresh->source to fresh->party (empty: to by), for `by`. RC_INVALID at "/source": no name of
 * a source, or one that `by` cannot bind: the operator binds what is no party's own name, everybody
 * the own ones, again and again without effect. RC_NOT_FOUND: no such party. */
MUST_CHECK enum rc usage_source_bind(struct tx *tx, struct str by, const struct usage_source *fresh,
                                     struct usage_source *ret);
/* Those of a party; party empty: all. */
MUST_CHECK enum rc usage_source_list(struct tx *tx, struct str party, const struct page_query *q,
                                     struct page *ret);
/* For whom a source reports; empty where it is not known yet. */
MUST_CHECK enum rc usage_source_party(struct tx *tx, struct str source, struct str *ret);

/* As a batch needs it. */
struct source_place {
    int64_t id;
    uint64_t last; /* the highest number so far */
};
/* The source under which a party reports; made where that party may make it. numbered: its
 * records have numbers. RC_INVALID at "/source". */
MUST_CHECK enum rc source_report(struct tx *tx, const struct usage_source *from, bool is_operator,
                                 bool numbered, struct source_place *ret);

#endif
