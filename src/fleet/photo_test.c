#include "fleet/photo.h"

#include "base/arena.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define PNG_BEGIN "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\2\0\0\0\1\x8\0\0\0\0CRCS"
#define PNG_END   "\0\0\0\0IDATCRCS\0\0\0\0IENDCRCS"
/* An application part, a frame of 1 x 2, a scan, its end. */
#define JPEG_BEGIN "\xff\xd8\xff\xe0\0\4AB"
#define JPEG_FRAME "\xff\xc0\0\x0b\x8\0\1\0\2\1\1\x11\0"
#define JPEG_END   "\xff\xda\0\2data\xff\xd9"

static enum rc check(struct str bytes, const char **ret_type)
{
    struct err err = {0};
    return photo_check(bytes, ret_type, &err);
}

START_TEST(whole_pictures_are_taken_for_what_they_are)
{
    const char *type = NULL;
    ck_assert_int_eq(check(STR(PNG_BEGIN PNG_END), &type), RC_OK);
    ck_assert_str_eq(type, "image/png");
    ck_assert_int_eq(check(STR(JPEG_BEGIN JPEG_FRAME JPEG_END), &type), RC_OK);
    ck_assert_str_eq(type, "image/jpeg");
}
END_TEST

START_TEST(what_is_no_whole_picture_is_refused)
{
    static const struct str wrong[] = {
        STR_INIT(""),
        STR_INIT("\xff\xd8"),
        STR_INIT("<svg xmlns='http://www.w3.org/2000/svg'/>"),
        STR_INIT("GIF89a\1\0\1\0"),
        STR_INIT("MZ"),
        STR_INIT("\x89PNG\r\n\x1a\n"),
        STR_INIT(PNG_BEGIN),
        STR_INIT(PNG_BEGIN "\0\0\0\0IENDCRCS"),
        STR_INIT(PNG_BEGIN PNG_END "more"),
        STR_INIT("\x89PNG\r\n\x1a\n" PNG_END),
        STR_INIT("\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDRCRCS"),
        STR_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\1\x8\0\0\0\0CRCS" PNG_END),
        STR_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\0\0\1\x8\0\0\0\0CRCS" PNG_END),
        STR_INIT(JPEG_BEGIN JPEG_END),
        STR_INIT(JPEG_BEGIN JPEG_FRAME "\xff\xda\0\2data"),
        STR_INIT(JPEG_BEGIN JPEG_FRAME "\xff\xd9"),
        STR_INIT(JPEG_BEGIN "\xff\xc0\xff\xff\0" JPEG_END),
        STR_INIT(JPEG_BEGIN "\xff\xc0\0\1" JPEG_END),
        STR_INIT(JPEG_BEGIN "x" JPEG_FRAME JPEG_END),
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *type = NULL;
        ck_assert_msg(check(wrong[i], &type) == RC_INVALID, "number %zu was taken", i);
        ck_assert_ptr_null(type);
    }
}
END_TEST

START_TEST(a_picture_has_a_bound)
{
    const char *type = NULL;
    struct str s = {"\xff\xd8", (size_t)PHOTO_BYTES_MAX + 1};
    ck_assert_int_eq(check(s, &type), RC_TOO_LARGE);
}
END_TEST

/* Each byte changed, each length cut: an answer, and never a read beyond the end (asan). */
START_TEST(no_change_of_a_byte_reads_beyond_the_end)
{
    static const struct str good[] = {STR_INIT(PNG_BEGIN PNG_END),
                                      STR_INIT(JPEG_BEGIN JPEG_FRAME JPEG_END)};
    for (size_t g = 0; g < COUNT(good); g++) {
        for (size_t n = 0; n <= good[g].n; n++) {
            for (size_t at = 0; at < n; at++) {
                const char *type = NULL;
                char *copy = malloc(n);
                memcpy(copy, good[g].p, n);
                copy[at] = (char)(copy[at] ^ 0xff);
                (void)check(str_n(copy, n), &type); /* either is right */
                free(copy);
            }
        }
    }
}
END_TEST

Suite *photo_suite(void);
Suite *photo_suite(void)
{
    Suite *s = suite_create("photo");
    TCase *t = tcase_create("photo");
    tcase_add_test(t, whole_pictures_are_taken_for_what_they_are);
    tcase_add_test(t, what_is_no_whole_picture_is_refused);
    tcase_add_test(t, a_picture_has_a_bound);
    tcase_add_test(t, no_change_of_a_byte_reads_beyond_the_end);
    suite_add_tcase(s, t);
    return s;
}
