#include "party/permission.h"

/* --- the decision --- */

/* The text to look for among the roles' permissions: empty, which no role holds, where the scopes
 * of a token leave p out or where there is no such permission. */
static struct str wanted(const struct caller *who, enum permission p)
{
    if (p == PERM_NONE || (who->scopes & PERM_BIT(p)) == 0)
        return STR("");
    return str_c(permission_text(p));
}

/* A node holds nothing of what people hold. */
static bool is_nobody(const struct caller *who)
{
    return who->kind == CALLER_NOBODY || who->kind == CALLER_NODE;
}

static enum rc refuse_nobody(struct tx *tx)
{
    return err_set(tx->err, RC_UNAUTHENTICATED, "log in, or send a token, to do this");
}

static enum rc refuse(struct tx *tx, const struct caller *who, enum permission p)
{
    const char *text = permission_text(p);
    if ((who->scopes & PERM_BIT(p)) == 0)
        return err_set(tx->err, RC_FORBIDDEN,
                       "this needs the permission '%s', which is not within "
                       "the scopes of the token",
                       text);
    return err_set(tx->err, RC_FORBIDDEN, "this needs the permission '%s'", text);
}

enum rc permission_allow(struct tx *tx, const struct caller *who, enum permission p,
                         struct str party)
{
    ASSERT(p < PERM_COUNT);
    if (is_nobody(who))
        return refuse_nobody(tx);
    enum permission twin = permission_twin(p);
    /* One row: how many memberships of the caller are the party's own, how many its sponsor's, and
     * how many grants of each say yes. Four counts, each along an index: "party IN (own, sponsor)"
     * would make SQLite build a table for the two. */
    struct rows rows;
    TRY(sql_kept(tx, &rows,
                 "SELECT "
                 "(SELECT COUNT(*) FROM membership m WHERE m.user_id = $1 AND m.party = p.id "
                 "AND ($2 = '' OR m.party = $2)), "
                 "(SELECT COUNT(*) FROM membership m WHERE m.user_id = $1 AND m.party = p.sponsor "
                 "AND ($2 = '' OR m.party = $2)), "
                 "(SELECT COUNT(*) FROM membership m JOIN role_permission rp ON rp.role = m.role "
                 "AND rp.permission = $3 WHERE m.user_id = $1 AND m.party = p.id "
                 "AND ($2 = '' OR m.party = $2)), "
                 "(SELECT COUNT(*) FROM membership m JOIN role_permission rp ON rp.role = m.role "
                 "AND rp.permission = $4 WHERE m.user_id = $1 AND m.party = p.sponsor "
                 "AND ($2 = '' OR m.party = $2)) "
                 "FROM party p WHERE p.id = $5",
                 V(who->user), V(who->party), V(wanted(who, p)), V(wanted(who, twin)), V(party)));
    bool is_member = rows.count > 0 && row_int(&rows, 0, 0) > 0;
    bool is_near = is_member || (rows.count > 0 && row_int(&rows, 0, 1) > 0);
    if (!is_near)
        return err_set(tx->err, RC_NOT_FOUND, "there is no party '%.*s'", STRF(party));
    if (row_int(&rows, 0, 2) > 0 || row_int(&rows, 0, 3) > 0)
        return RC_OK;
    return refuse(tx, who, is_member || twin == PERM_NONE ? p : twin);
}

enum rc permission_allow_node(struct tx *tx, const struct caller *who)
{
    if (who->kind == CALLER_NOBODY)
        return err_set(tx->err, RC_UNAUTHENTICATED, "this wants the signature of a node");
    if (who->kind != CALLER_NODE)
        return err_set(tx->err, RC_FORBIDDEN, "this is for nodes alone");
    ASSERT(who->node.n > 0);
    return RC_OK;
}

