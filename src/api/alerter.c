#include "api/alerter.h"

#include "fleet/alert.h"

#include <sodium.h>

#define CALL_US (4 * US_PER_SECOND) /* less than ALERT_CLAIM_CALL_US */

enum { REPLY_MAX = 64 * 1024, BODY_MAX = 32 * 1024, TEXT_MAX = 16 * 1024 };

/* --- a webhook --- */

static struct str body_of(const struct alert_delivery *d, struct arena *arena)
{
    struct buf b;
    struct json_writer w;
    struct alert_delivery message = *d;
    message.set = schema_all(&alert_message_schema);
    buf_init(&b, arena, BODY_MAX);
    json_writer_init(&w, &b);
    schema_encode(&alert_message_schema, &message, &w);
    ASSERT(!b.full); /* its longest text is ALERT_TEXT_MAX */
    return buf_str(&b);
}

static struct str signature(struct str secret, int64_t seconds, struct str body,
                            struct arena *arena)
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char hex[2 * sizeof mac + 1];
    struct str time = arena_fmt(arena, "%lld.", (long long)seconds);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.p, secret.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)time.p, time.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.p, body.n);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    return arena_fmt(arena, "t=%lld,v1=%s", (long long)seconds, hex);
}

/* What a try came to. */
struct outcome {
    enum rc rc;
    struct str error; /* empty: it was taken */
};

static struct outcome failed(enum rc rc, const struct err *err, struct arena *arena)
{
    return (struct outcome){rc, rc == RC_OK ? STR("") : arena_str(arena, err_text(err))};
}

static struct outcome call(struct alerter *a, const struct alert_claim *c, time_us now)
{
    struct err err = {0};
    struct wire_reply reply = {.status = 0};
    struct str body = body_of(&c->delivery, a->arena);
    const struct pair headers[] = {{STR("Content-Type"), STR("application/json")},
                                   {STR("User-Agent"), STR("hansed/" HANSE_VERSION)},
                                   {STR("Hanse-Event"), c->delivery.id},
                                   {STR("Idempotency-Key"), c->delivery.id},
                                   {STR("Hanse-Webhook-Signature"),
                                    signature(c->secret, now / US_PER_SECOND, body, a->arena)}};
    const struct wire_request request = {.method = STR("POST"),
                                         .url = c->target,
                                         .body = body,
                                         .headers = headers,
                                         .header_count = COUNT(headers),
                                         .timeout_us = CALL_US,
                                         .reply_bytes_max = REPLY_MAX,
                                         .public_only = !a->private_hosts,
                                         .given_up = a->closing};
    enum rc rc = wire_call(a->mailer->wire, &request, a->arena, &reply, &err);
    if (rc != RC_OK)
        return failed(rc, &err, a->arena);
    if (reply.status >= 200 && reply.status < 300)
        return (struct outcome){RC_OK, STR("")};
    return (struct outcome){RC_UNAVAILABLE,
                            arena_fmt(a->arena, "it answers with %d", reply.status)};
}

/* --- a mail --- */

static struct str subject_of(const struct alert_claim *c, struct arena *arena)
{
    const struct alert_delivery *d = &c->delivery;
    switch ((enum alert_kind)d->kind) {
    case ALERT_FAILING:
        return arena_fmt(arena, "%.*s: %.*s fails", STRF(d->title), STRF(d->promise));
    case ALERT_RECOVERED:
        return arena_fmt(arena, "%.*s: %.*s is kept again", STRF(d->title), STRF(d->promise));
    case ALERT_SUMMARY:
        return arena_fmt(arena, "%.*s: what else happened in the last hour", STRF(c->rule));
    case ALERT_TEST:
        return arena_fmt(arena, "%.*s: a test", STRF(c->rule));
    }
    NEVER("an alert of no kind");
}

