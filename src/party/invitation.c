#include "party/invitation.h"

#include "party/email.h"
#include "party/event.h"
#include "party/invitation_mail.h"
#include "party/member.h"
#include "party/party_check.h"
#include "party/patch.h"
#include "party/secret.h"

/* PREFILL_MAX: every field of it is bounded, and all of them fit. */
enum { PREFILL_MAX = 32 * 1024, MESSAGE_MAX = 2000, BASE_URL_MAX = 300 };

#define COLUMNS                                                                           \
    "i.id, i.party, i.inviter, i.joins, i.role, i.email, i.prefill, i.message, i.state, " \
    "i.created, i.ends, i.used_by, i.used"

/* --- rows --- */

static enum rc read_prefill(struct tx *tx, struct str text, struct party *ret)
{
    const struct json *json = NULL;
    TRY(json_parse(text, tx->arena, &json, tx->err));
    return schema_decode(&party_draft_schema, SCHEMA_PATCH, json, tx->arena, ret, tx->err);
}

static enum invitation_state state_of(struct str text, time_us ends, time_us now)
{
    if (str_eq(text, STR("used")))
        return INVITATION_USED;
    if (str_eq(text, STR("revoked")))
        return INVITATION_REVOKED;
    ASSERT(str_eq(text, STR("open")));
    return ends > now ? INVITATION_OPEN : INVITATION_EXPIRED;
}

static enum rc read_row(struct tx *tx, const struct rows *rows, size_t row, struct invitation *ret)
{
    uint64_t link = UINT64_C(1) << schema_find(&invitation_schema, STR("link"));
    struct invitation i = {
        .set = schema_all(&invitation_schema) & ~link,
        .id = row_str(rows, row, 0),
        .party = row_str(rows, row, 1),
        .inviter = row_str(rows, row, 2),
        .joins = row_int(rows, row, 3) != 0,
        .role = row_str(rows, row, 4),
        .email = row_str(rows, row, 5),
        .message = row_str(rows, row, 7),
        .state = state_of(row_str(rows, row, 8), row_int(rows, row, 10), tx->now),
        .created = row_int(rows, row, 9),
        .ends = row_int(rows, row, 10),
        .used_by = row_str(rows, row, 11),
        .used = row_int(rows, row, 12),
    };
    TRY(read_prefill(tx, row_str(rows, row, 6), &i.prefill));
    *ret = i;
    return RC_OK;
}

enum rc invitation_get(struct tx *tx, struct str id, struct invitation *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM invitation i WHERE i.id = $1", V(id)));
    if (rows.count == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no invitation '%.*s'", STRF(id));
    return read_row(tx, &rows, 0, ret);
}

static const struct page_column sort_columns[] = {
    {"id", "i.id", PAGE_TEXT},
    {"created", "i.created", PAGE_NUMBER},
    {"ends", "i.ends", PAGE_NUMBER},
};

static const struct page_table invitation_table = {
    .select = "SELECT " COLUMNS " FROM invitation i",
    .id = "i.id",
    .sort = sort_columns,
    .sort_count = COUNT(sort_columns),
    .default_sort = "-id",
};

static struct page_term in_state(struct tx *tx, enum invitation_state state)
{
    switch (state) {
    case INVITATION_OPEN:
        return (struct page_term){"i.state = 'open' AND i.ends > ?", V(tx->now)};
    case INVITATION_EXPIRED:
        return (struct page_term){"i.state = 'open' AND i.ends <= ?", V(tx->now)};
    case INVITATION_USED:
    case INVITATION_REVOKED:
        return (struct page_term){"i.state = ?", V(invitation_states[state])};
    }
    NEVER("an invitation state outside its enum");
}

enum rc invitation_list(struct tx *tx, struct str party, const struct invitation_query *q,
                        struct page *ret)
{
    struct page_term terms[2];
    size_t count = 0;
    terms[count++] = (struct page_term){"i.party = ?", V(party)};
    if (schema_has(&invitation_query_schema, q, "state"))
        terms[count++] = in_state(tx, (enum invitation_state)q->state);
    struct rows rows;
    struct str next;
    TRY(page_rows(tx, &invitation_table, &q->page, terms, count, &rows, &next));
    struct invitation *items = NEW_N(tx->arena, struct invitation, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_row(tx, &rows, i, &items[i]));
    *ret = (struct page){{items, rows.count}, next};
    return RC_OK;
}

/* --- checks --- */

/* Whether the caller may have a link that does this. NULL is the first start. */
static enum rc may_invite(struct tx *tx, const struct caller *who, const struct invitation *i)
{
    uint64_t held = 0;
    if (who == NULL)
        return RC_OK;
    if (i->joins)
        return role_may_give(tx, who, i->party, i->role);
    TRY(permission_held(tx, who, i->party, &held));
    if ((held & PERM_BIT(PERM_CLIENT_WRITE)) == 0)
        return err_set(tx->err, RC_FORBIDDEN, "to invite a new party needs the permission '%s'",
                       permission_text(PERM_CLIENT_WRITE));
    return RC_OK;
}

/* What is given must be right; what is missing may be filled in by the invited. */
static enum rc check_prefill(struct tx *tx, const struct party *prefill, const struct party *party)
{
    struct party draft = *prefill;
    if (draft.name.n == 0)
        draft.name = party->name;
    if (draft.address.country.n == 0)
        draft.address.country = party->address.country;
    if (draft.currency.n == 0)
        draft.currency = party->currency;
    if (draft.language.n == 0)
        draft.language = party->language;
    if (draft.time_zone.n == 0)
        draft.time_zone = party->time_zone;
    enum rc rc = party_check(&draft, tx->arena, tx->err);
    if (rc == RC_INVALID)
        err_under(tx->err, STR("/prefill"));
    return rc;
}

static enum rc check_room(struct tx *tx, struct str party)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COUNT(*) FROM invitation "
                 "WHERE party = $1 AND state = 'open' AND ends > $2",
                 V(party), V(tx->now)));
    if (row_int(&rows, 0, 0) >= INVITATIONS_OPEN_MAX)
        return err_set(tx->err, RC_CONFLICT, "the party has %d open invitations: revoke some",
                       INVITATIONS_OPEN_MAX);
    return RC_OK;
}

