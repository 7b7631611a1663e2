/*
 * didcomm.h - messages of DIDComm Messaging 2.0: plain ones are maps, signed ones are of one
 * Ed25519 key (EdDSA), encrypted ones for X25519 keys. Packed as the official engine does it:
 * signed and encrypted with authentication (ECDH-1PU+A256KW, A256CBC-HS512) where there is a
 * sender, else encrypted so that nobody knows from whom (ECDH-ES+A256KW, XC20P). Unpacked is what
 * is anonymous around what is authenticated around what is signed, each of them or not; A256GCM
 * too.
 *
 * Who sent a message is proven or not said: a "from" that is not whose keys signed and encrypted it
 * is refused, as is a "to" without who opens it.
 */
#ifndef PICO_DIDCOMM_H
#define PICO_DIDCOMM_H

#include "pico/did.h"

enum { DIDCOMM_BYTES_MAX = 256 * 1024 /* of a plain message */ };

struct didcomm {
    struct did_known known;
    const char *why; /* what is wrong with the message, where null came back */
};

/* A signed (where from is not empty) and encrypted message, as a map. from, to: DIDs, or ids of
 * keys. Null: see why. KRL_FAILED: the budget ends. */
struct krl_value didcomm_pack(struct didcomm *d, struct krl_value message, struct str from,
                              struct str to);
/* [message, metadata], the metadata with the official engine's names. Null, KRL_FAILED: as above.
 */
struct krl_value didcomm_unpack(struct didcomm *d, struct krl_value message);
/* The claims {iss, sub, iat} signed by a key of iss: what "from_prior" of a message says. Null:
 * there is no such key. */
struct krl_value didcomm_prior(struct didcomm *d, struct krl_value claims);

#endif
