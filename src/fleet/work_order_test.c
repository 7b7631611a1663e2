/* From "open" to "paid": who may what, and what a failing promise makes of it. */
#include "fleet/work_order.h"

#include "channel/owed.h"
#include "fleet/fleet_fixture.h"

#define PIXEL                                                      \
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x8\0\0\0\0CRCS" \
    "\0\0\0\0IDATCRCS\0\0\0\0IENDCRCS"

struct yard {
    struct shop s;
    struct str si;
    struct str node;
    struct str hands; /* the agreement */
};

static struct str make_hands(struct tx *tx, struct str from, struct str to, const char *asset,
                             const char *label)
{
    struct rule rule = {.kind = RULE_FIXED, .value = STR("20"), .label = str_c(label)};
    struct agreement fresh = {.kind = AGREEMENT_COST,
                              .from = from,
                              .to = to,
                              .terms = {.scope = {.asset = str_c(asset)}, .rules = {&rule, 1}}};
    return make_agreement(tx, &fresh);
}

static struct yard make_yard(struct tx *tx)
{
    struct yard y = {.s = make_shop(tx)};
    OK(tx, work_kind_seed(tx));
    y.si = make_party(tx, "Si", y.s.op);
    y.node = make_node(tx, &y.s, "n1", 8);
    y.hands = make_hands(tx, y.s.other, y.si, "", "HwMgmt");
    return y;
}

static struct work_order order_work(struct tx *tx, const struct yard *y, const char *fee)
{
    struct work_order w;
    struct work_order fresh = {.node = y->node, .kind = STR("replace-ram"), .fee = str_c(fee)};
    OK(tx, work_order_open(tx, y->s.other, &fresh, &w));
    return w;
}

static struct str act(struct tx *tx, struct str by, struct str id, enum work_action action)
{
    struct work_order w;
    OK(tx, work_order_act(tx, by, id, action, STR("because"), &w));
    return str_c(work_states[w.state]);
}

static void refused(struct tx *tx, struct str by, struct str id, enum work_action action)
{
    struct work_order w;
    FAILS(tx, RC_CONFLICT, NULL, work_order_act(tx, by, id, action, STR(""), &w));
}

TX_TEST(work_is_opened_assigned_accepted_done_and_owed)
{
    struct yard y = make_yard(tx);
    struct owed o;
    struct work_order w = order_work(tx, &y, "30.00");
    SAME(w.manager, y.si);
    SAME(w.agreement, y.hands);
    SAME(w.currency, STR("EUR"));
    SAME(w.title, STR("Replace RAM"));
    SAME(w.owner, y.s.other);
    SAME(act(tx, y.si, w.id, WORK_ACCEPT), STR("accepted"));
    FAILS(tx, RC_NOT_FOUND, NULL, owed_get(tx, w.id, &o));
    SAME(act(tx, y.si, w.id, WORK_FINISH), STR("done"));
    OK(tx, owed_get(tx, w.id, &o));
    ck_assert_int_eq(o.amount, 3000);
    SAME(o.agreement, y.hands);
    SAME(o.label, STR("Work"));
    OK(tx, work_order_get(tx, w.id, &w));
    ck_assert_int_eq(w.billed, 0);
    OK(tx, owed_take(tx, w.id, 1));
    OK(tx, work_order_get(tx, w.id, &w));
    ck_assert_int_eq(w.billed, tx->now);
    refused(tx, y.s.other, w.id, WORK_RETURN); /* it is paid */
}

TX_TEST(what_is_returned_is_not_owed)
{
    struct yard y = make_yard(tx);
    struct owed o;
    struct work_order w = order_work(tx, &y, "30.00");
    (void)act(tx, y.si, w.id, WORK_ACCEPT);
    (void)act(tx, y.si, w.id, WORK_FINISH);
    SAME(act(tx, y.s.other, w.id, WORK_RETURN), STR("accepted"));
    FAILS(tx, RC_NOT_FOUND, NULL, owed_get(tx, w.id, &o));
    (void)act(tx, y.si, w.id, WORK_FINISH);
    OK(tx, owed_get(tx, w.id, &o));
    ck_assert_int_eq(o.amount, 3000);
}

