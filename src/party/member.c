#include "party/member.h"

#include "party/event.h"

#define COLUMNS                                                              \
    "SELECT m.party, p.name, m.user_id, u.name, u.email, m.role, m.created " \
    "FROM membership m JOIN party p ON p.id = m.party JOIN users u ON u.id = m.user_id "

static struct list read_rows(const struct rows *rows, struct arena *arena)
{
    struct membership *all = NEW_N(arena, struct membership, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        all[i] = (struct membership){.set = schema_all(&membership_schema),
                                     .party = row_str(rows, i, 0),
                                     .party_name = row_str(rows, i, 1),
                                     .user = row_str(rows, i, 2),
                                     .user_name = row_str(rows, i, 3),
                                     .email = row_str(rows, i, 4),
                                     .role = row_str(rows, i, 5),
                                     .created = row_int(rows, i, 6)};
    return (struct list){all, rows->count};
}

enum rc member_list(struct tx *tx, struct str party, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, COLUMNS "WHERE m.party = $1 ORDER BY m.user_id, m.role LIMIT $2",
                 V(party), V(MEMBERS_MAX)));
    *ret = read_rows(&rows, tx->arena);
    return RC_OK;
}

enum rc member_check_open(struct tx *tx, struct str party)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT name, state FROM party WHERE id = $1", V(party)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no party '%.*s'", STRF(party));
    if (!str_eq(row_str(&rows, 0, 1), STR("active")))
        return err_set(tx->err, RC_CONFLICT, "party '%.*s' is closed: reopen it first",
                       STRF(row_str(&rows, 0, 0)));
    return RC_OK;
}

static enum rc check_room(struct tx *tx, struct str party, struct str user)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COUNT(CASE WHEN party = $1 THEN 1 END), "
                 "COUNT(CASE WHEN user_id = $2 THEN 1 END) "
                 "FROM membership WHERE party = $1 OR user_id = $2",
                 V(party), V(user)));
    if (row_int(&rows, 0, 0) >= MEMBERS_MAX)
        return err_set(tx->err, RC_CONFLICT, "the party has %d members already", MEMBERS_MAX);
    if (row_int(&rows, 0, 1) >= MEMBERSHIPS_MAX)
        return err_set(tx->err, RC_CONFLICT, "the user acts for %d parties already",
                       MEMBERSHIPS_MAX);
    return RC_OK;
}

static enum rc insert(struct tx *tx, struct str party, struct str user, struct str role,
                      int64_t *ret_inserted)
{
    return sql_change(tx, ret_inserted,
                      "INSERT INTO membership (user_id, party, role, created) "
                      "VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, party, role) DO NOTHING",
                      V(user), V(party), V(role), V(tx->now));
}

enum rc member_add(struct tx *tx, struct str party, struct str user, struct str role)
{
    int64_t inserted = 0;
    TRY(check_room(tx, party, user));
    TRY(insert(tx, party, user, role, &inserted));
    if (inserted == 0)
        return err_set(tx->err, RC_CONFLICT, "the user has the role '%.*s' for this party already",
                       STRF(role));
    return event_put(tx, "event.member.added", party, "member", user, 0, STR(""));
}

/* --- change and removal --- */

/* What the user is now: each role must be one that the caller may take away. Who leaves by itself
 * takes only its own. */
static enum rc may_take(struct tx *tx, const struct caller *who, struct str party, struct str user,
                        bool leaves)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT role FROM membership WHERE party = $1 AND user_id = $2 ORDER BY role",
                 V(party), V(user)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "user '%.*s' is no member of the party", STRF(user));
    for (size_t i = 0; i < rows.count && !leaves; i++)
        TRY(role_may_give(tx, who, party, row_str(&rows, i, 0)));
    return RC_OK;
}

/* After the change: a party without an owner could never be given one. */
static enum rc check_owner_left(struct tx *tx, struct str party, bool had_owner)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM membership WHERE party = $1 AND role = $2",
                 V(party), V(ROLE_OWNER)));
    if (had_owner && row_int(&rows, 0, 0) == 0)
        return err_set(tx->err, RC_CONFLICT,
                       "this is the last owner of the party: make somebody else an owner first");
    return RC_OK;
}

static enum rc take_all(struct tx *tx, struct str party, struct str user, bool *ret_was_owner)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COUNT(*) FROM membership WHERE party = $1 AND user_id = $2 AND role = $3",
                 V(party), V(user), V(ROLE_OWNER)));
    *ret_was_owner = row_int(&rows, 0, 0) > 0;
    return sql_run(tx, "DELETE FROM membership WHERE party = $1 AND user_id = $2", V(party),
                   V(user));
}

enum rc member_change(struct tx *tx, const struct caller *who, struct str party, struct str user,
                      struct str role, struct membership *ret)
{
    bool was_owner = false;
    int64_t inserted = 0;
    TRY(member_check_open(tx, party));
    TRY(may_take(tx, who, party, user, false));
    TRY(role_may_give(tx, who, party, role));
    TRY(take_all(tx, party, user, &was_owner));
    TRY(insert(tx, party, user, role, &inserted));
    TRY(check_owner_left(tx, party, was_owner));
    TRY(event_put(tx, "event.member.changed", party, "member", user, 0, STR("[\"role\"]")));
    struct rows rows;
    TRY(sql_rows(tx, &rows, COLUMNS "WHERE m.party = $1 AND m.user_id = $2 ORDER BY m.role LIMIT 1",
                 V(party), V(user)));
    *ret = *(const struct membership *)read_rows(&rows, tx->arena).items;
    return RC_OK;
}

enum rc member_remove(struct tx *tx, const struct caller *who, struct str party, struct str user)
{
    bool was_owner = false;
    bool leaves = who->kind != CALLER_NOBODY && str_eq(who->user, user);
    TRY(member_check_open(tx, party));
    TRY(may_take(tx, who, party, user, leaves));
    TRY(take_all(tx, party, user, &was_owner));
    TRY(check_owner_left(tx, party, was_owner));
    return event_put(tx, "event.member.removed", party, "member", user, 0, STR(""));
}
