/*
 * GET /v1/events: who sees what, going on after a lost connection, heartbeats, and the end of
 * rights.
 */
#include "api/api_fixture.h"

/* A listener: a connection, and what it was told so far. */
struct ear {
    struct house *house;
    int fd;
    char *text;
    size_t n;
    size_t at; /* what was looked at already */
};

static struct ear listen_with(struct house *h, const struct guest *who, const char *path,
                              const char *headers)
{
    struct ear e = {.house = h, .text = arena_alloc(&h->arena, PROBE_TEXT_MAX)};
    struct str text = arena_fmt(&h->arena, "GET %s HTTP/1.1\r\nHost: cloud.test\r\n%.*s%s\r\n",
                                path, STRF(who->credentials), headers);
    e.fd = probe_connect(http_address(h->server));
    ck_assert(probe_send(e.fd, text));
    while (strstr(e.text, "\r\n\r\n") == NULL)
        ck_assert(probe_more(e.fd, e.text, &e.n));
    ck_assert_msg(probe_status(e.text) == 200, "%s", e.text);
    return e;
}

static struct ear listen_to(struct house *h, const struct guest *who)
{
    return listen_with(h, who, "/v1/events", "");
}

/* Wait until this was said, behind all that was looked at before; then what stands between. */
static struct str hear(struct ear *e, const char *want)
{
    const char *found = strstr(e->text + e->at, want);
    while (found == NULL) {
        event_hub_tick(e->house->api->events);
        if (!probe_more(e->fd, e->text, &e->n))
            ck_abort_msg("the stream ended before '%s': %s", want, e->text + e->at);
        found = strstr(e->text + e->at, want);
    }
    size_t end = (size_t)(found - e->text) + strlen(want);
    struct str between = str_n(e->text + e->at, end - e->at);
    e->at = end;
    return between;
}

static void wait_for_end(struct ear *e)
{
    for (int i = 0; i < 100; i++) {
        event_hub_tick(e->house->api->events);
        if (strstr(e->text + e->at, "\r\n0\r\n\r\n") != NULL || !probe_more(e->fd, e->text, &e->n))
            return;
    }
    ck_abort_msg("the stream goes on: %s", e->text + e->at);
}

static void change_phone(struct house *h, struct str party)
{
    STATUS(ask(h, &h->rita, "PATCH", str_c(at(h, "/v1/parties/", party, "")),
               STR("If-Match: *\r\n"),
               arena_fmt(&h->arena, "{\"phone\":\"+33 %lld\"}",
                         (long long)(house_now(&h->clock.clock) % 100000000))),
           200);
    house_advance(h, US_PER_SECOND);
}

START_TEST(events_come_in_order_with_ids_to_those_who_may_see_them)
{
    struct house *h = house_open();
    house_relay(h); /* what happened while the house was furnished */
    struct ear carl = listen_to(h, &h->carl);
    struct ear tom = listen_to(h, &h->tom);
    struct ear rita = listen_to(h, &h->rita);
    ck_assert(strcasestr(carl.text, "Content-Type: text/event-stream") != NULL);
    ck_assert(strcasestr(carl.text, "X-Accel-Buffering: no") != NULL);
    change_phone(h, h->client);
    change_phone(h, h->reseller);
    change_phone(h, h->client);
    house_relay(h);
    (void)hear(&carl, "event: party.changed\n");
    (void)hear(&carl, arena_cstr(&h->arena, h->client));
    (void)hear(&carl, "event: party.changed\n");
    struct str between = hear(&carl, arena_cstr(&h->arena, h->client));
    ck_assert(!str_has(between, h->reseller));
    /* The sponsor's own; event:read has no twin, so the client's are not for it. */
    (void)hear(&rita, "event: party.changed\n");
    (void)hear(&rita, arena_cstr(&h->arena, h->reseller));
    house_advance(h, STREAM_HEARTBEAT_US);
    between = hear(&rita, "event: heartbeat\n");
    ck_assert(!str_has(between, h->client));
    between = hear(&tom, "event: heartbeat\n");
    ck_assert(!str_has(between, STR("party.changed")));
    ck_assert_uint_eq(event_hub_streams(h->api->events), 3);
    close(carl.fd);
    close(tom.fd);
    close(rita.fd);
    house_close(h);
}
END_TEST

static long long last_id(const struct ear *e)
{
    const char *at_id = NULL;
    for (const char *p = e->text; (p = strstr(p, "\nid: ")) != NULL; p++)
        at_id = p;
    ck_assert_ptr_nonnull(at_id);
    return strtoll(at_id + 5, NULL, 10);
}