/* Every state by every action, against the table of the header. */
TX_TEST(only_the_changes_of_the_table_are_possible)
{
    static const char allowed[][WORK_ACTIONS + 1] = {[WORK_OPEN] = "AO--C",
                                                     [WORK_ACCEPTED] = "-OD-C",
                                                     [WORK_DONE] = "---A-",
                                                     [WORK_CANCELLED] = "-----"};
    struct yard y = make_yard(tx);
    for (int state = WORK_OPEN; state <= WORK_CANCELLED; state++)
        for (int action = 0; action < WORK_ACTIONS; action++) {
            struct work_order w = order_work(tx, &y, "");
            if (state == WORK_ACCEPTED || state == WORK_DONE)
                (void)act(tx, y.si, w.id, WORK_ACCEPT);
            if (state == WORK_DONE)
                (void)act(tx, y.si, w.id, WORK_FINISH);
            if (state == WORK_CANCELLED)
                (void)act(tx, y.s.other, w.id, WORK_CANCEL);
            char want = allowed[state][action];
            if (want == '-')
                refused(tx, y.si, w.id, (enum work_action)action);
            else
                ck_assert_int_eq(act(tx, y.si, w.id, (enum work_action)action).p[0],
                                 want - 'A' + 'a');
        }
}

TX_TEST(who_declines_is_asked_no_more)
{
    struct yard y = make_yard(tx);
    struct work_assignment to = {.manager = y.si};
    struct work_order w = order_work(tx, &y, "30.00");
    (void)act(tx, y.si, w.id, WORK_DECLINE);
    OK(tx, work_order_get(tx, w.id, &w));
    SAME(w.manager, STR(""));
    SAME(w.agreement, STR(""));
    OK(tx, work_order_assign(tx, w.id, &to, &w));
    SAME(w.agreement, y.hands);
    to.manager = y.s.client; /* nothing is agreed with it */
    OK(tx, work_order_assign(tx, w.id, &to, &w));
    SAME(w.agreement, STR(""));
    refused(tx, y.s.client, w.id, WORK_ACCEPT); /* for a fee that nobody could pay */
    to.agreement = y.hands;
    FAILS(tx, RC_INVALID, "/agreement", work_order_assign(tx, w.id, &to, &w));
    to.manager = STR("pty_none");
    FAILS(tx, RC_INVALID, "/manager", work_order_assign(tx, w.id, &to, &w));
}

TX_TEST(the_manager_is_who_manages_the_asset_or_else_all)
{
    struct yard y = make_yard(tx);
    struct str local = make_party(tx, "Local", y.s.op);
    struct node patch = {.set = schema_bit(&node_schema, "asset"), .asset = STR("rack-1")};
    struct node n;
    OK(tx, node_change(tx, y.node, 0, &patch, &n));
    struct str special = make_hands(tx, y.s.other, local, "rack-1", "HwMgmt");
    struct work_order w = order_work(tx, &y, "");
    SAME(w.manager, local);
    SAME(w.agreement, special);
    (void)make_hands(tx, y.s.other, y.si, "rack-1", "HwMgmt"); /* two: a person decides */
    w = order_work(tx, &y, "");
    SAME(w.manager, STR(""));
}

TX_TEST(a_fee_is_the_owners_and_agreed_by_accepting)
{
    struct yard y = make_yard(tx);
    struct work_order w = order_work(tx, &y, "");
    struct work_order patch = {.set = schema_bit(&work_order_schema, "fee"), .fee = STR("45.50")};
    FAILS(tx, RC_INVALID, "/fee", work_order_change(tx, y.si, w.id, 0, &patch, &w));
    FAILS(tx, RC_INVALID, "/fee", work_order_change(tx, y.s.op, w.id, 0, &patch, &w));
    OK(tx, work_order_change(tx, y.s.other, w.id, 0, &patch, &w));
    SAME(w.fee, STR("45.50"));
    patch.fee = STR("1.234");
    FAILS(tx, RC_INVALID, "/fee", work_order_change(tx, y.s.other, w.id, 0, &patch, &w));
    patch.fee = STR("-1");
    FAILS(tx, RC_INVALID, "/fee", work_order_change(tx, y.s.other, w.id, 0, &patch, &w));
    patch.fee = STR("46");
    FAILS(tx, RC_CHANGED, NULL, work_order_change(tx, y.s.other, w.id, w.version - 1, &patch, &w));
    (void)act(tx, y.si, w.id, WORK_ACCEPT);
    FAILS(tx, RC_CONFLICT, NULL, work_order_change(tx, y.s.other, w.id, 0, &patch, &w));
    struct work_order fresh = {.node = y.node, .kind = STR("rma"), .fee = STR("1")};
    FAILS(tx, RC_INVALID, "/fee", work_order_open(tx, y.s.op, &fresh, &w));
}

