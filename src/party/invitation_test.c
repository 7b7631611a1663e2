#include "party/invitation.h"

#include "party/party_fixture.h"
#include "party/patch.h"

#include <pthread.h>

#define BASE STR("https://cloud.example.net")

static const struct caller nobody = {.kind = CALLER_NOBODY};

/* The last part of a link. */
static struct str token_of(struct str link)
{
    while (str_find(link, '/', 0) < link.n)
        (void)str_cut(&link, '/');
    return link;
}

static struct acceptance answer(struct str link, const char *email, const char *name)
{
    return (struct acceptance){.token = link, .email = str_c(email), .name = str_c(name)};
}

static struct party draft_of(struct tx *tx, const char *text)
{
    const struct json *json;
    struct party p;
    OK(tx, json_parse(str_c(text), tx->arena, &json, tx->err));
    OK(tx, schema_decode(&party_draft_schema, SCHEMA_PATCH, json, tx->arena, &p, tx->err));
    return p;
}

/* Body of the only outbox row with this topic. */
static const struct json *outbox_body(struct tx *tx, const char *topic)
{
    struct rows rows;
    const struct json *json;
    OK(tx, sql_rows(tx, &rows, "SELECT body FROM outbox WHERE topic = $1 ORDER BY id", V(topic)));
    ck_assert_uint_eq(rows.count, 1);
    OK(tx, json_parse(row_str(&rows, 0, 0), tx->arena, &json, tx->err));
    return json;
}

static struct str member_text(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, str_c(key));
    ck_assert_ptr_nonnull(value);
    return json_text(value);
}

TX_TEST(an_invitation_to_join_makes_a_member)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct invitation made, got;
    struct invitation fresh = {.party = party, .joins = true, .role = STR("sales"), .days = 3};
    OK(tx, invitation_create(tx, &who, &fresh, BASE, &made));
    ck_assert(str_starts(made.link, STR("https://cloud.example.net/invite/")));
    ck_assert_int_eq(made.ends, tx->now + 3 * US_PER_DAY);
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT hash FROM invitation WHERE id = $1", V(made.id)));
    ck_assert(!str_eq(row_str(&rows, 0, 0), token_of(made.link))); /* only its hash is kept */

    struct invitation_view view;
    OK(tx, invitation_open(tx, made.link, &view));
    SAME(view.party_name, STR("Operator"));
    SAME(view.inviter_name, STR("ada"));
    SAME(view.role, STR("sales"));
    ck_assert(view.joins);

    struct user user;
    struct party joined;
    struct acceptance a = answer(token_of(made.link), "bob@example.net", "Bob");
    OK(tx, invitation_accept(tx, &nobody, &a, NO_HASH, &user, &joined));
    SAME(joined.id, party);
    ck_assert_uint_eq(user.memberships.count, 1);
    SAME(((const struct membership *)user.memberships.items)[0].role, STR("sales"));
    SAME(user.email, STR("bob@example.net"));
    OK(tx, invitation_get(tx, made.id, &got));
    ck_assert_int_eq(got.state, INVITATION_USED);
    SAME(got.used_by, user.id);
    ck_assert_int_eq(got.used, tx->now);
    ck_assert(!schema_has(&invitation_schema, &got, "link"));
    FAILS(tx, RC_GONE, NULL, invitation_accept(tx, &nobody, &a, NO_HASH, &user, &joined));
    FAILS(tx, RC_GONE, NULL, invitation_open(tx, made.link, &view));
    FAILS(tx, RC_CONFLICT, NULL, invitation_resend(tx, &who, made.id, BASE, &got));
    FAILS(tx, RC_CONFLICT, NULL, invitation_revoke(tx, made.id, &got));
}

