#include "party/brand.h"

#include "party/colour.h"
#include "party/logo.h"
#include "party/party_fixture.h"

#include <sodium.h>
#include <zlib.h>

#define SVG(inside) "<svg xmlns=\"http://www.w3.org/2000/svg\">" inside "</svg>"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)4 * 1024 * 1024);
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* --- colour --- */

static struct colour colour_of(const char *text)
{
    struct colour c;
    struct err err;
    ck_assert_int_eq(colour_parse(str_c(text), &c, &err), RC_OK);
    return c;
}

START_TEST(contrast_is_that_of_wcag)
{
    /* Ratios of webaim.org's checker, to the hundredth. */
    static const struct {
        const char *a, *b;
        int64_t want;
    } cases[] = {
        {"#000000", "#ffffff", 21000}, {"#ffffff", "#ffffff", 1000}, {"#777777", "#ffffff", 4478},
        {"#767676", "#ffffff", 4542},  {"#0000ff", "#ffffff", 8592}, {"#ff0000", "#ffffff", 3998},
        {"#00ff00", "#000000", 15304},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t got = colour_contrast(colour_of(cases[i].a), colour_of(cases[i].b));
        ck_assert_msg(got >= cases[i].want - 1 && got <= cases[i].want + 1, "%s on %s: %lld",
                      cases[i].a, cases[i].b, (long long)got);
        ck_assert_int_eq(got, colour_contrast(colour_of(cases[i].b), colour_of(cases[i].a)));
    }
}
END_TEST

START_TEST(ink_is_readable_or_the_colour_is_refused_with_a_better_one)
{
    const char *ink = NULL;
    struct err err;
    ck_assert_int_eq(colour_ink(colour_of("#2747d8"), &ink, &err), RC_OK);
    ck_assert_str_eq(ink, "#ffffff");
    ck_assert_int_eq(colour_ink(colour_of("#ffcc00"), &ink, &err), RC_OK);
    ck_assert_str_eq(ink, "#111111");
    size_t refused = 0;
    for (int red = 0; red < 256; red += 15)
        for (int green = 0; green < 256; green += 5)
            for (int blue = 0; blue < 256; blue += 15) {
                struct colour c = {(uint8_t)red, (uint8_t)green, (uint8_t)blue};
                if (colour_ink(c, &ink, &err) == RC_OK) {
                    ck_assert_int_ge(colour_contrast(c, colour_of(ink)), CONTRAST_MIN);
                    continue;
                }
                refused++;
                const char *better = strstr(err.text, "; #");
                ck_assert_ptr_nonnull(better);
                char text[COLOUR_TEXT_N + 1] = {0};
                memcpy(text, better + 2, COLOUR_TEXT_N);
                ck_assert_int_eq(colour_ink(colour_of(text), &ink, &err), RC_OK);
            }
    ck_assert_uint_gt(refused, 10); /* there are such colours, in a narrow band */
}
END_TEST

START_TEST(colours_are_six_digits_behind_a_hash)
{
    static const char *const bad[] = {"",        "#",    "2747d8",  "#2747d",  "#2747d8f",
                                      "#2747dg", "blue", "#27 7d8", "#+747d8", "rgb(1,2,3)"};
    struct colour c;
    struct err err;
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(colour_parse(str_c(bad[i]), &c, &err) == RC_INVALID, "%s", bad[i]);
    char text[COLOUR_TEXT_N + 1];
    colour_format(colour_of("#27AbD8"), text);
    ck_assert_str_eq(text, "#27abd8");
}
END_TEST

/* --- SVG --- */

START_TEST(plain_drawings_are_taken)
{
    static const char *const good[] = {
        SVG(""),
        SVG("<path d=\"M0 0h10v10z\" fill=\"#2747d8\"/>"),
        "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- by hand -->\n" SVG(
            "<g/>") "\n",
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "
        "viewBox='0 0 10 10' width='10' height='10'><defs><linearGradient id='a'>"
        "<stop offset='0' stop-color='#fff'/></linearGradient>"
        "<linearGradient id='b' xlink:href='#a' gradientTransform='rotate(45)'/>"
        "<clipPath id='c'><rect x='1' y='1' width='2' height='2'/></clipPath></defs>"
        "<g clip-path='url(#c)' transform='translate(1 2) scale(.5)'>"
        "<circle cx='1' cy='1' r='1' style='fill:url(#b);stroke: rgb(1,2,3)'/></g></svg>",
        SVG("<title>Nord &amp; Co. \xE5\x8C\x97</title><text x=\"1\">a<tspan "
            "dy=\"1\">b</tspan></text>"),
        SVG("<rect style=\"fill:#fff; ;font-family:'Noto Sans', Arial\" class=\"a b\"></rect >"),
    };
    struct err err;
    for (size_t i = 0; i < COUNT(good); i++) {
        err_clear(&err);
        ck_assert_msg(svg_check(str_c(good[i]), &err) == RC_OK, "%s: %s", good[i], err.text);
    }
}
END_TEST

