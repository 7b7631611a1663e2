/*
 * node_routes.c - what the agents of nodes ask for: signed, each for itself alone.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "api/usage_body.h"

static enum rc want_seal(struct call *c)
{
    return c->api->sealed ? RC_OK
                          : err_set(c->err, RC_UNSUPPORTED,
                                    "services need the setting key_file, which is not set here");
}

enum rc agent_enrol_handler(struct call *c)
{
    struct node_enrolled enrolled;
    struct node node;
    TRY(node_enrol(c->tx, c->body, &enrolled));
    TRY(node_get(c->tx, enrolled.id, &node));
    c->note.party = node.owner;
    c->note.subject = node.id;
    return call_reply(c, &enrolled);
}

/* The first time sets the end of waiting; nobody waits beyond it. */
static void want_to_wait(struct call *c, const struct agent_query *q)
{
    struct request *r = request_of(c);
    time_us now = clock_steady(c->api->options.clock);
    if (r->wait_until == 0)
        r->wait_until = now + q->wait * US_PER_SECOND;
    r->wait_after = q->after;
    r->waits = now < r->wait_until;
}

enum rc agent_desired_handler(struct call *c)
{
    const struct agent_query *q = c->query;
    bool has = schema_has(&agent_query_schema, q, "after");
    struct str text;
    TRY(want_seal(c));
    TRY(service_desired(c->tx, &c->api->seal, c->caller.node, has ? q->after : -1, &text));
    if (text.n == 0) {
        want_to_wait(c, q);
        return call_reply_nothing(c);
    }
    return call_reply_bytes(c, 200, "application/json", text);
}

enum rc agent_report_handler(struct call *c)
{
    struct report_answer answer;
    TRY(want_seal(c));
    TRY(service_report(c->tx, &c->api->seal, c->caller.node, c->body, &answer));
    return call_reply(c, &answer);
}

/* Only what was registered: the folder may hold more. */
enum rc agent_image_handler(struct call *c)
{
    bool known = false;
    struct str sha256 = c->params[0];
    TRY(image_known(c->tx, sha256, &known));
    if (!known || c->api->images == NULL || !http_reply_file(c->x, c->api->images, sha256))
        return err_set(c->err, RC_NOT_FOUND, "there is no image '%.*s'", STRF(sha256));
    return call_reply_bytes(c, 200, "application/octet-stream", STR(""));
}

/* --- usage --- */

static enum rc take_usage(struct call *c)
{
    const struct usage_body *s = c->steps;
    struct usage_report report;
    TRY(service_usage(c->tx, c->caller.node, s->source, s->records, s->count, &report));
    return call_reply(c, &report);
}

enum rc agent_usage_handler(struct call *c)
{
    c->steps = NEW(c->arena, struct usage_body);
    TRY(call_read(c, usage_body_read));
    return call_write(c, take_usage);
}
