/*
 * range.h - which part of a file a request asks for (RFC 9110, 14).
 */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "base/str.h"

enum range {
    RANGE_NONE, /* all of it: no range, several, or one that is not understood */
    RANGE_PART, /* *ret_from and *ret_n are set; n > 0 and within size */
    RANGE_WRONG /* it lies behind the end: 416 */
};

/* text is the value of Range: "bytes=0-499", "bytes=500-", "bytes=-500". size in bytes. */
enum range range_parse(struct str text, uint64_t size, uint64_t *ret_from, uint64_t *ret_n);

#endif
