#include "party/permission.h"

#include "party/party_fixture.h"

#define READS                                                                                 \
    (PERM_BIT(PERM_PARTY_READ) | PERM_BIT(PERM_CLIENT_READ) | PERM_BIT(PERM_MEMBER_READ) |    \
     PERM_BIT(PERM_INVITATION_READ) | PERM_BIT(PERM_BRAND_READ) | PERM_BIT(PERM_EVENT_READ) | \
     MONEY_READS)
/* No sponsor has any of these for its client: a price is for the two who trade at it. */
#define MONEY_READS                                                                             \
    (PERM_BIT(PERM_AGREEMENT_READ) | PERM_BIT(PERM_PRICE_READ) | PERM_BIT(PERM_CATALOG_READ) |  \
     PERM_BIT(PERM_SUBSCRIPTION_READ) | PERM_BIT(PERM_USAGE_READ) | PERM_BIT(PERM_CLOSE_READ) | \
     PERM_BIT(PERM_DOCUMENT_READ) | PERM_BIT(PERM_PAYMENT_READ) | PERM_BIT(PERM_LEDGER_READ) |  \
     PERM_BIT(PERM_FLEET_READ) | PERM_BIT(PERM_SERVICE_READ) | PERM_BIT(PERM_ALERT_READ))
#define BILLS                                                                                    \
    (PERM_BIT(PERM_PARTY_WRITE) | PERM_BIT(PERM_AUDIT_READ) | PERM_BIT(PERM_USAGE_WRITE) |       \
     PERM_BIT(PERM_CLOSE_WRITE) | PERM_BIT(PERM_DOCUMENT_WRITE) | PERM_BIT(PERM_PAYMENT_WRITE) | \
     PERM_BIT(PERM_PAYOUT_WRITE))
#define SELLS                                                                                     \
    (PERM_BIT(PERM_CLIENT_WRITE) | PERM_BIT(PERM_INVITATION_WRITE) |                              \
     PERM_BIT(PERM_AGREEMENT_WRITE) | PERM_BIT(PERM_PRICE_WRITE) | PERM_BIT(PERM_CATALOG_WRITE) | \
     PERM_BIT(PERM_SUBSCRIPTION_WRITE) | PERM_BIT(PERM_SERVICE_WRITE))
#define SELF       (PERM_BIT(PERM_SELF_READ) | PERM_BIT(PERM_SELF_WRITE))
#define EVERYTHING (PERM_ALL & ~SELF)
/* What a sponsor who only reads may do for its client, and what one who writes may. */
#define AS_SPONSOR_READER \
    (PERM_BIT(PERM_PARTY_READ) | PERM_BIT(PERM_MEMBER_READ) | PERM_BIT(PERM_BRAND_READ))
#define AS_SPONSOR_OWNER (AS_SPONSOR_READER | PERM_BIT(PERM_PARTY_WRITE))

/* A chain: operator > reseller > client > clients_client; a neighbour beside the reseller. */
struct chain {
    struct str operator_, reseller, client, clients_client, neighbour;
    struct str op_owner, reseller_owner, reseller_reader, reseller_sales;
    struct str owner, admin, billing, sales, reader, grandchild_owner, neighbour_owner, both;
};

