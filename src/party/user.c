#include "party/user.h"

#include "party/email.h"
#include "party/member.h"
#include "party/party_check.h"
#include "party/patch.h"

static enum rc check(struct tx *tx, const struct user *u)
{
    TRY(name_check(u->name, "/name", tx->err));
    TRY(language_check(u->language, tx->err));
    return time_zone_check(u->time_zone, tx->arena, tx->err);
}

/* The memberships of u, from the columns of rows from first on; a user without any has one row of
 * NULLs. */
static struct list read_memberships(const struct rows *rows, size_t first, const struct user *u,
                                    struct arena *arena)
{
    if (row_null(rows, 0, first))
        return (struct list){0};
    struct membership *all = NEW_N(arena, struct membership, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        all[i] = (struct membership){.set = schema_all(&membership_schema),
                                     .party = row_str(rows, i, first),
                                     .party_name = row_str(rows, i, first + 1),
                                     .user = u->id,
                                     .user_name = u->name,
                                     .email = u->email,
                                     .role = row_str(rows, i, first + 2),
                                     .created = row_int(rows, i, first + 3)};
    return (struct list){all, rows->count};
}

/* One statement, since every answer about the caller begins with it. */
enum rc user_get(struct tx *tx, struct str id, struct user *ret)
{
    struct rows rows;
    TRY(sql_kept(tx, &rows,
                 "SELECT u.id, u.version, u.email, u.name, u.language, u.time_zone, "
                 "u.totp_secret, u.created, m.party, p.name, m.role, m.created FROM users u "
                 "LEFT JOIN membership m ON m.user_id = u.id LEFT JOIN party p ON p.id = m.party "
                 "WHERE u.id = $1 ORDER BY m.party, m.role LIMIT $2",
                 V(id), V(MEMBERSHIPS_MAX)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no user '%.*s'", STRF(id));
    struct user u = {.set = schema_all(&user_schema),
                     .id = row_str(&rows, 0, 0),
                     .version = row_int(&rows, 0, 1),
                     .email = row_str(&rows, 0, 2),
                     .name = row_str(&rows, 0, 3),
                     .language = row_str(&rows, 0, 4),
                     .time_zone = row_str(&rows, 0, 5),
                     .totp = !row_null(&rows, 0, 6),
                     .created = row_int(&rows, 0, 7)};
    u.memberships = read_memberships(&rows, 8, &u, tx->arena);
    *ret = u;
    return RC_OK;
}

enum rc user_of_caller(struct tx *tx, const struct caller *who, struct user *ret)
{
    struct user u;
    TRY(user_get(tx, who->user, &u));
    if (who->party.n > 0) {
        const struct membership *all = u.memberships.items;
        struct membership *kept = NEW_N(tx->arena, struct membership, u.memberships.count);
        size_t count = 0;
        for (size_t i = 0; i < u.memberships.count; i++)
            if (str_eq(all[i].party, who->party))
                kept[count++] = all[i];
        u.memberships = (struct list){kept, count};
    }
    *ret = u;
    return RC_OK;
}

enum rc user_create(struct tx *tx, const struct user *fresh, struct str password_hash,
                    struct user *ret)
{
    ASSERT(password_hash.n > 0 && password_hash.n <= PASSWORD_HASH_MAX);
    struct user u = *fresh;
    if (u.language.n == 0)
        u.language = STR("en");
    if (u.time_zone.n == 0)
        u.time_zone = STR("UTC");
    TRY(check(tx, &u));
    if (email_parse(u.email, tx->arena, &u.email, tx->err) != RC_OK) {
        err_at(tx->err, STR("/email"));
        return rc_failed(tx->err->rc);
    }
    u.id = id_new(tx->ids, tx->arena, "usr");
    int64_t inserted = 0;
    TRY(sql_change(tx, &inserted,
                   "INSERT INTO users (id, version, email, email_key, name, language, time_zone, "
                   "password, totp_secret, totp_pending, totp_last, state, created, changed) "
                   "VALUES ($1, 1, $2, $3, $4, $5, $6, $7, NULL, NULL, 0, 'active', $8, $8) "
                   "ON CONFLICT (email_key) DO NOTHING",
                   V(u.id), V(u.email), V(email_key(u.email, tx->arena)), V(u.name), V(u.language),
                   V(u.time_zone), V(password_hash), V(tx->now)));
    if (inserted == 0)
        return err_set_at(tx->err, RC_CONFLICT, STR("/email"),
                          "'%.*s' has a user already: log in first", STRF(u.email));
    return user_get(tx, u.id, ret);
}

enum rc user_change(struct tx *tx, struct str id, int64_t version, const struct user *patch,
                    struct user *ret)
{
    struct user u;
    TRY(user_get(tx, id, &u));
    if (version != 0 && version != u.version)
        return err_set(tx->err, RC_CHANGED,
                       "user '%.*s' has version %lld by now, you changed version %lld",
                       STRF(u.name), (long long)u.version, (long long)version);
    patch_lay(&user_schema, &u, patch);
    TRY(check(tx, &u));
    u.version++;
    TRY(sql_run(tx,
                "UPDATE users SET version = $2, name = $3, language = $4, time_zone = $5, "
                "changed = $6 WHERE id = $1",
                V(u.id), V(u.version), V(u.name), V(u.language), V(u.time_zone), V(tx->now)));
    *ret = u;
    return RC_OK;
}

enum rc user_set_password(struct tx *tx, struct str user, struct str hash)
{
    ASSERT(hash.n > 0 && hash.n <= PASSWORD_HASH_MAX);
    int64_t changed = 0;
    TRY(sql_change(tx, &changed, "UPDATE users SET password = $2, changed = $3 WHERE id = $1",
                   V(user), V(hash), V(tx->now)));
    if (changed == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no user '%.*s'", STRF(user));
    return RC_OK;
}
