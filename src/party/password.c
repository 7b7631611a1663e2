#include "party/common_passwords.h"
#include "party/user.h"

#include <sodium.h>

/* The second recommended option of RFC 9106, 4: argon2id, 64 MiB, 3 passes, for where 2 GiB a login
 * cannot be had. libsodium always takes one lane instead of the four named there, which makes it
 * no weaker against an attacker, only not faster for us on four cores. libsodium's own INTERACTIVE
 * level is the same memory with 2 passes; the third costs a login some 30 ms. */
enum { PASSES = 3, MEMORY_BYTES = 64 * 1024 * 1024 };

/* The hash of nobody's password: 43 characters of chance that were thrown away. */
static const char nobody[] = "$argon2id$v=19$m=65536,t=3,p=1$/"
                             "sM+G4eUV2detpjxOs8OEA$De392c8COIIZIp4zDG9HZXkpy+cKqYzX5rkCvzS5vGc";

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "a hash fits where it is kept");

static bool is_common(struct str password)
{
    for (size_t i = 0; i < COUNT(common_passwords); i++)
        if (str_eq_nocase(password, str_c(common_passwords[i])))
            return true;
    return false;
}

/* One to three characters again and again, or a row such as 123456789012 or abcdefghijkl. */
static bool is_pattern(struct str s)
{
    for (size_t period = 1; period <= 3; period++) {
        size_t i = period;
        while (i < s.n && s.p[i] == s.p[i - period])
            i++;
        if (i == s.n)
            return true;
    }
    size_t steps = 0;
    for (size_t i = 1; i < s.n; i++) {
        int step = (unsigned char)s.p[i] - (unsigned char)s.p[i - 1];
        steps += step == 1 || step == -1 || step == -9 || step == 9 ? 1 : 0;
    }
    return steps == s.n - 1;
}

static enum rc check(struct str password, struct err *err)
{
    struct str pointer = STR("/password");
    size_t n = str_is_utf8(password) ? str_count_utf8(password) : password.n;
    if (n < PASSWORD_MIN)
        return err_set_at(err, RC_INVALID, pointer,
                          "a password has at least %d characters: a few words do well",
                          PASSWORD_MIN);
    if (n > PASSWORD_MAX)
        return err_set_at(err, RC_INVALID, pointer, "a password has at most %d characters",
                          PASSWORD_MAX);
    if (is_common(password) || is_pattern(password))
        return err_set_at(err, RC_INVALID, pointer,
                          "this password is among the first that are tried: choose another");
    return RC_OK;
}

enum rc password_hash(struct str password, struct arena *arena, struct str *ret, struct err *err)
{
    TRY(check(password, err));
    /* The salt is libsodium's own chance: the one place beside the clock that asks for any. */
    char text[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str_alg(text, password.p, password.n, PASSES, MEMORY_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return err_set(err, RC_UNAVAILABLE, "there is no memory to check passwords at the moment");
    *ret = arena_str(arena, str_c(text));
    return RC_OK;
}

bool password_verify(struct str password, struct str hash)
{
    char text[crypto_pwhash_STRBYTES] = {0};
    bool known = hash.n > 0 && hash.n < sizeof text;
    /* Longer ones are never stored, and cost nothing to hash; still the same time passes. */
    struct str tried = str_sub(password, 0, PASSWORD_MAX * 4);
    memcpy(text, known ? hash.p : nobody, known ? hash.n : sizeof nobody);
    bool same = crypto_pwhash_str_verify(text, tried.p ? tried.p : "", tried.n) == 0;
    return same && known && tried.n == password.n;
}
