/* Services: ordered, seen, changed, ended; nodes that die. */
#include "fleet/fleet_fixture.h"
#include "meter/source.h"

static enum service_state state_of(struct tx *tx, struct str id)
{
    struct service v;
    OK(tx, service_get(tx, id, &v));
    return (enum service_state)v.state;
}

static struct operation last_operation(struct tx *tx, struct str id)
{
    struct page page;
    struct page_query q = {0};
    OK(tx, operation_list(tx, id, &q, &page));
    ck_assert_uint_gt(page.items.count, 0);
    return ((struct operation *)page.items.items)[0];
}

static struct desired desired_of(struct tx *tx, const struct shop *s, struct str node)
{
    struct str text;
    struct desired d = {0};
    const struct json *json = NULL;
    OK(tx, service_desired(tx, &s->seal, node, -1, &text));
    OK(tx, json_parse(text, tx->arena, &json, tx->err));
    OK(tx, schema_decode(&desired_schema, SCHEMA_WHOLE, json, tx->arena, &d, tx->err));
    return d;
}

TX_TEST(an_order_is_reserved_placed_described_and_seen)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    ck_assert_int_eq(v.state, SERVICE_PREPARING);
    SAME(v.node, node);
    ck_assert_int_eq(v.memory_bytes, 64 << 20);
    struct subscription sub;
    OK(tx, subscription_get(tx, v.subscription, &sub));
    SAME(sub.client, s.client);
    SAME(sub.producer, s.other);
    SAME(last_operation(tx, v.id).step, STR("prepare"));

    struct desired d = desired_of(tx, &s, node);
    ck_assert_uint_eq(d.services.count, 1);
    const struct service_spec *spec = d.services.items;
    SAME(spec->id, v.id);
    ck_assert_int_eq(spec->state, SPEC_RUNNING);
    SAME(spec->subscription, v.subscription);
    SAME(((struct spec_image *)spec->images.items)->name, STR("web"));
    struct str nothing = STR("x");
    OK(tx, service_desired(tx, &s.seal, node, d.revision, &nothing));
    ck_assert_uint_eq(nothing.n, 0);

    (void)sees(tx, &s, node, v.id, SIGHTING_STARTING);
    SAME(last_operation(tx, v.id).step, STR("start"));
    v = sees(tx, &s, node, v.id, SIGHTING_RUNNING);
    ck_assert_int_eq(v.state, SERVICE_RUNNING);
    ck_assert_int_eq(last_operation(tx, v.id).state, STEP_DONE);
    struct list told;
    OK(tx, service_connection(tx, &s.seal, v.id, &told));
    const struct service_connection *c = told.items;
    SAME(c[0].value, STR("http://192.0.2.1:30080/"));
    ck_assert_uint_eq(c[1].value.n, 24);
    struct str key = c[1].value;
    OK(tx, service_connection(tx, &s.seal, v.id, &told));
    SAME(((struct service_connection *)told.items)[1].value, key);
}

TX_TEST(an_operation_says_why_it_does_not_get_on)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct sighting seen = {.id = v.id,
                            .generation = v.generation,
                            .state = SIGHTING_FAILED,
                            .reason = STR("the image has another hash")};
    (void)node_says(tx, &s.seal, node, 8, &seen, 1);
    SAME(last_operation(tx, v.id).reason, STR("the image has another hash"));
    ck_assert_int_eq(last_operation(tx, v.id).state, STEP_RUNNING);
    (void)sees(tx, &s, node, v.id, SIGHTING_RUNNING);
    SAME(last_operation(tx, v.id).reason, STR(""));
    ck_assert_int_eq(last_operation(tx, v.id).state, STEP_DONE);
}

TX_TEST(an_order_that_cannot_be_is_refused_by_name)
{
    struct shop s = make_shop(tx);
    struct service v;
    struct service_order o = {.agreement = s.supply, .plan = STR("small-month")};
    FAILS(tx, RC_CONFLICT, NULL, service_order(tx, &s.seal, s.client, &o, &v));
    ck_assert(str_has(err_text(tx->err), STR("there is no node")));
}

