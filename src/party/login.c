/* Who logs in, and how often it may be tried. */
#include "party/email.h"
#include "party/secret.h"
#include "party/user.h"

#define FORGET_US US_PER_DAY

/* What failures are counted for: an address of the network at one e-mail address, and one e-mail
 * address from anywhere. Kept as hashes: the table says nothing about who tried to come in. */
struct subjects {
    struct str here;
    struct str anywhere;
};

static struct subjects subjects_of(struct tx *tx, struct str email, struct str peer)
{
    struct str key = email_key(email, tx->arena);
    /* '\n' is in no address, so that no two pairs look the same. */
    struct str pair = arena_fmt(tx->arena, "%.*s\n%.*s", STRF(key), STRF(peer));
    return (struct subjects){secret_hash(pair, tx->arena), secret_hash(key, tx->arena)};
}

static int64_t pause_us(int64_t failures, int64_t free)
{
    if (failures < free)
        return 0;
    int64_t doublings = min_i64(failures - free, 10); /* 1,024 s is more than the limit */
    return min_i64((INT64_C(1) << doublings) * US_PER_SECOND, LOGIN_WAIT_MAX_US);
}

static enum rc check_pause(struct tx *tx, struct str subject, int64_t free)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT failures, last FROM login_failure WHERE subject = $1",
                 V(subject)));
    if (rows.count == 0)
        return RC_OK;
    time_us until = row_int(&rows, 0, 1) + pause_us(row_int(&rows, 0, 0), free);
    if (tx->now >= until)
        return RC_OK;
    int64_t seconds = (until - tx->now + US_PER_SECOND - 1) / US_PER_SECOND;
    return err_set(tx->err, RC_TOO_MANY, "too many wrong logins: try again in %lld second%s",
                   (long long)seconds, seconds == 1 ? "" : "s");
}

static enum rc count_try(struct tx *tx, struct str subject)
{
    return sql_run(tx,
                   "INSERT INTO login_failure (subject, failures, last) VALUES ($1, 1, $2) "
                   "ON CONFLICT (subject) DO UPDATE SET failures = login_failure.failures + 1, "
                   "last = excluded.last",
                   V(subject), V(tx->now));
}

static enum rc look_up(struct tx *tx, struct str email, struct login *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, password, totp_secret FROM users "
                 "WHERE email_key = $1 AND state = 'active'",
                 V(email_key(email, tx->arena))));
    struct login login = {0};
    if (rows.count > 0)
        login = (struct login){.user = row_str(&rows, 0, 0),
                               .hash = row_str(&rows, 0, 1),
                               .totp = !row_null(&rows, 0, 2)};
    *ret = login;
    return RC_OK;
}

enum rc login_begin(struct tx *tx, struct str email, struct str peer, struct login *ret)
{
    struct subjects of = subjects_of(tx, email, peer);
    TRY(sql_run(tx, "DELETE FROM login_failure WHERE last < $1", V(tx->now - FORGET_US)));
    TRY(check_pause(tx, of.here, LOGIN_FREE));
    TRY(check_pause(tx, of.anywhere, LOGIN_FREE_ANYWHERE));
    TRY(count_try(tx, of.here));
    TRY(count_try(tx, of.anywhere));
    return look_up(tx, email, ret);
}

enum rc login_failed(struct tx *tx, struct str email, struct str peer)
{
    struct subjects of = subjects_of(tx, email, peer);
    return sql_run(tx, "UPDATE login_failure SET last = $3 WHERE subject IN ($1, $2)", V(of.here),
                   V(of.anywhere), V(tx->now));
}

enum rc login_succeeded(struct tx *tx, const struct login *login, struct str email, struct str peer)
{
    struct subjects of = subjects_of(tx, email, peer);
    struct login now;
    TRY(look_up(tx, email, &now));
    if (!str_eq(now.user, login->user) || !str_eq(now.hash, login->hash) || now.totp != login->totp)
        return err_set(tx->err, RC_UNAUTHENTICATED,
                       "the password or the second factor was changed meanwhile: try again");
    return sql_run(tx, "DELETE FROM login_failure WHERE subject IN ($1, $2)", V(of.here),
                   V(of.anywhere));
}
