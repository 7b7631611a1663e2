#include "http/probe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <zlib.h>

static char folder[64];
static struct http_server *server;

static void write_file(const char *name, struct str bytes)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
    close(fd);
}

static void serve(void *arg, struct http_exchange *x)
{
    (void)arg;
    if (!http_reply_file(x, folder, http_path(x)))
        http_reply(x, 404, "text/plain", STR("none"));
}

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static void setup(void)
{
    static char long_text[5000];
    memset(long_text, 'x', sizeof long_text);
    memcpy(folder, "/tmp/hanse-file-XXXXXX", sizeof "/tmp/hanse-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char path[128];
    (void)snprintf(path, sizeof path, "%s/www", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/www/assets", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    write_file("secret.txt", STR("secret"));
    write_file("www/digits.bin", str_c(digits));
    write_file("www/empty.txt", STR(""));
    write_file("www/.hidden", STR("secret"));
    write_file("www/app-3f9a0c1d.js", STR("let a;"));
    write_file("www/minutes-20261122.pdf", STR("%PDF"));
    write_file("www/my-facade-decadebed.html", STR("<p>"));
    write_file("www/assets/index-BkX_a-Qz.css", STR("a{}"));
    write_file("www/long.txt", str_n(long_text, sizeof long_text));
    write_file("www/packed.js", str_n(long_text, sizeof long_text));
    write_file("www/packed.js.gz", STR("not really gzip"));
    (void)snprintf(path, sizeof path, "%s/www/link.txt", folder);
    ck_assert_int_eq(symlink("../secret.txt", path), 0);
    (void)snprintf(path, sizeof path, "%s/www/up", folder);
    ck_assert_int_eq(symlink("..", path), 0);
    (void)snprintf(path, sizeof path, "%s/www/pipe", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    (void)strncat(folder, "/www", 8);
    server = probe_open(&(struct http_options){.handler.request = serve});
}

static void teardown(void)
{
    http_close(server, US_PER_SECOND);
    char command[128];
    folder[strlen(folder) - 4] = '\0';
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): our own folder */
}

static char *ask(const char *method, const char *path, const char *headers)
{
    char request[1024];
    (void)snprintf(request, sizeof request,
                   "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n", method, path,
                   headers);
    return probe_ask(server, request);
}

static void expect(const char *path, const char *headers, int status, const char *part)
{
    char *r = ask("GET", path, headers);
    ck_assert_msg(probe_status(r) == status, "%s %s: %s", path, headers, r);
    ck_assert_msg(strstr(r, part) != NULL, "%s %s: %s", path, headers, r);
    free(r);
}

START_TEST(file_has_type_tag_and_the_right_age)
{
    expect("/digits.bin", "", 200, "\r\n\r\n0123456789abcdefghijklmnopqrstuvwxyz");
    expect("/digits.bin", "", 200, "Content-Type: application/octet-stream\r\n");
    expect("/digits.bin", "", 200, "Cache-Control: no-cache\r\n");
    expect("/digits.bin", "", 200, "X-Content-Type-Options: nosniff\r\n");
    expect("/digits.bin", "", 200, "Accept-Ranges: bytes\r\n");
    expect("/empty.txt", "", 200, "Content-Length: 0\r\n");
    expect("/app-3f9a0c1d.js", "", 200, "Cache-Control: public, max-age=31536000, immutable\r\n");
    expect("/app-3f9a0c1d.js", "", 200, "Content-Type: text/javascript; charset=utf-8\r\n");
    expect("/assets/index-BkX_a-Qz.css", "", 200, "immutable");
    expect("/minutes-20261122.pdf", "", 200, "Cache-Control: no-cache\r\n");
    expect("/my-facade-decadebed.html", "", 200, "Cache-Control: no-cache\r\n");
    char *r = ask("HEAD", "/digits.bin", "");
    ck_assert_ptr_nonnull(strstr(r, "Content-Length: 36\r\n"));
    ck_assert_str_eq(strstr(r, "\r\n\r\n"), "\r\n\r\n");
    free(r);
    r = ask("POST", "/digits.bin", "Content-Length: 0\r\n");
    ck_assert_int_eq(probe_status(r), 404);
    free(r);
}
END_TEST

START_TEST(nothing_outside_the_folder_is_ever_served)
{
    static const char *const paths[] = {
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/link.txt",
        "/up/secret.txt",
        "/.hidden",
        "/pipe",
        "/",
        "/assets",
        "/assets/",
        "//etc/passwd",
        "/digits.bin/",
        "/digits.bin/x",
        "/none",
        "/%00",
    };
    for (size_t i = 0; i < COUNT(paths); i++) {
        char *r = ask("GET", paths[i], "");
        ck_assert_msg(probe_status(r) == 404 || probe_status(r) == 400, "%s: %s", paths[i], r);
        ck_assert_ptr_null(strstr(r, "\r\n\r\nsecret"));
        free(r);
    }
}
END_TEST

static const char *etag_of(const char *path, const char *headers, char text[64])
{
    char *r = ask("GET", path, headers);
    const char *tag = strstr(r, "ETag: ");
    ck_assert_ptr_nonnull(tag);
    size_t n = strcspn(tag + 6, "\r");
    ck_assert_uint_lt(n, 64);
    memcpy(text, tag + 6, n);
    text[n] = '\0';
    free(r);
    return text;
}

START_TEST(known_version_is_answered_304)
{
    char tag[64];
    char header[256];
    (void)etag_of("/digits.bin", "", tag);
    (void)snprintf(header, sizeof header, "If-None-Match: \"other\", W/%s\r\n", tag);
    expect("/digits.bin", header, 304, "ETag: ");
    char *r = ask("GET", "/digits.bin", header);
    ck_assert_str_eq(strstr(r, "\r\n\r\n"), "\r\n\r\n");
    free(r);
    expect("/digits.bin", "If-None-Match: *\r\n", 304, "");
    expect("/digits.bin", "If-None-Match: \"other\"\r\n", 200, "");
    write_file("digits.bin", STR("changed"));
    expect("/digits.bin", header, 200, "changed");
}
END_TEST

START_TEST(range_gives_the_part_that_was_asked_for)
{
    expect("/digits.bin", "Range: bytes=0-3\r\n", 206, "\r\n\r\n0123");
    expect("/digits.bin", "Range: bytes=0-3\r\n", 206, "Content-Range: bytes 0-3/36\r\n");
    expect("/digits.bin", "Range: bytes=34-\r\n", 206, "\r\n\r\nyz");
    expect("/digits.bin", "Range: bytes=-2\r\n", 206, "\r\n\r\nyz");
    expect("/digits.bin", "Range: bytes=-99\r\n", 206, "Content-Range: bytes 0-35/36\r\n");
    expect("/digits.bin", "Range: bytes=30-99\r\n", 206, "Content-Range: bytes 30-35/36\r\n");
    expect("/digits.bin", "Range: bytes=0-0\r\n", 206, "Content-Length: 1\r\n");
    expect("/digits.bin", "Range: bytes=36-\r\n", 416, "Content-Range: bytes */36\r\n");
    expect("/digits.bin", "Range: bytes=-0\r\n", 416, "");
    expect("/empty.txt", "Range: bytes=0-\r\n", 416, "");
    /* Not understood, or several: all of it. */
    expect("/digits.bin", "Range: bytes=5-3\r\n", 200, "");
    expect("/digits.bin", "Range: bytes=0-1,3-4\r\n", 200, "");
    expect("/digits.bin", "Range: lines=1-2\r\n", 200, "");
    expect("/digits.bin", "Range: bytes=\r\n", 200, "");
    expect("/digits.bin", "Range: bytes=-\r\n", 200, "");
    expect("/digits.bin", "Range: bytes=99999999999999999999-\r\n", 200, "");
    char tag[64];
    char header[256];
    (void)etag_of("/digits.bin", "", tag);
    (void)snprintf(header, sizeof header, "Range: bytes=0-3\r\nIf-Range: %s\r\n", tag);
    expect("/digits.bin", header, 206, "");
    expect("/digits.bin", "Range: bytes=0-3\r\nIf-Range: \"old\"\r\n", 200, "");
}
END_TEST

START_TEST(text_is_compressed_or_taken_from_the_packed_neighbour)
{
    char plain[64];
    char packed[64];
    expect("/long.txt", "", 200, "Vary: Accept-Encoding\r\n");
    expect("/long.txt", "Accept-Encoding: gzip\r\n", 200, "Content-Encoding: gzip\r\n");
    expect("/packed.js", "Accept-Encoding: gzip\r\n", 200, "\r\n\r\nnot really gzip");
    expect("/packed.js", "Accept-Encoding: gzip\r\n", 200, "Content-Encoding: gzip\r\n");
    expect("/packed.js", "Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n", 206, "\r\n\r\nxx");
    expect("/packed.js", "", 200, "\r\n\r\nxxxx");
    expect("/digits.bin", "Accept-Encoding: gzip\r\n", 200, "\r\n\r\n0123");
    ck_assert_str_ne(etag_of("/long.txt", "", plain),
                     etag_of("/long.txt", "Accept-Encoding: gzip\r\n", packed));
    char header[256];
    (void)snprintf(header, sizeof header, "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n", packed);
    expect("/long.txt", header, 304, packed);
    (void)snprintf(header, sizeof header, "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n", plain);
    expect("/long.txt", header, 200, packed);
}
END_TEST

Suite *file_suite(void);
Suite *file_suite(void)
{
    Suite *s = suite_create("file");
    TCase *c = tcase_create("file");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, file_has_type_tag_and_the_right_age);
    tcase_add_test(c, nothing_outside_the_folder_is_ever_served);
    tcase_add_test(c, known_version_is_answered_304);
    tcase_add_test(c, range_gives_the_part_that_was_asked_for);
    tcase_add_test(c, text_is_compressed_or_taken_from_the_packed_neighbour);
    suite_add_tcase(s, c);
    return s;
}