TX_TEST(what_the_client_may_not_say)
{
    struct shop s = make_shop(tx);
    struct service v;
    const struct json *json = NULL;
    (void)make_node(tx, &s, "n1", 8);
    struct service_order o = {.agreement = s.supply, .plan = STR("small-month")};
    FAILS(tx, RC_INVALID, "/agreement", service_order(tx, &s.seal, s.other, &o, &v));
    OK(tx, json_parse(STR("{\"memory\":8192}"), tx->arena, &json, tx->err));
    o.parameters = json;
    FAILS(tx, RC_INVALID, "/parameters/memory", service_order(tx, &s.seal, s.client, &o, &v));
    o.parameters = NULL;
    o.plan = STR("none");
    FAILS(tx, RC_INVALID, "/plan", service_order(tx, &s.seal, s.client, &o, &v));
    o.plan = STR("user-month");
    FAILS(tx, RC_INVALID, "/needs/peer", service_order(tx, &s.seal, s.client, &o, &v));
    o.plan = STR("small-month");
    o.parent = STR("svc_00000000000000000000000000");
    FAILS(tx, RC_INVALID, "/parent", service_order(tx, &s.seal, s.client, &o, &v));
}

static struct report_answer says_in_order(struct tx *tx, const struct shop *s, struct str node,
                                          int64_t order, struct sighting seen)
{
    struct report_answer answer;
    struct node_report r = {.cpu_milli = 4000,
                            .memory_bytes = 8 * FLEET_GIB,
                            .disk_bytes = 100 * FLEET_GIB,
                            .revision = INT64_MAX,
                            .order = order,
                            .services = {&seen, 1}};
    OK(tx, service_report(tx, &s->seal, node, &r, &answer));
    return answer;
}

/* Agents tell changes alone: what came late and was believed would stay so. */
TX_TEST(a_report_that_comes_late_changes_nothing)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", true);
    struct sighting seen = {.id = v.id, .generation = v.generation, .state = SIGHTING_RUNNING};
    ck_assert_int_eq(says_in_order(tx, &s, node, 10, seen).lease_until_s, NODE_LEASE_S);
    seen.state = SIGHTING_PREPARING;
    struct report_answer late = says_in_order(tx, &s, node, 9, seen);
    ck_assert_int_eq(late.lease_until_s, 0);
    ck_assert_int_eq(late.order, 10);
    OK(tx, service_get(tx, v.id, &v));
    ck_assert_int_eq(v.state, SERVICE_RUNNING);
    /* The newest one again is as good as once, and the next one is taken. */
    seen.state = SIGHTING_RUNNING;
    ck_assert_int_eq(says_in_order(tx, &s, node, 10, seen).lease_until_s, NODE_LEASE_S);
    seen.state = SIGHTING_FAILED;
    ck_assert_int_eq(says_in_order(tx, &s, node, 11, seen).order, 11);
    OK(tx, service_get(tx, v.id, &v));
    ck_assert_int_eq(v.state, SERVICE_FAILED);
}

TX_TEST(it_is_stopped_started_restarted_and_cancelled)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct node n;
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &s.seal, v.id, SERVICE_START, &v));
    OK(tx, service_act(tx, &s.seal, v.id, SERVICE_STOP, &v));
    ck_assert_int_eq(v.state, SERVICE_STOPPING);
    v = sees(tx, &s, node, v.id, SIGHTING_STOPPED);
    ck_assert_int_eq(v.state, SERVICE_STOPPED);
    OK(tx, service_act(tx, &s.seal, v.id, SERVICE_START, &v));
    v = sees(tx, &s, node, v.id, SIGHTING_RUNNING);
    ck_assert_int_eq(v.state, SERVICE_RUNNING);
    OK(tx, service_act(tx, &s.seal, v.id, SERVICE_RESTART, &v));
    ck_assert_int_eq(v.restart, 1);
    /* What is seen of the generation before says nothing. */
    struct sighting old = {.id = v.id, .generation = v.generation - 1, .state = SIGHTING_RUNNING};
    (void)node_says(tx, &s.seal, node, 8, &old, 1);
    ck_assert_int_eq(state_of(tx, v.id), SERVICE_PREPARING);
    (void)sees(tx, &s, node, v.id, SIGHTING_RUNNING);
    OK(tx, service_act(tx, &s.seal, v.id, SERVICE_CANCEL, &v));
    ck_assert_int_eq(v.state, SERVICE_ENDING);
    struct subscription sub;
    OK(tx, subscription_get(tx, v.subscription, &sub));
    ck_assert_int_eq(sub.ends, tx->now);
    OK(tx, node_get(tx, node, &n));
    ck_assert_int_gt(n.memory_taken, 0);
    v = sees(tx, &s, node, v.id, SIGHTING_GONE);
    ck_assert_int_eq(v.state, SERVICE_ENDED);
    OK(tx, node_get(tx, node, &n));
    ck_assert_int_eq(n.memory_taken, 0);
    ck_assert_int_eq(n.cpu_taken, 0);
    ck_assert_uint_eq(desired_of(tx, &s, node).services.count, 0);
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &s.seal, v.id, SERVICE_CANCEL, &v));
    OK(tx, service_meters(tx, node, v.subscription));
    FAILS(tx, RC_FORBIDDEN, NULL, service_meters(tx, STR("nod_x"), v.subscription));
}

