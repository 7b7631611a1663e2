/*
 * time.h - the module time: ISO 8601 texts, milliseconds since 1970, and how they are shown.
 *
 * All of it in UTC. Years 0 to 9999 of the Gregorian calendar, extended backwards.
 */
#ifndef KRL_TIME_H
#define KRL_TIME_H

#include "krl/machine.h"

/* The members of the module, ended by a name of NULL. */
extern const struct krl_builtin krl_time_members[];

/* Milliseconds from an ISO 8601 text: calendar, week and ordinal dates, basic and extended, with or
 * without time and zone; a time alone is of the day of now_ms. False where it is none. */
bool krl_time_read(const struct krl_text *text, double now_ms, double *ret_ms);

/* "2026-11-25T15:04:05.000Z" */
enum { KRL_TIME_TEXT_MAX = 32 };
size_t krl_time_print(double ms, char text[KRL_TIME_TEXT_MAX]);

#endif