static struct chain make_chain(struct tx *tx)
{
    struct chain c = {0};
    c.operator_ = make_operator(tx);
    c.reseller = make_party(tx, "Reseller", c.operator_);
    c.neighbour = make_party(tx, "Neighbour", c.operator_);
    c.client = make_party(tx, "Client", c.reseller);
    c.clients_client = make_party(tx, "Client's client", c.client);
    c.op_owner = make_member(tx, "op", c.operator_, "owner");
    c.reseller_owner = make_member(tx, "reseller", c.reseller, "owner");
    c.reseller_reader = make_member(tx, "reseller.reader", c.reseller, "reader");
    c.reseller_sales = make_member(tx, "reseller.sales", c.reseller, "sales");
    c.owner = make_member(tx, "owner", c.client, "owner");
    c.admin = make_member(tx, "admin", c.client, "admin");
    c.billing = make_member(tx, "billing", c.client, "billing");
    c.sales = make_member(tx, "sales", c.client, "sales");
    c.reader = make_member(tx, "reader", c.client, "reader");
    c.grandchild_owner = make_member(tx, "grandchild", c.clients_client, "owner");
    c.neighbour_owner = make_member(tx, "neighbour", c.neighbour, "owner");
    c.both = make_member(tx, "both", c.client, "owner");
    OK(tx, member_add(tx, c.neighbour, c.both, STR("owner")));
    OK(tx, member_add(tx, c.reseller, c.both, STR("owner")));
    return c;
}

struct expectation {
    const char *who;
    struct caller caller;
    uint64_t allowed;
    enum rc otherwise;
};

static void check_caller(struct tx *tx, const struct expectation *e, struct str party)
{
    for (enum permission p = 0; p < PERM_COUNT; p++) {
        enum rc want = (e->allowed & PERM_BIT(p)) != 0 ? RC_OK : e->otherwise;
        enum rc got = permission_allow(tx, &e->caller, p, party);
        ck_assert_msg(got == want, "%s, %s: %s, wanted was %s", e->who, permission_text(p),
                      rc_slug(got), rc_slug(want));
        if (got == RC_FORBIDDEN) /* which one is missing is said */
            ck_assert_msg(strstr(tx->err->text, permission_text(p)) != NULL ||
                              strstr(tx->err->text, "client:") != NULL,
                          "%s", tx->err->text);
    }
}

