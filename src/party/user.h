/*
 * user.h - those who log in, and how they prove who they are.
 *
 * Passwords: argon2id (libsodium, RFC 9106), 12 to 200 characters, hashed outside of any tx
 * because it takes tens of milliseconds by design. Second factor: TOTP (RFC 6238), SHA-1, 6 digits,
 * 30 seconds, one step of drift, each step accepted once. Sessions and tokens are 256 bits of
 * chance; the store holds only their BLAKE2b hash.
 */
#ifndef PARTY_USER_H
#define PARTY_USER_H

#include "party/permission.h"
#include "store/seal.h"

enum { PASSWORD_MIN = 12, PASSWORD_MAX = 200, PASSWORD_HASH_MAX = 128, SESSION_AGENT_MAX = 200 };
#define SESSION_IDLE_US   (12 * US_PER_HOUR)
#define SESSION_MAX_US    (30 * US_PER_DAY)
#define SESSION_PROVED_US (15 * US_PER_MINUTE) /* step-up: password within this time */

/* One role that a user has for a party. */
struct membership {
    uint64_t set;
    struct str party;
    struct str party_name;
    struct str user;
    struct str user_name;
    struct str email;
    struct str role;
    time_us created;
};
extern const struct schema membership_schema;

struct user {
    uint64_t set;
    struct str id; /* "usr_..." */
    int64_t version;
    struct str email;
    struct str name;
    struct str language;
    struct str time_zone;
    bool totp;
    struct list memberships; /* struct membership */
    time_us created;
};
extern const struct schema user_schema;

/* A new user from email, name, language and time_zone ("en" and "UTC" where empty). RC_INVALID
 * names the field; RC_CONFLICT at "/email": the address has a user, whatever the case of its
 * letters. */
MUST_CHECK enum rc user_create(struct tx *tx, const struct user *fresh, struct str password_hash,
                               struct user *ret);
/* With the memberships. RC_NOT_FOUND. */
MUST_CHECK enum rc user_get(struct tx *tx, struct str id, struct user *ret);
/* Of the user that asks, what this caller may know: a token that is bound to a party tells of the
 * membership there alone. */
MUST_CHECK enum rc user_of_caller(struct tx *tx, const struct caller *who, struct user *ret);
/* Name, language, time zone. version 0: whatever it is. RC_NOT_FOUND, RC_CHANGED, RC_INVALID. */
MUST_CHECK enum rc user_change(struct tx *tx, struct str id, int64_t version,
                               const struct user *patch, struct user *ret);

/* --- passwords; no tx --- */

/* "$argon2id$...". RC_INVALID at "/password": too short, too long, or among the common ones. */
MUST_CHECK enum rc password_hash(struct str password, struct arena *arena, struct str *ret,
                                 struct err *err);
/* hash empty: takes as long as with one and is false, so that unknown addresses do not show. */
bool password_verify(struct str password, struct str hash);

/* --- login, in steps around the slow hash --- */

struct login {
    struct str user; /* empty: no such user */
    struct str hash; /* of the password */
    bool totp;       /* a code is asked for */
};
/* Look up the user; count the try (the tx is a writing one). The try counts as a failure until
 * login_succeeded says otherwise, so that many at once do not pass as one. Throttling: after
 * LOGIN_FREE failures for one e-mail address and address of the network, 1, 2, 4, ... seconds up to
 * LOGIN_WAIT_MAX_US must pass; the same after LOGIN_FREE_ANYWHERE for one e-mail address from
 * anywhere: RC_TOO_MANY. Failures are forgotten a day after the last. */
enum { LOGIN_FREE = 5, LOGIN_FREE_ANYWHERE = 50 };
#define LOGIN_WAIT_MAX_US (15 * US_PER_MINUTE)
MUST_CHECK enum rc login_begin(struct tx *tx, struct str email, struct str peer, struct login *ret);
/* The pause counts from now. */
MUST_CHECK enum rc login_failed(struct tx *tx, struct str email, struct str peer);
/* Forget the failures. The hash was checked between two units of work, so this looks again:
 * RC_UNAUTHENTICATED if user, password or second factor are not what login_begin saw. */
MUST_CHECK enum rc login_succeeded(struct tx *tx, const struct login *login, struct str email,
                                   struct str peer);