START_TEST(attacks_by_svg_are_refused)
{
    static const char *const bad[] = {
        "",
        "x",
        "<svg/>",
        "<svg xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        SVG("<script>alert(1)</script>"),
        SVG("<SCRIPT>alert(1)</SCRIPT>"),
        SVG("<svg:script xmlns:svg=\"http://www.w3.org/2000/svg\"/>"),
        SVG("<g onload=\"alert(1)\"/>"),
        SVG("<g ONLOAD=\"alert(1)\"/>"),
        SVG("<g onclick='x'/>"),
        SVG("<g/onload=\"x\">"),
        SVG("<foreignObject><b/></foreignObject>"),
        SVG("<image href=\"https://evil.example/x.png\"/>"),
        SVG("<image href=\"data:image/png;base64,AAAA\"/>"),
        SVG("<use href=\"#a\"/>"),
        SVG("<use xlink:href=\"https://evil.example/x.svg#a\"/>"),
        SVG("<a href=\"javascript:alert(1)\"><path/></a>"),
        SVG("<linearGradient href=\"https://evil.example/#a\"/>"),
        SVG("<linearGradient href=\"//evil.example#a\"/>"),
        SVG("<linearGradient href=\"java\nscript:x\"/>"),
        SVG("<linearGradient href=\"#a b\"/>"),
        SVG("<path href=\"#a\"/>"),
        SVG("<path fill=\"url(https://evil.example/#a)\"/>"),
        SVG("<path fill=\"url(#a) url(//evil.example)\"/>"),
        SVG("<path fill=\"url('#a')\"/>"),
        SVG("<path fill=\"URL(#a)\"/>"),
        SVG("<path fill=\"url(#a\"/>"),
        SVG("<path fill=\"url (#a)\"/>"),
        SVG("<path style=\"background:url(https://evil.example)\"/>"),
        SVG("<path style=\"fill:url(https://evil.example)\"/>"),
        SVG("<path style=\"fill:u\\72l(//evil.example)\"/>"),
        SVG("<path style=\"fill:expression(alert(1))\"/>"),
        SVG("<path style=\"@import 'x'\"/>"),
        SVG("<path style=\"behavior:url(#x)\"/>"),
        SVG("<path style=\"fill:red;}*{color:red\"/>"),
        SVG("<path style=\"fill/**/:red\"/>"),
        SVG("<path style=\"-moz-binding:url(#x)\"/>"),
        SVG("<path fill=\"&#x75;rl(//evil.example)\"/>"),
        SVG("<path fill=\"&quot;\"/>"),
        SVG("<style>*{fill:url(//evil.example)}</style>"),
        SVG("<animate attributeName=\"href\" values=\"javascript:x\"/>"),
        SVG("<set attributeName=\"onload\" to=\"x\"/>"),
        SVG("<iframe src=\"x\"/>"),
        SVG("<metadata/>"),
        SVG("<filter id=\"a\"/>"),
        SVG("<mask id=\"a\"/>"),
        SVG("<pattern id=\"a\"/>"),
        SVG("<clipPath clip-path=\"url(#a)\"/>"),
        SVG("<clipPath><g clip-path=\"url(#a)\"/></clipPath>"),
        SVG("<clipPath><g style=\"clip-path:url(#a)\"/></clipPath>"),
        SVG("<path sodipodi:type=\"arc\"/>"),
        SVG("<path xmlns:x=\"http://evil.example\"/>"),
        SVG("<path xmlns=\"http://www.w3.org/1999/xhtml\"/>"),
        SVG("<path xml:base=\"https://evil.example/\"/>"),
        SVG("<path d=\"M0 0\" d=\"M1 1\"/>"),
        SVG("<path d=M0/>"),
        SVG("<path d=\"M0 0\"fill=\"red\"/>"),
        SVG("<path d=\"M0 0/>"),
        SVG("<path d=\"<script>\"/>"),
        SVG("<path"),
        SVG("<g>"),
        SVG("</g>"),
        SVG("<g></path>"),
        SVG("text outside"),
        SVG("<text><path/></text>"),
        SVG("<text>&evil;</text>"),
        SVG("<text>&#60;script&#62;</text>"),
        SVG("<text><![CDATA[<script>]]></text>"),
        SVG("<!-- a -- b -->"),
        SVG("<!-- "),
        SVG("<?php x ?>"),
        SVG("<?xml-stylesheet href=\"//evil.example\"?>"),
        SVG("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        SVG("") SVG(""),
        SVG("") "x",
        "<!DOCTYPE svg [<!ENTITY a \"b\">]>" SVG("<text>&a;</text>"),
        "<!DOCTYPE svg>" SVG(""),
        "<?xml version=\"1.0\" encoding=\"UTF-7\"?>" SVG(""),
        "<?xml version=\"1.0\"?><?xml-stylesheet href=\"x\"?>" SVG(""),
        " \xFE\xFF" SVG(""),
        SVG("<text>\x01</text>"),
        SVG("<text>\xC0\xBC</text>"),
        SVG("<path\xC2\xA0onload=\"x\"/>"),
        SVG("<path \x0C onload=\"x\"/>"),
    };
    struct err err;
    for (size_t i = 0; i < COUNT(bad); i++) {
        err_clear(&err);
        ck_assert_msg(svg_check(str_c(bad[i]), &err) == RC_INVALID, "taken: %s", bad[i]);
        ck_assert(str_is_utf8(err_text(&err)) && err.text_n > 0);
    }
}
END_TEST

START_TEST(what_is_refused_is_named)
{
    struct err err;
    ck_assert_int_eq(svg_check(STR(SVG("<g onload=\"x\"/>")), &err), RC_INVALID);
    ck_assert_str_eq(err.text, "the logo is not taken: it has the attribute 'onload'; "
                               "save it as plain SVG");
    ck_assert_int_eq(svg_check(STR(SVG("<foreignObject/>")), &err), RC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "the element 'foreignObject'"));
}
END_TEST

