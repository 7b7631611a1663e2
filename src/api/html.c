#include "api/html.h"

#include <ctype.h>
#include <sodium.h>

static const char style[] =
    "body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#f5f6f8;color:#131924}"
    "header{background:var(--brand);color:var(--ink);padding:.75rem 1.25rem;font-weight:600}"
    "main{max-width:38rem;margin:2rem auto;padding:1.5rem;background:#fff;border:1px solid #cdd3dd;"
    "border-radius:8px}h1{font-size:1.35rem;margin:0 0 1rem}"
    "label{display:block;margin-top:1rem;font-weight:600}"
    "input{box-sizing:border-box;width:100%;padding:.5rem;font:inherit;border:1px solid #5d687b;"
    "border-radius:6px}input[aria-invalid]{border-color:#b42318}"
    "small{display:block;color:#465162}small.error,p.error{color:#b42318}"
    "button{margin-top:1.5rem;padding:.6rem 1.2rem;font:inherit;font-weight:600;border:0;"
    "border-radius:7px;background:var(--brand);color:var(--ink)}"
    ":focus-visible{outline:3px solid #131924;outline-offset:2px}"
    "code{background:#e9ecf1;padding:.1rem .3rem;border-radius:4px;overflow-wrap:anywhere}"
    "footer{max-width:38rem;margin:1rem auto;color:#465162;font-size:.85rem;white-space:pre-line}"
    "blockquote{margin:1rem 0;padding-left:1rem;border-left:3px solid var(--brand);"
    "white-space:pre-line}"
    "@media(prefers-color-scheme:dark){body{background:#0c1016;color:#e9edf4}main{background:#"
    "131921;"
    "border-color:#3a475a}small,footer{color:#afbaca}input{background:#1a222d;color:inherit;"
    "border-color:#8c98aa}code{background:#232d3a}small.error,p.error{color:#ff8f85}"
    ":focus-visible{outline-color:#e9edf4}}";

static bool is_colour(struct str s)
{
    if (s.n != 7 || s.p[0] != '#')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (isxdigit((unsigned char)s.p[i]) == 0)
            return false;
    return true;
}

static struct str style_hash(struct str text, struct arena *arena)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char base64[64];
    crypto_hash_sha256(hash, (const unsigned char *)text.p, text.n);
    sodium_bin2base64(base64, sizeof base64, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    return arena_fmt(
        arena,
        "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'",
        base64);
}

void html_begin(struct html *h, struct arena *arena, const struct brand *brand, struct str title)
{
    bool own = brand != NULL && is_colour(brand->colour) && is_colour(brand->ink);
    struct str css = arena_fmt(arena, ":root{--brand:%.*s;--ink:%.*s;color-scheme:light dark}%s",
                               STRF(own ? brand->colour : STR("#2747d8")),
                               STRF(own ? brand->ink : STR("#ffffff")), style);
    struct str name = brand != NULL && brand->name.n > 0 ? brand->name : STR("Hanse");
    h->arena = arena;
    h->csp = style_hash(css, arena);
    buf_init(&h->buf, arena, HTML_BYTES_MAX);
    html_add(h, "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    html_text(h, title);
    html_add(h, " - ");
    html_text(h, name);
    html_add(h, "</title><style>");
    buf_add(&h->buf, css);
    html_add(h, "</style></head><body><header>");
    html_text(h, name);
    html_add(h, "</header><main>");
    html_element(h, "h1", title);
}

void html_add(struct html *h, const char *markup)
{
    buf_add(&h->buf, str_c(markup));
}

void html_text(struct html *h, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            html_add(h, "&amp;");
            break;
        case '<':
            html_add(h, "&lt;");
            break;
        case '>':
            html_add(h, "&gt;");
            break;
        case '"':
            html_add(h, "&quot;");
            break;
        case '\'':
            html_add(h, "&#39;");
            break;
        default:
            buf_add_char(&h->buf, text.p[i]);
        }
    }
}

void html_element(struct html *h, const char *tag, struct str text)
{
    buf_fmt(&h->buf, "<%s>", tag);
    html_text(h, text);
    buf_fmt(&h->buf, "</%s>", tag);
}

void html_field(struct html *h, const struct html_field *f)
{
    bool wrong = f->error.n > 0;
    buf_fmt(&h->buf, "<label for=\"%s\">%s</label>", f->name, f->label);
    if (f->hint != NULL)
        buf_fmt(&h->buf, "<small id=\"%s-hint\">%s</small>", f->name, f->hint);
    if (wrong) {
        buf_fmt(&h->buf, "<small class=\"error\" id=\"%s-error\">", f->name);
        html_text(h, f->error);
        html_add(h, "</small>");
    }
    buf_fmt(&h->buf, "<input id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\"", f->name,
            f->name, f->type, f->autocomplete);
    if (f->hint != NULL || wrong)
        buf_fmt(&h->buf, " aria-describedby=\"%s-%s\"", f->name, wrong ? "error" : "hint");
    if (wrong)
        html_add(h, " aria-invalid=\"true\"");
    if (f->required)
        html_add(h, " required");
    html_add(h, " value=\"");
    html_text(h, f->value);
    html_add(h, "\">");
}

enum rc html_reply(struct html *h, struct call *c, int status)
{
    html_add(h, "</main></body></html>");
    ASSERT(!h->buf.full); /* whoever wrote the page bounded it */
    call_header(c, "Content-Security-Policy", h->csp);
    return call_reply_bytes(c, status, "text/html; charset=utf-8", buf_str(&h->buf));
}