TX_TEST(an_invitation_founds_a_party_from_what_both_sides_say)
{
    struct str sponsor = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", sponsor, "owner"));
    struct invitation made;
    struct invitation fresh = {.party = sponsor, .email = STR("bob@client.EXAMPLE")};
    fresh.prefill = draft_of(tx, "{\"name\":\"Client\",\"currency\":\"CHF\",\"language\":\"fr\","
                                 "\"address\":{\"country\":\"CH\",\"city\":\"Bern\"}}");
    OK(tx, invitation_create(tx, &who, &fresh, BASE, &made));
    SAME(made.role, STR("owner"));
    struct invitation_view view;
    OK(tx, invitation_open(tx, made.link, &view));
    ck_assert(!view.joins);
    SAME(view.prefill.address.city, STR("Bern"));
    SAME(view.email, STR("bob@client.example"));

    struct user user;
    struct party founded;
    struct acceptance a = answer(made.link, "", "Bob");
    a.party = draft_of(tx, "{\"name\":\"Client AG\",\"address\":{\"city\":\"Basel\"}}");
    OK(tx, invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
    SAME(founded.name, STR("Client AG"));
    SAME(founded.address.city, STR("Basel"));
    SAME(founded.address.country, STR("CH"));
    SAME(founded.currency, STR("CHF"));
    SAME(founded.sponsor, sponsor);
    SAME(user.email, STR("bob@client.example")); /* the invited address, unless another is given */
    SAME(user.language, STR("fr"));
    const struct membership *m = user.memberships.items;
    SAME(m[0].party, founded.id);
    SAME(m[0].role, STR("owner"));
    struct caller bob = by_session(user.id);
    FAILS(tx, RC_NOT_FOUND, NULL, permission_allow(tx, &bob, PERM_PARTY_READ, sponsor));
}

TX_TEST(a_user_who_is_logged_in_accepts_as_such)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct str bob = make_user(tx, "bob");
    struct caller bob_session = by_session(bob);
    struct caller bob_token = by_token(bob, PERM_BIT(PERM_SELF_READ), STR(""));
    struct invitation made;
    struct invitation fresh = {.party = party, .joins = true, .role = STR("reader")};
    struct user user;
    struct party joined;
    OK(tx, invitation_create(tx, &who, &fresh, BASE, &made));
    struct acceptance a = answer(made.link, "bob@example.net", "");
    FAILS(tx, RC_INVALID, "/email",
          invitation_accept(tx, &bob_session, &a, STR(""), &user, &joined));
    a = answer(made.link, "", "Bob");
    FAILS(tx, RC_INVALID, "/name",
          invitation_accept(tx, &bob_session, &a, STR(""), &user, &joined));
    a = answer(made.link, "", "");
    FAILS(tx, RC_FORBIDDEN, NULL, invitation_accept(tx, &bob_token, &a, STR(""), &user, &joined));
    OK(tx, invitation_accept(tx, &bob_session, &a, STR(""), &user, &joined));
    SAME(user.id, bob);
    OK(tx, permission_allow(tx, &bob_session, PERM_PARTY_READ, party));
}

TX_TEST(who_is_a_member_already_leaves_the_invitation_to_others)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct invitation made;
    struct invitation fresh = {.party = party, .joins = true, .role = STR("owner")};
    struct user user;
    struct party joined;
    OK(tx, invitation_create(tx, &who, &fresh, BASE, &made));
    struct acceptance a = answer(made.link, "", "");
    FAILS(tx, RC_CONFLICT, NULL, invitation_accept(tx, &who, &a, STR(""), &user, &joined));
    OK(tx, invitation_get(tx, made.id, &made));
    ck_assert_int_eq(made.state, INVITATION_OPEN);
}

