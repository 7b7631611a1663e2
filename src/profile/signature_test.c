#include "profile/signature.h"

#include <check.h>

static struct signature_request request(struct str body)
{
    return (struct signature_request){.method = STR("POST"),
                                      .target = STR("/v1/node/reports?x=1"),
                                      .node = STR("nod_1"),
                                      .time = 1000 * US_PER_SECOND,
                                      .body = body};
}

START_TEST(signature_fits_what_was_signed_and_nothing_else)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    uint8_t key[SIGNATURE_PUBLIC_BYTES], other[SIGNATURE_PUBLIC_BYTES];
    uint8_t secret[SIGNATURE_SECRET_BYTES], unused[SIGNATURE_SECRET_BYTES];
    signature_pair(key, secret);
    signature_pair(other, unused);
    struct signature_request r = request(STR("{\"a\":1}"));
    struct str text = signature_make(&r, secret, &arena);
    struct err err = {0};
    ck_assert_int_eq(signature_check(&r, text, key, r.time, &arena, &err), RC_OK);
    ck_assert_int_eq(signature_check(&r, text, other, r.time, &arena, &err), RC_UNAUTHENTICATED);

    struct signature_request changed[] = {r, r, r, r, r};
    changed[0].method = STR("PUT");
    changed[1].target = STR("/v1/node/reports?x=2");
    changed[2].node = STR("nod_2");
    changed[3].time++;
    changed[4].body = STR("{\"a\":2}");
    for (size_t i = 0; i < COUNT(changed); i++) {
        err = (struct err){0};
        ck_assert_int_eq(signature_check(&changed[i], text, key, r.time, &arena, &err),
                         RC_UNAUTHENTICATED);
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(signature_of_another_time_or_shape_is_refused)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    uint8_t key[SIGNATURE_PUBLIC_BYTES], secret[SIGNATURE_SECRET_BYTES];
    signature_pair(key, secret);
    struct signature_request r = request(STR(""));
    struct str text = signature_make(&r, secret, &arena);
    const time_us bad[] = {r.time + SIGNATURE_SKEW_US + 1, r.time - SIGNATURE_SKEW_US - 1,
                           INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = {0};
        ck_assert_int_eq(signature_check(&r, text, key, bad[i], &arena, &err), RC_UNAUTHENTICATED);
    }
    const struct str shapes[] = {STR(""), STR("!"), STR("AAAA"), {text.p, text.n - 1}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct err err = {0};
        ck_assert_int_eq(signature_check(&r, shapes[i], key, r.time, &arena, &err),
                         RC_UNAUTHENTICATED);
    }
    struct err err = {0};
    ck_assert_int_eq(signature_check(&r, text, key, r.time + SIGNATURE_SKEW_US, &arena, &err),
                     RC_OK);
    arena_fini(&arena);
}
END_TEST

Suite *signature_suite(void);
Suite *signature_suite(void)
{
    Suite *s = suite_create("signature");
    TCase *t = tcase_create("signature");
    tcase_add_test(t, signature_fits_what_was_signed_and_nothing_else);
    tcase_add_test(t, signature_of_another_time_or_shape_is_refused);
    suite_add_tcase(s, t);
    return s;
}