TX_TEST(what_was_accepted_is_paid_though_the_agreement_ended)
{
    struct yard y = make_yard(tx);
    struct agreement a;
    struct owed o;
    struct work_order w = order_work(tx, &y, "30.00");
    struct work_order late = order_work(tx, &y, "30.00");
    (void)act(tx, y.si, w.id, WORK_ACCEPT);
    OK(tx, agreement_end(tx, y.hands, 0, &a));
    tx->now++;
    (void)act(tx, y.si, w.id, WORK_FINISH);
    OK(tx, owed_get(tx, w.id, &o));
    refused(tx, y.si, late.id, WORK_ACCEPT);
}

TX_TEST(who_has_nothing_to_do_with_a_node_opens_nothing)
{
    struct yard y = make_yard(tx);
    struct work_order w;
    struct work_order fresh = {.node = y.node, .kind = STR("rma")};
    FAILS(tx, RC_INVALID, "/node", work_order_open(tx, y.s.client, &fresh, &w));
    FAILS(tx, RC_INVALID, "/node", work_order_open(tx, y.si, &fresh, &w));
    OK(tx, work_order_open(tx, y.s.op, &fresh, &w));
    SAME(w.owner, y.s.other);
    fresh.kind = STR("dance");
    FAILS(tx, RC_INVALID, "/kind", work_order_open(tx, y.s.op, &fresh, &w));
    fresh.node = STR("nod_none");
    FAILS(tx, RC_INVALID, "/node", work_order_open(tx, y.s.op, &fresh, &w));
}

TX_TEST(steps_have_notes_and_photos)
{
    struct yard y = make_yard(tx);
    struct work_step s;
    struct page page;
    struct page_query q = {0};
    struct str type, bytes;
    struct work_order w = order_work(tx, &y, "");
    OK(tx, work_step_add(tx, y.si, w.id, STR("opened it"), STR(""), &s));
    FAILS(tx, RC_NOT_FOUND, NULL, work_photo(tx, s.id, &type, &bytes));
    OK(tx, work_step_add(tx, y.si, w.id, STR("the slot"), STR(PIXEL), &s));
    SAME(s.type, STR("image/png"));
    ck_assert_uint_eq(s.sha256.n, 64);
    OK(tx, work_photo(tx, s.id, &type, &bytes));
    SAME(bytes, STR(PIXEL));
    FAILS(tx, RC_INVALID, NULL, work_step_add(tx, y.si, w.id, STR(""), STR("#!/bin/sh"), &s));
    OK(tx, work_step_list(tx, w.id, &q, &page));
    ck_assert_uint_eq(page.items.count, 2);
    SAME(((struct work_step *)page.items.items)[0].text, STR("opened it"));
    for (int i = 1; i < WORK_PHOTOS_MAX; i++)
        OK(tx, work_step_add(tx, y.si, w.id, STR(""), STR(PIXEL), &s));
    FAILS(tx, RC_CONFLICT, NULL, work_step_add(tx, y.si, w.id, STR(""), STR(PIXEL), &s));
    (void)act(tx, y.s.other, w.id, WORK_CANCEL);
    FAILS(tx, RC_CONFLICT, NULL, work_step_add(tx, y.si, w.id, STR("late"), STR(""), &s));
}

/* --- promises --- */

static void node_promises(struct tx *tx, const struct yard *y, const char *name, bool kept)
{
    struct report_answer answer;
    struct sighting_promise p = {.set = schema_all(&sighting_promise_schema),
                                 .name = str_c(name),
                                 .kept = kept,
                                 .text = kept ? STR("") : STR("91 degrees"),
                                 .since = tx->now};
    struct node_report r = {.cpu_milli = 4000, .promises = {&p, 1}};
    OK(tx, service_report(tx, &y->s.seal, y->node, &r, &answer));
}

static size_t orders_of(struct tx *tx, const struct yard *y, struct work_order *ret)
{
    struct page page;
    struct work_query q = {0};
    OK(tx, work_order_list(tx, y->s.other, false, &q, &page));
    if (page.items.count > 0)
        *ret = ((struct work_order *)page.items.items)[0];
    return page.items.count;
}