MUST_CHECK enum rc user_set_password(struct tx *tx, struct str user, struct str hash);
/* A fresh secret, pending until confirmed: base32 text and otpauth:// URI for a QR code. The store
 * keeps it closed with the seal; where that is NULL, as it is. */
MUST_CHECK enum rc totp_begin(struct tx *tx, const struct seal *seal, struct str user,
                              struct str *ret_secret, struct str *ret_uri);
/* RC_INVALID: wrong code. Also takes over a pending secret where confirm. Each step counts once.
 * RC_INTERNAL: the secret was closed with a key that is not here. */
MUST_CHECK enum rc totp_check(struct tx *tx, const struct seal *seal, struct str user,
                              struct str code, bool confirm);
MUST_CHECK enum rc totp_remove(struct tx *tx, struct str user);

/* --- sessions --- */

struct session {
    uint64_t set;
    struct str id; /* "ses_..." */
    struct str address;
    struct str agent;
    bool current;
    time_us created;
    time_us seen;
    time_us ends;
};
extern const struct schema session_schema;

/* *ret_secret goes into the cookie, *ret_csrf into the answer; neither is kept in clear (csrf is
 * derived). Always a new session: a login never adopts one (rotation). */
MUST_CHECK enum rc session_create(struct tx *tx, struct str user, struct str peer, struct str agent,
                                  struct str *ret_secret, struct str *ret_csrf);
/* Who holds this cookie. Without a live session *ret is CALLER_NOBODY and the answer RC_OK.
 * *ret_stale: seen is older than a minute, so a write should call session_touch. */
MUST_CHECK enum rc session_find(struct tx *tx, struct str secret, struct caller *ret,
                                bool *ret_stale);
MUST_CHECK enum rc session_touch(struct tx *tx, struct str id);
MUST_CHECK enum rc session_prove(struct tx *tx, struct str id);
MUST_CHECK enum rc session_list(struct tx *tx, struct str user, struct str current,
                                struct list *ret);
/* RC_NOT_FOUND where the user has no such session. */
MUST_CHECK enum rc session_end(struct tx *tx, struct str user, struct str id);
/* All but the one with this id (empty: all): after a change of password. */
MUST_CHECK enum rc session_end_others(struct tx *tx, struct str user, struct str keep);

/* --- API tokens --- */

struct token {
    uint64_t set;
    struct str id; /* "tok_..." */
    struct str name;
    struct str party;   /* acts for this party alone; empty: for all of the user's */
    struct list scopes; /* struct str: texts of permissions */
    struct str secret;  /* "hse_...": only in the answer that creates it */
    time_us created;
    time_us ends; /* 0: never */
    time_us used; /* to about a minute */
};
extern const struct schema token_schema;

/* scopes may not go beyond the creator's, nor may the end of a token that a token makes (its
 * maker's unless given); a party must be one of the user's. RC_INVALID,
 * RC_FORBIDDEN. */
MUST_CHECK enum rc token_create(struct tx *tx, const struct caller *who, const struct token *fresh,
                                struct token *ret);
MUST_CHECK enum rc token_get(struct tx *tx, struct str user, struct str id, struct token *ret);
MUST_CHECK enum rc token_list(struct tx *tx, struct str user, struct list *ret);
MUST_CHECK enum rc token_delete(struct tx *tx, struct str user, struct str id);
/* Who holds this bearer token; CALLER_NOBODY where none, ended, or revoked. One SELECT. */
MUST_CHECK enum rc token_find(struct tx *tx, struct str secret, struct caller *ret,
                              bool *ret_stale);
MUST_CHECK enum rc token_touch(struct tx *tx, struct str id);

/* --- members of a party --- */

MUST_CHECK enum rc member_list(struct tx *tx, struct str party, struct list *ret);
/* Replace the user's roles by this one. RC_NOT_FOUND: no such member; RC_INVALID at "/role": no
 * such role; RC_CONFLICT: the last owner stays owner, or the party is closed; RC_FORBIDDEN: who
 * does not hold all that the role, or the member's present roles, allow (see role_may_give). */
MUST_CHECK enum rc member_change(struct tx *tx, const struct caller *who, struct str party,
                                 struct str user, struct str role, struct membership *ret);
/* The same codes. Who leaves by itself needs not be above itself. */
MUST_CHECK enum rc member_remove(struct tx *tx, const struct caller *who, struct str party,
                                 struct str user);

#endif
