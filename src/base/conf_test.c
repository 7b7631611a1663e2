#include "base/conf.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

struct settings {
    uint64_t set;
    struct str http_listen;
    int64_t http_threads;
    bool verbose;
    int64_t level;
    struct list hosts;
    struct str store;
};

static const char *const levels[] = {"debug", "info", NULL};

static const struct field fields[] = {
    FIELD(struct settings, http_listen, TEXT, .min = 1, .max = 100, .doc = "Where to listen."),
    FIELD(struct settings, http_threads, INT, .min = 1, .max = 64, .doc = "Threads."),
    FIELD(struct settings, verbose, BOOL, .doc = "Say more."),
    FIELD(struct settings, level, WORD, .words = levels, .doc = "What to log."),
    FIELD(struct settings, hosts, LIST, .max = 4, .doc = "Names."),
    FIELD(struct settings, store, TEXT, .flags = FIELD_REQUIRED, .min = 1, .doc = "Where to keep."),
};
static const struct schema schema = SCHEMA(struct settings, "settings", fields, "Settings.");

static struct arena arena;
static struct err err;
static char folder[64];

static void setup(void)
{
    arena_init(&arena, (size_t)16 * MIB);
    err_clear(&err);
    strncpy(folder, "/tmp/conf_test.XXXXXX", sizeof folder);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    ck_assert_int_eq(unlink(arena_fmt(&arena, "%s/f", folder).p) == 0 || errno == ENOENT, 1);
    ck_assert_int_eq(rmdir(folder), 0);
    arena_fini(&arena);
}

/* A file with this content; its path. */
static const char *file_with(struct str content, mode_t mode)
{
    const char *path = arena_fmt(&arena, "%s/f", folder).p;
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(content.p, 1, content.n, f), content.n);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
    return path;
}

static struct settings defaults(void)
{
    struct settings s = {.http_listen = STR("127.0.0.1:8080"), .http_threads = 2};
    s.set = UINT64_C(3);
    return s;
}