static struct str text_of(const struct alert_claim *c, struct arena *arena)
{
    const struct alert_delivery *d = &c->delivery;
    struct buf b;
    char time[TIME_TEXT_MAX];
    buf_init(&b, arena, TEXT_MAX);
    if (d->subject.n > 0) {
        (void)time_format(d->since, time);
        buf_fmt(&b, "The promise '%.*s' of '%.*s' (%.*s) %s %s.\n", STRF(d->promise),
                STRF(d->title), STRF(d->subject),
                d->kind == ALERT_FAILING ? "fails since" : "is kept again since", time);
    }
    if (d->text.n > 0)
        buf_fmt(&b, "\n%.*s\n", STRF(d->text));
    buf_fmt(&b, "\n-- \nAlert '%.*s' (%.*s)\n", STRF(c->rule), STRF(d->alert));
    ASSERT(!b.full);
    return buf_str(&b);
}

static struct outcome mail(struct alerter *a, const struct alert_claim *c)
{
    const struct mailer *m = a->mailer;
    struct err err = {0};
    const struct wire_mail out = {
        .url = m->url,
        .user = m->user,
        .password = m->password,
        .from = c->from.n > 0 ? c->from : m->from,
        .to = c->target,
        .subject = subject_of(c, a->arena),
        .text = text_of(c, a->arena),
        .message_id = c->delivery.id,
    };
    if (m->url.n == 0)
        return (struct outcome){RC_UNSUPPORTED, STR("this installation sends no mail")};
    enum rc rc = m->wire->mail(m->wire, &out, a->arena, &err);
    return failed(rc, &err, a->arena);
}

/* --- a step --- */

struct step {
    const struct seal *seal;
    struct alert_claim claim;
    time_us next;
    time_us now;
};

static enum rc look_in(struct tx *tx, void *arg)
{
    struct step *s = arg;
    s->now = tx->now;
    return alert_next(tx, &s->next);
}

static enum rc take_in(struct tx *tx, void *arg)
{
    struct step *s = arg;
    s->now = tx->now;
    TRY(alert_tick(tx));
    return alert_claim(tx, s->seal, &s->claim);
}

static enum rc settle_in(struct tx *tx, void *arg)
{
    return alert_settle(tx, arg);
}

static struct outcome send_out(struct alerter *a, const struct step *s)
{
    if (s->claim.trouble.n > 0)
        return (struct outcome){RC_UNAVAILABLE, s->claim.trouble};
    return s->claim.mail ? mail(a, &s->claim) : call(a, &s->claim, s->now);
}

/* An error may name the URL, and that may be a secret: for the party to read, not for the log. */
static enum rc send_one(struct alerter *a, const struct step *s, struct err *err)
{
    struct outcome done = send_out(a, s);
    struct alert_outcome o = {
        .alert = s->claim.delivery.alert,
        .delivery = s->claim.delivery.id,
        .sent = done.rc == RC_OK,
        .hopeless = done.rc == RC_INVALID || done.rc == RC_UNSUPPORTED || done.rc == RC_FORBIDDEN,
        .error = done.error,
    };
    log_event(a->log, o.sent ? LOG_INFO : LOG_WARN, o.sent ? "alert.sent" : "alert.not_sent",
              LOG_S("alert", o.alert), LOG_S("id", o.delivery),
              LOG_S("code", str_c(rc_slug(done.rc))));
    return store_write(a->store, a->arena, err, settle_in, &o);
}

enum rc alerter_work(struct alerter *a, bool *ret_worked, int64_t *ret_wait_us, struct err *err)
{
    struct step s = {.seal = a->seal};
    *ret_worked = false;
    arena_reset(a->arena);
    TRY(store_read(a->store, a->arena, err, look_in, &s));
    *ret_wait_us = s.next == ALERT_NEVER ? INT64_MAX : max_i64(s.next - s.now, 0);
    if (s.next > s.now)
        return RC_OK;
    TRY(store_write(a->store, a->arena, err, take_in, &s));
    if (s.claim.found)
        TRY(send_one(a, &s, err));
    *ret_worked = true;
    return RC_OK;
}