TX_TEST(each_permission_is_allowed_to_exactly_those_that_the_rules_name)
{
    struct chain c = make_chain(tx);
    const struct expectation all[] = {
        {"nobody", {.kind = CALLER_NOBODY, .scopes = PERM_ALL}, 0, RC_UNAUTHENTICATED},
        {"owner", by_session(c.owner), EVERYTHING, RC_FORBIDDEN},
        {"admin", by_session(c.admin), EVERYTHING, RC_FORBIDDEN},
        {"billing", by_session(c.billing), READS | BILLS, RC_FORBIDDEN},
        {"sales", by_session(c.sales), READS | SELLS, RC_FORBIDDEN},
        {"reader", by_session(c.reader), READS, RC_FORBIDDEN},
        {"owner of the sponsor", by_session(c.reseller_owner), AS_SPONSOR_OWNER, RC_FORBIDDEN},
        {"sales of the sponsor", by_session(c.reseller_sales), AS_SPONSOR_OWNER, RC_FORBIDDEN},
        {"reader of the sponsor", by_session(c.reseller_reader), AS_SPONSOR_READER, RC_FORBIDDEN},
        {"sponsor of the sponsor", by_session(c.op_owner), 0, RC_NOT_FOUND},
        {"client of the client", by_session(c.grandchild_owner), 0, RC_NOT_FOUND},
        {"neighbour", by_session(c.neighbour_owner), 0, RC_NOT_FOUND},
        {"user that is gone", by_session(STR("usr_gone")), 0, RC_NOT_FOUND},
        {"token with one scope", by_token(c.owner, PERM_BIT(PERM_PARTY_READ), STR("")),
         PERM_BIT(PERM_PARTY_READ), RC_FORBIDDEN},
        {"token without scopes", by_token(c.owner, 0, STR("")), 0, RC_FORBIDDEN},
        {"token does not add to the role", by_token(c.reader, PERM_ALL, STR("")), READS,
         RC_FORBIDDEN},
        {"token of a stranger", by_token(c.neighbour_owner, PERM_ALL, STR("")), 0, RC_NOT_FOUND},
        {"sponsor's token with the twin in its scopes",
         by_token(c.reseller_owner, PERM_BIT(PERM_CLIENT_READ), STR("")), AS_SPONSOR_READER,
         RC_FORBIDDEN},
        {"sponsor's token without the twin",
         by_token(c.reseller_owner,
                  PERM_ALL & ~PERM_BIT(PERM_CLIENT_READ) & ~PERM_BIT(PERM_CLIENT_WRITE), STR("")),
         0, RC_FORBIDDEN},
        {"sponsor's token bound to the sponsor", by_token(c.reseller_owner, PERM_ALL, c.reseller),
         AS_SPONSOR_OWNER, RC_FORBIDDEN},
        {"token bound to another party", by_token(c.both, PERM_ALL, c.neighbour), 0, RC_NOT_FOUND},
        {"token bound to the party", by_token(c.both, PERM_ALL, c.client), EVERYTHING,
         RC_FORBIDDEN},
        {"of three parties, bound to the sponsor", by_token(c.both, PERM_ALL, c.reseller),
         AS_SPONSOR_OWNER, RC_FORBIDDEN},
        {"member and sponsor at once", by_session(c.both), EVERYTHING, RC_FORBIDDEN},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        check_caller(tx, &all[i], c.client);
}

TX_TEST(a_party_that_is_not_there_is_not_found_by_anybody)
{
    struct chain c = make_chain(tx);
    struct caller who = by_session(c.op_owner);
    FAILS(tx, RC_NOT_FOUND, NULL, permission_allow(tx, &who, PERM_PARTY_READ, STR("pty_none")));
    FAILS(tx, RC_NOT_FOUND, NULL, permission_allow(tx, &who, PERM_PARTY_READ, STR("")));
}

/* What differs between two refusals would tell a stranger that the party exists. */
TX_TEST(a_stranger_is_told_the_same_as_for_a_party_that_is_not_there)
{
    struct chain c = make_chain(tx);
    struct caller who = by_session(c.neighbour_owner);
    struct str gone = arena_str(tx->arena, c.client);
    char *last = (char *)(uintptr_t)(gone.p + gone.n - 1);
    *last = *last == '0' ? '1' : '0';
    FAILS(tx, RC_NOT_FOUND, NULL, permission_allow(tx, &who, PERM_PARTY_READ, gone));
    struct str text = arena_str(tx->arena, err_text(tx->err));
    FAILS(tx, RC_NOT_FOUND, NULL, permission_allow(tx, &who, PERM_PARTY_READ, c.client));
    ck_assert_uint_eq(text.n, tx->err->text_n);
    ck_assert_int_eq(strncmp(text.p, tx->err->text, text.n - 2), 0);
}

TX_TEST(own_matters_need_a_login_and_the_scope_of_a_token)
{
    struct chain c = make_chain(tx);
    struct caller nobody = {.kind = CALLER_NOBODY, .scopes = PERM_ALL};
    struct caller session = by_session(c.reader);
    struct caller token = by_token(c.reader, PERM_BIT(PERM_SELF_READ), c.client);
    FAILS(tx, RC_UNAUTHENTICATED, NULL, permission_allow_self(tx, &nobody, PERM_SELF_READ));
    OK(tx, permission_allow_self(tx, &session, PERM_SELF_WRITE));
    OK(tx, permission_allow_self(tx, &token, PERM_SELF_READ));
    FAILS(tx, RC_FORBIDDEN, NULL, permission_allow_self(tx, &token, PERM_SELF_WRITE));
}

TX_TEST(some_is_held_where_one_party_gives_it)
{
    struct chain c = make_chain(tx);
    struct caller nobody = {.kind = CALLER_NOBODY};
    struct caller reader = by_session(c.reader);
    struct caller alone = by_session(make_user(tx, "alone"));
    struct caller token = by_token(c.both, PERM_BIT(PERM_AUDIT_READ), STR(""));
    FAILS(tx, RC_UNAUTHENTICATED, NULL, permission_allow_some(tx, &nobody, PERM_PARTY_READ));
    FAILS(tx, RC_FORBIDDEN, NULL, permission_allow_some(tx, &alone, PERM_PARTY_READ));
    FAILS(tx, RC_FORBIDDEN, NULL, permission_allow_some(tx, &reader, PERM_AUDIT_READ));
    FAILS(tx, RC_FORBIDDEN, NULL, permission_allow_some(tx, &token, PERM_PARTY_READ));
    OK(tx, permission_allow_some(tx, &reader, PERM_PARTY_READ));
    OK(tx, permission_allow_some(tx, &token, PERM_AUDIT_READ));
}

TX_TEST(a_role_of_the_operators_own_works_as_the_shipped_ones)
{
    struct chain c = make_chain(tx);
    OK(tx, sql_run(tx, "INSERT INTO role (id, doc) VALUES ('auditor', 'Reads the log')"));
    OK(tx, sql_run(tx, "INSERT INTO role_permission (role, permission) "
                       "VALUES ('auditor', 'audit:read'), ('auditor', 'future:thing')"));
    struct caller who = by_session(make_member(tx, "auditor", c.client, "auditor"));
    OK(tx, permission_allow(tx, &who, PERM_AUDIT_READ, c.client));
    FAILS(tx, RC_FORBIDDEN, NULL, permission_allow(tx, &who, PERM_PARTY_READ, c.client));
    OK(tx, permission_seed(tx)); /* what was added stays */
    OK(tx, permission_allow(tx, &who, PERM_AUDIT_READ, c.client));
    uint64_t held = 0;
    OK(tx, permission_held(tx, &who, c.client, &held));
    ck_assert_uint_eq(held, SELF | PERM_BIT(PERM_AUDIT_READ));
}

TX_TEST(nobody_gives_more_than_they_hold)
{
    struct chain c = make_chain(tx);
    struct caller owner = by_session(c.owner);
    struct caller admin = by_session(c.admin);
    struct caller sales = by_session(c.sales);
    struct caller sponsor = by_session(c.reseller_owner);
    struct caller token = by_token(c.owner, READS, STR(""));
    OK(tx, role_may_give(tx, &owner, c.client, STR("owner")));
    OK(tx, role_may_give(tx, &admin, c.client, STR("admin")));
    OK(tx, role_may_give(tx, &sales, c.client, STR("reader")));
    OK(tx, role_may_give(tx, &token, c.client, STR("reader")));
    FAILS(tx, RC_FORBIDDEN, NULL, role_may_give(tx, &admin, c.client, STR("owner")));
    FAILS(tx, RC_FORBIDDEN, NULL, role_may_give(tx, &sales, c.client, STR("billing")));
    FAILS(tx, RC_FORBIDDEN, NULL, role_may_give(tx, &token, c.client, STR("sales")));
    FAILS(tx, RC_FORBIDDEN, NULL, role_may_give(tx, &token, c.client, STR("owner")));
    FAILS(tx, RC_FORBIDDEN, NULL, role_may_give(tx, &sponsor, c.client, STR("reader")));
    FAILS(tx, RC_FORBIDDEN, NULL, role_may_give(tx, &owner, c.neighbour, STR("owner")));
    FAILS(tx, RC_INVALID, "/role", role_may_give(tx, &owner, c.client, STR("king")));
}

/* A node signs for itself: it holds nothing of what people hold, and people nothing of its. */
TX_TEST(nodes_and_people_are_kept_apart)
{
    struct chain c = make_chain(tx);
    struct caller node = {.kind = CALLER_NODE, .node = STR("nod_1"), .scopes = PERM_ALL};
    struct caller owner = by_session(c.owner);
    struct caller nobody = {.kind = CALLER_NOBODY};
    for (enum permission p = 0; p < PERM_COUNT; p++) {
        FAILS(tx, RC_UNAUTHENTICATED, NULL, permission_allow(tx, &node, p, c.client));
        FAILS(tx, RC_UNAUTHENTICATED, NULL, permission_allow_sponsor(tx, &node, p, c.client));
        FAILS(tx, RC_UNAUTHENTICATED, NULL, permission_allow_some(tx, &node, p));
    }
    FAILS(tx, RC_UNAUTHENTICATED, NULL, permission_allow_self(tx, &node, PERM_SELF_READ));
    OK(tx, permission_allow_node(tx, &node));
    FAILS(tx, RC_FORBIDDEN, NULL, permission_allow_node(tx, &owner));
    FAILS(tx, RC_UNAUTHENTICATED, NULL, permission_allow_node(tx, &nobody));
}

TX_TEST(roles_are_listed_with_what_they_allow)
{
    struct list list;
    (void)make_operator(tx);
    OK(tx, role_list(tx, &list));
    const struct role *roles = list.items;
    const char *const names[] = {"admin", "billing", "owner", "reader", "sales"};
    ck_assert_uint_eq(list.count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        SAME(roles[i].id, str_c(names[i]));
    ck_assert_uint_eq(roles[2].permissions.count, PERM_COUNT - 2);
    ck_assert_uint_eq(roles[3].permissions.count, 18);
    SAME(((const struct str *)roles[3].permissions.items)[0], STR("agreement:read"));
}

START_TEST(the_table_of_permissions_is_sound)
{
    for (enum permission p = 0; p < PERM_COUNT; p++) {
        enum permission back = PERM_NONE;
        ck_assert(permission_parse(str_c(permission_text(p)), &back));
        ck_assert_int_eq(back, p);
        ck_assert_uint_gt(strlen(permission_doc(p)), 0);
        enum permission twin = permission_twin(p);
        /* One step: what a twin gives is not given on by a twin of its own. */
        ck_assert(twin == PERM_NONE || permission_twin(twin) == PERM_NONE);
    }
    enum permission none = PERM_NONE;
    ck_assert(!permission_parse(STR("party"), &none));
    ck_assert(!permission_parse(STR(""), &none));
}
END_TEST

START_TEST(texts_of_permissions_are_read_in_any_order)
{
    struct buf b;
    struct arena arena;
    arena_init(&arena, 65536);
    for (int down = 0; down < 2; down++) {
        buf_init(&b, &arena, 4096);
        for (int i = 0; i < PERM_COUNT; i++)
            buf_fmt(&b, "%s ", permission_text(down ? PERM_COUNT - 1 - i : i));
        ck_assert_uint_eq(permission_parse_all(buf_str(&b)), PERM_ALL);
    }
    uint64_t two = PERM_BIT(PERM_PARTY_READ) | PERM_BIT(PERM_USAGE_READ);
    ck_assert_uint_eq(permission_parse_all(STR("usage:read newer:one party:read")), two);
    ck_assert_uint_eq(permission_parse_all(STR("party:read none usage:read")), two);
    ck_assert_uint_eq(permission_parse_all(STR("")), 0);
    arena_fini(&arena);
}
END_TEST

Suite *permission_suite(void);
Suite *permission_suite(void)
{
    Suite *s = suite_create("permission");
    TCase *c = tcase_create("permission");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, texts_of_permissions_are_read_in_any_order);
    tcase_add_test(c, each_permission_is_allowed_to_exactly_those_that_the_rules_name);
    tcase_add_test(c, a_party_that_is_not_there_is_not_found_by_anybody);
    tcase_add_test(c, a_stranger_is_told_the_same_as_for_a_party_that_is_not_there);
    tcase_add_test(c, own_matters_need_a_login_and_the_scope_of_a_token);
    tcase_add_test(c, some_is_held_where_one_party_gives_it);
    tcase_add_test(c, a_role_of_the_operators_own_works_as_the_shipped_ones);
    tcase_add_test(c, nobody_gives_more_than_they_hold);
    tcase_add_test(c, nodes_and_people_are_kept_apart);
    tcase_add_test(c, roles_are_listed_with_what_they_allow);
    tcase_add_test(c, the_table_of_permissions_is_sound);
    suite_add_tcase(s, c);
    return s;
}
