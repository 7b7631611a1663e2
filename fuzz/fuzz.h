/*
 * fuzz.h - what every fuzz target defines: libFuzzer calls it with one input after the other.
 *
 * A target proves its promises with ASSERT: a failed one is a finding, and so is what the
 * sanitizers see.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/base.h"

/* Returns 0. data is not NUL-terminated. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
