#include "api/pages.h"

#include "api/accept.h"
#include "api/accept_invitation.h"
#include "api/handlers.h"
#include "api/html.h"

enum { FORM_FIELDS_MAX = 16 };

/* --- problems --- */

void page_problem_reply(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    struct html h;
    call_reset(c);
    html_begin(&h, c->arena, NULL, str_c(rc_title(rc)));
    html_element(&h, "p", rc == RC_INTERNAL ? STR("It is in our log.") : err_text(c->err));
    html_add(&h, "<p>Request <code>");
    html_text(&h, http_request_id(c->x));
    html_add(&h, "</code></p>");
    if (html_reply(&h, c, rc_http(rc)) != RC_OK)
        NEVER("a short page always fits");
    http_reply_header(c->x, "Content-Security-Policy", h.csp);
    http_reply(c->x, c->status, c->type, c->reply_body);
}

static const struct {
    enum rc rc;
    const char *advice;
} advices[] = {
    {RC_SYNTAX, "The request is not well formed. \"detail\" says where."},
    {RC_UNAUTHENTICATED, "Log in, or send a token: Authorization: Bearer hse_... A token that was "
                         "revoked or has ended must be made anew."},
    {RC_FORBIDDEN, "\"missing_permission\" names what you lack; an owner of the party can give you "
                   "a role that has it. Where \"prove\" is there, give your password again there."},
    {RC_NOT_FOUND, "It does not exist, or you may not see it: both are answered alike."},
    {RC_CHANGED,
     "Somebody else changed it since you read it. Read it again, and repeat your change "
     "with the new ETag as If-Match."},
    {RC_INVALID, "\"errors\" names each field by JSON pointer, and what is wanted."},
    {RC_NEED_MATCH, "Send the ETag that you were given when you read it as If-Match."},
    {RC_TOO_MANY, "Wait as long as Retry-After says."},
    {RC_INTERNAL, "A mistake of ours. Tell us the request_id."},
    {RC_UNAVAILABLE, "Try again after Retry-After. An Idempotency-Key makes that safe."},
    {RC_FULL, "The disk of the server is full. Nothing of the request was kept. Reading goes on."},
};

enum rc page_problem_handler(struct call *c)
{
    for (enum rc rc = RC_OK; rc < RC_COUNT; rc++) {
        if (rc == RC_OK || !str_eq(str_c(rc_slug(rc)), c->params[0]))
            continue;
        struct html h;
        html_begin(&h, c->arena, NULL, str_c(rc_title(rc)));
        html_element(
            &h, "p",
            arena_fmt(c->arena, "HTTP status %d, exit code %d.", rc_http(rc), rc_exit(rc)));
        for (size_t i = 0; i < COUNT(advices); i++)
            if (advices[i].rc == rc)
                html_element(&h, "p", str_c(advices[i].advice));
        return html_reply(&h, c, 200);
    }
    return err_set(c->err, RC_NOT_FOUND, "there is no problem with this name");
}

/* --- home --- */

enum rc page_home_handler(struct call *c)
{
    struct brand brand;
    TRY(brand_of_host(c->tx, call_host(c), &brand));
    struct html h;
    html_begin(&h, c->arena, &brand, STR("Welcome"));
    html_add(&h, "<p>This is the control plane of a cloud: its API and its sign-in.</p>"
                 "<p>From the command line:</p><p><code>hanse login ");
    html_text(&h, call_base_url(c));
    html_add(&h, "</code></p><ul><li><a href=\"/v1/openapi.json\">The API as an OpenAPI 3.1 "
                 "document</a></li><li><a href=\"/v1/version\">Version</a></li>"
                 "<li><a href=\"/healthz\">Health</a></li></ul>");
    html_element(&h, "footer", brand.legal_footer);
    return html_reply(&h, c, 200);
}

/* --- invitations --- */

/* What was typed, to be shown again, and the sentence for the field that was wrong. */
struct form {
    struct str email;
    struct str name;
    struct str party_name;
    struct str country;
    struct str pointer; /* JSON pointer of the field to blame */
    struct str error;
};

static struct str error_at(const struct form *f, const char *pointer)
{
    return f->error.n > 0 && str_eq(f->pointer, str_c(pointer)) ? f->error : STR("");
}

