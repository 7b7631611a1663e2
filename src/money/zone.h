/*
 * zone.h - time zones: what the clocks on the wall say at an instant, past and future.
 *
 * Zones are those of the IANA database as the Debian package tzdata installs it: compiled files
 * (TZif, RFC 8536) below ZONE_FOLDER; without the package only "UTC" is there, which needs no file.
 * A zone that is loaded is a plain struct in the caller's arena: all changes of the past, and the
 * rule (POSIX TZ) for the future. Nothing is cached and nothing is shared.
 *
 * Instants are seconds since 1970-01-01 00:00:00 UTC, leap seconds ignored, as everywhere, between
 * -ZONE_SECONDS_MAX and ZONE_SECONDS_MAX. Local times are counted the same way, as if the wall
 * clock were UTC.
 */
#ifndef MONEY_ZONE_H
#define MONEY_ZONE_H

#include "base/arena.h"
#include "base/err.h"

#define ZONE_FOLDER      "/usr/share/zoneinfo"
#define ZONE_SECONDS_MAX INT64_C(400000000000) /* beyond the year 14000, both ways */

enum {
    ZONE_NAME_MAX = 64,
    ZONE_FILE_MAX = 64 * 1024, /* the largest of tzdata is below 4 KiB */
    ZONE_CHANGES_MAX = 4096,
    /* RFC 8536 3.2: offsets are above -25 and below 26 hours. */
    ZONE_OFFSET_MIN = -(25 * 3600 - 1),
    ZONE_OFFSET_MAX = 26 * 3600 - 1,
};

/* From this instant on, local time is UTC plus offset_s. */
struct zone_change {
    int64_t at;
    int32_t offset_s;
};

/* A day of every year and a time of it, in the three forms of POSIX TZ. */
struct zone_day {
    enum { ZONE_DAY_MONTH, ZONE_DAY_JULIAN, ZONE_DAY_ZERO_BASED } form;
    int month;      /* M: 1..12 */
    int week;       /* M: 1..5, 5 is the last */
    int day;        /* M: 0..6, Sunday is 0; J: 1..365, never 29 February; n: 0..365 */
    int32_t time_s; /* behind local midnight, -167..167 hours */
};

struct zone_rule {
    int32_t standard_s; /* UTC offsets */
    int32_t daylight_s;
    bool has_daylight; /* false: standard time all year; the rest is not used */
    struct zone_day start;
    struct zone_day end;
};

struct zone {
    struct str name;
    int32_t first_offset_s; /* before the first change */
    const struct zone_change *changes;
    size_t change_count;
    bool has_rule; /* governs from the last change on */
    struct zone_rule rule;
};

/* Whether name is written like the name of a zone: parts of letters, digits, '_', '+' and '-'
 * with '/' between them, at most ZONE_NAME_MAX bytes; so it can be joined to a folder without
 * leaving it. Names that depend on the machine or count leap seconds (localtime, posixrules,
 * posix/..., right/...) are refused. RC_INVALID on anything else. Whether the zone exists,
 * zone_load tells. */
MUST_CHECK enum rc zone_name_check(struct str name, struct err *err);

/* Read a zone from ZONE_FOLDER into the arena. RC_INVALID: no zone has this name. RC_INTERNAL: the
 * file cannot be read or is damaged, or tzdata is not installed. */
MUST_CHECK enum rc zone_load(struct str name, struct arena *arena, const struct zone **ret,
                             struct err *err);

/* The same from the bytes of a TZif file. RC_INVALID where they are no well-formed TZif file
 * without leap seconds. */
MUST_CHECK enum rc zone_decode(struct str name, struct str bytes, struct arena *arena,
                               const struct zone **ret, struct err *err);

/* Seconds that the wall clock is ahead of UTC at an instant. */
int32_t zone_offset(const struct zone *z, int64_t at);
/* The next instant after `after` at which the offset may change; false where it never will. */
bool zone_next(const struct zone *z, int64_t after, int64_t *ret_at);
/* The first instant at which the wall clock shows local or later. Where the clocks jump over local,
 * that is the jump; where they show it twice, it is the first time. */
int64_t zone_first(const struct zone *z, int64_t local);

#endif
