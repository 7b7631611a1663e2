#include "http/wire.h"

struct str wire_header(const struct wire_reply *r, const char *name)
{
    struct str wanted = str_c(name);
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq(r->headers[i].name, wanted))
            return r->headers[i].value;
    return (struct str){NULL, 0};
}

/* --- the simulated twin --- */

enum { MILLION = 1000000 };

static bool happens(struct wire_sim *s, int64_t ppm)
{
    /* Always drawn, so that one probability does not shift the chance of all that follows. */
    return (int64_t)clock_sim_below(s->clock, MILLION) < ppm;
}

static enum rc sim_call(struct wire *w, const struct wire_request *request, struct arena *arena,
                        struct wire_reply *ret, struct err *err)
{
    struct wire_sim *s = CONTAINER_OF(w, struct wire_sim, wire);
    bool is_lost = happens(s, s->lose_ppm);
    bool is_echo = happens(s, s->echo_ppm);
    if (is_lost)
        return err_set(err, RC_UNAVAILABLE, "no connection to '%.*s'", STRF(request->url));
    ASSERT(s->fn != NULL);
    struct wire_reply reply = {0};
    TRY(s->fn(s->arg, request, arena, &reply, err));
    if (is_echo)
        return err_set(err, RC_UNAVAILABLE, "the answer of '%.*s' was lost", STRF(request->url));
    ASSERT(reply.status >= 100 && reply.status <= 599);
    if (request->piece != NULL) {
        TRY(request->piece(request->arg, reply.body, err));
        reply.body = (struct str){NULL, 0};
    }
    *ret = reply;
    return RC_OK;
}

static enum rc sim_mail(struct wire *w, const struct wire_mail *mail, struct arena *arena,
                        struct err *err)
{
    (void)arena;
    struct wire_sim *s = CONTAINER_OF(w, struct wire_sim, wire);
    bool is_lost = happens(s, s->lose_ppm);
    bool is_echo = happens(s, s->echo_ppm);
    if (is_lost)
        return err_set(err, RC_UNAVAILABLE, "no connection to '%.*s'", STRF(mail->url));
    ASSERT(s->mail_fn != NULL);
    TRY(s->mail_fn(s->arg, mail, err));
    if (is_echo)
        return err_set(err, RC_UNAVAILABLE, "the answer of '%.*s' was lost", STRF(mail->url));
    return RC_OK;
}

void wire_sim_init(struct wire_sim *s, struct clock_sim *clock)
{
    *s = (struct wire_sim){.wire = {.call = sim_call, .mail = sim_mail}, .clock = clock};
}