static enum rc check(struct tx *tx, struct invitation *i)
{
    struct party party;
    TRY(member_check_open(tx, i->party));
    TRY(party_get(tx, i->party, &party));
    if (i->email.n > 0 && email_parse(i->email, tx->arena, &i->email, tx->err) != RC_OK) {
        err_at(tx->err, STR("/email"));
        return rc_failed(tx->err->rc);
    }
    if (str_count_utf8(i->message) > MESSAGE_MAX)
        return err_set_at(tx->err, RC_INVALID, STR("/message"),
                          "a message has at most %d characters", MESSAGE_MAX);
    if (i->days < 1 || i->days > INVITATION_DAYS_MAX)
        return err_set_at(tx->err, RC_INVALID, STR("/days"), "an invitation lives 1 to %d days",
                          INVITATION_DAYS_MAX);
    TRY(check_room(tx, i->party));
    return check_prefill(tx, &i->prefill, &party);
}

/* --- writing --- */

static struct str link_of(struct tx *tx, struct str base_url, struct str token)
{
    ASSERT(base_url.n <= BASE_URL_MAX);
    if (str_ends(base_url, STR("/")))
        base_url.n--;
    return arena_fmt(tx->arena, "%.*s/invite/%.*s", STRF(base_url), STRF(token));
}

static enum rc name_of_user(struct tx *tx, struct str id, struct str *ret)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT name FROM users WHERE id = $1", V(id)));
    *ret = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    return RC_OK;
}

static enum rc send(struct tx *tx, const struct invitation *i)
{
    struct party party;
    struct str inviter;
    if (i->email.n == 0)
        return RC_OK;
    TRY(party_get(tx, i->party, &party));
    TRY(name_of_user(tx, i->inviter, &inviter));
    struct invitation_mail mail = {
        .to = i->email,
        .language = i->prefill.language.n > 0 ? i->prefill.language : party.language,
        .inviter = inviter,
        .party = party.name,
        .role = i->role,
        .joins = i->joins,
        .message = i->message,
        .link = i->link,
        .ends = i->ends,
    };
    return invitation_mail_put(tx, i->party, &mail);
}

/* party is in fresh where the API put it there from the path. */
enum rc invitation_create(struct tx *tx, const struct caller *inviter,
                          const struct invitation *fresh, struct str base_url,
                          struct invitation *ret)
{
    struct invitation i = *fresh;
    if (!i.joins || i.role.n == 0)
        i.role = i.joins ? STR("reader") : ROLE_OWNER;
    if (i.days == 0)
        i.days = INVITATION_DAYS_DEFAULT;
    TRY(check(tx, &i));
    TRY(may_invite(tx, inviter, &i));
    struct str token = secret_new(tx, "");
    i.set = schema_all(&invitation_schema);
    i.id = id_new(tx->ids, tx->arena, "ivt");
    i.inviter = inviter != NULL ? inviter->user : STR("");
    i.link = link_of(tx, base_url, token);
    i.state = INVITATION_OPEN;
    i.created = tx->now;
    i.ends = tx->now + i.days * US_PER_DAY;
    i.used_by = STR("");
    i.used = 0;
    TRY(sql_run(tx,
                "INSERT INTO invitation (id, hash, party, inviter, joins, role, email, prefill, "
                "message, state, created, ends, used_by, used) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11, NULL, NULL)",
                V(i.id), V(secret_hash(token, tx->arena)), V(i.party), value_opt(i.inviter),
                V(i.joins), V(i.role), value_opt(i.email),
                V(schema_str(&party_draft_schema, &i.prefill, PREFILL_MAX, tx->arena)),
                value_opt(i.message), V(i.created), V(i.ends)));
    TRY(event_put(tx, "event.invitation.created", i.party, "invitation", i.id, 0, STR("")));
    TRY(send(tx, &i));
    *ret = i;
    return RC_OK;
}