TX_TEST(an_acceptance_names_what_is_missing)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct invitation made;
    struct invitation fresh = {.party = party};
    struct user user;
    struct party founded;
    OK(tx, invitation_create(tx, &who, &fresh, BASE, &made));
    struct acceptance a = answer(made.link, "bob@example.net", "Bob");
    FAILS(tx, RC_INVALID, "/password",
          invitation_accept(tx, &nobody, &a, STR(""), &user, &founded));
    a = answer(made.link, "", "Bob");
    FAILS(tx, RC_INVALID, "/email", invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
    a = answer(made.link, "bob", "Bob");
    FAILS(tx, RC_INVALID, "/email", invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
    a = answer(made.link, "ADA@example.net", "Bob");
    FAILS(tx, RC_CONFLICT, "/email", invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
    a = answer(made.link, "bob@example.net", "");
    FAILS(tx, RC_INVALID, "/name", invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
    a = answer(made.link, "b1@example.net", "Bob");
    FAILS(tx, RC_INVALID, "/party/name",
          invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
    a = answer(made.link, "b2@example.net", "Bob");
    a.party = draft_of(tx, "{\"name\":\"B\"}");
    FAILS(tx, RC_INVALID, "/party/address/country",
          invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
    a = answer(made.link, "b3@example.net", "Bob");
    a.party = draft_of(tx, "{\"name\":\"B\",\"address\":{\"country\":\"FR\"},"
                           "\"bank\":{\"iban\":\"FR00\"}}");
    FAILS(tx, RC_INVALID, "/party/bank/iban",
          invitation_accept(tx, &nobody, &a, NO_HASH, &user, &founded));
}

TX_TEST(links_that_are_wrong_old_or_withdrawn_do_nothing)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct invitation made, other;
    struct invitation fresh = {.party = party, .joins = true, .role = STR("reader"), .days = 1};
    struct invitation_view view;
    OK(tx, invitation_create(tx, &who, &fresh, BASE, &made));
    FAILS(tx, RC_NOT_FOUND, NULL, invitation_open(tx, STR(""), &view));
    FAILS(tx, RC_NOT_FOUND, NULL, invitation_open(tx, STR("/"), &view));
    FAILS(tx, RC_NOT_FOUND, NULL, invitation_open(tx, made.id, &view));
    char *copy = arena_bytes(tx->arena, made.link.n);
    memcpy(copy, made.link.p, made.link.n);
    copy[made.link.n - 1] = copy[made.link.n - 1] == 'A' ? 'B' : 'A';
    FAILS(tx, RC_NOT_FOUND, NULL, invitation_open(tx, str_n(copy, made.link.n), &view));
    FAILS(tx, RC_NOT_FOUND, NULL,
          invitation_open(tx, str_sub(made.link, 0, made.link.n - 1), &view));
    struct str old_link = made.link;
    tx->now = made.ends - 1;
    OK(tx, invitation_open(tx, old_link, &view));
    tx->now = made.ends;
    FAILS(tx, RC_GONE, NULL, invitation_open(tx, old_link, &view));
    OK(tx, invitation_get(tx, made.id, &other));
    ck_assert_int_eq(other.state, INVITATION_EXPIRED);
    /* Sent again: a new term and a new link, and the old one is of no use. */
    OK(tx, invitation_resend(tx, &who, made.id, BASE, &made));
    ck_assert_int_eq(made.ends, tx->now + INVITATION_DAYS_DEFAULT * US_PER_DAY);
    OK(tx, invitation_open(tx, made.link, &view));
    FAILS(tx, RC_NOT_FOUND, NULL, invitation_open(tx, old_link, &view));
    OK(tx, invitation_revoke(tx, made.id, &other));
    OK(tx, invitation_revoke(tx, made.id, &other)); /* once more changes nothing */
    ck_assert_int_eq(other.state, INVITATION_REVOKED);
    FAILS(tx, RC_GONE, NULL, invitation_open(tx, made.link, &view));
    FAILS(tx, RC_NOT_FOUND, NULL, invitation_get(tx, STR("ivt_none"), &other));
}

TX_TEST(nobody_invites_above_their_own_station)
{
    struct str party = make_operator(tx);
    struct caller owner = by_session(make_member(tx, "owner", party, "owner"));
    struct caller admin = by_session(make_member(tx, "admin", party, "admin"));
    struct caller sales = by_session(make_member(tx, "sales", party, "sales"));
    struct caller token = by_token(owner.user, PERM_BIT(PERM_INVITATION_WRITE), STR(""));
    struct invitation made, again;
    struct invitation as_owner = {.party = party, .joins = true, .role = STR("owner")};
    struct invitation as_billing = {.party = party, .joins = true, .role = STR("billing")};
    struct invitation as_reader = {.party = party, .joins = true};
    struct invitation as_king = {.party = party, .joins = true, .role = STR("king")};
    struct invitation founds = {.party = party};
    FAILS(tx, RC_FORBIDDEN, NULL, invitation_create(tx, &admin, &as_owner, BASE, &made));
    FAILS(tx, RC_FORBIDDEN, NULL, invitation_create(tx, &sales, &as_billing, BASE, &made));
    FAILS(tx, RC_FORBIDDEN, NULL, invitation_create(tx, &token, &as_reader, BASE, &made));
    FAILS(tx, RC_FORBIDDEN, NULL, invitation_create(tx, &token, &founds, BASE, &made));
    FAILS(tx, RC_INVALID, "/role", invitation_create(tx, &owner, &as_king, BASE, &made));
    OK(tx, invitation_create(tx, &sales, &as_reader, BASE, &made));
    SAME(made.role, STR("reader"));
    OK(tx, invitation_create(tx, &sales, &founds, BASE, &made));
    OK(tx, invitation_create(tx, &owner, &as_owner, BASE, &made));
    /* The link to become an owner is not had by sending it again either. */
    FAILS(tx, RC_FORBIDDEN, NULL, invitation_resend(tx, &sales, made.id, BASE, &again));
    OK(tx, invitation_resend(tx, &owner, made.id, BASE, &again));
}

TX_TEST(wrong_invitations_are_refused_by_field)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct invitation made;
    struct invitation fresh = {.party = party, .email = STR("bob")};
    FAILS(tx, RC_INVALID, "/email", invitation_create(tx, &who, &fresh, BASE, &made));
    fresh = (struct invitation){.party = party, .days = INVITATION_DAYS_MAX + 1};
    FAILS(tx, RC_INVALID, "/days", invitation_create(tx, &who, &fresh, BASE, &made));
    fresh = (struct invitation){.party = party};
    fresh.prefill = draft_of(tx, "{\"bank\":{\"iban\":\"FR00\"}}");
    FAILS(tx, RC_INVALID, "/prefill/bank/iban", invitation_create(tx, &who, &fresh, BASE, &made));
    struct str client = make_party(tx, "Client", party);
    struct party closed;
    OK(tx, party_set_state(tx, client, PARTY_CLOSED, &closed));
    fresh = (struct invitation){.party = client};
    FAILS(tx, RC_CONFLICT, NULL, invitation_create(tx, &who, &fresh, BASE, &made));
}

TX_TEST(the_mail_brings_the_link_in_the_language_of_the_invited)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct invitation made;
    struct invitation fresh = {
        .party = party, .email = STR("bob@example.net"), .message = STR("See you {link} soon.")};
    fresh.prefill = draft_of(tx, "{\"language\":\"fr-CH\"}");
    OK(tx, invitation_create(tx, &who, &fresh, STR("https://cloud.example.net/"), &made));
    const struct json *mail = outbox_body(tx, "mail");
    SAME(member_text(mail, "to"), STR("bob@example.net"));
    SAME(member_text(mail, "subject"), STR("Operator vous invite sur Operator"));
    SAME(member_text(mail, "from"), STR(""));
    struct str text = member_text(mail, "text");
    ck_assert(str_starts(text, STR("Bonjour,\n\nada vous invite")));
    ck_assert(str_has(text, made.link));
    ck_assert(!str_has(made.link, STR("net//")));
    ck_assert(str_has(text, STR("2026-12-06")));
    ck_assert(str_has(text, STR("See you {link} soon."))); /* words of people stay words */
    OK(tx, sql_run(tx, "DELETE FROM outbox WHERE topic = 'mail'"));
    fresh.prefill = (struct party){0};
    fresh.joins = true;
    fresh.role = STR("reader");
    OK(tx, invitation_create(tx, &who, &fresh, BASE, &made));
    mail = outbox_body(tx, "mail");
    SAME(member_text(mail, "subject"), STR("Invitation to Operator"));
    ck_assert(str_has(member_text(mail, "text"),
                      STR("ada invites you to act for Operator with the role \"reader\".")));
}

TX_TEST(invitations_are_listed_by_state)
{
    struct str party = make_operator(tx);
    struct caller who = by_session(make_member(tx, "ada", party, "owner"));
    struct invitation made[4];
    struct user user;
    struct party joined;
    for (int i = 0; i < 4; i++) {
        struct invitation fresh = {.party = party, .joins = true, .days = i + 1};
        OK(tx, invitation_create(tx, &who, &fresh, BASE, &made[i]));
    }
    OK(tx, invitation_revoke(tx, made[1].id, &made[1]));
    struct acceptance a = answer(made[2].link, "bob@example.net", "Bob");
    OK(tx, invitation_accept(tx, &nobody, &a, NO_HASH, &user, &joined));
    tx->now += 2 * US_PER_DAY; /* the first has expired */
    for (int64_t state = INVITATION_OPEN; state <= INVITATION_EXPIRED; state++) {
        static const int which[] = {3, 2, 1, 0};
        struct page page;
        struct invitation_query q = {.state = state};
        q.set = UINT64_C(1) << schema_find(&invitation_query_schema, STR("state"));
        OK(tx, invitation_list(tx, party, &q, &page));
        ck_assert_uint_eq(page.items.count, 1);
        SAME(((const struct invitation *)page.items.items)[0].id, made[which[state]].id);
    }
    struct page page;
    OK(tx, invitation_list(tx, party, &(struct invitation_query){0}, &page));
    ck_assert_uint_eq(page.items.count, 4);
    OK(tx, invitation_list(tx, STR("pty_none"), &(struct invitation_query){0}, &page));
    ck_assert_uint_eq(page.items.count, 0);
}

/* --- first start --- */

TX_TEST(the_first_start_gives_a_link_until_it_is_used)
{
    struct str link, second, third;
    struct party operator_party = {.name = STR("Hanse"), .address = {.country = STR("FR")}};
    struct invitation_view view;
    struct user user;
    struct party joined;
    OK(tx, party_first_start(tx, &operator_party, BASE, &link));
    ck_assert_uint_gt(link.n, 0);
    tx->now += 30 * US_PER_DAY;
    OK(tx, party_first_start(tx, &operator_party, BASE, &second));
    FAILS(tx, RC_NOT_FOUND, NULL, invitation_open(tx, link, &view));
    OK(tx, invitation_open(tx, second, &view));
    SAME(view.inviter_name, STR(""));
    struct acceptance a = answer(second, "me@example.net", "Me");
    OK(tx, invitation_accept(tx, &nobody, &a, NO_HASH, &user, &joined));
    SAME(joined.name, STR("Hanse"));
    struct caller me = by_session(user.id);
    OK(tx, permission_allow(tx, &me, PERM_SYSTEM_READ, joined.id));
    OK(tx, role_may_give(tx, &me, joined.id, STR("owner")));
    OK(tx, party_first_start(tx, &operator_party, BASE, &third));
    ck_assert_uint_eq(third.n, 0);
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM party"));
    ck_assert_int_eq(row_int(&rows, 0, 0), 1);
}

/* --- two at once: a store with its own threads, and a clock that they may share --- */

enum { RACERS = 8 };

struct racer {
    struct fixture *fixture;
    struct str link;
    int number;
    enum rc rc;
    struct arena arena;
    struct err err;
};

static enum rc set_up_race(struct tx *tx, void *arg)
{
    struct str *link = arg;
    struct party operator_party = {.name = STR("Hanse"), .address = {.country = STR("FR")}};
    return party_first_start(tx, &operator_party, BASE, link);
}

static enum rc accept_once(struct tx *tx, void *arg)
{
    const struct racer *r = arg;
    struct user user;
    struct party party;
    struct acceptance a = {.token = r->link,
                           .email = arena_fmt(tx->arena, "r%d@example.net", r->number),
                           .name = STR("Racer")};
    return invitation_accept(tx, &nobody, &a, NO_HASH, &user, &party);
}

static void *race(void *arg)
{
    struct racer *r = arg;
    r->rc = store_write(r->fixture->store, &r->arena, &r->err, accept_once, r);
    return NULL;
}

static enum rc count_all(struct tx *tx, void *arg)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM membership)"));
    ((int64_t *)arg)[0] = row_int(&rows, 0, 0);
    ((int64_t *)arg)[1] = row_int(&rows, 0, 1);
    return RC_OK;
}