TX_TEST(a_node_reports_the_usage_of_its_own_services)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct str source = arena_fmt(tx->arena, "urn:hanse:%.*s", STRF(node));
    struct meter meter;
    struct usage_report report;
    (void)make_meter(tx, s.op, "calls", METER_COUNT);
    OK(tx, meter_find(tx, STR("calls"), &meter));
    struct usage_record r = {.id = STR("1"),
                             .subscription = v.subscription,
                             .meter = meter.number,
                             .from = tx->now,
                             .until = tx->now,
                             .quantity = {1, 0}};
    OK(tx, service_usage(tx, node, source, &r, 1, &report));
    ck_assert_int_eq(report.accepted, 1);
    OK(tx, service_usage(tx, node, source, &r, 1, &report));
    ck_assert_int_eq(report.repeated, 1);
    struct str owner;
    OK(tx, usage_source_party(
               tx, arena_fmt(tx->arena, "urn:hanse:%.*s:%.*s", STRF(s.other), STRF(node)), &owner));
    SAME(owner, s.other);
    FAILS(tx, RC_FORBIDDEN, NULL, service_usage(tx, node, STR("urn:hanse:nod_x"), &r, 1, &report));
    FAILS(tx, RC_FORBIDDEN, NULL,
          service_usage(tx, STR("nod_x"), STR("urn:hanse:nod_x"), &r, 1, &report));
}

TX_TEST(what_is_used_while_it_ends_is_kept)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct str source = arena_fmt(tx->arena, "urn:hanse:%.*s", STRF(node));
    struct meter meter;
    struct usage_report report;
    (void)make_meter(tx, s.op, "seconds", METER_SUM);
    OK(tx, meter_find(tx, STR("seconds"), &meter));
    time_us begun = tx->now;
    tx->now += US_PER_HOUR;
    OK(tx, service_act(tx, &s.seal, v.id, SERVICE_CANCEL, &v));
    struct usage_record r[] = {{.id = STR("1"),
                                .subscription = v.subscription,
                                .meter = meter.number,
                                .from = begun - US_PER_SECOND,
                                .until = begun + US_PER_SECOND,
                                .quantity = {1, 0}},
                               {.id = STR("2"),
                                .subscription = v.subscription,
                                .meter = meter.number,
                                .from = tx->now - US_PER_SECOND,
                                .until = tx->now + US_PER_SECOND,
                                .quantity = {2, 0}},
                               {.id = STR("3"),
                                .subscription = v.subscription,
                                .meter = meter.number,
                                .from = tx->now,
                                .until = tx->now + US_PER_SECOND,
                                .quantity = {4, 0}}};
    OK(tx, service_usage(tx, node, source, r, COUNT(r), &report));
    ck_assert_int_eq(report.accepted, 2);
    OK(tx, service_usage(tx, node, source, r, COUNT(r), &report));
    ck_assert_int_eq(report.repeated, 2);
    OK(tx, service_usage(tx, node, source, &r[2], 1, &report));
    ck_assert_int_eq(report.accepted + report.repeated, 0);
}

TX_TEST(it_is_resized_within_its_node)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct service_resize to = {.plan = STR("large-month")};
    struct node n;
    (void)sees(tx, &s, node, v.id, SIGHTING_RUNNING);
    OK(tx, service_resize(tx, &s.seal, v.id, &to, &v));
    ck_assert_int_eq(v.memory_bytes, 2 * FLEET_GIB);
    SAME(v.plan, s.large.id);
    OK(tx, node_get(tx, node, &n));
    ck_assert_int_eq(n.memory_taken, 2 * FLEET_GIB);
    struct desired d = desired_of(tx, &s, node);
    ck_assert_int_eq(((struct service_spec *)d.services.items)->memory_bytes, 2 * FLEET_GIB);
    to.plan = STR("user-month");
    FAILS(tx, RC_INVALID, "/plan", service_resize(tx, &s.seal, v.id, &to, &v));
}

