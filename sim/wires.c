/* Between machines and control plane: messages are lost, answered for nothing, doubled, late. */
#include "sim.h"

enum { LOSE_PPM = 10000, ECHO_PPM = 5000, DOUBLE_PPM = 5000, LATE_PPM = 5000, STATUS_GONE = 503 };
enum { DIE_PPM = 20, DIE_WITH_DATA_PPM = 5000, CUT_PPM = 50000, PIECE_BYTES = 50 };
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

/* Of a file, from where on. */
static int64_t offset_of(const struct wire_request *r)
{
    int64_t offset = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        struct str value = r->headers[i].value;
        if (!str_eq(r->headers[i].name, STR("Range")))
            continue;
        (void)str_cut(&value, '=');
        if (!str_to_i64(str_cut(&value, '-'), 0, INT64_MAX, &offset))
            NEVER("a range that our agent asks for begins with a number");
    }
    return offset;
}

/* A file, a piece after the other; some do not come to the end. */
static enum rc hand_over(struct machine *m, const struct wire_request *r, struct wire_reply *reply,
                         struct err *err)
{
    struct str rest = reply->body;
    reply->body = STR("");
    while (rest.n > 0) {
        if (sim_happens(m->sim, CUT_PPM))
            return lost(m, err);
        TRY(r->piece(r->arg, str_sub(rest, 0, PIECE_BYTES), err));
        rest = str_sub(rest, PIECE_BYTES, rest.n);
    }
    return RC_OK;
}

/* An agent is killed before a message, or after it and before the answer. */
static void kill_some(struct machine *m, struct str target)
{
    bool data = str_starts(target, STR("/v1/node/backups/"));
    if (sim_happens(m->sim, data ? DIE_WITH_DATA_PPM : DIE_PPM))
        points_kill(arena_fmt(&m->sim->arena, "%.*s", STRF(target)).p);
}

static enum rc call(struct wire *w, const struct wire_request *r, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    struct machine *m = CONTAINER_OF(w, struct machine, wire);
    struct sim *s = m->sim;
    struct str target = str_sub(r->url, m->link.server.n, r->url.n);
    struct message message = {m, r->method, target, r->body, offset_of(r)};
    s->counts.messages++;
    kill_some(m, target);
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
    kill_some(m, target);
    if (reply.status == STATUS_GONE || sim_happens(s, ECHO_PPM))
        return lost(m, err);
    if (r->piece != NULL)
        TRY(hand_over(m, r, &reply, err));
    if (str_eq(target, STR("/v1/node/probes")) && str_eq(r->method, STR("GET")))
        eyes_told(m, reply.body);
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
