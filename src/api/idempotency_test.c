/*
 * A repeated request has its effect once, and its answer is for its sender alone.
 */
#include "api/api_fixture.h"

#define PARTY "{\"name\":\"Once\",\"kind\":\"company\",\"address\":{\"country\":\"FR\"}}"
#define KEY   "Idempotency-Key: 7f0c-1\r\n"

static struct answer add(struct house *h, const struct guest *who, const char *key,
                         const char *body)
{
    return ask(h, who, "POST", STR("/v1/parties"), str_c(key), str_c(body));
}

static size_t count_named(struct house *h, const struct guest *who, const char *name)
{
    struct answer a = get(h, who, arena_fmt(&h->arena, "/v1/parties?q=%s", name).p);
    return items_in(h, &a);
}

START_TEST(a_repeat_is_answered_alike_and_does_nothing)
{
    struct house *h = house_open();
    struct answer first = add(h, &h->rita, KEY, PARTY);
    STATUS(first, 201);
    ck_assert_uint_eq(header(&first, "Idempotent-Replayed").n, 0);
    struct answer again = add(h, &h->rita, KEY, PARTY);
    STATUS(again, 201);
    SAME(header(&again, "Idempotent-Replayed"), STR("true"));
    SAME(again.body, first.body);
    static const char *const same[] = {"Location", "ETag", "Content-Type", "Cache-Control"};
    for (size_t i = 0; i < COUNT(same); i++)
        SAME(header(&again, same[i]), header(&first, same[i]));
    ck_assert_uint_eq(count_named(h, &h->rita, "Once"), 1);
    struct answer log = get(h, &h->rita, at(h, "/v1/parties/", h->reseller, "/audit"));
    ck_assert_uint_eq(items_in(h, &log), 1);
    house_close(h);
}
END_TEST

START_TEST(a_key_is_for_one_request_of_one_caller)
{
    struct house *h = house_open();
    STATUS(add(h, &h->rita, KEY, PARTY), 201);
    STATUS(add(h, &h->rita, KEY, PARTY " "), 422);
    struct str elsewhere = str_c(at(h, "/v1/parties?sponsor=", h->reseller, ""));
    STATUS(ask(h, &h->rita, "POST", elsewhere, STR(KEY), STR(PARTY)), 422);
    struct answer other = add(h, &h->olga, KEY, PARTY);
    STATUS(other, 201);
    ck_assert_uint_eq(header(&other, "Idempotent-Replayed").n, 0);
    ck_assert_uint_eq(count_named(h, &h->rita, "Once"), 1);
    house_close(h);
}
END_TEST

START_TEST(what_failed_is_tried_anew)
{
    struct house *h = house_open();
    STATUS(add(h, &h->rita, KEY, "{\"name\":\"Once\"}"), 422);
    STATUS(add(h, &h->rita, KEY, PARTY), 201);
    /* The access rule comes first: who is nobody any more is not answered from the table. */
    struct answer tokens = get(h, &h->rita, "/v1/tokens");
    const struct json *token = json_first(json_get(json_of(h, &tokens), STR("items")));
    struct str path = str_c(at(h, "/v1/tokens/", json_text(json_get(token, STR("id"))), ""));
    STATUS(ask(h, &h->rita, "DELETE", path, STR(""), STR("")), 204);
    STATUS(add(h, &h->rita, KEY, PARTY), 401);
    house_close(h);
}
END_TEST

START_TEST(keys_that_are_none_are_refused)
{
    struct house *h = house_open();
    char longest[300] = "Idempotency-Key: ";
    for (size_t i = 0; i < IDEMPOTENCY_KEY_MAX; i++)
        strncat(longest, "k", sizeof longest - strlen(longest) - 1);
    struct str ok = arena_fmt(&h->arena, "%s\r\n", longest);
    struct str bad = arena_fmt(&h->arena, "%sk\r\n", longest);
    STATUS(ask(h, &h->rita, "POST", STR("/v1/parties"), bad, STR(PARTY)), 400);
    STATUS(ask(h, &h->rita, "POST", STR("/v1/parties"), ok, STR(PARTY)), 201);
    STATUS(add(h, &h->rita, "Idempotency-Key: a b\r\n", PARTY), 400);
    STATUS(add(h, &h->rita, "Idempotency-Key: \xC3\xA9\r\n", PARTY), 400);
    house_close(h);
}
END_TEST