START_TEST(nesting_is_bounded)
{
    struct buf b;
    struct err err;
    buf_init(&b, &arena, 65536);
    buf_add(&b, STR("<svg xmlns=\"http://www.w3.org/2000/svg\">"));
    for (int i = 0; i < 5000; i++)
        buf_add(&b, STR("<g>"));
    ck_assert_int_eq(svg_check(buf_str(&b), &err), RC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "too deep"));
}
END_TEST

/* --- PNG --- */

static void add_u32(struct buf *b, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_char(b, (char)(value >> shift));
}

static void add_chunk(struct buf *b, const char *type, struct str data)
{
    size_t from = b->n + 4;
    add_u32(b, (uint32_t)data.n);
    buf_add(b, str_c(type));
    buf_add(b, data);
    add_u32(b, (uint32_t)crc32(0, (const Bytef *)b->p + from, (uInt)(b->n - from)));
}

static struct str png_of(uint32_t width, uint32_t height)
{
    struct buf b, header;
    buf_init(&b, &arena, 4096);
    buf_init(&header, &arena, 64);
    add_u32(&header, width);
    add_u32(&header, height);
    buf_add(&header, str_n("\x08\x02\x00\x00\x00", 5));
    buf_add(&b, STR("\x89PNG\r\n\x1a\n"));
    add_chunk(&b, "IHDR", buf_str(&header));
    add_chunk(&b, "IDAT", STR("pixels"));
    add_chunk(&b, "IEND", STR(""));
    return arena_str(&arena, buf_str(&b));
}

START_TEST(a_png_is_whole_and_of_a_sane_size)
{
    struct err err;
    struct str good = png_of(LOGO_SIDE_MAX, 1);
    ck_assert_msg(png_check(good, &err) == RC_OK, "%s", err.text);
    ck_assert_int_eq(png_check(png_of(LOGO_SIDE_MAX + 1, 1), &err), RC_INVALID);
    ck_assert_int_eq(png_check(png_of(1, UINT32_MAX), &err), RC_INVALID);
    ck_assert_int_eq(png_check(png_of(0, 1), &err), RC_INVALID);
    for (size_t n = 0; n < good.n; n++) {
        char *cut = arena_bytes(&arena, n); /* its own size, so that a step too far shows */
        if (n > 0)
            memcpy(cut, good.p, n);
        ck_assert_int_eq(png_check(str_n(cut, n), &err), RC_INVALID);
    }
    for (size_t i = 0; i < good.n; i++) {
        char *copy = arena_bytes(&arena, good.n);
        memcpy(copy, good.p, good.n);
        copy[i] ^= 1;
        ck_assert_int_eq(png_check(str_n(copy, good.n), &err), RC_INVALID);
    }
    ck_assert_int_eq(png_check(arena_fmt(&arena, "%s", "GIF89a"), &err), RC_INVALID);
}
END_TEST

