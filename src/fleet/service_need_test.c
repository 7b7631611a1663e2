/* What a service uses and its client does not name: shared, ordered with it, or asked for. */
#include "fleet/fleet_fixture.h"
#include "fleet/hold.h"
#include "fleet/service_inside.h"

#define USER(name, need)                                                                  \
    "name: " name "\nversion: \"1\"\ntitle: " name "\nauthor: me\nruntime: container\n"   \
    "image: {name: web}\nneeds: [{name: peer, profile: web" need "}]\n"                   \
    "resources: {cpu: 500m, memory: 64 MiB, disk: 1 GiB}\n"                               \
    "processes: [{name: s, command: [/bin/x], environment: [\"PEER={{ peer.url }}\"]}]\n" \
    "publishes: [{name: peer, title: Peer, value: \"at {{ peer.url | html }}\"}]\n"

struct street {
    struct shop shop;
    struct str node;
};

static void sell(struct tx *tx, const struct shop *s, const char *name, const char *text)
{
    struct plan plan = make_flat(tx, s->op, name, PLAN_MONTH, "1.00");
    make_kind(tx, s->op, text);
    make_sale(tx, s->op, plan.id, name, NULL, false);
}

/* both: shared or ordered; guest: shared alone; own: a new one for each; asks: neither. */
static struct street make_street(struct tx *tx)
{
    struct street t = {.shop = make_shop(tx)};
    sell(tx, &t.shop, "both", USER("both", ", shared: true, ordered: true"));
    sell(tx, &t.shop, "guest", USER("guest", ", shared: true"));
    sell(tx, &t.shop, "own", USER("own", ", ordered: true"));
    sell(tx, &t.shop, "asks", USER("asks", ""));
    t.node = make_node(tx, &t.shop, "n1", 8);
    OK(tx, sql_run(tx, "UPDATE node SET commitment_percent = 400"));
    return t;
}

static struct service_order wish(struct tx *tx, const struct street *t, const char *plan,
                                 struct str peer)
{
    struct service_order o = {.agreement = t->shop.supply, .plan = str_c(plan)};
    if (peer.n > 0)
        OK(tx, json_parse(arena_fmt(tx->arena, "{\"peer\":\"%.*s\"}", STRF(peer)), tx->arena,
                          &o.needs, tx->err));
    return o;
}

static struct service order(struct tx *tx, const struct street *t, const char *plan,
                            struct str peer)
{
    struct service v;
    struct service_order o = wish(tx, t, plan, peer);
    OK(tx, service_order(tx, &t->shop.seal, t->shop.client, &o, &v));
    return v;
}

/* The one service that it uses. */
static struct service used_by(struct tx *tx, struct str id)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT needed FROM service_need WHERE service = $1", V(id)));
    ck_assert_uint_eq(rows.count, 1);
    return now_of(tx, row_str(&rows, 0, 0));
}

static int64_t services(struct tx *tx)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM service"));
    return row_int(&rows, 0, 0);
}

/* Whether its node is told of it, and how. */
static bool told(struct tx *tx, const struct street *t, struct str id, struct service_spec *ret)
{
    struct desired d = {0};
    struct str text;
    const struct json *json = NULL;
    OK(tx, service_desired(tx, &t->shop.seal, t->node, -1, &text));
    OK(tx, json_parse(text, tx->arena, &json, tx->err));
    OK(tx, schema_decode(&desired_schema, SCHEMA_WHOLE, json, tx->arena, &d, tx->err));
    const struct service_spec *specs = d.services.items;
    for (size_t i = 0; i < d.services.count; i++)
        if (str_eq(specs[i].id, id)) {
            *ret = specs[i];
            return true;
        }
    return false;
}

static void is_part(const struct service *v, const char *plan, const char *price, struct str used)
{
    ck_assert_uint_eq(v->parts.count, 1);
    const struct service_part *p = v->parts.items;
    SAME(p->need, STR("peer"));
    SAME(p->plan, str_c(plan));
    SAME(p->price, str_c(price));
    SAME(p->service, used);
}

