/*
 * window.h - what this folder asks of windows beside subscription.h.
 */
#ifndef CATALOG_WINDOW_H
#define CATALOG_WINDOW_H

#include "catalog/subscription.h"

/* Which period of its life, 1.., an instant within it lies in. */
int64_t window_number(const struct subscription_facts *f, time_us at);

#endif