START_TEST(nothing_hides_behind_a_png)
{
    struct err err;
    struct str good = png_of(1, 1);
    struct buf more;
    buf_init(&more, &arena, good.n + 8);
    buf_add(&more, good);
    buf_add(&more, STR("<script>"));
    ck_assert_int_eq(png_check(buf_str(&more), &err), RC_INVALID);
}
END_TEST

static struct str data_url(const char *type, struct str bytes)
{
    size_t n = sodium_base64_encoded_len(bytes.n, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_bytes(&arena, n);
    (void)sodium_bin2base64(text, n, (const unsigned char *)bytes.p, bytes.n,
                            sodium_base64_VARIANT_ORIGINAL);
    return arena_fmt(&arena, "data:%s;base64,%s", type, text);
}

START_TEST(a_logo_is_what_its_type_says)
{
    struct err err;
    struct str svg = STR(SVG("<path d=\"M0 0\"/>"));
    ck_assert_int_eq(logo_check(data_url("image/png", png_of(2, 2)), &arena, &err), RC_OK);
    ck_assert_int_eq(logo_check(data_url("image/svg+xml", svg), &arena, &err), RC_OK);
    ck_assert_int_eq(logo_check(data_url("image/png", svg), &arena, &err), RC_INVALID);
    ck_assert_int_eq(logo_check(data_url("image/svg+xml", png_of(2, 2)), &arena, &err), RC_INVALID);
    ck_assert_int_eq(logo_check(data_url("text/html", svg), &arena, &err), RC_INVALID);
    ck_assert_int_eq(logo_check(STR("https://evil.example/x.png"), &arena, &err), RC_INVALID);
    ck_assert_int_eq(logo_check(STR("data:image/svg+xml;base64,PHN2"), &arena, &err), RC_INVALID);
    ck_assert_int_eq(logo_check(STR("data:image/svg+xml;base64,P HN2Zz4"), &arena, &err),
                     RC_INVALID);
    ck_assert_int_eq(logo_check(STR("data:image/svg+xml;base64,"), &arena, &err), RC_INVALID);
    ck_assert_int_eq(logo_check(STR(""), &arena, &err), RC_INVALID);
}
END_TEST

/* --- brands --- */

static uint64_t bit(const char *name)
{
    return UINT64_C(1) << schema_find(&brand_schema, str_c(name));
}

static struct brand named(const char *name, const char *host)
{
    return (struct brand){
        .set = bit("name") | bit("host"), .name = str_c(name), .host = str_c(host)};
}

TX_TEST(a_party_without_a_brand_has_its_sponsors)
{
    struct str operator_party = make_operator(tx);
    struct str reseller = make_party(tx, "Reseller", operator_party);
    struct str client = make_party(tx, "Client", reseller);
    struct brand b;
    OK(tx, brand_get(tx, client, &b));
    SAME(b.name, STR("Operator")); /* nobody has one: the operator's name, Hanse's colour */
    SAME(b.colour, BRAND_COLOUR);
    SAME(b.ink, STR("#ffffff"));
    ck_assert_int_eq(b.version, 1);
    struct brand patch = named("Nord Cloud", "cloud.nord.example");
    patch.set |= bit("mail_sender");
    patch.mail_sender = STR("Nord <hello@Nord.example>");
    OK(tx, brand_change(tx, reseller, 1, &patch, &b));
    ck_assert_int_eq(b.version, 2);
    OK(tx, brand_get(tx, client, &b));
    SAME(b.party, client);
    SAME(b.name, STR("Nord Cloud"));
    SAME(b.mail_sender, STR("Nord <hello@nord.example>"));
    SAME(b.host, STR("")); /* the client answers nowhere by itself */
    ck_assert_int_eq(b.version, 1);
    OK(tx, brand_get(tx, operator_party, &b));
    SAME(b.name, STR("Operator"));
    /* The client's own begins with its own name, not with a copy of the sponsor's. */
    struct brand colour = {.set = bit("colour"), .colour = STR("#FFCC00")};
    OK(tx, brand_change(tx, client, 1, &colour, &b));
    SAME(b.name, STR("Client"));
    SAME(b.colour, STR("#ffcc00"));
    SAME(b.ink, STR("#111111"));
    SAME(b.mail_sender, STR(""));
    FAILS(tx, RC_NOT_FOUND, NULL, brand_get(tx, STR("pty_none"), &b));
}

TX_TEST(a_host_name_finds_its_brand_in_order)
{
    struct str operator_party = make_operator(tx);
    struct str one = make_party(tx, "One", operator_party);
    struct str two = make_party(tx, "Two", operator_party);
    struct brand b, patch;
    patch = named("One", "*.One.example");
    OK(tx, brand_change(tx, one, 0, &patch, &b));
    SAME(b.host, STR("*.one.example"));
    patch = named("Two", "special.one.example");
    OK(tx, brand_change(tx, two, 0, &patch, &b));
    static const struct {
        const char *host;
        const char *brand;
    } cases[] = {
        {"special.one.example", "Two"}, {"SPECIAL.one.example:8443", "Two"},
        {"other.one.example", "One"},   {"a.b.one.example", "Operator"},
        {"one.example", "Operator"},    {"unknown.example", "Operator"},
        {"localhost", "Operator"},      {"", "Operator"},
        {"[::1]:80", "Operator"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        OK(tx, brand_of_host(tx, str_c(cases[i].host), &b));
        ck_assert_msg(str_eq(b.name, str_c(cases[i].brand)), "%s: %.*s", cases[i].host,
                      STRF(b.name));
    }
    FAILS(tx, RC_CONFLICT, "/host", brand_change(tx, one, 0, &patch, &b));
    patch.host = STR("*.net");
    FAILS(tx, RC_INVALID, "/host", brand_change(tx, one, 0, &patch, &b));
    patch.host = STR("a.*.example.net");
    FAILS(tx, RC_INVALID, "/host", brand_change(tx, one, 0, &patch, &b));
    patch.host = STR(""); /* let go of: others may have it */
    OK(tx, brand_change(tx, two, 0, &patch, &b));
    patch.host = STR("special.one.example");
    OK(tx, brand_change(tx, one, 0, &patch, &b));
}

TX_TEST(wrong_brands_are_refused_by_field)
{
    struct str party = make_operator(tx);
    struct party closed;
    struct brand b;
    const struct brand wrong[] = {
        {.set = bit("name"), .name = STR("")},
        {.set = bit("name"), .name = STR("a\nb")},
        {.set = bit("colour"), .colour = STR("blue")},
        {.set = bit("colour"), .colour = STR("#787878")},
        {.set = bit("logo"), .logo = STR("https://evil.example/x.svg")},
        {.set = bit("logo_dark"), .logo_dark = STR("data:image/svg+xml;base64,PHN2Zz4=")},
        {.set = bit("host"), .host = STR("localhost")},
        {.set = bit("mail_sender"), .mail_sender = STR("Nord\r\nBcc: x@y.zz <a@b.co>")},
    };
    static const char *const pointers[] = {"/name", "/name",      "/colour", "/colour",
                                           "/logo", "/logo_dark", "/host",   "/mail_sender"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        FAILS(tx, RC_INVALID, pointers[i], brand_change(tx, party, 0, &wrong[i], &b));
    struct brand patch = named("A", "a.example.net");
    FAILS(tx, RC_CHANGED, NULL, brand_change(tx, party, 7, &patch, &b));
    OK(tx, brand_change(tx, party, 1, &patch, &b));
    FAILS(tx, RC_CHANGED, NULL, brand_change(tx, party, 1, &patch, &b));
    OK(tx, brand_change(tx, party, 2, &patch, &b));
    ck_assert_int_eq(b.version, 3);
    struct str client = make_party(tx, "Client", party);
    OK(tx, party_set_state(tx, client, PARTY_CLOSED, &closed));
    FAILS(tx, RC_CONFLICT, NULL, brand_change(tx, client, 0, &patch, &b));
}

Suite *brand_suite(void);
Suite *brand_suite(void)
{
    Suite *s = suite_create("brand");
    TCase *c = tcase_create("brand");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, contrast_is_that_of_wcag);
    tcase_add_test(c, ink_is_readable_or_the_colour_is_refused_with_a_better_one);
    tcase_add_test(c, colours_are_six_digits_behind_a_hash);
    tcase_add_test(c, plain_drawings_are_taken);
    tcase_add_test(c, attacks_by_svg_are_refused);
    tcase_add_test(c, what_is_refused_is_named);
    tcase_add_test(c, nesting_is_bounded);
    tcase_add_test(c, a_png_is_whole_and_of_a_sane_size);
    tcase_add_test(c, nothing_hides_behind_a_png);
    tcase_add_test(c, a_logo_is_what_its_type_says);
    tcase_add_test(c, a_party_without_a_brand_has_its_sponsors);
    tcase_add_test(c, a_host_name_finds_its_brand_in_order);
    tcase_add_test(c, wrong_brands_are_refused_by_field);
    suite_add_tcase(s, c);
    return s;
}
