/*
 * did.h - who is who in DIDComm: peer DIDs of method 2 (did:peer, numalgo 2), the documents that
 * they say, and the keys in documents and among the secrets of a ruleset. Keys are X25519 and
 * Ed25519.
 */
#ifndef PICO_DID_H
#define PICO_DID_H

#include "pico/activation.h"
#include "pico/jose.h"

enum { DID_BYTES_MAX = 4096, DID_KEYS_MAX = 100 /* of one relationship in a document */ };

/* What a ruleset knows: documents by DID, secrets by the id of the key. Maps, or null. */
struct did_known {
    struct activation *a;
    struct krl_value docs;
    struct krl_value secrets;
};

/* What a key is for. */
enum did_use {
    DID_ENCRYPTS, /* keyAgreement, X25519 */
    DID_SIGNS,    /* authentication, Ed25519 */
};

/* A URL of a DID without what follows it. */
struct str did_of(struct str url);

/* The DID of two public keys and where messages for it go. */
struct str did_peer(struct activation *a, const uint8_t keys[2][JOSE_KEY], struct str endpoint);
/* The id that a document has for the key. */
struct str did_kid(struct activation *a, struct str did, enum did_use use,
                   const uint8_t key[JOSE_KEY]);
/* The document that a peer DID says; null where it says none. KRL_FAILED: the budget ends. */
struct krl_value did_resolve(struct activation *a, struct str did);
/* A document that is known, or the one that the DID says. Null, KRL_FAILED: as above. */
struct krl_value did_document(const struct did_known *k, struct str did);

/* The ids of keys for the use in the document of the DID, or the one where url has one. At most
 * DID_KEYS_MAX. */
size_t did_kids(const struct did_known *k, struct str url, enum did_use use,
                struct str ret[DID_KEYS_MAX]);
/* The public key with the id, which the document of its DID has for the use. False: there is none
 * (or an error in the heap). */
bool did_public(const struct did_known *k, struct str kid, enum did_use use, uint8_t ret[JOSE_KEY]);
/* The secret key. Of a key that signs: its seed. */
bool did_secret(const struct did_known *k, struct str kid, enum did_use use, uint8_t ret[JOSE_KEY]);

/* A secret as it is kept: {id, type, privateKeyJwk}. */
struct krl_value did_secret_value(struct activation *a, struct str kid, enum did_use use,
                                  const uint8_t public[JOSE_KEY], const uint8_t secret[JOSE_KEY]);

#endif
