/* The scanner of SVG logos. It accepts a small language, described by the lists below, and nothing
 * else; so what browsers make of odd markup does not matter, as none comes through. */
#include "party/logo.h"

enum { DEPTH_MAX = 32, ATTRIBUTES_MAX = 40, SHOWN_MAX = 40 };

#define SVG_NAMESPACE "http://www.w3.org/2000/svg"
#define XLINK_SPACE   "http://www.w3.org/1999/xlink"

enum element_kind {
    OF_SHAPES,   /* holds elements */
    OF_TEXT,     /* holds text, and tspan */
    OF_GRADIENT, /* holds elements; may point to another gradient */
    OF_CLIP,     /* holds elements; nothing in it is clipped again */
};

static const struct element {
    const char *name;
    enum element_kind kind;
} elements[] = {
    {"svg", OF_SHAPES},
    {"g", OF_SHAPES},
    {"defs", OF_SHAPES},
    {"path", OF_SHAPES},
    {"rect", OF_SHAPES},
    {"circle", OF_SHAPES},
    {"ellipse", OF_SHAPES},
    {"line", OF_SHAPES},
    {"polyline", OF_SHAPES},
    {"polygon", OF_SHAPES},
    {"stop", OF_SHAPES},
    {"title", OF_TEXT},
    {"desc", OF_TEXT},
    {"text", OF_TEXT},
    {"tspan", OF_TEXT},
    {"linearGradient", OF_GRADIENT},
    {"radialGradient", OF_GRADIENT},
    {"clipPath", OF_CLIP},
};

/* Attributes of any element; those that a style may name too come first. */
static const char *const properties[] = {
    "fill",
    "fill-opacity",
    "fill-rule",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-dasharray",
    "stroke-dashoffset",
    "opacity",
    "color",
    "display",
    "visibility",
    "clip-path",
    "clip-rule",
    "stop-color",
    "stop-opacity",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "font-variant",
    "letter-spacing",
    "word-spacing",
    "text-anchor",
    "dominant-baseline",
    "paint-order",
    "shape-rendering",
    "text-rendering",
    "vector-effect",
    "isolation",
    "mix-blend-mode",
};
static const char *const attributes[] = {
    "id",
    "class",
    "version",
    "width",
    "height",
    "viewBox",
    "preserveAspectRatio",
    "transform",
    "d",
    "points",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "fx",
    "fy",
    "fr",
    "dx",
    "dy",
    "rotate",
    "offset",
    "pathLength",
    "gradientUnits",
    "gradientTransform",
    "spreadMethod",
    "clipPathUnits",
    "textLength",
    "lengthAdjust",
    "role",
    "aria-label",
    "aria-hidden",
    "focusable",
    "baseProfile",
};
/* What may stand before a parenthesis in a value; url( is looked at by itself. */
static const char *const functions[] = {
    "matrix", "translate", "scale", "rotate", "skewX", "skewY", "rgb", "rgba", "hsl", "hsla",
};

struct scanner {
    struct str text;
    size_t at;
    struct err *err;
    const struct element *open[DEPTH_MAX];
    size_t depth;
    bool had_root;
};

struct attribute {
    struct str name;
    struct str value;
};

/* --- refusals --- */

static enum rc refuse(struct scanner *s, const char *what, struct str name)
{
    struct str shown = str_sub(name, 0, SHOWN_MAX);
    while (shown.n > 0 && !str_is_utf8(shown))
        shown.n--;
    return err_set(s->err, RC_INVALID, "the logo is not taken: %s '%.*s'; save it as plain SVG",
                   what, STRF(shown));
}

static enum rc malformed(struct scanner *s, const char *what)
{
    return err_set(s->err, RC_INVALID, "the logo is not taken: %s at byte %zu", what, s->at);
}