static enum rc refuse_used(struct tx *tx)
{
    return err_set(tx->err, RC_CONFLICT, "the invitation was accepted already");
}

enum rc invitation_resend(struct tx *tx, const struct caller *who, struct str id,
                          struct str base_url, struct invitation *ret)
{
    struct invitation i;
    TRY(invitation_get(tx, id, &i));
    if (i.state == INVITATION_USED)
        return refuse_used(tx);
    TRY(member_check_open(tx, i.party));
    TRY(may_invite(tx, who, &i));
    struct str token = secret_new(tx, "");
    i.set = schema_all(&invitation_schema);
    i.link = link_of(tx, base_url, token);
    i.state = INVITATION_OPEN;
    i.ends = tx->now + INVITATION_DAYS_DEFAULT * US_PER_DAY;
    TRY(sql_run(tx, "UPDATE invitation SET hash = $2, state = 'open', ends = $3 WHERE id = $1",
                V(i.id), V(secret_hash(token, tx->arena)), V(i.ends)));
    TRY(event_put(tx, "event.invitation.changed", i.party, "invitation", i.id, 0,
                  STR("[\"ends\"]")));
    TRY(send(tx, &i));
    *ret = i;
    return RC_OK;
}

enum rc invitation_revoke(struct tx *tx, struct str id, struct invitation *ret)
{
    struct invitation i;
    TRY(invitation_get(tx, id, &i));
    if (i.state == INVITATION_USED)
        return refuse_used(tx);
    if (i.state != INVITATION_REVOKED) {
        TRY(sql_run(tx, "UPDATE invitation SET state = 'revoked' WHERE id = $1", V(id)));
        TRY(event_put(tx, "event.invitation.changed", i.party, "invitation", i.id, 0,
                      STR("[\"state\"]")));
    }
    i.state = INVITATION_REVOKED;
    *ret = i;
    return RC_OK;
}

/* --- the other side: the holder of the link --- */

static enum rc find_open(struct tx *tx, struct str token, struct invitation *ret)
{
    struct str rest = token;
    while (str_find(rest, '/', 0) < rest.n)
        (void)str_cut(&rest, '/');
    struct rows rows = {0};
    if (rest.n == SECRET_N)
        TRY(sql_rows(tx, &rows, "SELECT " COLUMNS " FROM invitation i WHERE i.hash = $1",
                     V(secret_hash(rest, tx->arena))));
    if (rows.count == 0)
        return err_set(
            tx->err, RC_NOT_FOUND,
            "there is no such invitation: the link is not whole, or a newer one was sent");
    struct invitation i;
    TRY(read_row(tx, &rows, 0, &i));
    switch ((enum invitation_state)i.state) {
    case INVITATION_OPEN:
        *ret = i;
        return RC_OK;
    case INVITATION_USED:
        return err_set(tx->err, RC_GONE, "this invitation was accepted already: log in");
    case INVITATION_REVOKED:
        return err_set(tx->err, RC_GONE, "this invitation was withdrawn");
    case INVITATION_EXPIRED:
        return err_set(tx->err, RC_GONE, "this invitation has expired: ask for a new one");
    }
    NEVER("an invitation state outside its enum");
}

enum rc invitation_open(struct tx *tx, struct str token, struct invitation_view *ret)
{
    struct invitation i;
    struct party party;
    struct str inviter;
    TRY(find_open(tx, token, &i));
    TRY(party_get(tx, i.party, &party));
    TRY(name_of_user(tx, i.inviter, &inviter));
    *ret = (struct invitation_view){.set = schema_all(&invitation_view_schema),
                                    .party_name = party.name,
                                    .inviter_name = inviter,
                                    .joins = i.joins,
                                    .role = i.role,
                                    .email = i.email,
                                    .message = i.message,
                                    .prefill = i.prefill,
                                    .ends = i.ends};
    return RC_OK;
}

static struct str first_of(struct str a, struct str b, struct str c)
{
    return a.n > 0 ? a : b.n > 0 ? b : c;
}

