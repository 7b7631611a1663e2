/*
 * size.h - "512 MiB", "20 GB", "500m" cores, "100 Mbit": texts for people as whole numbers.
 */
#ifndef PROFILE_SIZE_H
#define PROFILE_SIZE_H

#include "base/err.h"

/* Bytes: a whole number and B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (of 1024).
 * RC_INVALID. */
MUST_CHECK enum rc size_bytes(struct str s, int64_t *ret, struct err *err);
/* Thousandths of a core: "2" or "500m". RC_INVALID. */
MUST_CHECK enum rc size_cpu(struct str s, int64_t *ret, struct err *err);
/* Bits a second: "100 Mbit", "1 Gbit", "64 kbit". RC_INVALID. */
MUST_CHECK enum rc size_bits(struct str s, int64_t *ret, struct err *err);

#endif