/* --- words --- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static bool is_listed(struct str name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, str_c(list[i])))
            return true;
    return false;
}

static const struct element *find_element(struct str name)
{
    for (size_t i = 0; i < COUNT(elements); i++)
        if (str_eq(name, str_c(elements[i].name)))
            return &elements[i];
    return NULL;
}

static struct str rest_of(const struct scanner *s)
{
    return str_sub(s->text, s->at, s->text.n);
}

static bool skip(struct scanner *s, struct str word)
{
    if (!str_starts(rest_of(s), word))
        return false;
    s->at += word.n;
    return true;
}

static void skip_spaces(struct scanner *s)
{
    while (s->at < s->text.n && is_space(s->text.p[s->at]))
        s->at++;
}

/* Letters, digits, - _ . and one ':' within: longer than the lists need, so that what is refused is
 * called by its whole name. */
static struct str take_name(struct scanner *s)
{
    size_t from = s->at;
    while (s->at < s->text.n && (is_name_char(s->text.p[s->at]) || s->text.p[s->at] == ':'))
        s->at++;
    return str_sub(s->text, from, s->at);
}

/* --- values --- */

/* #name, where name is a plain word. */
static bool is_local_reference(struct str s)
{
    if (s.n < 2 || s.p[0] != '#')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_name_char(s.p[i]))
            return false;
    return true;
}

/* The parenthesis at index open is that of a known function, or url(#name). */
static bool is_known_function(struct str value, size_t open)
{
    size_t from = open;
    while (from > 0 && is_name_char(value.p[from - 1]))
        from--;
    struct str name = str_sub(value, from, open);
    if (is_listed(name, functions, COUNT(functions)))
        return true;
    size_t close = str_find(value, ')', open);
    return str_eq(name, STR("url")) && close < value.n &&
           is_local_reference(str_sub(value, open + 1, close));
}

/* No escapes (& in XML, \ in CSS), so that what stands there is what is meant; no ':', so that no
 * address of any scheme, and no "//" in front, which is one of the page's scheme; parentheses of
 * known functions only. */
static bool is_plain_value(struct str value)
{
    if (str_starts(value, STR("//")))
        return false;
    for (size_t i = 0; i < value.n; i++) {
        if (strchr("&<>\\:@{};\"'`", value.p[i]) != NULL)
            return false;
        if (value.p[i] == '(' && !is_known_function(value, i))
            return false;
    }
    return true;
}

/* Font names may be quoted within a style. */
static bool is_style_value(struct str property, struct str value)
{
    if (!str_eq(property, STR("font-family")))
        return is_plain_value(value);
    for (size_t i = 0; i < value.n; i++)
        if (!is_name_char(value.p[i]) && strchr(" ,'", value.p[i]) == NULL)
            return false;
    return true;
}

static bool is_in_clip(const struct scanner *s)
{
    for (size_t i = 0; i < s->depth; i++)
        if (s->open[i]->kind == OF_CLIP)
            return true;
    return false;
}

/* A clip within a clip within a clip costs a browser more with each level than the file grows. */
static bool is_allowed_property(const struct scanner *s, const struct element *element,
                                struct str name)
{
    if (str_eq(name, STR("clip-path")) && (element->kind == OF_CLIP || is_in_clip(s)))
        return false;
    return is_listed(name, properties, COUNT(properties));
}

static enum rc check_style(struct scanner *s, const struct element *element, struct str style)
{
    while (style.n > 0) {
        struct str value = str_trim(str_cut(&style, ';'));
        if (value.n == 0)
            continue;
        struct str name = str_trim(str_cut(&value, ':'));
        if (!is_allowed_property(s, element, name))
            return refuse(s, "style has", name);
        if (!is_style_value(name, str_trim(value)))
            return refuse(s, "style has the value", str_trim(value));
    }
    return RC_OK;
}