static enum rc load(const char *file, const char *const *environment, const char *const *flags,
                    struct settings *ret)
{
    struct conf_sources sources = {
        .file = file ? file_with(str_c(file), 0644) : NULL,
        .file_must_exist = true,
        .env_prefix = "HANSED",
        .environment = (char *const *)(uintptr_t)environment,
        .flags = flags,
    };
    while (flags != NULL && flags[sources.flag_count] != NULL)
        sources.flag_count++;
    return conf_load(&schema, &sources, &arena, ret, &err);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(later_sources_win_and_what_is_silent_stays)
{
    struct settings s = defaults();
    enum rc rc = load(
        "# comment\n\n  http_listen = [::]:80 # not a comment  \r\n"
        "http_threads=4\nstore = /var/lib/hanse\nhosts = a,b\nlevel=info",
        LIST("HANSED_HTTP_THREADS=8", "HANSED_VERBOSE=1", "HOME=/root", "HANSE_X=1", "HANSEDX=1"),
        LIST("--http-threads", "16", "--hosts=c,d,e", "--no-verbose"), &s);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    ck_assert(str_eq(s.http_listen, STR("[::]:80 # not a comment")));
    ck_assert_int_eq(s.http_threads, 16);
    ck_assert(!s.verbose);
    ck_assert_int_eq(s.level, 1);
    ck_assert_uint_eq(s.hosts.count, 3);
    ck_assert(str_eq(((const struct str *)s.hosts.items)[2], STR("e")));
    ck_assert_uint_eq(s.set, schema_all(&schema));
    s = defaults();
    ck_assert_int_eq(load("store=x", NULL, NULL, &s), RC_OK);
    ck_assert(str_eq(s.http_listen, STR("127.0.0.1:8080")) && s.http_threads == 2);
    ck_assert(schema_has(&schema, &s, "store") && !schema_has(&schema, &s, "verbose"));
}
END_TEST

START_TEST(a_bool_flag_stands_alone_or_has_a_value)
{
    struct settings s = defaults();
    ck_assert_int_eq(load("store=x", NULL, LIST("--verbose"), &s), RC_OK);
    ck_assert(s.verbose);
    ck_assert_int_eq(load("store=x", NULL, LIST("--verbose", "no"), &s), RC_OK);
    ck_assert(!s.verbose);
    ck_assert_int_eq(load("store=x", NULL, LIST("--verbose", "--http-threads=3"), &s), RC_OK);
    ck_assert(s.verbose && s.http_threads == 3);
    ck_assert_int_eq(load("store=x", NULL, LIST("--verbose=off", "--verbose"), &s), RC_OK);
    ck_assert(s.verbose);
}
END_TEST

static void check_refused(const char *file, const char *const *environment,
                          const char *const *flags, const char *sentence, const char *pointer)
{
    struct settings s = defaults();
    err_clear(&err);
    ck_assert_msg(load(file, environment, flags, &s) == RC_INVALID, "%s", sentence);
    /* Where the file is named, the sentence begins with the folder. */
    ck_assert_msg(str_ends(err_text(&err), str_c(sentence)), "%s", err.text);
    ck_assert(sentence[0] == '/' || err.text_n == strlen(sentence));
    ck_assert_str_eq(err.pointer, pointer);
    /* All or nothing. */
    ck_assert_uint_eq(s.set, 3);
    ck_assert_int_eq(s.http_threads, 2);
}

START_TEST(what_is_wrong_is_named_with_its_source)
{
    check_refused("store=x\nhttp_threads = 3\nhtpp_listen = y\n", NULL, NULL,
                  "/f:3: there is no setting 'htpp_listen'; did you mean 'http_listen'?",
                  "htpp_listen");
    check_refused("\n\nhttp_threads = 65", NULL, NULL,
                  "/f:3: setting 'http_threads' must be from 1 to 64, this is 65", "http_threads");
    check_refused("http_threads 65", NULL, NULL,
                  "/f:1: expected 'key = value', found 'http_threads 65'", "");
    check_refused("store=x\nstore=y", NULL, NULL, "/f:2: setting 'store' is there twice", "store");
    check_refused("verbose = perhaps", NULL, NULL, "/f:1: setting 'verbose' must be true or false",
                  "verbose");
    check_refused("level = loud", NULL, NULL, "/f:1: setting 'level' must be one of debug, info",
                  "level");
    check_refused("store = \xFF", NULL, NULL, "/f' is not UTF-8 text", "");
    check_refused("http_threads = 9", NULL, NULL, "setting 'store' is required", "store");
    check_refused("store=x", LIST("HANSED_HTTP_THREAD=3"), NULL,
                  "environment: HANSED_HTTP_THREAD: there is no setting 'http_thread'; did you "
                  "mean 'http_threads'?",
                  "http_thread");
    check_refused("store=x", LIST("HANSED_http_threads=3"), NULL,
                  "environment: HANSED_http_threads: write variables in upper case",
                  "http_threads");
    check_refused("store=x", LIST("HANSED_HTTP_THREADS="), NULL,
                  "environment: HANSED_HTTP_THREADS: setting 'http_threads' must be a whole number",
                  "http_threads");
    check_refused("store=x", NULL, LIST("--thread", "3"), "--thread: there is no setting 'thread'",
                  "thread");
    check_refused("store=x", NULL, LIST("--http_threads", "3"),
                  "--http_threads: write flags with '-' and not '_'", "http_threads");
    check_refused("store=x", NULL, LIST("--http-threads"), "--http-threads: a value must follow",
                  "http_threads");
    check_refused("store=x", NULL, LIST("--http-threads", "--verbose"),
                  "--http-threads: a value must follow", "http_threads");
    check_refused("store=x", NULL, LIST("--no-store"), "--no-store: there is no setting 'no_store'",
                  "no_store");
    check_refused("store=x", NULL, LIST("stray"),
                  "'stray' is no flag: settings are given as --key value", "");
    check_refused("store=x", NULL, LIST("--"), "'--' is no flag: settings are given as --key value",
                  "");
    check_refused("store=x", NULL, LIST("--store="),
                  "--store: setting 'store' must have 1 to 200 characters, this has 0", "store");
}
END_TEST

START_TEST(a_file_may_be_missing_unless_it_was_named)
{
    struct settings s = defaults();
    s.set = schema_all(&schema);
    struct conf_sources sources = {.file = arena_fmt(&arena, "%s/none", folder).p};
    ck_assert_int_eq(conf_load(&schema, &sources, &arena, &s, &err), RC_OK);
    sources.file_must_exist = true;
    ck_assert_int_eq(conf_load(&schema, &sources, &arena, &s, &err), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("No such file")));
    sources.file = folder;
    ck_assert_int_eq(conf_load(&schema, &sources, &arena, &s, &err), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("is not a regular file")));
}
END_TEST

START_TEST(a_file_past_its_bound_is_refused)
{
    char *p = arena_bytes(&arena, CONF_FILE_MAX + 2);
    memset(p, '\n', CONF_FILE_MAX + 1);
    p[CONF_FILE_MAX + 1] = '\0';
    struct settings s = defaults();
    ck_assert_int_eq(load(p, NULL, NULL, &s), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("is larger than 65536 bytes")));
    p[CONF_FILE_MAX] = '\0';
    memcpy(p, "store=x", 7);
    ck_assert_int_eq(load(p, NULL, NULL, &s), RC_OK);
}
END_TEST