TX_TEST(what_is_not_there_is_ordered_with_it_and_it_waits_for_that)
{
    struct street t = make_street(tx);
    struct service_spec spec;
    struct page page;
    struct page_query q = {.limit = 1};
    struct service v = order(tx, &t, "both-month", STR(""));
    struct service web = used_by(tx, v.id);
    is_part(&v, "small-month", "5.00", web.id); /* not the one for 9.00 */
    SAME(web.profile, STR("web"));
    ck_assert_uint_eq(web.parent.n, 0); /* others share it */
    ck_assert(web.subscription.n > 0 && v.subscription.n > 0);
    ck_assert_int_eq(v.state, SERVICE_PREPARING);
    SAME(v.node, t.node); /* it has its place, and nobody is told yet */
    SAME(v.reason, STR("it waits until 'Web' runs"));
    ck_assert(!told(tx, &t, v.id, &spec));
    OK(tx, operation_list(tx, v.id, &q, &page));
    SAME(((struct operation *)page.items.items)->reason, v.reason);
    /* Where it will be is known before it runs: that is not enough. */
    (void)sees_known(tx, &t.shop, t.node, web.id, SIGHTING_STARTING);
    ck_assert(!told(tx, &t, v.id, &spec));
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_RUNNING);
    ck_assert(told(tx, &t, v.id, &spec));
    const struct spec_process *process = spec.processes.items;
    SAME(((struct str *)process->environment.items)[0], STR("PEER=http://192.0.2.1:30080/"));
    ck_assert_uint_eq(now_of(tx, v.id).reason.n, 0);
    ck_assert_int_eq(sees(tx, &t.shop, t.node, v.id, SIGHTING_RUNNING).state, SERVICE_RUNNING);
    OK(tx, operation_list(tx, v.id, &q, &page));
    ck_assert_int_eq(((struct operation *)page.items.items)->state, STEP_DONE);
    ck_assert_uint_eq(((struct operation *)page.items.items)->reason.n, 0);
}

/* Its client stopped it: who waited for it runs without, as one that uses it does which ran before;
 * where it never ran, nobody knows where it is. */
TX_TEST(who_waits_for_one_that_is_stopped_waits_no_more)
{
    struct street t = make_street(tx);
    struct service_spec spec;
    struct service rested;
    struct service v = order(tx, &t, "both-month", STR(""));
    struct service web = used_by(tx, v.id);
    OK(tx, service_act(tx, &t.shop.seal, web.id, SERVICE_STOP, &rested));
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_STOPPED);
    ck_assert(!told(tx, &t, v.id, &spec));
    SAME(now_of(tx, v.id).reason, STR("it waits until 'Web' runs"));
    OK(tx, service_act(tx, &t.shop.seal, web.id, SERVICE_START, &rested));
    (void)sees_known(tx, &t.shop, t.node, web.id, SIGHTING_STARTING);
    ck_assert(!told(tx, &t, v.id, &spec));
    OK(tx, service_act(tx, &t.shop.seal, web.id, SERVICE_STOP, &rested));
    (void)sees_known(tx, &t.shop, t.node, web.id, SIGHTING_STOPPED);
    ck_assert(told(tx, &t, v.id, &spec));
    ck_assert_uint_eq(now_of(tx, v.id).reason.n, 0);
}

TX_TEST(what_is_shared_is_taken_once_it_is_there)
{
    struct street t = make_street(tx);
    struct service first = order(tx, &t, "both-month", STR(""));
    struct service web = used_by(tx, first.id);
    /* On its way is enough: no second one is ordered. */
    struct service second = order(tx, &t, "both-month", STR(""));
    is_part(&second, "", "", web.id);
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_RUNNING);
    struct service third = order(tx, &t, "guest-month", STR(""));
    is_part(&third, "", "", web.id);
    ck_assert_int_eq(services(tx), 4);
    /* The one that fewest use. */
    struct service other = order_one(tx, &t.shop, "small-month", false);
    (void)sees(tx, &t.shop, t.node, other.id, SIGHTING_RUNNING);
    SAME(used_by(tx, order(tx, &t, "guest-month", STR("")).id).id, other.id);
    /* Who is named is taken, and the plan of a new one. */
    struct service named = order(tx, &t, "both-month", web.id);
    ck_assert_uint_eq(named.parts.count, 0);
    struct service fresh = order(tx, &t, "both-month", STR("large-month"));
    is_part(&fresh, "large-month", "9.00", used_by(tx, fresh.id).id);
    /* It ends after those that use it. */
    struct service v;
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &t.shop.seal, web.id, SERVICE_CANCEL, &v));
}