TX_TEST(one_service_uses_another_and_follows_it)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service web = order_one(tx, &s, "small-month", false);
    struct service user;
    struct str needs = arena_fmt(tx->arena, "{\"peer\":\"%.*s\"}", STRF(web.id));
    struct service_order o = {.agreement = s.supply, .plan = STR("user-month"), .parent = web.id};
    OK(tx, json_parse(needs, tx->arena, &o.needs, tx->err));
    OK(tx, service_order(tx, &s.seal, s.client, &o, &user));
    ck_assert_int_eq(user.state, SERVICE_ORDERED); /* the seller is asked */
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &s.seal, user.id, SERVICE_STOP, &user));
    (void)sees(tx, &s, node, web.id, SIGHTING_RUNNING);
    OK(tx, service_act(tx, &s.seal, user.id, SERVICE_APPROVE, &user));
    struct list told;
    OK(tx, service_connection(tx, &s.seal, user.id, &told)); /* of what it uses, too */
    SAME(((struct service_connection *)told.items)[0].value, STR("at http://192.0.2.1:30080/"));
    ck_assert_int_eq(user.state, SERVICE_PREPARING);
    struct desired d = desired_of(tx, &s, node);
    ck_assert_uint_eq(d.services.count, 2);
    const struct service_spec *spec = &((struct service_spec *)d.services.items)[1];
    const struct spec_process *process = spec->processes.items;
    SAME(((struct str *)process->environment.items)[0], STR("PEER=http://192.0.2.1:30080/"));
    /* Another address: the user is filled in anew. */
    struct sighting_fact facts[] = {
        {.set = 3, .name = STR("web.address"), .value = STR("192.0.2.9")},
        {.set = 3, .name = STR("web.port"), .value = STR("30081")}};
    struct sighting seen = {.id = web.id,
                            .generation = web.generation,
                            .state = SIGHTING_RUNNING,
                            .facts = {facts, COUNT(facts)}};
    (void)node_says(tx, &s.seal, node, 8, &seen, 1); /* it speaks for 192.0.2.1 alone */
    d = desired_of(tx, &s, node);
    process = ((struct service_spec *)d.services.items)[1].processes.items;
    SAME(((struct str *)process->environment.items)[0], STR("PEER=http://192.0.2.1:30080/"));
    struct report_answer answer;
    struct node_report r = {.cpu_milli = 4000,
                            .memory_bytes = 8 * FLEET_GIB,
                            .disk_bytes = 100 * FLEET_GIB,
                            .revision = d.revision,
                            .address = STR("192.0.2.9"),
                            .services = {&seen, 1}};
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    d = desired_of(tx, &s, node);
    process = ((struct service_spec *)d.services.items)[1].processes.items;
    SAME(((struct str *)process->environment.items)[0], STR("PEER=http://192.0.2.9:30081/"));
    /* The tree ends together. */
    OK(tx, service_act(tx, &s.seal, web.id, SERVICE_CANCEL, &web));
    ck_assert_int_eq(state_of(tx, user.id), SERVICE_ENDING);
}

