/* Secrets with which programs act for a user. */
#include "party/party_check.h"
#include "party/secret.h"
#include "party/user.h"

#define TOKEN_PREFIX "hse_" /* so that scanners of leaked secrets know one when they see it */
enum { TOKENS_MAX = 200, TOKEN_N = sizeof TOKEN_PREFIX - 1 + SECRET_N, SCOPES_TEXT_MAX = 1024 };
#define STALE_US US_PER_MINUTE

#define COLUMNS "t.id, t.name, t.party, t.scopes, t.created, t.ends, t.used"

/* --- scopes: kept as texts with a space between; what this Hanse does not know is not held --- */

static struct list list_scopes(uint64_t bits, struct arena *arena)
{
    struct str *texts = NEW_N(arena, struct str, PERM_COUNT);
    size_t count = 0;
    for (enum permission p = 0; p < PERM_COUNT; p++)
        if ((bits & PERM_BIT(p)) != 0)
            texts[count++] = str_c(permission_text(p));
    return (struct list){texts, count};
}

static struct str write_scopes(uint64_t bits, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, SCOPES_TEXT_MAX);
    for (enum permission p = 0; p < PERM_COUNT; p++)
        if ((bits & PERM_BIT(p)) != 0)
            buf_fmt(&b, "%s%s", b.n > 0 ? " " : "", permission_text(p));
    ASSERT(!b.full);
    return buf_str(&b);
}

/* --- reading --- */

static struct token read_row(const struct rows *rows, size_t row, struct arena *arena)
{
    /* secret is shown once, by token_create alone. */
    uint64_t secret = UINT64_C(1) << schema_find(&token_schema, STR("secret"));
    return (struct token){.set = schema_all(&token_schema) & ~secret,
                          .id = row_str(rows, row, 0),
                          .name = row_str(rows, row, 1),
                          .party = row_str(rows, row, 2),
                          .scopes = list_scopes(permission_parse_all(row_str(rows, row, 3)), arena),
                          .created = row_int(rows, row, 4),
                          .ends = row_int(rows, row, 5),
                          .used = row_int(rows, row, 6)};
}

static enum rc not_found(struct tx *tx, struct str id)
{
    return err_set(tx->err, RC_NOT_FOUND, "there is no token '%.*s'", STRF(id));
}

enum rc token_get(struct tx *tx, struct str user, struct str id, struct token *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM token t WHERE t.id = $1 AND t.user_id = $2",
                 V(id), V(user)));
    if (rows.count == 0)
        return not_found(tx, id);
    *ret = read_row(&rows, 0, tx->arena);
    return RC_OK;
}

enum rc token_list(struct tx *tx, struct str user, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT " COLUMNS " FROM token t WHERE t.user_id = $1 ORDER BY t.id LIMIT $2",
                 V(user), V(TOKENS_MAX)));
    struct token *tokens = NEW_N(tx->arena, struct token, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        tokens[i] = read_row(&rows, i, tx->arena);
    *ret = (struct list){tokens, rows.count};
    return RC_OK;
}

enum rc token_find(struct tx *tx, struct str secret, struct caller *ret, bool *ret_stale)
{
    struct rows rows = {0};
    if (secret.n == TOKEN_N && str_starts(secret, STR(TOKEN_PREFIX)))
        TRY(sql_kept(tx, &rows,
                     "SELECT t.id, t.user_id, t.party, t.scopes, t.used, t.ends FROM token t "
                     "JOIN users u ON u.id = t.user_id AND u.state = 'active' "
                     "WHERE t.hash = $1",
                     V(secret_hash(secret, tx->arena))));
    struct caller caller = {.kind = CALLER_NOBODY};
    bool stale = false;
    if (rows.count > 0 && (row_null(&rows, 0, 5) || row_int(&rows, 0, 5) > tx->now)) {
        caller = (struct caller){.kind = CALLER_TOKEN,
                                 .user = row_str(&rows, 0, 1),
                                 .token = row_str(&rows, 0, 0),
                                 .party = row_str(&rows, 0, 2),
                                 .scopes = permission_parse_all(row_str(&rows, 0, 3))};
        stale = tx->now - row_int(&rows, 0, 4) > STALE_US;
    }
    *ret = caller;
    *ret_stale = stale;
    return RC_OK;
}

enum rc token_touch(struct tx *tx, struct str id)
{
    return sql_run(tx, "UPDATE token SET used = $2 WHERE id = $1", V(id), V(tx->now));
}