TX_TEST(one_of_its_own_ends_with_it_and_is_not_shared)
{
    struct street t = make_street(tx);
    struct service v;
    struct service own = order(tx, &t, "own-month", STR(""));
    struct service web = used_by(tx, own.id);
    is_part(&own, "small-month", "5.00", web.id);
    SAME(web.parent, own.id);
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_RUNNING);
    struct service_order o = wish(tx, &t, "guest-month", STR(""));
    FAILS(tx, RC_INVALID, "/needs/peer",
          service_order(tx, &t.shop.seal, t.shop.client, &o, &v)); /* that is another's */
    struct service second = order(tx, &t, "own-month", STR(""));
    ck_assert(!str_eq(used_by(tx, second.id).id, web.id));
    OK(tx, service_act(tx, &t.shop.seal, own.id, SERVICE_CANCEL, &v));
    ck_assert_int_eq(now_of(tx, web.id).wanted, SPEC_GONE);
}

TX_TEST(what_waits_can_be_cancelled_and_held)
{
    struct street t = make_street(tx);
    struct service v = order(tx, &t, "both-month", STR(""));
    struct service web = used_by(tx, v.id);
    struct service_spec spec;
    struct node n;
    bool more = false;
    OK(tx, sql_run(tx,
                   "INSERT INTO suspension (subscription, seller, client, due_day, since) "
                   "VALUES ($1, $2, $3, 20393, $4)",
                   V(v.subscription), V(v.seller), V(v.client), V(tx->now)));
    OK(tx, hold_tick(tx, &t.shop.seal, &more));
    ck_assert(!told(tx, &t, v.id, &spec));
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_RUNNING);
    ck_assert(told(tx, &t, v.id, &spec));
    ck_assert_int_eq(spec.state, SPEC_STOPPED); /* it is told, and rests */
    OK(tx, sql_run(tx, "DELETE FROM suspension"));
    OK(tx, hold_tick(tx, &t.shop.seal, &more));
    ck_assert_int_eq(now_of(tx, v.id).wanted, SPEC_RUNNING);
    ck_assert(told(tx, &t, v.id, &spec));
    ck_assert_int_eq(spec.state, SPEC_RUNNING);
    /* Another that never was told of. */
    struct service fresh = order(tx, &t, "own-month", STR(""));
    OK(tx, service_act(tx, &t.shop.seal, fresh.id, SERVICE_CANCEL, &fresh));
    ck_assert(told(tx, &t, fresh.id, &spec));
    ck_assert_int_eq(spec.state, SPEC_GONE);
    ck_assert_int_eq(sees(tx, &t.shop, t.node, fresh.id, SIGHTING_GONE).state, SERVICE_ENDED);

    OK(tx, node_get(tx, t.node, &n));
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT SUM(memory_bytes) FROM service WHERE node = $1", V(t.node)));
    ck_assert_int_eq(n.memory_taken, row_int(&rows, 0, 0));
    fresh = order(tx, &t, "own-month", STR(""));
    FAILS(tx, RC_CONFLICT, "/needs", service_act(tx, &t.shop.seal, fresh.id, SERVICE_STOP, &v));
}

/* What it uses rests: it can still be ended. */
TX_TEST(it_ends_though_what_it_uses_is_stopped)
{
    struct street t = make_street(tx);
    struct service v = order(tx, &t, "both-month", STR(""));
    struct service web = used_by(tx, v.id);
    struct service_spec spec;
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_RUNNING);
    (void)sees(tx, &t.shop, t.node, v.id, SIGHTING_RUNNING);
    OK(tx, service_act(tx, &t.shop.seal, web.id, SERVICE_STOP, &web));
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_STOPPED);
    struct service_order o = wish(tx, &t, "guest-month", web.id);
    struct service unused;
    FAILS(tx, RC_CONFLICT, "/needs", /* nobody starts it by itself: this is not waited for */
          service_order(tx, &t.shop.seal, t.shop.client, &o, &unused));
    OK(tx, service_act(tx, &t.shop.seal, v.id, SERVICE_CANCEL, &v));
    ck_assert(told(tx, &t, v.id, &spec));
    ck_assert_int_eq(spec.state, SPEC_GONE);
}