START_TEST(of_many_who_accept_at_once_exactly_one_comes_in)
{
    struct fixture f;
    struct str link;
    pthread_t threads[RACERS];
    struct racer racers[RACERS];
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, set_up_race, &link), RC_OK);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.fixture = &f, .link = link, .number = i};
        arena_init(&racers[i].arena, STORE_TX_ARENA_BYTES);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    int won = 0;
    for (int i = 0; i < RACERS; i++) {
        (void)pthread_join(threads[i], NULL);
        won += racers[i].rc == RC_OK;
        ck_assert_msg(racers[i].rc == RC_OK || racers[i].rc == RC_GONE, "%s", racers[i].err.text);
        arena_fini(&racers[i].arena);
    }
    ck_assert_int_eq(won, 1);
    int64_t counts[2];
    ck_assert_int_eq(fixture_read(&f, count_all, counts), RC_OK);
    ck_assert_int_eq(counts[0], 1);
    ck_assert_int_eq(counts[1], 1);
    fixture_close(&f);
}
END_TEST

Suite *invitation_suite(void);
Suite *invitation_suite(void)
{
    Suite *s = suite_create("invitation");
    TCase *c = tcase_create("invitation");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, an_invitation_to_join_makes_a_member);
    tcase_add_test(c, an_invitation_founds_a_party_from_what_both_sides_say);
    tcase_add_test(c, a_user_who_is_logged_in_accepts_as_such);
    tcase_add_test(c, who_is_a_member_already_leaves_the_invitation_to_others);
    tcase_add_test(c, an_acceptance_names_what_is_missing);
    tcase_add_test(c, links_that_are_wrong_old_or_withdrawn_do_nothing);
    tcase_add_test(c, nobody_invites_above_their_own_station);
    tcase_add_test(c, wrong_invitations_are_refused_by_field);
    tcase_add_test(c, the_mail_brings_the_link_in_the_language_of_the_invited);
    tcase_add_test(c, invitations_are_listed_by_state);
    tcase_add_test(c, the_first_start_gives_a_link_until_it_is_used);
    tcase_add_test(c, of_many_who_accept_at_once_exactly_one_comes_in);
    suite_add_tcase(s, c);
    return s;
}