TX_TEST(nodes_are_enrolled_once_and_revoked)
{
    struct shop s = make_shop(tx);
    struct node n;
    struct node fresh = {.name = STR("n")};
    struct node_key key;
    struct node_enrolled enrolled;
    OK(tx, node_create(tx, s.site, &fresh, &n));
    FAILS(tx, RC_UNAUTHENTICATED, NULL, node_key(tx, n.id, &key));
    struct node_enrolment e = {
        .token = n.token,
        .key = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")};
    OK(tx, node_enrol(tx, &e, &enrolled));
    SAME(enrolled.id, n.id);
    FAILS(tx, RC_UNAUTHENTICATED, NULL, node_enrol(tx, &e, &enrolled));
    OK(tx, node_key(tx, n.id, &key));
    ck_assert_uint_eq(key.bytes[1], 0x11);
    FAILS(tx, RC_CONFLICT, NULL, node_act(tx, n.id, NODE_DRAIN, &n));
    (void)node_says(tx, &s.seal, n.id, 8, NULL, 0);
    OK(tx, node_act(tx, n.id, NODE_DRAIN, &n));
    OK(tx, node_act(tx, n.id, NODE_ENABLE, &n));
    OK(tx, node_revoke(tx, n.id, &n));
    FAILS(tx, RC_UNAUTHENTICATED, NULL, node_key(tx, n.id, &key));
    OK(tx, node_token(tx, n.id, &n));
    e.token = n.token;
    OK(tx, node_enrol(tx, &e, &enrolled));
}

TX_TEST(a_disabled_node_stops_and_a_draining_one_takes_nothing)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct node n;
    struct service_order o = {.agreement = s.supply, .plan = STR("small-month")};
    OK(tx, node_act(tx, node, NODE_DRAIN, &n));
    struct desired d = desired_of(tx, &s, node);
    ck_assert_int_eq(((struct service_spec *)d.services.items)->state, SPEC_RUNNING);
    OK(tx, node_act(tx, node, NODE_DISABLE, &n));
    d = desired_of(tx, &s, node);
    ck_assert_int_eq(((struct service_spec *)d.services.items)->state, SPEC_STOPPED);
    FAILS(tx, RC_CONFLICT, NULL, service_order(tx, &s.seal, s.client, &o, &v));
}

/* An agent that is cut off counts its lease from the last report that it sent; at every second the
 * service runs at most once, and the old copy is removed when the node comes back. */
TX_TEST(failover_never_runs_twice)
{
    struct shop s = make_shop(tx);
    struct str a = make_node(tx, &s, "a", 2);
    struct service v = order_one(tx, &s, "small-month", true);
    struct service stays = order_one(tx, &s, "small-month", false);
    struct str b = make_node(tx, &s, "b", 8);
    SAME(v.node, a);
    SAME(stays.node, a);
    struct report_answer answer = node_says(tx, &s.seal, a, 2, NULL, 0);
    time_us sent = tx->now;
    ck_assert_int_eq(answer.lease_until_s, NODE_LEASE_S);
    int64_t moved_after_s = -1;
    for (int64_t second = 1; second <= 300 && moved_after_s < 0; second++) {
        bool more = false;
        tx->now = sent + second * US_PER_SECOND;
        if (second % 30 == 0)
            (void)node_says(tx, &s.seal, b, 8, NULL, 0);
        OK(tx, service_tick(tx, &s.seal, &more));
        OK(tx, service_get(tx, v.id, &v));
        bool runs_on_a = second < NODE_LEASE_S;
        bool may_run_on_b = str_eq(v.node, b);
        ck_assert(!(runs_on_a && may_run_on_b));
        if (may_run_on_b)
            moved_after_s = second;
    }
    ck_assert_int_gt(moved_after_s, NODE_LEASE_S);
    ck_assert_int_le(moved_after_s, NODE_LEASE_S + 100);
    OK(tx, service_get(tx, stays.id, &stays));
    SAME(stays.node, a);
    /* Back: with what it knew it renews nothing. */
    struct node_report r = {.cpu_milli = 4000, .memory_bytes = 2 * FLEET_GIB, .revision = 1};
    OK(tx, service_report(tx, &s.seal, a, &r, &answer));
    ck_assert_int_eq(answer.lease_until_s, 0);
    struct desired d = desired_of(tx, &s, a);
    ck_assert_uint_eq(d.services.count, 2);
    const struct service_spec *gone = &((struct service_spec *)d.services.items)[1];
    SAME(gone->id, v.id);
    ck_assert_int_eq(gone->state, SPEC_GONE);
    SAME(gone->subscription, v.subscription); /* it samples the end of it yet */
    struct sighting seen = {.id = v.id, .generation = gone->generation, .state = SIGHTING_GONE};
    (void)node_says(tx, &s.seal, a, 2, &seen, 1);
    ck_assert_uint_eq(desired_of(tx, &s, a).services.count, 1);
    struct node n;
    OK(tx, node_get(tx, a, &n));
    ck_assert_int_eq(n.memory_taken, 64 << 20);
    ck_assert_int_eq(n.state, NODE_READY);
}