enum rc permission_allow_sponsor(struct tx *tx, const struct caller *who, enum permission p,
                                 struct str party)
{
    ASSERT(p < PERM_COUNT);
    if (is_nobody(who))
        return refuse_nobody(tx);
    struct rows rows;
    TRY(sql_kept(tx, &rows,
                 "SELECT COUNT(*), COUNT(CASE WHEN m.party = p.sponsor THEN 1 END), "
                 "COUNT(rp.permission) "
                 "FROM party p "
                 "JOIN membership m ON m.user_id = $1 AND (m.party = p.id OR m.party = p.sponsor) "
                 "AND ($2 = '' OR m.party = $2) "
                 "LEFT JOIN role_permission rp ON rp.role = m.role "
                 "AND m.party = p.sponsor AND rp.permission = $3 "
                 "WHERE p.id = $4",
                 V(who->user), V(who->party), V(wanted(who, p)), V(party)));
    ASSERT(rows.count == 1);
    if (row_int(&rows, 0, 2) > 0)
        return RC_OK;
    if (row_int(&rows, 0, 0) == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no party '%.*s'", STRF(party));
    if (row_int(&rows, 0, 1) == 0)
        return err_set(tx->err, RC_FORBIDDEN, "only the party's sponsor does this");
    return refuse(tx, who, p);
}

enum rc permission_allow_self(struct tx *tx, const struct caller *who, enum permission p)
{
    ASSERT(p == PERM_SELF_READ || p == PERM_SELF_WRITE);
    if (is_nobody(who))
        return refuse_nobody(tx);
    return (who->scopes & PERM_BIT(p)) != 0 ? RC_OK : refuse(tx, who, p);
}

enum rc permission_allow_some(struct tx *tx, const struct caller *who, enum permission p)
{
    ASSERT(p < PERM_COUNT);
    if (is_nobody(who))
        return refuse_nobody(tx);
    struct rows rows;
    TRY(sql_kept(tx, &rows,
                 "SELECT m.party FROM membership m "
                 "WHERE m.user_id = $1 AND ($2 = '' OR m.party = $2) AND "
                 "(EXISTS (SELECT 1 FROM role_permission rp "
                 "WHERE rp.role = m.role AND rp.permission = $3) OR "
                 "EXISTS (SELECT 1 FROM role_permission rp "
                 "WHERE rp.role = m.role AND rp.permission = $4)) ORDER BY m.party LIMIT 1",
                 V(who->user), V(who->party), V(wanted(who, p)),
                 V(wanted(who, permission_twin(p)))));
    return rows.count > 0 ? RC_OK : refuse(tx, who, p);
}

enum rc permission_parties(struct tx *tx, const struct caller *who, enum permission p,
                           struct rows *ret)
{
    ASSERT(p < PERM_COUNT);
    return sql_kept(tx, ret,
                    "SELECT m.party FROM membership m JOIN role_permission rp "
                    "ON rp.role = m.role AND rp.permission = $3 "
                    "WHERE m.user_id = $1 AND ($2 = '' OR m.party = $2) "
                    "GROUP BY m.party ORDER BY m.party LIMIT $4",
                    V(who->user), V(who->party), V(wanted(who, p)), V(PERMISSION_PARTIES_MAX));
}

enum rc permission_held(struct tx *tx, const struct caller *who, struct str party, uint64_t *ret)
{
    if (is_nobody(who)) {
        *ret = 0;
        return RC_OK;
    }
    struct rows rows;
    TRY(sql_kept(tx, &rows,
                 "SELECT DISTINCT rp.permission FROM membership m "
                 "JOIN role_permission rp ON rp.role = m.role "
                 "WHERE m.user_id = $1 AND ($2 = '' OR m.party = $2) AND ($3 = '' OR m.party = $3) "
                 "ORDER BY rp.permission",
                 V(who->user), V(who->party), V(party)));
    uint64_t bits = PERM_BIT(PERM_SELF_READ) | PERM_BIT(PERM_SELF_WRITE);
    for (size_t i = 0; i < rows.count; i++) {
        enum permission p = PERM_NONE;
        if (permission_parse(row_str(&rows, i, 0), &p)) /* a newer Hanse may have known more */
            bits |= PERM_BIT(p);
    }
    *ret = bits & who->scopes;
    return RC_OK;
}

/* --- roles --- */

static enum rc is_owner(struct tx *tx, const struct caller *who, struct str party, bool *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COUNT(*) FROM membership WHERE user_id = $1 AND party = $2 AND role = $3",
                 V(who->user), V(party), V(ROLE_OWNER)));
    *ret = row_int(&rows, 0, 0) > 0;
    return RC_OK;
}

enum rc role_may_give(struct tx *tx, const struct caller *who, struct str party, struct str role)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT rp.permission FROM role r "
                 "LEFT JOIN role_permission rp ON rp.role = r.id "
                 "WHERE r.id = $1 ORDER BY rp.permission",
                 V(role)));
    if (rows.count == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/role"), "there is no role '%.*s'", STRF(role));
    bool owner = true;
    if (str_eq(role, ROLE_OWNER))
        TRY(is_owner(tx, who, party, &owner));
    if (!owner)
        return err_set(tx->err, RC_FORBIDDEN, "only an owner gives or takes the role of an owner");
    uint64_t held = 0;
    TRY(permission_held(tx, who, party, &held));
    for (size_t i = 0; i < rows.count; i++) {
        enum permission p = PERM_NONE;
        if (permission_parse(row_str(&rows, i, 0), &p) && (held & PERM_BIT(p)) == 0)
            return err_set(tx->err, RC_FORBIDDEN,
                           "the role '%.*s' holds the permission '%s', which you do not",
                           STRF(role), permission_text(p));
    }
    return RC_OK;
}

