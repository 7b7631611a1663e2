/* Files that come in pieces, in a folder of the test's own. */
#include "api/stored.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static char folder[64];

static void setup(void)
{
    arena_init(&arena, (size_t)1024 * 1024);
    snprintf(folder, sizeof folder, "/tmp/hanse-stored-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    arena_fini(&arena);
}

static const char *in(const char *name)
{
    return arena_fmt(&arena, "%s/%s", folder, name).p;
}

static int make(const char *name)
{
    int fd = open(in(name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* A file that was last written at a second of 1970. */
static void make_at(const char *name, time_t second)
{
    int fd = make(name);
    const struct timespec times[] = {{.tv_sec = second}, {.tv_sec = second}};
    ck_assert_int_eq(futimens(fd, times), 0);
    close(fd);
}

static bool is_there(const char *name)
{
    struct stat about;
    return lstat(in(name), &about) == 0;
}

static void forget(const char *name)
{
    ck_assert_int_eq(unlink(in(name)), 0);
}

START_TEST(pieces_lie_where_they_belong)
{
    struct str hash = STR("");
    int64_t bytes = 0;
    int fd = make("a");
    ck_assert(stored_write(fd, STR("c"), 2));
    ck_assert(stored_write(fd, STR("ab"), 0));
    ck_assert(stored_hash(fd, &arena, &hash, &bytes));
    close(fd);
    /* of "abc", as FIPS 180-2 has it */
    ck_assert(
        str_eq(hash, STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
    ck_assert_int_eq(bytes, 3);
    forget("a");
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(what_cannot_be_written_is_said)
{
    make_at("a", 1);
    int fd = open(in("a"), O_RDONLY | O_CLOEXEC);
    ck_assert(!stored_write(fd, STR("x"), 0));
    ck_assert_int_eq(errno, EBADF);
    close(fd);
    forget("a");
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(only_old_unfinished_files_are_swept)
{
    size_t count = 9;
    make_at("old" STORED_UNFINISHED, 99);
    make_at("older" STORED_UNFINISHED, 1);
    make_at("new" STORED_UNFINISHED, 100);
    make_at("finished", 1);
    ck_assert_int_eq(mkdir(in("folder" STORED_UNFINISHED), 0700), 0);
    ck_assert_int_eq(symlink("finished", in("link" STORED_UNFINISHED)), 0);
    ck_assert(stored_sweep(folder, 100 * US_PER_SECOND, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert(!is_there("old" STORED_UNFINISHED) && !is_there("older" STORED_UNFINISHED));
    ck_assert(is_there("new" STORED_UNFINISHED));
    ck_assert(is_there("finished"));
    ck_assert(is_there("link" STORED_UNFINISHED));
    ck_assert(stored_sweep(folder, 100 * US_PER_SECOND, &count));
    ck_assert_uint_eq(count, 0);
    forget("new" STORED_UNFINISHED);
    forget("finished");
    forget("link" STORED_UNFINISHED);
    ck_assert_int_eq(rmdir(in("folder" STORED_UNFINISHED)), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_folder_that_is_not_there_has_none)
{
    size_t count = 9;
    ck_assert(stored_sweep(in("nothing"), 100, &count));
    ck_assert_uint_eq(count, 0);
    make_at("file", 1);
    ck_assert(!stored_sweep(in("file"), 100, &count));
    ck_assert_int_eq(errno, ENOTDIR);
    forget("file");
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

Suite *stored_suite(void);
Suite *stored_suite(void)
{
    Suite *s = suite_create("stored");
    TCase *c = tcase_create("stored");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, pieces_lie_where_they_belong);
    tcase_add_test(c, what_cannot_be_written_is_said);
    tcase_add_test(c, only_old_unfinished_files_are_swept);
    tcase_add_test(c, a_folder_that_is_not_there_has_none);
    suite_add_tcase(s, c);
    return s;
}