START_TEST(a_listener_goes_on_where_it_was)
{
    struct house *h = house_open();
    house_relay(h);
    struct ear e = listen_to(h, &h->carl);
    change_phone(h, h->client);
    house_relay(h);
    (void)hear(&e, "\n\n");
    (void)hear(&e, "event: party.changed\n");
    (void)hear(&e, "\n\n");
    long long id = last_id(&e);
    close(e.fd);
    change_phone(h, h->client);
    change_phone(h, h->client);
    house_relay(h);
    const char *header_line = arena_fmt(&h->arena, "Last-Event-ID: %lld\r\n", id).p;
    e = listen_with(h, &h->carl, "/v1/events", header_line);
    (void)hear(&e, arena_fmt(&h->arena, "id: %lld\nevent: party.changed\n", id + 1).p);
    (void)hear(&e, arena_fmt(&h->arena, "id: %lld\nevent: party.changed\n", id + 2).p);
    close(e.fd);
    e = listen_with(h, &h->carl, arena_fmt(&h->arena, "/v1/events?after=%lld", id + 1).p, "");
    (void)hear(&e, arena_fmt(&h->arena, "id: %lld\nevent: party.changed\n", id + 2).p);
    close(e.fd);
    house_close(h);
}
END_TEST

START_TEST(who_was_away_too_long_is_told_to_read_afresh)
{
    struct house *h = house_open();
    house_relay(h);
    change_phone(h, h->client);
    house_relay(h);
    house_advance(h, OUTBOX_KEEP_US + US_PER_HOUR);
    change_phone(h, h->client);
    house_relay(h);
    house_relay(h);
    struct ear e = listen_with(h, &h->carl, "/v1/events", "Last-Event-ID: 1\r\n");
    (void)hear(&e, "event: resync\n");
    change_phone(h, h->client);
    house_relay(h);
    (void)hear(&e, "event: party.changed\n");
    close(e.fd);
    /* A number from the future: the store was put back to an earlier day. */
    e = listen_with(h, &h->carl, "/v1/events", "Last-Event-ID: 99999\r\n");
    (void)hear(&e, "event: resync\n");
    close(e.fd);
    struct answer a =
        ask(h, &h->carl, "GET", STR("/v1/events"), STR("Last-Event-ID: x\r\n"), STR(""));
    STATUS(a, 400);
    house_close(h);
}
END_TEST

START_TEST(topics_and_a_party_can_be_asked_for)
{
    struct house *h = house_open();
    house_relay(h);
    struct ear e = listen_with(h, &h->carl, "/v1/events?topics=invitation,brand", "");
    change_phone(h, h->client);
    STATUS(post(h, &h->carl, at(h, "/v1/parties/", h->client, "/invitations"),
                "{\"joins\":true,\"role\":\"reader\"}"),
           201);
    house_relay(h);
    struct str between = hear(&e, "event: invitation.created\n");
    ck_assert(!str_has(between, STR("party.changed")));
    close(e.fd);
    STATUS(get(h, &h->tom, at(h, "/v1/events?party=", h->client, "")), 404);
    STATUS(get(h, &h->rita, at(h, "/v1/events?party=", h->client, "")), 403);
    house_close(h);
}
END_TEST

START_TEST(who_loses_the_right_hears_no_more)
{
    struct house *h = house_open();
    house_relay(h);
    struct ear e = listen_to(h, &h->rolf);
    change_phone(h, h->client);
    house_relay(h);
    (void)hear(&e, "event: party.changed\n");
    const char *path =
        arena_fmt(&h->arena, "/v1/parties/%.*s/members/%.*s", STRF(h->client), STRF(h->rolf.user))
            .p;
    STATUS(ask(h, &h->carl, "DELETE", str_c(path), STR(""), STR("")), 204);
    change_phone(h, h->client);
    house_relay(h);
    house_advance(h, STREAM_HEARTBEAT_US);
    struct str between = hear(&e, "event: heartbeat\n");
    ck_assert(!str_has(between, STR("event: party.changed")));
    close(e.fd);
    house_close(h);
}
END_TEST

static enum rc drop_tokens(struct tx *tx, void *arg)
{
    struct house *h = arg;
    struct list tokens;
    /* Not OK(): what PostgreSQL refuses for serialisation is run again. */
    TRY(token_list(tx, h->carl.user, &tokens));
    for (size_t i = 0; i < tokens.count; i++)
        TRY(token_delete(tx, h->carl.user, ((struct token *)tokens.items)[i].id));
    return RC_OK;
}

