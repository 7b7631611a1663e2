#include "party/totp.h"

#include "party/brand.h"
#include "party/sha1.h"
#include "party/user.h"

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* --- arithmetic --- */

void totp_code(struct str secret, int64_t step, char ret[TOTP_DIGITS + 1])
{
    unsigned char counter[8];
    unsigned char mac[SHA1_N];
    for (size_t i = 0; i < sizeof counter; i++)
        counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
    sha1_hmac(secret, str_n((const char *)counter, sizeof counter), mac);
    const unsigned char *at = mac + (mac[SHA1_N - 1] & 0x0F); /* RFC 4226, 5.3 */
    uint32_t number =
        (uint32_t)(at[0] & 0x7F) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    for (size_t i = TOTP_DIGITS; i > 0; i--) {
        ret[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    ret[TOTP_DIGITS] = '\0';
}

int64_t totp_step(time_us at)
{
    return at / (TOTP_STEP_SECONDS * US_PER_SECOND);
}

bool totp_matches(struct str secret, struct str code, time_us now, int64_t last, int64_t *ret_step)
{
    int64_t step = totp_step(now);
    for (int64_t i = step - 1; i <= step + 1; i++) {
        char want[TOTP_DIGITS + 1];
        totp_code(secret, i, want);
        if (i > last && str_eq_secret(code, str_n(want, TOTP_DIGITS))) {
            *ret_step = i;
            return true;
        }
    }
    return false;
}

struct str base32_encode(struct str bytes, struct arena *arena)
{
    size_t n = (bytes.n * 8 + 4) / 5;
    char *text = arena_bytes(arena, n);
    uint32_t held = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        held = held << 8 | (unsigned char)bytes.p[i];
        for (bits += 8; bits >= 5; bits -= 5)
            text[at++] = base32[held >> (bits - 5) & 31];
    }
    if (bits > 0)
        text[at++] = base32[held << (5 - bits) & 31];
    ASSERT(at == n);
    return str_n(text, n);
}

bool base32_decode(struct str text, struct arena *arena, struct str *ret)
{
    char *bytes = arena_bytes(arena, text.n);
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *at = text.p[i] != '\0' ? strchr(base32, text.p[i]) : NULL;
        if (at == NULL)
            return false;
        held = held << 5 | (uint32_t)(at - base32);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            bytes[n++] = (char)(held >> bits & 0xFF);
        }
    }
    if (bits >= 5 || (held & ((1U << bits) - 1)) != 0)
        return false; /* a character too many, or bits that no byte holds */
    *ret = str_n(bytes, n);
    return true;
}

/* --- the second factor of a user --- */

/* For the label of an authenticator: letters, digits and -._~ as they are, all else in percent. */
static struct str percent(struct str s, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, s.n * 3 + 1);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("-._~", c) != NULL);
        if (plain)
            buf_add_char(&b, (char)c);
        else
            buf_fmt(&b, "%%%02X", c);
    }
    ASSERT(!b.full);
    return buf_str(&b);
}

/* The name that the user knows us by: the brand of the first party that the user acts for. */
static enum rc issuer_of(struct tx *tx, const struct user *user, struct str *ret)
{
    struct brand brand = {.name = STR("Hanse")};
    const struct membership *first = user->memberships.items;
    if (user->memberships.count > 0)
        TRY(brand_get(tx, first->party, &brand));
    *ret = percent(brand.name, tx->arena);
    return RC_OK;
}

/* As the store keeps a secret: base 32; where there is a key, a mark that base 32 lacks and the
 * sealed bytes. Those of a store that had no key then are read as they are. */
static const char sealed_mark = '1';

static struct str kept(struct tx *tx, const struct seal *seal, struct str bytes)
{
    if (seal == NULL)
        return base32_encode(bytes, tx->arena);
    struct str closed = base32_encode(seal_close(seal, tx, bytes), tx->arena);
    return arena_fmt(tx->arena, "%c%.*s", sealed_mark, STRF(closed));
}

static enum rc read_kept(struct tx *tx, const struct seal *seal, struct str text, struct str *ret)
{
    bool sealed = text.n > 0 && text.p[0] == sealed_mark;
    struct str bytes;
    if (!base32_decode(str_sub(text, sealed ? 1 : 0, text.n), tx->arena, &bytes))
        NEVER("a secret in the store that is no base 32");
    if (!sealed) {
        *ret = bytes;
        return RC_OK;
    }
    if (seal == NULL)
        return err_set(tx->err, RC_INTERNAL,
                       "second factors were sealed with a key, and key_file names none now");
    return seal_read(seal, bytes, tx->arena, ret, tx->err);
}

enum rc totp_begin(struct tx *tx, const struct seal *seal, struct str user, struct str *ret_secret,
                   struct str *ret_uri)
{
    struct user u;
    struct str issuer;
    TRY(user_get(tx, user, &u));
    TRY(issuer_of(tx, &u, &issuer));
    char bytes[TOTP_SECRET_BYTES];
    clock_chance(tx->ids->clock, bytes, sizeof bytes);
    struct str secret = base32_encode(str_n(bytes, sizeof bytes), tx->arena);
    struct str keep = kept(tx, seal, str_n(bytes, sizeof bytes));
    TRY(sql_run(tx, "UPDATE users SET totp_pending = $2, changed = $3 WHERE id = $1", V(user),
                V(keep), V(tx->now)));
    *ret_uri = arena_fmt(
        tx->arena,
        "otpauth://totp/%.*s:%.*s?secret=%.*s&issuer=%.*s&algorithm=SHA1&digits=%d&period=%d",
        STRF(issuer), STRF(percent(u.email, tx->arena)), STRF(secret), STRF(issuer), TOTP_DIGITS,
        TOTP_STEP_SECONDS);
    *ret_secret = secret;
    return RC_OK;
}

static enum rc wrong_code(struct tx *tx)
{
    return err_set_at(tx->err, RC_INVALID, STR("/code"),
                      "this code is wrong or was used before: wait for the next one");
}

enum rc totp_check(struct tx *tx, const struct seal *seal, struct str user, struct str code,
                   bool confirm)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT totp_secret, totp_pending, totp_last FROM users WHERE id = $1",
                 V(user)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no user '%.*s'", STRF(user));
    struct str secret = row_str(&rows, 0, confirm ? 1 : 0);
    if (secret.n == 0)
        return err_set(tx->err, RC_CONFLICT,
                       confirm ? "no second factor waits to be confirmed: begin again"
                               : "there is no second factor");
    struct str bytes;
    TRY(read_kept(tx, seal, secret, &bytes));
    int64_t step = 0;
    /* A new secret has used no step yet; the old one's steps do not count for it. */
    if (!totp_matches(bytes, code, tx->now, confirm ? -1 : row_int(&rows, 0, 2), &step))
        return wrong_code(tx);
    if (confirm)
        return sql_run(tx,
                       "UPDATE users SET totp_secret = totp_pending, totp_pending = NULL, "
                       "totp_last = $2, version = version + 1, changed = $3 WHERE id = $1",
                       V(user), V(step), V(tx->now));
    return sql_run(tx, "UPDATE users SET totp_last = $2 WHERE id = $1", V(user), V(step));
}

enum rc totp_remove(struct tx *tx, struct str user)
{
    return sql_run(tx,
                   "UPDATE users SET totp_secret = NULL, totp_pending = NULL, "
                   "version = version + 1, changed = $2 WHERE id = $1",
                   V(user), V(tx->now));
}