/* PERM_SELF_* belong to every user and are in no role. */
#define OF_PARTY (PERM_ALL & ~(PERM_BIT(PERM_SELF_READ) | PERM_BIT(PERM_SELF_WRITE)))
#define OF_READER                                                                               \
    (PERM_BIT(PERM_PARTY_READ) | PERM_BIT(PERM_CLIENT_READ) | PERM_BIT(PERM_MEMBER_READ) |      \
     PERM_BIT(PERM_INVITATION_READ) | PERM_BIT(PERM_BRAND_READ) | PERM_BIT(PERM_EVENT_READ) |   \
     PERM_BIT(PERM_AGREEMENT_READ) | PERM_BIT(PERM_PRICE_READ) | PERM_BIT(PERM_CATALOG_READ) |  \
     PERM_BIT(PERM_SUBSCRIPTION_READ) | PERM_BIT(PERM_USAGE_READ) | PERM_BIT(PERM_CLOSE_READ) | \
     PERM_BIT(PERM_DOCUMENT_READ) | PERM_BIT(PERM_PAYMENT_READ) | PERM_BIT(PERM_LEDGER_READ) |  \
     PERM_BIT(PERM_FLEET_READ) | PERM_BIT(PERM_SERVICE_READ) | PERM_BIT(PERM_ALERT_READ))
#define OF_BILLING                                                                             \
    (OF_READER | PERM_BIT(PERM_PARTY_WRITE) | PERM_BIT(PERM_AUDIT_READ) |                      \
     PERM_BIT(PERM_USAGE_WRITE) | PERM_BIT(PERM_CLOSE_WRITE) | PERM_BIT(PERM_DOCUMENT_WRITE) | \
     PERM_BIT(PERM_PAYMENT_WRITE) | PERM_BIT(PERM_PAYOUT_WRITE))
#define OF_SALES                                                                                  \
    (OF_READER | PERM_BIT(PERM_CLIENT_WRITE) | PERM_BIT(PERM_INVITATION_WRITE) |                  \
     PERM_BIT(PERM_AGREEMENT_WRITE) | PERM_BIT(PERM_PRICE_WRITE) | PERM_BIT(PERM_CATALOG_WRITE) | \
     PERM_BIT(PERM_SUBSCRIPTION_WRITE) | PERM_BIT(PERM_SERVICE_WRITE))

static const struct {
    const char *id;
    const char *doc;
    uint64_t permissions;
} shipped_roles[] = {
    {"owner", "Everything; gives and takes every role", OF_PARTY},
    {"admin", "Everything but the role of an owner", OF_PARTY},
    {"billing",
     "Reads all, bills, takes payments and releases payouts; keeps the legal and bank details",
     OF_BILLING},
    {"sales", "Reads all, invites and keeps clients, agreements, prices and subscriptions",
     OF_SALES},
    {"reader", "Reads, changes nothing", OF_READER},
};

enum rc permission_seed(struct tx *tx)
{
    for (size_t i = 0; i < COUNT(shipped_roles); i++) {
        TRY(sql_run(tx,
                    "INSERT INTO role (id, doc) VALUES ($1, $2) "
                    "ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
                    V(shipped_roles[i].id), V(shipped_roles[i].doc)));
        for (enum permission p = 0; p < PERM_COUNT; p++) {
            if ((shipped_roles[i].permissions & PERM_BIT(p)) == 0)
                continue;
            TRY(sql_run(tx,
                        "INSERT INTO role_permission (role, permission) VALUES ($1, $2) "
                        "ON CONFLICT (role, permission) DO NOTHING",
                        V(shipped_roles[i].id), V(permission_text(p))));
        }
    }
    return RC_OK;
}

enum rc role_list(struct tx *tx, struct list *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT r.id, r.doc, rp.permission FROM role r "
                 "LEFT JOIN role_permission rp ON rp.role = r.id ORDER BY r.id, rp.permission"));
    struct role *roles = NEW_N(tx->arena, struct role, rows.count);
    struct str *texts = NEW_N(tx->arena, struct str, rows.count);
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        if (count == 0 || !str_eq(roles[count - 1].id, row_str(&rows, i, 0)))
            roles[count++] = (struct role){.set = schema_all(&role_schema),
                                           .id = row_str(&rows, i, 0),
                                           .doc = row_str(&rows, i, 1),
                                           .permissions = {&texts[i], 0}};
        texts[i] = row_str(&rows, i, 2);
        if (texts[i].n > 0)
            roles[count - 1].permissions.count++;
    }
    *ret = (struct list){roles, count};
    return RC_OK;
}