/* A large node begins anew, and tells of all that it may have. */
TX_TEST(a_node_tells_of_all_its_services_at_once)
{
    enum { MANY = SPEC_SERVICES_MAX };
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "large", 1000);
    struct str features[] = {STR("container")};
    struct node_report r = {.features = {features, COUNT(features)},
                            .cpu_milli = MANY * 500,
                            .memory_bytes = 1000 * FLEET_GIB,
                            .disk_bytes = 1000 * FLEET_GIB,
                            .address = STR("192.0.2.1"),
                            .revision = INT64_MAX};
    struct report_answer answer;
    struct sighting_fact facts[] = {
        {.set = 3, .name = STR("web.address"), .value = STR("192.0.2.1")},
        {.set = 3, .name = STR("web.port"), .value = STR("30080")}};
    struct sighting *seen = NEW_N(tx->arena, struct sighting, MANY);
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    for (size_t i = 0; i < MANY; i++) {
        struct arena *whole = tx->arena;
        struct arena one;
        arena_init(&one, STORE_TX_ARENA_BYTES);
        tx->arena = &one;
        struct service v = order_one(tx, &s, "small-month", false);
        seen[i] = (struct sighting){.id = arena_str(whole, v.id),
                                    .generation = v.generation,
                                    .state = SIGHTING_RUNNING,
                                    .facts = {facts, COUNT(facts)}};
        tx->arena = whole;
        arena_fini(&one);
    }
    r.services = (struct list){seen, MANY};
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    for (size_t i = 0; i < MANY; i += MANY - 1) {
        struct service v;
        OK(tx, service_get(tx, seen[i].id, &v));
        ck_assert_int_eq(v.state, SERVICE_RUNNING);
    }
}

/* A site of many goes dark: more than one unit of work has memory for, if it took all at once. */
TX_TEST(many_fail_over_and_those_without_a_place_block_nobody)
{
    enum { MANY = 70, TICKS = 200 };
    struct shop s = make_shop(tx);
    struct str ids[2 * MANY];
    int64_t moved = 0;
    for (int i = 0; i < 2 * MANY; i++) {
        struct arena *whole = tx->arena;
        struct arena one;
        if (i % 7 == 0)
            (void)make_node(tx, &s, arena_fmt(tx->arena, "a%d", i).p, 8);
        arena_init(&one, STORE_TX_ARENA_BYTES);
        tx->arena = &one;
        struct service_order o = {.agreement = s.supply, .plan = STR("small-month")};
        struct service v;
        o.failover = true;
        /* The first half may go nowhere else. */
        if (i < MANY) {
            o.where.site = s.site;
            o.where.set = schema_bit(&service_wish_schema, "site");
        }
        OK(tx, service_order(tx, &s.seal, s.client, &o, &v));
        tx->arena = whole;
        ids[i] = arena_str(whole, v.id);
        arena_fini(&one);
    }
    tx->now += 200 * US_PER_SECOND;
    s.site = make_site(tx, s.other, "DE");
    for (int i = 0; i < MANY / 7; i++)
        (void)make_node(tx, &s, arena_fmt(tx->arena, "b%d", i).p, 8);
    bool more = true;
    for (int i = 0; i < TICKS && (more || i < TICKS / 2); i++)
        OK(tx, service_tick(tx, &s.seal, &more));
    ck_assert(!more);
    for (int i = 0; i < 2 * MANY; i++) {
        struct service v;
        OK(tx, service_get(tx, ids[i], &v));
        moved += str_eq(v.site, s.site);
        ck_assert(str_eq(v.site, s.site) == (i >= MANY));
        /* Why is told, and stays told, though only now and then is it counted again. */
        ck_assert(i >= MANY || str_has(v.reason, STR("none is at the site")));
    }
    ck_assert_int_eq(moved, MANY);
}

TX_TEST(what_is_sealed_opens_with_its_key_alone)
{
    struct seal one = {{1}}, two = {{2}};
    struct str plain;
    struct str closed = seal_close(&one, tx, STR("secret"));
    ck_assert(!str_has(closed, STR("secret")));
    OK(tx, seal_read(&one, closed, tx->arena, &plain, tx->err));
    SAME(plain, STR("secret"));
    FAILS(tx, RC_INTERNAL, NULL, seal_read(&two, closed, tx->arena, &plain, tx->err));
    FAILS(tx, RC_INTERNAL, NULL,
          seal_read(&one, str_sub(closed, 0, 10), tx->arena, &plain, tx->err));
}

