/* JPEG as in ITU-T T.81 annex B (markers and segments), PNG as in RFC 2083 3. */
#include "fleet/photo.h"

enum {
    MARK = 0xff,
    MARK_SOI = 0xd8,
    MARK_EOI = 0xd9,
    MARK_SOS = 0xda,
    MARK_SOF_FIRST = 0xc0,
    MARK_SOF_LAST = 0xcf,
    SEGMENTS_MAX = 1000,
    SOF_BYTES = 7, /* length, precision, height, width */
    PNG_CHUNK_BYTES = 12,
    PNG_CHUNKS_MAX = 100000,
    PNG_HEADER_BYTES = 13,
};

struct sides {
    uint32_t width;
    uint32_t height;
};

static uint32_t byte_at(struct str s, size_t at)
{
    return (unsigned char)s.p[at];
}

static uint32_t two_at(struct str s, size_t at)
{
    return byte_at(s, at) << 8 | byte_at(s, at + 1);
}

static uint32_t four_at(struct str s, size_t at)
{
    return two_at(s, at) << 16 | two_at(s, at + 2);
}

static enum rc refuse(struct err *err, const char *why)
{
    return err_set(err, RC_INVALID, "that is no whole photo: %s", why);
}

static enum rc check_sides(struct sides sides, struct err *err)
{
    if (sides.width == 0 || sides.height == 0 || sides.width > PHOTO_SIDE_MAX ||
        sides.height > PHOTO_SIDE_MAX)
        return err_set(err, RC_INVALID, "a photo has 1 to %d pixels a side", PHOTO_SIDE_MAX);
    return RC_OK;
}

/* --- JPEG --- */

/* Three of that range are tables and no frames: DHT, JPG, DAC. */
static bool is_frame(uint32_t mark)
{
    return mark >= MARK_SOF_FIRST && mark <= MARK_SOF_LAST && mark != 0xc4 && mark != 0xc8 &&
           mark != 0xcc;
}

/* The segments up to the first scan; what lies between that and the end is for who draws it. */
static enum rc check_jpeg(struct str s, struct err *err)
{
    size_t at = 2;
    struct sides sides = {0, 0};
    if (byte_at(s, s.n - 2) != MARK || byte_at(s, s.n - 1) != MARK_EOI)
        return refuse(err, "its end is missing");
    for (int i = 0; i < SEGMENTS_MAX; i++) {
        if (s.n - at < 4 || byte_at(s, at) != MARK)
            return refuse(err, "a part is missing");
        uint32_t mark = byte_at(s, at + 1);
        size_t n = two_at(s, at + 2);
        if (n < 2 || n > s.n - at - 2)
            return refuse(err, "a part is longer than the whole");
        if (is_frame(mark) && n >= SOF_BYTES)
            sides = (struct sides){.width = two_at(s, at + 7), .height = two_at(s, at + 5)};
        if (mark == MARK_SOS)
            return check_sides(sides, err);
        at += 2 + n;
    }
    return refuse(err, "it has too many parts");
}

/* --- PNG --- */

static enum rc check_png(struct str s, struct err *err)
{
    size_t at = 8;
    bool pixels = false;
    struct sides sides = {0, 0};
    for (int i = 0; i < PNG_CHUNKS_MAX; i++) {
        if (s.n - at < PNG_CHUNK_BYTES)
            return refuse(err, "it ends too early");
        size_t n = four_at(s, at);
        struct str type = str_n(s.p + at + 4, 4);
        if (n > s.n - at - PNG_CHUNK_BYTES)
            return refuse(err, "a part is longer than the whole");
        if (i == 0 && (!str_eq(type, STR("IHDR")) || n != PNG_HEADER_BYTES))
            return refuse(err, "it does not begin with its size");
        if (i == 0)
            sides = (struct sides){.width = four_at(s, at + 8), .height = four_at(s, at + 12)};
        pixels = pixels || str_eq(type, STR("IDAT"));
        at += n + PNG_CHUNK_BYTES;
        if (str_eq(type, STR("IEND")))
            return !pixels     ? refuse(err, "it has no pixels")
                   : at != s.n ? refuse(err, "something follows its end")
                               : check_sides(sides, err);
    }
    return refuse(err, "it has too many parts");
}

enum rc photo_check(struct str bytes, const char **ret_type, struct err *err)
{
    const char *type = NULL;
    enum rc rc = RC_OK;
    if (bytes.n > PHOTO_BYTES_MAX)
        return err_set(err, RC_TOO_LARGE, "a photo has at most %d bytes", PHOTO_BYTES_MAX);
    if (str_starts(bytes, STR("\x89PNG\r\n\x1a\n"))) {
        type = "image/png";
        rc = check_png(bytes, err);
    } else if (bytes.n > 4 && byte_at(bytes, 0) == MARK && byte_at(bytes, 1) == MARK_SOI) {
        type = "image/jpeg";
        rc = check_jpeg(bytes, err);
    } else {
        rc = err_set(err, RC_INVALID, "a photo is a JPEG or a PNG picture; this is neither");
    }
    TRY(rc);
    *ret_type = type;
    return RC_OK;
}
