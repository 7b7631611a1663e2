/*
 * html.h - the few pages that work without the portal and without JavaScript.
 *
 * Everything that is shown is escaped. The style stands in the page and its hash in the
 * Content-Security-Policy, which allows nothing else: no script, no picture from elsewhere, no
 * frame.
 */
#ifndef API_HTML_H
#define API_HTML_H

#include "api/call.h"
#include "party/brand.h"

enum { HTML_BYTES_MAX = 256 * 1024 };

struct html {
    struct buf buf;
    struct arena *arena;
    struct str csp;
};

/* Head and the beginning of the body. brand NULL: Hanse's own colours. */
void html_begin(struct html *h, struct arena *arena, const struct brand *brand, struct str title);
/* Markup of ours: a constant. */
void html_add(struct html *h, const char *markup);
/* Text from anywhere, escaped for content and for attributes in double quotes. */
void html_text(struct html *h, struct str text);
/* <tag>text</tag> */
void html_element(struct html *h, const char *tag, struct str text);

/* A field of a form with its label, hint (may be NULL) and, where error is not empty, what was
 * wrong. */
struct html_field {
    const char *name;
    const char *label;
    const char *type;         /* "email" */
    const char *autocomplete; /* "new-password" */
    const char *hint;
    struct str value;
    struct str error;
    bool required;
};
void html_field(struct html *h, const struct html_field *f);

/* The end; the page becomes the call's answer, with its policy. */
MUST_CHECK enum rc html_reply(struct html *h, struct call *c, int status);

#endif