START_TEST(help_names_every_way_to_give_a_setting)
{
    struct buf out;
    buf_init(&out, &arena, (size_t)16 * KIB);
    struct settings s = defaults();
    conf_help(&schema, "HANSED", &s, &arena, &out);
    ck_assert(!out.full);
    ck_assert(str_starts(buf_str(&out), STR("http_listen = 127.0.0.1:8080\n"
                                            "    Where to listen.\n"
                                            "    text, 1 to 100 characters\n"
                                            "    HANSED_HTTP_LISTEN, --http-listen\n"
                                            "\n"
                                            "http_threads = 2\n")));
    ck_assert(str_has(buf_str(&out), STR("\nverbose =\n    Say more.\n    true or false\n"
                                         "    HANSED_VERBOSE, --verbose, --no-verbose\n")));
    ck_assert(str_has(buf_str(&out), STR("\nlevel =\n    What to log.\n    one of debug, info\n")));
    ck_assert(str_has(buf_str(&out), STR("characters; required\n    HANSED_STORE, --store\n")));
}
END_TEST

START_TEST(a_secret_is_the_first_line_of_a_private_file)
{
    struct str secret = {NULL, 0};
    ck_assert_int_eq(conf_secret(file_with(STR("s3cret \nmore\n"), 0600), &arena, &secret, &err),
                     RC_OK);
    ck_assert(str_eq(secret, STR("s3cret ")));
    ck_assert_int_eq(conf_secret(file_with(STR("no line end"), 0400), &arena, &secret, &err),
                     RC_OK);
    ck_assert(str_eq(secret, STR("no line end")));
    ck_assert_int_eq(conf_secret(file_with(STR("windows\r\n"), 0600), &arena, &secret, &err),
                     RC_OK);
    ck_assert(str_eq(secret, STR("windows")));
}
END_TEST

START_TEST(a_secret_that_others_may_read_is_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0644, 0700, 0601};
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct str secret = STR("untouched");
        const char *path = file_with(STR("s3cret"), modes[i]);
        ck_assert_int_eq(conf_secret(path, &arena, &secret, &err), RC_INVALID);
        ck_assert(str_has(err_text(&err), STR("holds a secret but others may use it")));
        ck_assert(!str_has(err_text(&err), STR("s3cret")));
        ck_assert(str_eq(secret, STR("untouched")));
    }
}
END_TEST

START_TEST(a_secret_that_belongs_to_another_is_refused)
{
    const char *path = file_with(STR("s3cret"), 0600);
    if (geteuid() != 0 || chown(path, 12345, (gid_t)-1) != 0)
        return; /* only root can give a file away */
    struct str secret = STR("untouched");
    ck_assert_int_eq(conf_secret(path, &arena, &secret, &err), RC_INVALID);
    ck_assert(str_has(err_text(&err), STR("belongs to another user (12345)")));
}
END_TEST

START_TEST(a_secret_that_is_none_is_refused)
{
    char *large = arena_bytes(&arena, CONF_SECRET_MAX + 1);
    memset(large, 'x', CONF_SECRET_MAX + 1);
    struct str secret = STR("untouched");
    const struct str contents[] = {STR(""),     STR("\nsecond"), STR("\r\n"),
                                   STR("a\0b"), STR("\xFF\n"),   str_n(large, CONF_SECRET_MAX + 1)};
    for (size_t i = 0; i < COUNT(contents); i++) {
        ck_assert_int_eq(conf_secret(file_with(contents[i], 0600), &arena, &secret, &err),
                         RC_INVALID);
        ck_assert(str_eq(secret, STR("untouched")));
    }
    ck_assert_int_eq(conf_secret("/nowhere/at/all", &arena, &secret, &err), RC_INVALID);
    ck_assert_int_eq(conf_secret(folder, &arena, &secret, &err), RC_INVALID);
}
END_TEST

Suite *conf_suite(void);
Suite *conf_suite(void)
{
    Suite *s = suite_create("conf");
    TCase *c = tcase_create("conf");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, later_sources_win_and_what_is_silent_stays);
    tcase_add_test(c, a_bool_flag_stands_alone_or_has_a_value);
    tcase_add_test(c, what_is_wrong_is_named_with_its_source);
    tcase_add_test(c, a_file_may_be_missing_unless_it_was_named);
    tcase_add_test(c, a_file_past_its_bound_is_refused);
    tcase_add_test(c, help_names_every_way_to_give_a_setting);
    tcase_add_test(c, a_secret_is_the_first_line_of_a_private_file);
    tcase_add_test(c, a_secret_that_others_may_read_is_refused);
    tcase_add_test(c, a_secret_that_belongs_to_another_is_refused);
    tcase_add_test(c, a_secret_that_is_none_is_refused);
    suite_add_tcase(s, c);
    return s;
}
