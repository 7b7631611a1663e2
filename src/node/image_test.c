/* Files of the agent, and what becomes an image. */
#include "node/file.h"

#include "node/image.h"
#include "node/image_disk.h"
#include "node/scratch.h"

#include <check.h>
#include <limits.h>
#include <unistd.h>

static struct arena arena;
static struct err err;
static char home[64];

static void setup(void)
{
    arena_init(&arena, (size_t)1024 * 1024);
    err_clear(&err);
    snprintf(home, sizeof home, "/tmp/hanse-image-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
}

static void teardown(void)
{
    ck_assert_int_eq(file_remove(home, &err), RC_OK);
    arena_fini(&arena);
}

static const char *in(const char *name)
{
    return arena_fmt(&arena, "%s/%s", home, name).p;
}

START_TEST(a_finished_file_takes_the_place_of_another)
{
    struct str text;
    ck_assert_int_eq(file_write(in("a"), STR("new"), &err), RC_OK);
    ck_assert_int_eq(file_write(in("b"), STR("old"), &err), RC_OK);
    ck_assert_int_eq(file_rename(in("a"), in("b"), &err), RC_OK);
    ck_assert(!file_exists(in("a")));
    ck_assert_int_eq(file_read(in("b"), 10, &arena, &text, &err), RC_OK);
    ck_assert(str_eq(text, STR("new")));
}
END_TEST

START_TEST(a_file_without_a_place_is_kept_where_it_was)
{
    ck_assert_int_eq(file_write(in("a"), STR("new"), &err), RC_OK);
    ck_assert_int_eq(file_rename(in("a"), in("none/b"), &err), RC_NOT_FOUND);
    ck_assert(file_exists(in("a")));
    ck_assert_int_eq(file_rename(in("c"), in("a"), &err), RC_NOT_FOUND);
    ck_assert(file_exists(in("a")));
}
END_TEST

START_TEST(a_scratch_folder_is_gone_when_it_is_left)
{
    struct scratch scratch;
    char before[PATH_MAX];
    char after[PATH_MAX];
    ck_assert_int_eq(file_make_folder(in("tree"), &err), RC_OK);
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert(!scratch_enter(&scratch, in("tree"), SCRATCH_AVAILABLE_MIN - 1));
    bool entered = scratch_enter(&scratch, in("tree"), SCRATCH_AVAILABLE_MIN);
    ck_assert(entered || geteuid() != 0); /* root may mount */
    ck_assert_int_eq(file_write(in("tree/a"), STR("new"), &err), RC_OK);
    ck_assert(!scratch_is_full(&scratch, in("tree")));
    scratch_leave(&scratch);
    scratch_leave(&scratch);
    ck_assert_int_eq(file_exists(in("tree/a")), !entered);
    ck_assert_ptr_nonnull(getcwd(after, sizeof after));
    ck_assert_str_eq(before, after);
}
END_TEST

/* of "abc", as FIPS 180-2 has it */
#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

START_TEST(an_image_is_kept_under_its_hash)
{
    struct spec_image image;
    ck_assert_int_eq(file_make_folder(in("images"), &err), RC_OK);
    ck_assert_int_eq(file_write(in("a"), STR("abc"), &err), RC_OK);
    ck_assert_int_eq(image_take(home, in("a"), STR(HASH), &image, &arena, &err), RC_OK);
    ck_assert(str_eq(image.sha256, STR(HASH)));
    ck_assert_int_eq(image.bytes, 3);
    ck_assert(file_exists(in("images/" HASH)));
    ck_assert(!file_exists(in("a")));
}
END_TEST

START_TEST(a_poisoned_image_is_removed)
{
    struct spec_image image;
    ck_assert_int_eq(file_make_folder(in("images"), &err), RC_OK);
    ck_assert_int_eq(file_write(in("a"), STR("abd"), &err), RC_OK);
    ck_assert_int_eq(image_take(home, in("a"), STR(HASH), &image, &arena, &err), RC_INVALID);
    ck_assert(!file_exists(in("images/" HASH)));
    ck_assert(!file_exists(in("a")));
}
END_TEST

START_TEST(an_order_that_makes_no_sense_is_refused_before_anything_is_built)
{
    static const char *const none[] = {NULL};
    static const char *const path[] = {"../x", NULL};
    const struct str program = STR("/bin/sh");
    const struct {
        struct image_order order;
        const char *says;
    } orders[] = {
        {{.name = STR("A"), .words = none}, "no name of an image"},
        {{.name = STR("a"), .words = none}, "made of packages, or of a folder"},
        {{.name = STR("a"), .words = path}, "no package's name"},
        {{.name = STR("a"), .folder = home, .programs = &program, .program_count = 1},
         "into an image of packages"},
        {{.name = STR("a"), .words = none, .folder = home, .disk = true}, "packages alone"},
        {{.name = STR("a"), .words = none, .programs = &program, .program_count = 1, .disk = true},
         "packages alone"},
    };
    struct spec_image image;
    for (size_t i = 0; i < COUNT(orders); i++) {
        err_clear(&err);
        ck_assert_int_eq(image_build(home, &orders[i].order, &arena, &image, &err), RC_INVALID);
        ck_assert_msg(str_has(err_text(&err), str_c(orders[i].says)), "order %zu: %.*s", i,
                      STRF(err_text(&err)));
        ck_assert(!file_exists(in("images")));
    }
}
END_TEST

START_TEST(what_was_built_of_the_same_is_found_again)
{
    static const char *const none[] = {NULL};
    struct image_order order = {.name = STR("a"), .suite = STR("s"), .words = none, .disk = true};
    struct spec_image image;
    struct str note = arena_fmt(&arena, HASH " 3\ndisk %s s", image_disk_packages);
    ck_assert_int_eq(file_make_folder(in("images/names"), &err), RC_OK);
    ck_assert_int_eq(file_write(in("images/" HASH), STR("abc"), &err), RC_OK);
    ck_assert_int_eq(file_write(in("images/names/a"), note, &err), RC_OK);
    ck_assert_int_eq(image_build(home, &order, &arena, &image, &err), RC_OK);
    ck_assert(str_eq(image.sha256, STR(HASH)));
    ck_assert(str_eq(image.format, STR("qcow2")));
    ck_assert_int_eq(image.bytes, 3);
    ck_assert_int_eq(file_write(in("images/names/a"), STR(HASH " 3\ns"), &err), RC_OK);
    ck_assert_int_eq(image_named(home, STR("a"), &arena, &image, &err), RC_OK);
    ck_assert(str_eq(image.format, STR("squashfs")));
}
END_TEST

Suite *image_suite(void);
Suite *image_suite(void)
{
    Suite *s = suite_create("image");
    TCase *c = tcase_create("image");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_finished_file_takes_the_place_of_another);
    tcase_add_test(c, a_file_without_a_place_is_kept_where_it_was);
    tcase_add_test(c, a_scratch_folder_is_gone_when_it_is_left);
    tcase_add_test(c, an_image_is_kept_under_its_hash);
    tcase_add_test(c, a_poisoned_image_is_removed);
    tcase_add_test(c, an_order_that_makes_no_sense_is_refused_before_anything_is_built);
    tcase_add_test(c, what_was_built_of_the_same_is_found_again);
    suite_add_tcase(s, c);
    return s;
}