START_TEST(a_stream_ends_with_its_token_within_a_minute)
{
    struct house *h = house_open();
    struct ear e = listen_to(h, &h->carl);
    (void)hear(&e, "retry: 3000\n\n");
    house_write(h, drop_tokens, h); /* in another process, say */
    house_advance(h, STREAM_RECHECK_US);
    wait_for_end(&e);
    close(e.fd);
    house_close(h);
}
END_TEST

START_TEST(a_stream_too_many_takes_the_place_of_the_oldest)
{
    struct house *h = house_open();
    struct ear ears[STREAMS_PER_USER];
    for (size_t i = 0; i < STREAMS_PER_USER; i++)
        ears[i] = listen_to(h, &h->carl);
    struct ear other = listen_to(h, &h->rolf);
    ck_assert_uint_eq(event_hub_streams(h->api->events), STREAMS_PER_USER + 1);
    struct ear eleventh = listen_to(h, &h->carl);
    wait_for_end(&ears[0]);
    change_phone(h, h->client);
    house_relay(h);
    for (size_t i = 1; i < STREAMS_PER_USER; i++) {
        (void)hear(&ears[i], "event: party.changed\n");
        close(ears[i].fd);
    }
    (void)hear(&other, "event: party.changed\n");
    (void)hear(&eleventh, "event: party.changed\n");
    close(ears[0].fd);
    close(eleventh.fd);
    close(other.fd);
    house_close(h); /* whatever is open ends with the server */
}
END_TEST

START_TEST(many_events_come_through_one_small_window)
{
    struct house *h = house_open();
    house_relay(h);
    struct ear e = listen_to(h, &h->carl);
    for (int i = 0; i < 300; i++)
        change_phone(h, h->client);
    house_relay(h);
    for (int i = 0; i < 300; i++)
        (void)hear(&e, "event: party.changed\n");
    close(e.fd);
    house_close(h);
}
END_TEST

/* Of another party: as many as 24 hours may bring, and more than one unit of work can hold. */
static enum rc flood(struct tx *tx, void *arg)
{
    struct house *h = arg;
    char body[1500];
    memset(body, 'x', sizeof body);
    return sql_run(tx,
                   "INSERT INTO outbox (id, seq, topic, party, body, state, tries, created, due, "
                   "error) WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT "
                   "i + 1 FROM n WHERE i < 50000) SELECT 'flood' || i, 1000 + i, "
                   "'event.party.changed', $1, $2, 1, 0, $3, $4, NULL FROM n ORDER BY i",
                   V(h->other), V(str_n(body, sizeof body)), V(tx->now),
                   V(tx->now + OUTBOX_KEEP_US));
}

START_TEST(who_resumes_far_behind_catches_up_in_small_steps)
{
    struct house *h = house_open();
    house_relay(h);
    house_write(h, flood, h);
    struct ear e = listen_with(h, &h->carl, "/v1/events?after=1001", "");
    struct ear other = listen_with(h, &h->rolf, "/v1/events?after=1001", "");
    change_phone(h, h->client);
    house_relay(h);
    for (int i = 0; i < 100; i++) /* as the hub's thread does while somebody is behind */
        event_hub_tick(h->api->events);
    ck_assert(!str_has(hear(&e, "event: party.changed\n"), STR("event: resync")));
    ck_assert(!str_has(hear(&other, "event: party.changed\n"), STR("event: resync")));
    close(e.fd);
    close(other.fd);
    house_close(h);
}
END_TEST

Suite *events_suite(void);
Suite *events_suite(void)
{
    Suite *s = suite_create("events");
    TCase *c = tcase_create("events");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, events_come_in_order_with_ids_to_those_who_may_see_them);
    tcase_add_test(c, a_listener_goes_on_where_it_was);
    tcase_add_test(c, who_was_away_too_long_is_told_to_read_afresh);
    tcase_add_test(c, topics_and_a_party_can_be_asked_for);
    tcase_add_test(c, who_loses_the_right_hears_no_more);
    tcase_add_test(c, a_stream_ends_with_its_token_within_a_minute);
    tcase_add_test(c, a_stream_too_many_takes_the_place_of_the_oldest);
    tcase_add_test(c, who_resumes_far_behind_catches_up_in_small_steps);
    tcase_add_test(c, many_events_come_through_one_small_window);
    suite_add_tcase(s, c);
    return s;
}
