/*
 * usage_body.h - the body of a report of usage, as people's programs and nodes send it.
 */
#ifndef API_USAGE_BODY_H
#define API_USAGE_BODY_H

#include "api/call.h"
#include "meter/usage.h"

struct usage_body {
    struct usage_record *records;
    size_t count;
    struct str source;
};

/* For call_read: fills c->steps, a struct usage_body, in the form that Content-Type names. What
 * usage_read_json and usage_read_binary refuse. */
MUST_CHECK enum rc usage_body_read(struct call *c);

#endif
