/*
 * metrics.h - counters as Prometheus text (format 0.0.4).
 */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/inside.h"

enum { METRICS_BYTES_MAX = 32 * 1024 };

void metrics_write(struct api *a, struct buf *out);

#endif
