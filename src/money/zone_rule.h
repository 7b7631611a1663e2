/*
 * zone_rule.h - the yearly rule at the end of a time zone file: its text and its arithmetic.
 *
 * The text is that of the variable TZ in POSIX, with RFC 8536's extension of the hours:
 * "CET-1CEST,M3.5.0,M10.5.0/3". Used by zone.c only.
 */
#ifndef MONEY_ZONE_RULE_H
#define MONEY_ZONE_RULE_H

#include "money/zone.h"

/* False, and *ret untouched, where text is no rule. */
MUST_CHECK bool zone_rule_parse(struct str text, struct zone_rule *ret);

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t at);
bool zone_rule_next(const struct zone_rule *rule, int64_t after, int64_t *ret_at);

#endif