static enum rc check_attribute(struct scanner *s, const struct element *element,
                               const struct attribute *a)
{
    struct str name = a->name;
    if (str_eq(name, STR("xmlns")))
        return str_eq(a->value, STR(SVG_NAMESPACE)) ? RC_OK : refuse(s, "namespace", a->value);
    if (str_eq(name, STR("xmlns:xlink")))
        return str_eq(a->value, STR(XLINK_SPACE)) ? RC_OK : refuse(s, "namespace", a->value);
    if (str_eq(name, STR("xmlns:svg")))
        return str_eq(a->value, STR(SVG_NAMESPACE)) ? RC_OK : refuse(s, "namespace", a->value);
    if (str_eq(name, STR("xml:space")))
        return str_eq(a->value, STR("preserve")) ? RC_OK : refuse(s, "xml:space", a->value);
    if (str_eq(name, STR("href")) || str_eq(name, STR("xlink:href"))) {
        if (element->kind != OF_GRADIENT || !is_local_reference(a->value))
            return refuse(s, "it refers to", a->value);
        return RC_OK;
    }
    if (str_eq(name, STR("style")))
        return check_style(s, element, a->value);
    if (!is_allowed_property(s, element, name) && !is_listed(name, attributes, COUNT(attributes)))
        return refuse(s, "it has the attribute", name);
    if (str_eq(name, STR("font-family")) ? is_style_value(name, a->value)
                                         : is_plain_value(a->value))
        return RC_OK;
    return refuse(s, "it has the value", a->value);
}

/* --- markup --- */

static enum rc take_attribute(struct scanner *s, struct attribute *ret)
{
    struct str name = take_name(s);
    if (name.n == 0)
        return malformed(s, "an attribute is wanted");
    skip_spaces(s);
    if (!skip(s, STR("=")))
        return malformed(s, "'=' is wanted");
    skip_spaces(s);
    if (s->at == s->text.n || (s->text.p[s->at] != '"' && s->text.p[s->at] != '\''))
        return malformed(s, "a value in quotes is wanted");
    size_t end = str_find(s->text, s->text.p[s->at], s->at + 1);
    if (end == s->text.n)
        return malformed(s, "a value does not end");
    *ret = (struct attribute){name, str_sub(s->text, s->at + 1, end)};
    s->at = end + 1;
    if (s->at < s->text.n && is_name_char(s->text.p[s->at]))
        return malformed(s, "a space is wanted");
    return RC_OK;
}

/* The attributes of one tag, each checked; *ret_closed: the tag ended in "/>". */
static enum rc take_attributes(struct scanner *s, const struct element *element, bool *ret_closed)
{
    struct str names[ATTRIBUTES_MAX];
    size_t count = 0;
    bool has_namespace = false;
    for (;;) {
        skip_spaces(s);
        bool closed = skip(s, STR("/>"));
        if (closed || skip(s, STR(">"))) {
            *ret_closed = closed;
            break;
        }
        struct attribute a;
        TRY(take_attribute(s, &a));
        for (size_t i = 0; i < count; i++)
            if (str_eq(names[i], a.name))
                return refuse(s, "there is twice", a.name);
        if (count == ATTRIBUTES_MAX)
            return malformed(s, "too many attributes");
        names[count++] = a.name;
        has_namespace = has_namespace || str_eq(a.name, STR("xmlns"));
        TRY(check_attribute(s, element, &a));
    }
    if (s->depth == 0 && !has_namespace)
        return malformed(s, "xmlns=\"" SVG_NAMESPACE "\" is wanted");
    return RC_OK;
}

