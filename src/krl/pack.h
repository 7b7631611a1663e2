/*
 * pack.h - values as bytes, to be kept: entity variables, the state of rules.
 *
 * Compact and exact: unpacking gives an equal value with the same two nulls, the same order of keys
 * and the same UTF-16 units. Functions and actions become null. One byte says the kind; small whole
 * numbers take one to nine bytes more, other numbers eight; texts are WTF-8 behind their length.
 */
#ifndef KRL_PACK_H
#define KRL_PACK_H

#include "krl/value.h"

/* Bytes in the heap's arena; p is NULL with the error in the heap: too deep, or no room. */
struct str krl_pack(struct krl_heap *h, struct krl_value v);
/* KRL_FAILED with RC_INVALID where the bytes were not packed here, or the errors of the heap. */
struct krl_value krl_unpack(struct krl_heap *h, struct str bytes);

#endif
