/*
 * date.h - dates as HTTP (RFC 9110, 5.6.7) and mail (RFC 5322, 3.3) write them.
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include "base/clock.h"

enum { DATE_TEXT_MAX = 40 };

/* "Sun, 22 Nov 2026 01:57:28 GMT". Years 0 to 9999. */
void date_format_http(time_us t, char text[DATE_TEXT_MAX]);
/* "Sun, 22 Nov 2026 01:57:28 +0000". */
void date_format_mail(time_us t, char text[DATE_TEXT_MAX]);

#endif