static enum rc take_open_tag(struct scanner *s)
{
    struct str name = take_name(s);
    const struct element *element = find_element(name);
    if (element == NULL)
        return refuse(s, "it has the element", name);
    bool is_root = s->depth == 0;
    if (is_root != str_eq(name, STR("svg")) || (is_root && s->had_root))
        return malformed(s, "exactly one svg, on the outside, is wanted");
    const struct element *parent = is_root ? NULL : s->open[s->depth - 1];
    if (parent != NULL && parent->kind == OF_TEXT && !str_eq(name, STR("tspan")))
        return malformed(s, "only tspan stands within text");
    if (s->depth == DEPTH_MAX)
        return malformed(s, "it is nested too deep");
    if (s->at < s->text.n && !is_space(s->text.p[s->at]) && s->text.p[s->at] != '>' &&
        s->text.p[s->at] != '/')
        return malformed(s, "a space is wanted");
    bool closed = false;
    TRY(take_attributes(s, element, &closed));
    s->had_root = true;
    if (!closed)
        s->open[s->depth++] = element;
    return RC_OK;
}

static enum rc take_close_tag(struct scanner *s)
{
    struct str name = take_name(s);
    skip_spaces(s);
    if (s->depth == 0 || !str_eq(name, str_c(s->open[s->depth - 1]->name)) || !skip(s, STR(">")))
        return malformed(s, "another end is wanted");
    s->depth--;
    return RC_OK;
}

static enum rc take_comment(struct scanner *s)
{
    while (s->at < s->text.n && !str_starts(rest_of(s), STR("--")))
        s->at++;
    return skip(s, STR("-->")) ? RC_OK : malformed(s, "a comment does not end");
}

/* Text up to the next tag. The five names of XML are the only '&'. */
static enum rc take_text(struct scanner *s)
{
    bool may = s->depth > 0 && s->open[s->depth - 1]->kind == OF_TEXT;
    while (s->at < s->text.n && s->text.p[s->at] != '<') {
        char c = s->text.p[s->at];
        if (!may && !is_space(c))
            return malformed(s, "text stands outside of text elements");
        if (c != '&') {
            s->at++;
            continue;
        }
        bool known = skip(s, STR("&amp;")) || skip(s, STR("&lt;")) || skip(s, STR("&gt;")) ||
                     skip(s, STR("&quot;")) || skip(s, STR("&apos;"));
        if (!known)
            return malformed(s, "an entity is not one of amp, lt, gt, quot, apos");
    }
    return RC_OK;
}

/* <?xml version="1.0" encoding="UTF-8"?> in its usual spellings, or nothing. */
static void skip_declaration(struct scanner *s)
{
    static const char *const forms[] = {
        "<?xml version=\"1.0\"?>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>",
        "<?xml version='1.0' encoding='UTF-8'?>",
        "<?xml version='1.0' encoding='utf-8'?>",
    };
    (void)skip(s, STR("\xEF\xBB\xBF"));
    for (size_t i = 0; i < COUNT(forms); i++)
        if (skip(s, str_c(forms[i])))
            return;
}

static enum rc check_characters(struct scanner *s)
{
    if (!str_is_utf8(s->text))
        return malformed(s, "it is not UTF-8");
    for (s->at = 0; s->at < s->text.n; s->at++) {
        unsigned char c = (unsigned char)s->text.p[s->at];
        if ((c < 0x20 && !is_space((char)c)) || c == 0x7F)
            return malformed(s, "there is a control character");
    }
    s->at = 0;
    return RC_OK;
}

enum rc svg_check(struct str text, struct err *err)
{
    struct scanner s = {.text = text, .err = err};
    TRY(check_characters(&s));
    skip_declaration(&s);
    while (s.at < s.text.n) {
        TRY(take_text(&s));
        if (s.at == s.text.n)
            break;
        if (skip(&s, STR("<!--")))
            TRY(take_comment(&s));
        else if (skip(&s, STR("</")))
            TRY(take_close_tag(&s));
        else if (str_starts(rest_of(&s), STR("<!")) || str_starts(rest_of(&s), STR("<?")))
            return refuse(&s, "it has", str_sub(rest_of(&s), 0, 12));
        else {
            s.at++;
            TRY(take_open_tag(&s));
        }
    }
    if (!s.had_root || s.depth > 0)
        return malformed(&s, "it ends too early");
    return RC_OK;
}
