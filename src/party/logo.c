#include "party/logo.h"

#include <sodium.h>
#include <zlib.h>

enum { CHUNK_FRAME = 12 /* length, type, checksum */, IHDR_N = 13 };

static uint32_t read_u32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum rc refuse_png(struct err *err, const char *why)
{
    return err_set(err, RC_INVALID, "the logo is no whole PNG picture: %s", why);
}

/* One chunk from the front of *rest: *ret_type is 4 bytes, *ret_data its content. */
static enum rc cut_chunk(struct str *rest, struct str *ret_type, struct str *ret_data,
                         struct err *err)
{
    if (rest->n < CHUNK_FRAME)
        return refuse_png(err, "it ends too early");
    size_t n = read_u32(rest->p);
    if (n > rest->n - CHUNK_FRAME)
        return refuse_png(err, "it ends within a part");
    uLong sum = crc32(0, (const Bytef *)rest->p + 4, (uInt)(n + 4));
    if (sum != read_u32(rest->p + 8 + n))
        return refuse_png(err, "a checksum is wrong");
    *ret_type = str_n(rest->p + 4, 4);
    *ret_data = str_n(rest->p + 8, n);
    *rest = str_sub(*rest, n + CHUNK_FRAME, rest->n);
    return RC_OK;
}

static enum rc check_header(struct str type, struct str data, struct err *err)
{
    if (!str_eq(type, STR("IHDR")) || data.n != IHDR_N)
        return refuse_png(err, "it does not begin with its size");
    uint32_t width = read_u32(data.p);
    uint32_t height = read_u32(data.p + 4);
    if (width == 0 || height == 0 || width > LOGO_SIDE_MAX || height > LOGO_SIDE_MAX)
        return err_set(err, RC_INVALID, "a logo has at most %d x %d pixels", LOGO_SIDE_MAX,
                       LOGO_SIDE_MAX);
    return RC_OK;
}

enum rc png_check(struct str bytes, struct err *err)
{
    struct str signature = STR("\x89PNG\r\n\x1a\n");
    struct str type, data;
    if (!str_starts(bytes, signature))
        return refuse_png(err, "its first bytes are others");
    struct str rest = str_sub(bytes, signature.n, bytes.n);
    TRY(cut_chunk(&rest, &type, &data, err));
    TRY(check_header(type, data, err));
    bool has_pixels = false;
    while (!str_eq(type, STR("IEND"))) {
        TRY(cut_chunk(&rest, &type, &data, err));
        has_pixels = has_pixels || str_eq(type, STR("IDAT"));
    }
    if (!has_pixels)
        return refuse_png(err, "it has no pixels");
    if (rest.n > 0)
        return refuse_png(err, "something follows its end");
    return RC_OK;
}

enum rc logo_check(struct str data_url, struct arena *arena, struct err *err)
{
    struct str png = STR("data:image/png;base64,");
    struct str svg = STR("data:image/svg+xml;base64,");
    bool is_png = str_starts(data_url, png);
    if (!is_png && !str_starts(data_url, svg))
        return err_set(err, RC_INVALID,
                       "a logo begins with data:image/png;base64, or data:image/svg+xml;base64,");
    struct str text = str_sub(data_url, is_png ? png.n : svg.n, data_url.n);
    unsigned char *bytes = (unsigned char *)arena_bytes(arena, text.n + 1);
    size_t n = 0;
    const char *end = NULL;
    if (sodium_base642bin(bytes, text.n + 1, text.p, text.n, NULL, &n, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.p + text.n)
        return err_set(err, RC_INVALID, "the logo is not written in base64");
    struct str content = str_n((const char *)bytes, n);
    return is_png ? png_check(content, err) : svg_check(content, err);
}
