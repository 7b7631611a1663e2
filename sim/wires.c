/* Between machines and control plane: messages are lost, answered for nothing, doubled, late. */
#include "sim.h"

enum { LOSE_PPM = 10000, ECHO_PPM = 5000, DOUBLE_PPM = 5000, LATE_PPM = 5000, STATUS_GONE = 503 };
/* A signature holds for so long. */
#define LATE_US (SIGNATURE_SKEW_US - US_PER_SECOND)

static enum rc lost(struct machine *m, struct err *err)
{
    m->sim->counts.lost++;
    return err_set(err, RC_UNAVAILABLE, "no connection");
}

/* A copy in one piece of memory. */
static struct message *copy(const struct message *m)
{
    struct message *c = malloc(sizeof *c + m->method.n + m->target.n + m->body.n);
    ASSERT(c != NULL);
    char *at = (char *)(c + 1);
    *c = *m;
    struct str *const texts[] = {&c->method, &c->target, &c->body};
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (texts[i]->n > 0)
            memcpy(at, texts[i]->p, texts[i]->n);
        texts[i]->p = at;
        at += texts[i]->n;
    }
    return c;
}

void wires_late(struct sim *s, struct message *m)
{
    struct wire_reply unheard;
    s->counts.late++;
    sim_trace(s, "a message of machine %zu comes late: %.*s", m->from->number, STRF(m->target));
    control_answer(s, m, &s->arena, &unheard);
    free(m);
}

static enum rc call(struct wire *w, const struct wire_request *r, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    struct machine *m = CONTAINER_OF(w, struct machine, wire);
    struct sim *s = m->sim;
    struct message message = {m, r->method, str_sub(r->url, m->link.server.n, r->url.n), r->body};
    s->counts.messages++;
    if (machine_cut(m) || s->down || sim_happens(s, LOSE_PPM))
        return lost(m, err);
    if (sim_happens(s, LATE_PPM)) {
        sim_put(s, sim_now(s) + sim_below(s, LATE_US), EVENT_LATE, 0, copy(&message));
        return lost(m, err);
    }
    if (sim_happens(s, DOUBLE_PPM)) {
        s->counts.doubled++;
        struct wire_reply first;
        control_answer(s, &message, arena, &first);
    }
    struct wire_reply reply = {0};
    control_answer(s, &message, arena, &reply);
    if (reply.status == STATUS_GONE || sim_happens(s, ECHO_PPM))
        return lost(m, err);
    *ret = reply;
    return RC_OK;
}

static enum rc mail(struct wire *w UNUSED, const struct wire_mail *m UNUSED,
                    struct arena *arena UNUSED, struct err *err)
{
    return err_set(err, RC_UNSUPPORTED, "agents send no mail");
}

void wires_init(struct machine *m)
{
    m->wire = (struct wire){.call = call, .mail = mail};
}