/* --- writing --- */

static enum rc check_scopes(struct tx *tx, const struct caller *who, const struct token *fresh,
                            uint64_t *ret)
{
    uint64_t held = 0;
    uint64_t bits = 0;
    TRY(permission_held(tx, who, fresh->party, &held));
    const struct str *texts = fresh->scopes.items;
    for (size_t i = 0; i < fresh->scopes.count; i++) {
        enum permission p = PERM_NONE;
        struct str pointer = arena_fmt(tx->arena, "/scopes/%zu", i);
        if (!permission_parse(texts[i], &p))
            return err_set_at(tx->err, RC_INVALID, pointer, "there is no permission '%.*s'",
                              STRF(texts[i]));
        if ((held & PERM_BIT(p)) == 0)
            return err_set_at(tx->err, RC_FORBIDDEN, pointer,
                              "you do not hold the permission '%.*s' yourself", STRF(texts[i]));
        bits |= PERM_BIT(p);
    }
    if (bits == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/scopes"), "a token needs a scope at least");
    *ret = bits;
    return RC_OK;
}

static enum rc check_party(struct tx *tx, const struct caller *who, struct str party)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM membership WHERE user_id = $1 AND party = $2",
                 V(who->user), V(party)));
    bool bound_elsewhere = who->party.n > 0 && !str_eq(who->party, party);
    if (row_int(&rows, 0, 0) == 0 || bound_elsewhere)
        return err_set_at(tx->err, RC_INVALID, STR("/party"), "you do not act for a party '%.*s'",
                          STRF(party));
    return RC_OK;
}

static enum rc check_room(struct tx *tx, struct str user)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COUNT(*) FROM token WHERE user_id = $1", V(user)));
    if (row_int(&rows, 0, 0) >= TOKENS_MAX)
        return err_set(tx->err, RC_CONFLICT, "you have %d tokens already: delete some", TOKENS_MAX);
    return RC_OK;
}

/* A token that a token makes ends no later: else a stolen one would live on in its children. */
static enum rc check_term(struct tx *tx, const struct caller *who, struct token *t)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT ends FROM token WHERE id = $1", V(who->token)));
    time_us last = rows.count > 0 ? row_int(&rows, 0, 0) : 0; /* 0: none, as for a session */
    if (t->ends == 0)
        t->ends = last;
    if (t->ends != 0 && t->ends <= tx->now)
        return err_set_at(tx->err, RC_INVALID, STR("/ends"), "the token would have ended already");
    if (last != 0 && t->ends > last)
        return err_set_at(tx->err, RC_INVALID, STR("/ends"),
                          "a token makes none that ends later than itself");
    return RC_OK;
}

enum rc token_create(struct tx *tx, const struct caller *who, const struct token *fresh,
                     struct token *ret)
{
    ASSERT(who->kind != CALLER_NOBODY);
    struct token t = *fresh;
    uint64_t scopes = 0;
    if (t.party.n == 0)
        t.party = who->party; /* a bound token makes no token that is not */
    TRY(name_check(t.name, "/name", tx->err));
    if (t.party.n > 0)
        TRY(check_party(tx, who, t.party));
    TRY(check_scopes(tx, who, &t, &scopes));
    TRY(check_term(tx, who, &t));
    TRY(check_room(tx, who->user));
    t.set = schema_all(&token_schema);
    t.id = id_new(tx->ids, tx->arena, "tok");
    t.secret = secret_new(tx, TOKEN_PREFIX);
    t.scopes = list_scopes(scopes, tx->arena);
    t.created = tx->now;
    t.used = 0;
    TRY(sql_run(tx,
                "INSERT INTO token (id, hash, user_id, party, name, scopes, created, ends, used) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
                V(t.id), V(secret_hash(t.secret, tx->arena)), V(who->user), value_opt(t.party),
                V(t.name), V(write_scopes(scopes, tx->arena)), V(t.created),
                V(t.ends != 0 ? value_int(t.ends) : SQL_NULL)));
    *ret = t;
    return RC_OK;
}

enum rc token_delete(struct tx *tx, struct str user, struct str id)
{
    int64_t changed = 0;
    TRY(sql_change(tx, &changed, "DELETE FROM token WHERE id = $1 AND user_id = $2", V(id),
                   V(user)));
    return changed > 0 ? RC_OK : not_found(tx, id);
}
