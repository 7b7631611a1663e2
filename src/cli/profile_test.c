#include "cli/profile.h"

#include "cli/stage.h"

#include <sys/stat.h>

static struct stage stage;
static struct err err;

static void setup(void)
{
    stage_init(&stage);
    err_clear(&err);
}

static void teardown(void)
{
    stage_fini(&stage);
}

static const char *path_of(const char *name)
{
    return stage_path(&stage,
                      arena_cstr(&stage.arena, arena_fmt(&stage.arena, ".config/hanse%s", name)));
}

static void put(const char *name, const char *url)
{
    struct profile p = {.name = str_c(name),
                        .url = str_c(url),
                        .user = STR("ada@example.net"),
                        .token_id = STR("tok_1"),
                        .token = STR("hse_1"),
                        .ends = 90 * US_PER_DAY};
    ck_assert_msg(profiles_put(&stage.cli, &stage.arena, &p, &err) == RC_OK, "%s", err.text);
}

static struct profiles read_all(void)
{
    struct profiles all = {0};
    ck_assert_msg(profiles_read(&stage.cli, &stage.arena, &all, &err) == RC_OK, "%s", err.text);
    return all;
}

START_TEST(without_a_file_there_are_none)
{
    ck_assert_uint_eq(read_all().list.count, 0);
}
END_TEST

START_TEST(what_is_put_is_read_again_and_is_the_current_one)
{
    put("default", "http://127.0.0.1:8420");
    put("work", "https://cloud.example.net");
    struct profiles all = read_all();
    ck_assert_uint_eq(all.list.count, 2);
    ck_assert(str_eq(all.current, STR("work")));
    const struct profile *p = profiles_find(&all, STR("work"));
    ck_assert_ptr_nonnull(p);
    ck_assert(str_eq(p->url, STR("https://cloud.example.net")));
    ck_assert(str_eq(p->token, STR("hse_1")));
    ck_assert_int_eq(p->ends, 90 * US_PER_DAY);

    put("work", "https://other.example.net"); /* replaces */
    all = read_all();
    ck_assert_uint_eq(all.list.count, 2);
    ck_assert(str_eq(profiles_find(&all, STR("work"))->url, STR("https://other.example.net")));
}
END_TEST

START_TEST(files_are_for_their_owner_alone)
{
    put("default", "http://127.0.0.1:8420");
    struct stat st;
    ck_assert_int_eq(stat(path_of("/profiles.json"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(path_of("/"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0700);
    ck_assert_int_ne(access(path_of("/profiles.json.new"), F_OK), 0);
}
END_TEST

START_TEST(a_file_that_others_can_read_is_refused)
{
    put("default", "http://127.0.0.1:8420");
    ck_assert_int_eq(chmod(path_of("/profiles.json"), 0640), 0);
    struct profiles all = {0};
    ck_assert_int_eq(profiles_read(&stage.cli, &stage.arena, &all, &err), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("chmod 600")));
}
END_TEST

START_TEST(a_folder_that_others_can_write_is_refused)
{
    put("default", "http://127.0.0.1:8420");
    ck_assert_int_eq(chmod(path_of("/"), 0770), 0);
    struct profiles all = {0};
    ck_assert_int_eq(profiles_read(&stage.cli, &stage.arena, &all, &err), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("chmod 700")));
}
END_TEST

START_TEST(a_link_in_place_of_the_file_is_refused)
{
    put("default", "http://127.0.0.1:8420");
    ck_assert_int_eq(rename(path_of("/profiles.json"), path_of("/elsewhere")), 0);
    ck_assert_int_eq(symlink("elsewhere", path_of("/profiles.json")), 0);
    struct profiles all = {0};
    ck_assert_int_eq(profiles_read(&stage.cli, &stage.arena, &all, &err), RC_FORBIDDEN);
}
END_TEST

START_TEST(a_damaged_file_is_refused_without_showing_it)
{
    put("default", "http://127.0.0.1:8420");
    FILE *file = fopen(path_of("/profiles.json"), "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs("{\"profiles\": [{\"token\": \"hse_secret\"", file);
    (void)fclose(file);
    struct profiles all = {0};
    ck_assert_int_eq(profiles_read(&stage.cli, &stage.arena, &all, &err), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("damaged")));
    ck_assert(!str_has(err_text(&err), STR("hse_")));
}
END_TEST

START_TEST(use_and_remove_know_their_names)
{
    put("a", "http://127.0.0.1:1");
    put("b", "http://127.0.0.1:2");
    ck_assert_int_eq(profiles_use(&stage.cli, &stage.arena, STR("a"), &err), RC_OK);
    ck_assert(str_eq(read_all().current, STR("a")));
    ck_assert_int_eq(profiles_use(&stage.cli, &stage.arena, STR("c"), &err), RC_NOT_FOUND);
    ck_assert_int_eq(profiles_remove(&stage.cli, &stage.arena, STR("c"), &err), RC_NOT_FOUND);
    ck_assert_int_eq(profiles_remove(&stage.cli, &stage.arena, STR("a"), &err), RC_OK);
    struct profiles all = read_all();
    ck_assert_uint_eq(all.list.count, 1);
    ck_assert_uint_eq(all.current.n, 0);
}
END_TEST

START_TEST(what_a_dead_process_left_behind_is_no_hindrance)
{
    put("a", "http://127.0.0.1:1");
    FILE *file = fopen(path_of("/profiles.json.new"), "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs("half", file);
    (void)fclose(file);
    put("b", "http://127.0.0.1:2");
    ck_assert_uint_eq(read_all().list.count, 2);
}
END_TEST

START_TEST(xdg_config_home_is_honoured_where_it_is_absolute)
{
    stage_env(&stage, "XDG_CONFIG_HOME", stage_path(&stage, "xdg"));
    put("a", "http://127.0.0.1:1");
    ck_assert_int_eq(access(stage_path(&stage, "xdg/hanse/profiles.json"), F_OK), 0);
}
END_TEST

START_TEST(names_are_plain)
{
    ck_assert(profile_name_ok(STR("default")) && profile_name_ok(STR("a.b-c_1")));
    ck_assert(!profile_name_ok(STR("")) && !profile_name_ok(STR("-a")));
    ck_assert(!profile_name_ok(STR("a b")) && !profile_name_ok(STR("a/b")));
    ck_assert(!profile_name_ok(STR("01234567890123456789012345678901234567890")));
}
END_TEST

Suite *profile_suite(void);
Suite *profile_suite(void)
{
    Suite *s = suite_create("profile");
    TCase *c = tcase_create("profile");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, without_a_file_there_are_none);
    tcase_add_test(c, what_is_put_is_read_again_and_is_the_current_one);
    tcase_add_test(c, files_are_for_their_owner_alone);
    tcase_add_test(c, a_file_that_others_can_read_is_refused);
    tcase_add_test(c, a_folder_that_others_can_write_is_refused);
    tcase_add_test(c, a_link_in_place_of_the_file_is_refused);
    tcase_add_test(c, a_damaged_file_is_refused_without_showing_it);
    tcase_add_test(c, use_and_remove_know_their_names);
    tcase_add_test(c, what_a_dead_process_left_behind_is_no_hindrance);
    tcase_add_test(c, xdg_config_home_is_honoured_where_it_is_absolute);
    tcase_add_test(c, names_are_plain);
    suite_add_tcase(s, c);
    return s;
}