static void refused(struct tx *tx, const struct street *t, const char *plan, struct str peer)
{
    struct service v;
    struct list list;
    struct service_order o = wish(tx, t, plan, peer);
    int64_t before = services(tx);
    FAILS(tx, RC_INVALID, "/needs/peer", service_order(tx, &t->shop.seal, t->shop.client, &o, &v));
    FAILS(tx, RC_INVALID, "/needs/peer", service_price(tx, t->shop.client, &o, &list));
    ck_assert_int_eq(services(tx), before);
}

TX_TEST(what_no_profile_allows_is_not_done)
{
    struct street t = make_street(tx);
    struct service web = order_one(tx, &t.shop, "small-month", false);
    (void)sees(tx, &t.shop, t.node, web.id, SIGHTING_RUNNING);
    refused(tx, &t, "asks-month", STR("")); /* though there is one */
    refused(tx, &t, "asks-month", STR("small-month"));
    refused(tx, &t, "guest-month", STR("small-month"));
    refused(tx, &t, "both-month", STR("both-month")); /* of another kind */
    refused(tx, &t, "both-month", STR("none"));
    refused(tx, &t, "user-month", STR("")); /* its seller is asked first: nothing with it */
    struct service_order o = wish(tx, &t, "both-month", STR(""));
    struct service v;
    o.where = (struct service_wish){.set = schema_bit(&service_wish_schema, "country"),
                                    .country = STR("DE")};
    FAILS(tx, RC_CONFLICT, NULL, /* the one that he has is in FR, and none has room in DE */
          service_order(tx, &t.shop.seal, t.shop.client, &o, &v));
    o.where.country = STR("FR");
    OK(tx, service_order(tx, &t.shop.seal, t.shop.client, &o, &v));
    SAME(used_by(tx, v.id).id, web.id);
}

static void row_is(const struct list *list, size_t i, const char *need, const char *plan,
                   const char *price)
{
    const struct service_part *p = (const struct service_part *)list->items + i;
    SAME(p->need, str_c(need));
    SAME(p->plan, str_c(plan));
    SAME(p->price, str_c(price));
}

TX_TEST(the_price_is_told_before)
{
    struct street t = make_street(tx);
    struct service_order o = wish(tx, &t, "both-month", STR(""));
    struct list list;
    OK(tx, service_price(tx, t.shop.client, &o, &list));
    ck_assert_uint_eq(list.count, 2);
    row_is(&list, 0, "", "both-month", "1.00");
    row_is(&list, 1, "peer", "small-month", "5.00");
    ck_assert_int_eq(services(tx), 0);
    struct service web = order_one(tx, &t.shop, "small-month", false);
    OK(tx, service_price(tx, t.shop.client, &o, &list));
    ck_assert_uint_eq(list.count, 2);
    row_is(&list, 1, "peer", "", "");
    SAME(((struct service_part *)list.items)[1].service, web.id);
    FAILS(tx, RC_INVALID, "/agreement", service_price(tx, t.shop.other, &o, &list));
}

Suite *service_need_suite(void);
Suite *service_need_suite(void)
{
    Suite *s = suite_create("service_need");
    TCase *c = tcase_create("service_need");
    tcase_add_test(c, what_is_not_there_is_ordered_with_it_and_it_waits_for_that);
    tcase_add_test(c, who_waits_for_one_that_is_stopped_waits_no_more);
    tcase_add_test(c, what_is_shared_is_taken_once_it_is_there);
    tcase_add_test(c, one_of_its_own_ends_with_it_and_is_not_shared);
    tcase_add_test(c, what_waits_can_be_cancelled_and_held);
    tcase_add_test(c, it_ends_though_what_it_uses_is_stopped);
    tcase_add_test(c, what_no_profile_allows_is_not_done);
    tcase_add_test(c, the_price_is_told_before);
    suite_add_tcase(s, c);
    return s;
}
