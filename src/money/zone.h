/*
 * zone.h - time zones: what the clocks on the wall say at an instant, past and future.
 *
 * Zones are those of the IANA database as the Debian package tzdata installs it, compiled files
 * (TZif, RFC 8536) below ZONE_FOLDER. A zone that is loaded is a plain struct in the caller's
 * arena; it holds all changes of the past and the rule (POSIX TZ) for the future. "UTC" needs no
 * file. Instants are seconds since 1970-01-01 00:00:00 UTC, leap seconds ignored, as everywhere.
 */
#ifndef MONEY_ZONE_H
#define MONEY_ZONE_H

#include "base/err.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"

enum { ZONE_NAME_MAX = 64 };

/* Whether name is written like the name of a zone: parts of letters, digits, '_', '+' and '-'
 * with '/' between them, at most ZONE_NAME_MAX bytes; so it can be joined to a folder without
 * leaving it. RC_INVALID on anything else. Whether the zone exists, zone_load tells. */
MUST_CHECK enum rc zone_name_check(struct str name, struct err *err);

#endif
