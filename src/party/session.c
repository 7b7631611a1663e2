/* Logins of browsers: a cookie that only its hash is kept of. */
#include "party/secret.h"
#include "party/user.h"

enum { SESSIONS_MAX = 50 }; /* of one user; a login more ends the one that was quiet for longest */
#define STALE_US US_PER_MINUTE

/* The CSRF value follows from the cookie: nothing to store, and it changes with every login. */
static struct str csrf_of(struct str secret, struct arena *arena)
{
    return secret_derive(secret, "hanse session csrf", arena);
}

static enum rc make_room(struct tx *tx, struct str user)
{
    TRY(sql_run(tx, "DELETE FROM session WHERE user_id = $1 AND (ends <= $2 OR seen <= $3)",
                V(user), V(tx->now), V(tx->now - SESSION_IDLE_US)));
    return sql_run(tx,
                   "DELETE FROM session WHERE user_id = $1 AND id NOT IN (SELECT id FROM session "
                   "WHERE user_id = $1 ORDER BY seen DESC, id DESC LIMIT $2)",
                   V(user), V(SESSIONS_MAX - 1));
}

enum rc session_create(struct tx *tx, struct str user, struct str peer, struct str agent,
                       struct str *ret_secret, struct str *ret_csrf)
{
    TRY(make_room(tx, user));
    struct str secret = secret_new(tx, "");
    size_t agent_n = min_size(agent.n, SESSION_AGENT_MAX);
    while (agent_n > 0 && !str_is_utf8(str_sub(agent, 0, agent_n)))
        agent_n--; /* cut, and not in the middle of a character */
    TRY(sql_run(
        tx,
        "INSERT INTO session (id, hash, user_id, created, seen, ends, proved, address, agent) "
        "VALUES ($1, $2, $3, $4, $4, $5, $4, $6, $7)",
        V(id_new(tx->ids, tx->arena, "ses")), V(secret_hash(secret, tx->arena)), V(user),
        V(tx->now), V(tx->now + SESSION_MAX_US), value_opt(peer),
        value_opt(str_sub(agent, 0, agent_n))));
    *ret_secret = secret;
    *ret_csrf = csrf_of(secret, tx->arena);
    return RC_OK;
}

enum rc session_find(struct tx *tx, struct str secret, struct caller *ret, bool *ret_stale)
{
    struct rows rows = {0};
    if (secret.n == SECRET_N)
        TRY(sql_kept(tx, &rows,
                     "SELECT s.id, s.user_id, s.seen, s.proved, s.ends FROM session s "
                     "JOIN users u ON u.id = s.user_id AND u.state = 'active' "
                     "WHERE s.hash = $1",
                     V(secret_hash(secret, tx->arena))));
    struct caller caller = {.kind = CALLER_NOBODY};
    bool stale = false;
    if (rows.count > 0 && row_int(&rows, 0, 4) > tx->now &&
        row_int(&rows, 0, 2) > tx->now - SESSION_IDLE_US) {
        caller = (struct caller){.kind = CALLER_SESSION,
                                 .user = row_str(&rows, 0, 1),
                                 .session = row_str(&rows, 0, 0),
                                 .scopes = PERM_ALL,
                                 .csrf = csrf_of(secret, tx->arena),
                                 .proved = row_int(&rows, 0, 3)};
        stale = tx->now - row_int(&rows, 0, 2) > STALE_US;
    }
    *ret = caller;
    *ret_stale = stale;
    return RC_OK;
}

enum rc session_touch(struct tx *tx, struct str id)
{
    return sql_run(tx, "UPDATE session SET seen = $2 WHERE id = $1", V(id), V(tx->now));
}

enum rc session_prove(struct tx *tx, struct str id)
{
    return sql_run(tx, "UPDATE session SET seen = $2, proved = $2 WHERE id = $1", V(id),
                   V(tx->now));
}

enum rc session_list(struct tx *tx, struct str user, struct str current, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT id, address, agent, created, seen, ends FROM session "
                 "WHERE user_id = $1 AND ends > $2 AND seen > $3 ORDER BY id LIMIT $4",
                 V(user), V(tx->now), V(tx->now - SESSION_IDLE_US), V(SESSIONS_MAX)));
    struct session *sessions = NEW_N(tx->arena, struct session, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        sessions[i] = (struct session){.set = schema_all(&session_schema),
                                       .id = row_str(&rows, i, 0),
                                       .address = row_str(&rows, i, 1),
                                       .agent = row_str(&rows, i, 2),
                                       .current = str_eq(row_str(&rows, i, 0), current),
                                       .created = row_int(&rows, i, 3),
                                       .seen = row_int(&rows, i, 4),
                                       .ends = row_int(&rows, i, 5)};
    *ret = (struct list){sessions, rows.count};
    return RC_OK;
}

enum rc session_end(struct tx *tx, struct str user, struct str id)
{
    int64_t changed = 0;
    TRY(sql_change(tx, &changed, "DELETE FROM session WHERE id = $1 AND user_id = $2", V(id),
                   V(user)));
    if (changed == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no session '%.*s'", STRF(id));
    return RC_OK;
}

enum rc session_end_others(struct tx *tx, struct str user, struct str keep)
{
    return sql_run(tx, "DELETE FROM session WHERE user_id = $1 AND id <> $2", V(user), V(keep));
}
