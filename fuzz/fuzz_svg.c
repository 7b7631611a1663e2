/*
 * A picture is refused with a sentence, or holds nothing that a browser would run or fetch. The
 * scanner is checked against a much simpler look at the same bytes.
 */
#include "fuzz.h"

#include "party/email.h"
#include "party/logo.h"

/* None of these may stand in a drawing that was taken (comments and text aside). */
static const char *const never[] = {
    "<script",  "<style",    "<foreignobject",
    "<image",   "<use",      "<animate",
    "<set",     "<iframe",   "<a ",
    "<a>",      "<!doctype", "<!entity",
    "<![",      "<filter",   "<mask",
    "<pattern", "url(h",     "url(/",
    "url('",    "url(\"",    "@import",
    "\"//",     "'//",       "\"javascript",
    "\"data:",  "'data:",    "\\",
};

/* No attribute begins with "on": a look at tags and quotes only. */
static void check_names(struct str text)
{
    char quote = '\0';
    bool in_tag = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
            continue;
        }
        if (c == '<' || c == '>')
            in_tag = c == '<';
        if (in_tag && (c == '"' || c == '\''))
            quote = c;
        bool begins = i > 0 && strchr(" \t\r\n\"'/", text.p[i - 1]) != NULL;
        if (in_tag && begins)
            ASSERT(!str_starts(str_sub(text, i, text.n), STR("on")));
    }
}

static void check_taken(struct str text, struct arena *arena)
{
    ASSERT(str_is_utf8(text));
    ASSERT(str_has(text, STR("<svg")));
    ASSERT(str_has(text, STR("http://www.w3.org/2000/svg")));
    /* Words of people may say anything: comments, and texts within text elements. */
    if (str_has(text, STR("<!--")) || str_has(text, STR("<t")) || str_has(text, STR("<desc")))
        return;
    struct str lower = str_lower(text, arena);
    for (size_t i = 0; i < COUNT(never); i++)
        ASSERT(!str_has(lower, str_c(never[i])));
    check_names(lower);
    ASSERT(!str_has(text, STR("&")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err;
    if (size > (size_t)64 * 1024)
        return 0;
    arena_init(&arena, (size_t)1024 * 1024);
    struct str text = str_n((const char *)data, size);
    err_clear(&err);
    enum rc rc = svg_check(text, &err);
    ASSERT(rc == RC_OK || (rc == RC_INVALID && err.text_n > 0 && str_is_utf8(err_text(&err))));
    if (rc == RC_OK)
        check_taken(text, &arena);
    rc = png_check(text, &err);
    ASSERT(rc == RC_OK || rc == RC_INVALID);
    rc = logo_check(text, &arena, &err);
    ASSERT(rc == RC_OK || rc == RC_INVALID);
    arena_fini(&arena);
    return 0;
}