static enum rc known_user(struct tx *tx, const struct caller *who, const struct acceptance *a,
                          struct user *ret)
{
    TRY(permission_allow_self(tx, who, PERM_SELF_WRITE));
    if (a->email.n > 0 || a->name.n > 0 || a->password.n > 0)
        return err_set_at(tx->err, RC_INVALID,
                          a->email.n > 0  ? STR("/email")
                          : a->name.n > 0 ? STR("/name")
                                          : STR("/password"),
                          "you are logged in: accept without e-mail, name and password, or log "
                          "out first");
    return user_get(tx, who->user, ret);
}

static enum rc new_user(struct tx *tx, const struct invitation *i, const struct acceptance *a,
                        struct str password_hash, struct user *ret)
{
    struct party party;
    TRY(party_get(tx, i->party, &party));
    if (password_hash.n == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/password"), "a password is required");
    struct user fresh = {
        .email = a->email.n > 0 ? a->email : i->email,
        .name = a->name,
        .language = first_of(a->language, i->prefill.language, party.language),
        .time_zone = first_of(a->time_zone, i->prefill.time_zone, party.time_zone),
    };
    if (fresh.email.n == 0)
        return err_set_at(tx->err, RC_INVALID, STR("/email"), "an e-mail address is required");
    return user_create(tx, &fresh, password_hash, ret);
}

/* The party that is joined, or the new one. */
static enum rc take_party(struct tx *tx, const struct invitation *i, const struct acceptance *a,
                          struct party *ret)
{
    TRY(member_check_open(tx, i->party));
    if (i->joins)
        return party_get(tx, i->party, ret);
    struct party draft = i->prefill;
    patch_lay(&party_draft_schema, &draft, &a->party);
    enum rc rc = party_create(tx, &draft, i->party, ret);
    if (rc == RC_INVALID)
        err_under(tx->err, STR("/party"));
    return rc;
}

enum rc invitation_accept(struct tx *tx, const struct caller *who,
                          const struct acceptance *acceptance, struct str password_hash,
                          struct user *ret_user, struct party *ret_party)
{
    struct invitation i;
    struct user user;
    struct party party;
    TRY(find_open(tx, acceptance->token, &i));
    if (who->kind == CALLER_NOBODY)
        TRY(new_user(tx, &i, acceptance, password_hash, &user));
    else
        TRY(known_user(tx, who, acceptance, &user));
    TRY(take_party(tx, &i, acceptance, &party));
    TRY(member_add(tx, party.id, user.id, i.joins ? i.role : ROLE_OWNER));
    int64_t changed = 0;
    TRY(sql_change(tx, &changed,
                   "UPDATE invitation SET state = 'used', used_by = $2, used = $3 "
                   "WHERE id = $1 AND state = 'open'",
                   V(i.id), V(user.id), V(tx->now)));
    ASSERT(changed == 1); /* it was read open in this tx */
    TRY(event_put(tx, "event.invitation.used", i.party, "invitation", i.id, 0, STR("")));
    TRY(user_get(tx, user.id, ret_user)); /* with the new membership */
    *ret_party = party;
    return RC_OK;
}

/* --- the very first one --- */

/* The operator's invitation without an inviter: there is one, unless somebody wiped it out. */
static enum rc first_invitation(struct tx *tx, struct str party, struct str base_url,
                                struct str *ret_link)
{
    struct rows rows;
    struct invitation i;
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM invitation WHERE party = $1 AND inviter IS NULL "
                 "AND state <> 'used' ORDER BY id LIMIT 1",
                 V(party)));
    struct invitation fresh = {.party = party, .joins = true, .role = ROLE_OWNER};
    if (rows.count > 0)
        TRY(invitation_resend(tx, NULL, row_str(&rows, 0, 0), base_url, &i));
    else
        TRY(invitation_create(tx, NULL, &fresh, base_url, &i));
    *ret_link = i.link;
    return RC_OK;
}

enum rc party_first_start(struct tx *tx, const struct party *operator_party, struct str base_url,
                          struct str *ret_link)
{
    struct rows rows;
    struct party party;
    TRY(permission_seed(tx));
    TRY(sql_rows(tx, &rows,
                 "SELECT p.id, (SELECT COUNT(*) FROM membership m WHERE m.party = p.id) "
                 "FROM party p WHERE p.sponsor IS NULL ORDER BY p.id LIMIT 1"));
    if (rows.count > 0 && row_int(&rows, 0, 1) > 0) {
        *ret_link = STR("");
        return RC_OK;
    }
    struct str id = rows.count > 0 ? row_str(&rows, 0, 0) : STR("");
    if (id.n == 0) {
        TRY(party_create(tx, operator_party, STR(""), &party));
        id = party.id;
    }
    return first_invitation(tx, id, base_url, ret_link);
}