static void invite_fields(struct html *h, const struct invitation_view *view, const struct form *f)
{
    html_field(h, &(struct html_field){.name = "email",
                                       .label = "E-mail address",
                                       .type = "email",
                                       .autocomplete = "username",
                                       .value = f->email,
                                       .error = error_at(f, "/email"),
                                       .required = true});
    html_field(h, &(struct html_field){.name = "name",
                                       .label = "Your name",
                                       .type = "text",
                                       .autocomplete = "name",
                                       .value = f->name,
                                       .error = error_at(f, "/name"),
                                       .required = true});
    html_field(h, &(struct html_field){.name = "password",
                                       .label = "Password",
                                       .type = "password",
                                       .autocomplete = "new-password",
                                       .hint = "12 characters or more; a sentence is fine.",
                                       .error = error_at(f, "/password"),
                                       .required = true});
    if (view->joins)
        return;
    html_field(h, &(struct html_field){.name = "party_name",
                                       .label = "Name of your company or association, or yours",
                                       .type = "text",
                                       .autocomplete = "organization",
                                       .value = f->party_name,
                                       .error = error_at(f, "/party/name"),
                                       .required = true});
    html_field(h, &(struct html_field){.name = "country",
                                       .label = "Country",
                                       .type = "text",
                                       .autocomplete = "country",
                                       .hint = "Two letters, such as FR.",
                                       .value = f->country,
                                       .error = error_at(f, "/party/address/country"),
                                       .required = true});
}

static enum rc reply_form(struct call *c, const struct invitation_view *view, const struct form *f,
                          int status)
{
    struct brand brand;
    struct html h;
    TRY(brand_of_host(c->tx, call_host(c), &brand));
    html_begin(&h, c->arena, &brand,
               arena_fmt(c->arena, "%.*s invites you", STRF(view->party_name)));
    if (view->inviter_name.n > 0)
        html_element(&h, "p", arena_fmt(c->arena, "Invited by %.*s.", STRF(view->inviter_name)));
    if (view->message.n > 0)
        html_element(&h, "blockquote", view->message);
    if (f->error.n > 0) {
        html_add(&h, "<p class=\"error\" role=\"alert\">");
        html_text(&h, f->error);
        html_add(&h, "</p>");
    }
    html_add(&h, "<form method=\"post\" accept-charset=\"utf-8\">");
    invite_fields(&h, view, f);
    html_add(&h, "<button>Accept</button></form>");
    html_element(&h, "footer", brand.legal_footer);
    return html_reply(&h, c, status);
}

enum rc page_invite_handler(struct call *c)
{
    struct invitation_view view;
    TRY(invitation_open(c->tx, c->params[0], &view));
    struct form form = {.email = view.email,
                        .party_name = view.prefill.name,
                        .country = view.prefill.address.country};
    return reply_form(c, &view, &form, 200);
}

/* --- the form, filled in --- */

/* One name or value of application/x-www-form-urlencoded. */
static bool form_decode(struct str s, struct arena *arena, struct str *ret)
{
    char *out = arena_bytes(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i] == '+' ? ' ' : s.p[i];
        if (ch == '%') {
            int high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            ch = (char)(high << 4 | low);
            i += 2;
        }
        out[n++] = ch;
    }
    *ret = str_n(out, n);
    return str_is_utf8(*ret) && str_find(*ret, '\0', 0) == ret->n;
}

static enum rc form_read(struct call *c, struct pair fields[FORM_FIELDS_MAX], size_t *ret_count)
{
    struct str type = http_header(c->x, "Content-Type");
    if (!str_eq_nocase(str_trim(str_cut(&type, ';')), STR("application/x-www-form-urlencoded")))
        return err_set(c->err, RC_MEDIA_TYPE, "this form is sent by its page");
    struct str rest = http_body(c->x);
    size_t count = 0;
    while (rest.n > 0) {
        struct str value = str_cut(&rest, '&');
        struct str name = str_cut(&value, '=');
        if (count == FORM_FIELDS_MAX || !form_decode(name, c->arena, &fields[count].name) ||
            !form_decode(value, c->arena, &fields[count].value))
            return err_set(c->err, RC_SYNTAX, "the form cannot be read");
        count++;
    }
    *ret_count = count;
    return RC_OK;
}

static struct str form_get(const struct pair *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(fields[i].name, str_c(name)))
            return str_trim(fields[i].value);
    return STR("");
}

static void put(struct json_writer *w, const char *key, struct str value)
{
    json_put_key(w, str_c(key));
    json_put_str(w, value);
}

