#include "base/durable.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[PATH_MAX];

static const char *in(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/hanse-durable-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    int fd = open(in("a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
}

static void tear_down(void)
{
    ck_assert_int_eq(unlink(in("a")), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(what_is_there_is_made_durable)
{
    ck_assert(durable_file(in("a")));
    ck_assert(durable_folder(folder));
    ck_assert(durable_name(in("a")));
    /* A name alone is in the folder where we are; that of the root is in the root. */
    ck_assert(durable_name("a"));
    ck_assert(durable_name("/a"));
}
END_TEST

START_TEST(what_is_not_there_is_said)
{
    ck_assert(!durable_file(in("b")));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(!durable_folder(in("a")));
    ck_assert_int_eq(errno, ENOTDIR);
    ck_assert(!durable_folder(in("b")));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(!durable_name(in("b/c")));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(a_path_of_any_length_is_safe)
{
    char *large = malloc(2 * PATH_MAX);
    ck_assert_ptr_nonnull(large);
    memset(large, 'a', 2 * PATH_MAX);
    large[2 * PATH_MAX - 1] = '\0';
    ck_assert(durable_name(large)); /* a name alone */
    large[2 * PATH_MAX - 2] = '/';
    ck_assert(!durable_name(large));
    ck_assert_int_eq(errno, ENAMETOOLONG);
    free(large);
}
END_TEST

Suite *durable_suite(void);
Suite *durable_suite(void)
{
    Suite *s = suite_create("durable");
    TCase *c = tcase_create("durable");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, what_is_there_is_made_durable);
    tcase_add_test(c, what_is_not_there_is_said);
    tcase_add_test(c, a_path_of_any_length_is_safe);
    suite_add_tcase(s, c);
    return s;
}
