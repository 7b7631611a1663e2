/*
 * webhook:post and mail:send: what a ruleset tells people and programs outside. Both are kept with
 * what the event does, and leave after it is durable, at least once (outgoing.h); the answer is the
 * id that the receiver knows a repeat by. An event that is undone tells nobody.
 */
#include "pico/activation.h"
#include "pico/outgoing.h"

#include "http/mail.h"
#include "krl/lib.h"

enum {
    NOTIFY_MAX = 100, /* by one event */
    NOTIFY_URL_MAX = 2048,
    MAIL_SUBJECT_MAX = 200,
    MAIL_TO_MAX = 254,
};

/* Whether this event may tell one more. */
static bool may_tell(struct activation *a)
{
    struct err err;
    bool room = false;
    struct krl_heap *h = &a->m.heap;
    if (a->commit == NULL)
        krl_fail(h, RC_INVALID, "Error: a query tells nobody");
    else if (a->e->o.wire == NULL)
        krl_fail(h, RC_UNSUPPORTED, "Error: this engine asks no other hosts");
    else if (a->commit->told_n++ >= NOTIFY_MAX)
        krl_fail(h, RC_TOO_MANY, "Error: one event tells at most %d others", NOTIFY_MAX);
    else if (outgoing_room(a->e, a->p->no, &room, &err) != RC_OK)
        krl_fail(h, RC_UNAVAILABLE, "%.*s", STRF(err_text(&err)));
    else if (!room)
        krl_fail(h, RC_TOO_MANY, "Error: %d mails and webhooks of this pico wait already",
                 OUTGOING_PICO_MAX);
    return !krl_failing(h);
}

static struct krl_value tell(struct activation *a, struct outgoing *o)
{
    char id[ECI_N + 1];
    struct arena *arena = &a->commit->arena;
    chance_eci(a->e, id);
    struct outgoing *kept = NEW(arena, struct outgoing);
    *kept = (struct outgoing){.kind = o->kind,
                              .id = arena_str(arena, str_c(id)),
                              .target = arena_str(arena, o->target),
                              .subject = arena_str(arena, o->subject),
                              .body = arena_str(arena, o->body)};
    commit_op(a->commit, OP_OUTGOING, a->p->no)->outgoing = kept;
    return value_of(a, str_c(id));
}

/* --- webhook: --- */

static bool is_url(struct str s)
{
    bool http = str_starts(s, STR("http://")) || str_starts(s, STR("https://"));
    for (size_t i = 0; http && i < s.n; i++)
        http = s.p[i] > ' ' && s.p[i] != 0x7f;
    return http && s.n <= NOTIFY_URL_MAX && str_is_utf8(s);
}

struct krl_value notify_post(struct activation *a, struct krl_value url, struct krl_value data)
{
    struct krl_heap *h = &a->m.heap;
    struct outgoing o = {.kind = OUTGOING_WEBHOOK, .target = str_trim(text_of(a, url))};
    if (url.type != KRL_TEXT || !is_url(o.target))
        krl_fail(h, RC_INVALID, "TypeError: webhook:post wants the url of a receiver: https://...");
    o.body = krl_is_null(data) ? STR("{}") : activation_encode(a, data);
    if (!krl_failing(h) && o.body.n > PICO_ATTRS_BYTES_MAX)
        krl_fail(h, RC_TOO_LARGE, "Error: what a webhook gets has at most %d bytes",
                 PICO_ATTRS_BYTES_MAX);
    if (krl_failing(h) || !may_tell(a))
        return krl_failed();
    return tell(a, &o);
}

static struct krl_value webhook_post(struct activation *a, const struct krl_value *args, size_t n)
{
    return notify_post(a, krl_arg(args, n, 0), krl_arg(args, n, 1));
}

static const struct member webhook_members[] = {
    {"post", KRL_DOOR_ACTION, webhook_post, {"url", "data", NULL}},
    {NULL, 0, NULL, {NULL}},
};
const struct module module_webhook = {"webhook", webhook_members};

/* --- mail: --- */

static struct krl_value mail_send(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_heap *h = &a->m.heap;
    struct err err = {0};
    struct str composed; /* only to see that it can be */
    struct outgoing o = {.kind = OUTGOING_MAIL,
                         .target = str_trim(text_of(a, krl_arg(args, n, 0))),
                         .subject = text_of(a, krl_arg(args, n, 1)),
                         .body = text_of(a, krl_arg(args, n, 2))};
    for (size_t i = 0; i < 3; i++)
        if (krl_arg(args, n, i).type != KRL_TEXT)
            krl_fail(h, RC_INVALID, "TypeError: mail:send wants three texts: to, subject, text");
    if (!krl_failing(h) && a->e->o.mail.url.n == 0)
        krl_fail(h, RC_UNSUPPORTED, "Error: this engine sends no mail");
    bool fits = o.subject.n <= MAIL_SUBJECT_MAX && o.body.n <= PICO_ATTRS_BYTES_MAX &&
                o.target.n <= MAIL_TO_MAX;
    if (!krl_failing(h) && !fits)
        krl_fail(h, RC_TOO_LARGE, "Error: the mail is too long");
    const struct wire_mail mail = {.url = a->e->o.mail.url,
                                   .from = a->e->o.mail.from,
                                   .to = o.target,
                                   .subject = o.subject,
                                   .text = o.body,
                                   .message_id = STR("check")};
    if (!krl_failing(h) &&
        mail_compose(&mail, clock_now(a->e->clock), a->arena_own, &composed, &err) != RC_OK)
        krl_fail(h, RC_INVALID, "Error: %.*s", STRF(err_text(&err)));
    if (krl_failing(h) || !may_tell(a))
        return krl_failed();
    return tell(a, &o);
}

static const struct member mail_members[] = {
    {"send", KRL_DOOR_ACTION, mail_send, {"to", "subject", "text", NULL}},
    {NULL, 0, NULL, {NULL}},
};
const struct module module_mail = {"mail", mail_members};