START_TEST(after_a_day_the_key_is_free_again)
{
    struct house *h = house_open();
    struct answer first = add(h, &h->rita, KEY, PARTY);
    house_advance(h, IDEMPOTENCY_KEEP_US + US_PER_SECOND);
    struct answer later = add(h, &h->rita, KEY, PARTY);
    STATUS(later, 201);
    ck_assert(!str_eq(later.body, first.body));
    struct answer again = add(h, &h->rita, KEY, PARTY);
    SAME(again.body, later.body);
    house_close(h);
}
END_TEST

static enum rc count_rows(struct tx *tx, void *arg)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM idempotency"));
    *(int64_t *)arg = row_int(&rows, 0, 0);
    return RC_OK;
}

START_TEST(what_is_too_old_goes_as_keys_are_used)
{
    struct house *h = house_open();
    for (int day = 0; day < 2; day++) {
        for (int i = 0; i < 300; i++) {
            const char *key = arena_fmt(&h->arena, "Idempotency-Key: %d-%d\r\n", day, i).p;
            STATUS(ask(h, &h->carl, "PATCH", STR("/v1/me"), str_c(key), STR("{\"name\":\"C\"}")),
                   200);
        }
        house_advance(h, IDEMPOTENCY_KEEP_US + US_PER_SECOND);
    }
    int64_t rows = 0;
    house_write(h, count_rows, &rows);
    ck_assert_int_eq(rows, 300);
    house_close(h);
}
END_TEST

/* --- at the same time --- */

enum { RACERS = 8 };

struct racer {
    struct house *house;
    pthread_t thread;
    struct answer answer;
    struct arena arena;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    /* An arena is for one thread: no more of the house than asking needs. */
    struct house own = {.server = r->house->server, .arena = r->arena};
    r->answer = add(&own, &r->house->rita, KEY, PARTY);
    r->arena = own.arena;
    return NULL;
}

START_TEST(many_at_once_have_one_effect_and_one_answer)
{
    struct house *h = house_open();
    struct racer racers[RACERS] = {0};
    for (int i = 0; i < RACERS; i++) {
        racers[i].house = h;
        arena_init(&racers[i].arena, HOUSE_ARENA_BYTES);
        ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    size_t fresh = 0;
    for (int i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        STATUS(racers[i].answer, 201);
        SAME(racers[i].answer.body, racers[0].answer.body);
        fresh += header(&racers[i].answer, "Idempotent-Replayed").n == 0;
    }
    ck_assert_uint_eq(fresh, 1);
    ck_assert_uint_eq(count_named(h, &h->rita, "Once"), 1);
    for (int i = 0; i < RACERS; i++)
        arena_fini(&racers[i].arena);
    house_close(h);
}
END_TEST

/* --- work beside the tx --- */

START_TEST(an_invitation_is_accepted_once_and_a_lost_answer_can_be_had_again)
{
    struct house *h = house_open();
    struct answer made = post(h, &h->carl, at(h, "/v1/parties/", h->client, "/invitations"),
                              "{\"joins\":true,\"role\":\"reader\"}");
    struct str body = arena_fmt(&h->arena,
                                "{\"token\":\"%.*s\",\"email\":\"n@example.net\",\"name\":\"N\","
                                "\"password\":\"a long passphrase 7\"}",
                                STRF(text_at(h, &made, "link")));
    struct str path = STR("/v1/invitations/actions/accept");
    struct answer first = ask(h, NULL, "POST", path, STR(KEY), body);
    STATUS(first, 201);
    struct answer again = ask(h, NULL, "POST", path, STR(KEY), body);
    STATUS(again, 201);
    SAME(header(&again, "Idempotent-Replayed"), STR("true"));
    SAME(again.body, first.body);
    STATUS(ask(h, NULL, "POST", path, STR(""), body), 410);
    house_close(h);
}
END_TEST

Suite *idempotency_suite(void);
Suite *idempotency_suite(void)
{
    Suite *s = suite_create("idempotency");
    TCase *c = tcase_create("idempotency");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_repeat_is_answered_alike_and_does_nothing);
    tcase_add_test(c, a_key_is_for_one_request_of_one_caller);
    tcase_add_test(c, what_failed_is_tried_anew);
    tcase_add_test(c, keys_that_are_none_are_refused);
    tcase_add_test(c, after_a_day_the_key_is_free_again);
    tcase_add_test(c, what_is_too_old_goes_as_keys_are_used);
    tcase_add_test(c, many_at_once_have_one_effect_and_one_answer);
    tcase_add_test(c, an_invitation_is_accepted_once_and_a_lost_answer_can_be_had_again);
    suite_add_tcase(s, c);
    return s;
}