TX_TEST(a_failing_promise_opens_one_order_until_that_is_closed)
{
    struct yard y = make_yard(tx);
    struct work_order w = {0};
    struct work_order again = {0};
    node_promises(tx, &y, "temperature", true);
    ck_assert_uint_eq(orders_of(tx, &y, &w), 0);
    node_promises(tx, &y, "temperature", false);
    ck_assert_uint_eq(orders_of(tx, &y, &w), 1);
    SAME(w.kind, STR("fan-noise"));
    SAME(w.cause, STR("temperature"));
    SAME(w.manager, y.si);
    SAME(w.text, STR("91 degrees"));
    node_promises(tx, &y, "temperature", true);
    node_promises(tx, &y, "temperature", false); /* the same cause */
    ck_assert_uint_eq(orders_of(tx, &y, &w), 1);
    ck_assert_int_eq(w.steps, 2); /* kept again, fails again */
    (void)act(tx, y.si, w.id, WORK_ACCEPT);
    (void)act(tx, y.si, w.id, WORK_FINISH);
    node_promises(tx, &y, "temperature", true);
    tx->now += US_PER_SECOND;
    node_promises(tx, &y, "temperature", false);
    ck_assert_uint_eq(orders_of(tx, &y, &again), 2);
    ck_assert(!str_eq(w.id, again.id));
    /* Two about one thing do not collide. */
    SAME(act(tx, y.s.other, w.id, WORK_RETURN), STR("accepted"));
    (void)act(tx, y.s.other, again.id, WORK_CANCEL);
}

TX_TEST(a_promise_that_no_kind_names_asks_for_hands)
{
    struct yard y = make_yard(tx);
    struct work_order w = {0};
    struct work_kind k;
    struct work_kind fresh = {.code = STR("disk"), .title = STR("Disk"), .promise = STR("disk")};
    node_promises(tx, &y, "disk", false);
    ck_assert_uint_eq(orders_of(tx, &y, &w), 1);
    SAME(w.kind, STR("remote-hands"));
    (void)act(tx, y.s.other, w.id, WORK_CANCEL);
    OK(tx, work_kind_put(tx, &fresh, &k));
    node_promises(tx, &y, "disk", true);
    tx->now += US_PER_SECOND;
    node_promises(tx, &y, "disk", false);
    ck_assert_uint_eq(orders_of(tx, &y, &w), 2);
    SAME(w.kind, STR("disk"));
}

TX_TEST(kinds_are_data)
{
    struct list list;
    struct work_kind k;
    struct work_kind fresh = {.code = STR("rma"), .title = STR("Send it back")};
    OK(tx, work_kind_seed(tx));
    OK(tx, work_kind_put(tx, &fresh, &k));
    OK(tx, work_kind_seed(tx)); /* at each start: what was changed stays */
    OK(tx, work_kind_get(tx, STR("rma"), &k));
    SAME(k.title, STR("Send it back"));
    OK(tx, work_kind_list(tx, &list));
    ck_assert_uint_eq(list.count, 5);
    fresh.promise = STR("temperature");
    FAILS(tx, RC_INVALID, "/promise", work_kind_put(tx, &fresh, &k));
    fresh.code = STR("No Code");
    FAILS(tx, RC_INVALID, "/code", work_kind_put(tx, &fresh, &k));
}

Suite *work_order_suite(void);
Suite *work_order_suite(void)
{
    Suite *s = suite_create("work_order");
    TCase *t = tcase_create("work");
    tcase_add_test(t, work_is_opened_assigned_accepted_done_and_owed);
    tcase_add_test(t, what_is_returned_is_not_owed);
    tcase_add_test(t, only_the_changes_of_the_table_are_possible);
    tcase_add_test(t, who_declines_is_asked_no_more);
    tcase_add_test(t, the_manager_is_who_manages_the_asset_or_else_all);
    tcase_add_test(t, a_fee_is_the_owners_and_agreed_by_accepting);
    tcase_add_test(t, what_was_accepted_is_paid_though_the_agreement_ended);
    tcase_add_test(t, who_has_nothing_to_do_with_a_node_opens_nothing);
    tcase_add_test(t, steps_have_notes_and_photos);
    tcase_add_test(t, a_failing_promise_opens_one_order_until_that_is_closed);
    tcase_add_test(t, a_promise_that_no_kind_names_asks_for_hands);
    tcase_add_test(t, kinds_are_data);
    suite_add_tcase(s, t);
    return s;
}