/* The form as the JSON that the API takes, so that one table checks both. */
static enum rc form_decode_acceptance(struct call *c, const struct pair *fields, size_t count,
                                      bool founds, struct acceptance *ret)
{
    struct buf b;
    buf_init(&b, c->arena, HTML_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    put(&w, "token", c->params[0]);
    put(&w, "email", form_get(fields, count, "email"));
    put(&w, "name", form_get(fields, count, "name"));
    for (size_t i = 0; i < count; i++) /* not trimmed: spaces are part of it */
        if (str_eq(fields[i].name, STR("password")))
            put(&w, "password", fields[i].value);
    if (founds) {
        json_put_key(&w, STR("party"));
        json_begin_object(&w);
        put(&w, "name", form_get(fields, count, "party_name"));
        json_put_key(&w, STR("address"));
        json_begin_object(&w);
        put(&w, "country", form_get(fields, count, "country"));
        json_end_object(&w);
        json_end_object(&w);
    }
    json_end_object(&w);
    if (b.full)
        return err_set(c->err, RC_TOO_LARGE, "the form is too large");
    const struct json *json = NULL;
    TRY(json_parse(buf_str(&b), c->arena, &json, c->err));
    return schema_decode(&acceptance_schema, SCHEMA_WHOLE, json, c->arena, ret, c->err);
}

static enum rc reply_welcome(struct call *c)
{
    struct brand brand;
    struct html h;
    TRY(brand_of_host(c->tx, call_host(c), &brand));
    html_begin(&h, c->arena, &brand, STR("You are in"));
    html_add(&h, "<p>Your password is set. Log in from the command line:</p><p><code>hanse login ");
    html_text(&h, call_base_url(c));
    html_add(&h, "</code></p>");
    if (c->api->web_root != NULL)
        html_add(&h, "<p>Or go to <a href=\"/\">the portal</a>.</p>");
    return html_reply(&h, c, 200);
}

struct form_steps {
    struct form form;
    struct invitation_view view;
    int status;
};

static enum rc look_at(struct call *c)
{
    struct form_steps *s = c->steps;
    return invitation_open(c->tx, c->params[0], &s->view);
}

static enum rc show_again(struct call *c)
{
    struct form_steps *s = c->steps;
    return reply_form(c, &s->view, &s->form, s->status);
}

enum rc page_accept_handler(struct call *c)
{
    struct pair fields[FORM_FIELDS_MAX];
    size_t count = 0;
    struct form_steps *steps = NEW(c->arena, struct form_steps);
    struct acceptance acceptance;
    struct accepted accepted = {0};
    /* The form asks for all that is needed: whoever is logged in here is not meant. */
    c->caller = (struct caller){.kind = CALLER_NOBODY};
    TRY(form_read(c, fields, &count));
    c->steps = steps;
    TRY(call_read(c, look_at));
    enum rc rc = form_decode_acceptance(c, fields, count, !steps->view.joins, &acceptance);
    if (rc == RC_OK)
        rc = invitation_take(c, &acceptance, &accepted, reply_welcome);
    if (rc != RC_INVALID && rc != RC_CONFLICT)
        return rc;
    steps->form = (struct form){.email = form_get(fields, count, "email"),
                                .name = form_get(fields, count, "name"),
                                .party_name = form_get(fields, count, "party_name"),
                                .country = form_get(fields, count, "country"),
                                .pointer = arena_str(c->arena, err_pointer(c->err)),
                                .error = arena_str(c->arena, err_text(c->err))};
    steps->status = rc_http(rc);
    c->steps = steps;
    call_reset(c);
    return call_read(c, show_again);
}

/* --- the portal's files --- */

bool page_static(struct request *r, enum rc routed)
{
    struct call *c = &r->call;
    struct str path = http_path(c->x);
    bool home = str_eq(path, STR("/"));
    if (routed == RC_METHOD || (routed == RC_OK && !home))
        return false;
    if (home)
        return http_reply_file(c->x, c->api->web_root, STR("/index.html"));
    if (http_reply_file(c->x, c->api->web_root, path))
        return true;
    size_t last = path.n;
    while (last > 0 && path.p[last - 1] != '/')
        last--;
    bool file = str_find(path, '.', last) < path.n;
    if (file || str_starts(path, STR("/v1/")) || str_starts(path, STR("/assets/")) ||
        accept_quality(http_header(c->x, "Accept"), STR("text/html")) == 0)
        return false;
    return http_reply_file(c->x, c->api->web_root, STR("/index.html"));
}