/* A meter that is there stays as it is. */
TX_TEST(a_published_profile_brings_the_meters_of_agents)
{
    static const char *const codes[] = {"cpu",         "memory",    "disk",        "network-in",
                                        "network-out", "disk-read", "disk-written"};
    struct kind kind;
    struct meter meter;
    struct str op = make_operator(tx);
    const struct meter own = {.code = STR("disk"), .kind = METER_MAX, .unit = STR("GB")};
    const struct kind fresh = {.text = STR(FLEET_PROFILE)};
    FAILS(tx, RC_NOT_FOUND, NULL, meter_find(tx, STR("cpu"), &meter));
    OK(tx, meter_create(tx, op, &own, &meter));
    OK(tx, kind_create(tx, op, &fresh, &kind));
    for (size_t i = 0; i < COUNT(codes); i++) {
        OK(tx, meter_find(tx, str_c(codes[i]), &meter));
        SAME(meter.owner, op);
    }
    OK(tx, meter_find(tx, STR("cpu"), &meter));
    ck_assert_int_eq(meter.scale, 6);
    OK(tx, meter_find(tx, STR("disk"), &meter));
    ck_assert_int_eq(meter.kind, METER_MAX);
}

/* A fleet that is larger than what an order looks at first. */
TX_TEST(a_place_is_found_behind_many_that_do_not_suit)
{
    enum { MANY = 70 };
    struct shop s = make_shop(tx);
    struct str tight = {0}, ssd = {0}, label = STR("ssd");
    struct service v;
    struct service_order o = {.agreement = s.supply, .plan = STR("small-month")};
    for (int i = 0; i < MANY; i++)
        (void)make_node(tx, &s, "n", 8);
    ssd = make_node(tx, &s, "ssd", 16);
    tight = make_node(tx, &s, "tight", 4);
    OK(tx, sql_run(tx, "UPDATE node SET labels = 'ssd' WHERE id = $1", V(ssd)));
    OK(tx, service_order(tx, &s.seal, s.client, &o, &v));
    SAME(v.node, tight);
    o.where.labels = (struct list){&label, 1};
    o.where.set = schema_bit(&service_wish_schema, "labels");
    OK(tx, service_order(tx, &s.seal, s.client, &o, &v));
    SAME(v.node, ssd);
    o.where =
        (struct service_wish){.set = schema_bit(&service_wish_schema, "spread"), .spread = true};
    OK(tx, service_order(tx, &s.seal, s.client, &o, &v));
    SAME(v.node, ssd);
    label = STR("gpu");
    o.where = (struct service_wish){.set = schema_bit(&service_wish_schema, "labels"),
                                    .labels = {&label, 1}};
    FAILS(tx, RC_CONFLICT, NULL, service_order(tx, &s.seal, s.client, &o, &v));
    ck_assert(str_starts(err_text(tx->err), STR("72 nodes have the room, none")));
}

Suite *service_suite(void);
Suite *service_suite(void)
{
    Suite *s = suite_create("service");
    TCase *t = tcase_create("life");
    tcase_add_test(t, an_order_is_reserved_placed_described_and_seen);
    tcase_add_test(t, an_order_that_cannot_be_is_refused_by_name);
    tcase_add_test(t, what_the_client_may_not_say);
    tcase_add_test(t, a_place_is_found_behind_many_that_do_not_suit);
    tcase_add_test(t, a_node_reports_the_usage_of_its_own_services);
    tcase_add_test(t, an_operation_says_why_it_does_not_get_on);
    tcase_add_test(t, what_is_used_while_it_ends_is_kept);
    tcase_add_test(t, a_report_that_comes_late_changes_nothing);
    tcase_add_test(t, it_is_stopped_started_restarted_and_cancelled);
    tcase_add_test(t, it_is_resized_within_its_node);
    tcase_add_test(t, one_service_uses_another_and_follows_it);
    tcase_add_test(t, nodes_are_enrolled_once_and_revoked);
    tcase_add_test(t, a_disabled_node_stops_and_a_draining_one_takes_nothing);
    tcase_add_test(t, failover_never_runs_twice);
    tcase_add_test(t, a_node_tells_of_all_its_services_at_once);
    tcase_add_test(t, many_fail_over_and_those_without_a_place_block_nobody);
    tcase_add_test(t, what_is_sealed_opens_with_its_key_alone);
    tcase_add_test(t, a_published_profile_brings_the_meters_of_agents);
    suite_add_tcase(s, t);
    return s;
}
