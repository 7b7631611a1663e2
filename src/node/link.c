/* Enrolment, signed calls, desired state and reports. */
#include "node/link.h"

#include "node/file.h"
#include "node/machine.h"

#include "base/point.h"
#include "http/http.h"

#include <inttypes.h>
#include <sodium.h>

enum {
    KEEP_BYTES_MAX = 64 * 1024,
    DESIRED_BYTES_MAX = 64 * 1024 * 1024,
    SIGHTING_BYTES_MAX = 512 * 1024, /* the longest is half of that */
    STATUS_BAD = 400,
    STATUS_OK = 200,
    URL_MAX = 300,
};
#define CALL_US (30 * US_PER_SECOND)
#define PULL_US (15 * US_PER_SECOND) /* beyond the wait: then the answer was lost on its way */
#define SEND_US (300 * US_PER_SECOND)

struct kept {
    uint64_t set;
    struct str server;
    struct str id;
};
static const struct field kept_fields[] = {
    FIELD(struct kept, server, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = URL_MAX),
    FIELD(struct kept, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "nod"),
};
static const struct schema kept_schema =
    SCHEMA(struct kept, "kept", kept_fields, "What enrolment left.");

struct enrolment {
    uint64_t set;
    struct str token;
    struct str key;
};
static const struct field enrolment_fields[] = {
    FIELD(struct enrolment, token, TEXT, .max = 300),
    FIELD(struct enrolment, key, TEXT, .max = 2 * SIGNATURE_PUBLIC_BYTES),
};
static const struct schema enrolment_schema =
    SCHEMA(struct enrolment, "enrolment", enrolment_fields, "What is handed in.");

static const char *home_path(const struct link *l, const char *name, struct arena *arena)
{
    return arena_fmt(arena, "%s/%s", l->home, name).p;
}

/* The sentence of a problem (RFC 9457), or the status alone. */
static enum rc refused(const struct wire_reply *reply, struct arena *arena, struct err *err)
{
    const struct json *root = NULL, *detail = NULL;
    struct err ignored;
    err_clear(&ignored);
    if (json_parse(reply->body, arena, &root, &ignored) == RC_OK && json_type(root) == JSON_OBJECT)
        detail = json_get(root, STR("detail"));
    enum rc rc = rc_from_http(reply->status);
    if (rc == RC_OK)
        rc = RC_REMOTE;
    if (detail != NULL && json_type(detail) == JSON_STRING)
        return err_set(err, rc, "the control plane says: %.*s", STRF(json_text(detail)));
    return err_set(err, rc, "the control plane answers with status %d", reply->status);
}

/* --- calls --- */

static enum rc call_with(struct link *l, const struct wire_request *base, struct str target,
                         struct arena *arena, struct wire_reply *ret, struct err *err)
{
    struct wire_request request = *base;
    struct pair headers[WIRE_HEADERS_MAX];
    size_t n = base->header_count;
    struct signature_request signed_request = {.method = base->method,
                                               .target = target,
                                               .node = l->node,
                                               .time = clock_now(l->clock),
                                               .body = base->body};
    ASSERT(n + 3 <= WIRE_HEADERS_MAX);
    for (size_t i = 0; i < n; i++)
        headers[i] = base->headers[i];
    headers[n++] = (struct pair){STR("Hanse-Node"), l->node};
    headers[n++] =
        (struct pair){STR("Hanse-Time"), arena_fmt(arena, "%" PRId64, signed_request.time)};
    headers[n++] =
        (struct pair){STR("Hanse-Signature"), signature_make(&signed_request, l->secret, arena)};
    request.url = arena_fmt(arena, "%.*s%.*s", STRF(l->server), STRF(target));
    request.headers = headers;
    request.header_count = n;
    request.given_up = l->ending;
    return wire_call(l->wire, &request, arena, ret, err);
}

static enum rc call_typed(struct link *l, const struct wire_request *base, struct str target,
                          struct arena *arena, struct wire_reply *ret, struct err *err)
{
    TRY(call_with(l, base, target, arena, ret, err));
    return ret->status < STATUS_BAD ? RC_OK : refused(ret, arena, err);
}

enum rc link_send(struct link *l, struct str target, struct str bytes, struct arena *arena,
                  struct wire_reply *ret, struct err *err)
{
    const struct pair plain = {STR("Content-Type"), STR("application/octet-stream")};
    struct wire_request request = {.method = STR("POST"),
                                   .headers = &plain,
                                   .header_count = 1,
                                   .body = bytes,
                                   .timeout_us = SEND_US};
    return call_typed(l, &request, target, arena, ret, err);
}

enum rc link_call(struct link *l, const char *method, struct str target, struct str body,
                  struct arena *arena, struct wire_reply *ret, struct err *err)
{
    const struct pair json = {STR("Content-Type"), STR("application/json")};
    struct wire_request request = {.method = str_c(method),
                                   .headers = &json,
                                   .header_count = body.n > 0 ? 1 : 0,
                                   .body = body,
                                   .timeout_us = CALL_US};
    return call_typed(l, &request, target, arena, ret, err);
}

/* --- enrolment --- */

static enum rc hand_in(struct link *l, struct str server, struct str token, struct str key,
                       struct arena *arena, struct kept *ret, struct err *err)
{
    struct enrolment e = {.set = schema_all(&enrolment_schema), .token = token, .key = key};
    const struct pair json = {STR("Content-Type"), STR("application/json")};
    struct wire_request request = {.method = STR("POST"),
                                   .url = arena_fmt(arena, "%.*s/v1/node/enrol", STRF(server)),
                                   .headers = &json,
                                   .header_count = 1,
                                   .body = schema_str(&enrolment_schema, &e, KEEP_BYTES_MAX, arena),
                                   .timeout_us = CALL_US};
    struct wire_reply reply;
    const struct json *root, *id;
    TRY(wire_call(l->wire, &request, arena, &reply, err));
    if (reply.status >= STATUS_BAD)
        return refused(&reply, arena, err);
    TRY(json_parse(reply.body, arena, &root, err));
    id = json_type(root) == JSON_OBJECT ? json_get(root, STR("id")) : NULL;
    if (id == NULL || json_type(id) != JSON_STRING || !id_is(json_text(id), "nod"))
        return err_set(err, RC_REMOTE, "the control plane gave this node no id");
    *ret = (struct kept){
        .set = schema_all(&kept_schema), .server = server, .id = arena_str(arena, json_text(id))};
    return RC_OK;
}

enum rc link_enrol(struct link *l, struct str server, struct str token, struct arena *arena,
                   struct err *err)
{
    uint8_t open[SIGNATURE_PUBLIC_BYTES], secret[SIGNATURE_SECRET_BYTES];
    char hex[2 * SIGNATURE_SECRET_BYTES + 1];
    struct kept kept;
    const char *note = home_path(l, "node", arena);
    while (server.n > 0 && server.p[server.n - 1] == '/')
        server.n--;
    if (server.n == 0 || server.n > URL_MAX || token.n == 0)
        return err_set(err, RC_SYNTAX, "say where and with what: --server URL --token TOKEN");
    if (file_exists(note))
        return err_set(err, RC_CONFLICT, "this node is enrolled already: remove '%s' to begin anew",
                       note);
    signature_pair(open, secret);
    sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    TRY(file_make_folder(l->home, err));
    TRY(file_write(home_path(l, "key", arena), str_c(hex), err));
    sodium_bin2hex(hex, sizeof hex, open, sizeof open);
    TRY(hand_in(l, server, token, str_c(hex), arena, &kept, err));
    return file_write(note, schema_str(&kept_schema, &kept, KEEP_BYTES_MAX, arena), err);
}

enum rc link_load(struct link *l, struct arena *arena, struct err *err)
{
    struct str text, key;
    const struct json *root;
    struct kept kept;
    size_t n = 0;
    if (file_read(home_path(l, "node", arena), KEEP_BYTES_MAX, arena, &text, err) != RC_OK)
        return err_set(
            err, RC_NOT_FOUND,
            "this node is not enrolled: see hanse-node enrol --server URL --token TOKEN");
    TRY(json_parse(text, arena, &root, err));
    TRY(schema_decode(&kept_schema, SCHEMA_WHOLE, root, arena, &kept, err));
    TRY(file_read(home_path(l, "key", arena), KEEP_BYTES_MAX, arena, &key, err));
    if (sodium_hex2bin(l->secret, sizeof l->secret, key.p, key.n, NULL, &n, NULL) != 0 ||
        n != sizeof l->secret)
        return err_set(err, RC_INVALID, "the key of this node is broken");
    l->server = kept.server;
    l->node = kept.id;
    return RC_OK;
}

/* --- desired --- */

void link_recall(struct link *l, struct agent *agent, struct arena *arena)
{
    struct str text;
    struct err err;
    err_clear(&err);
    const char *path = home_path(l, "desired", arena);
    if (!file_exists(path))
        return;
    if (file_read(path, DESIRED_BYTES_MAX, arena, &text, &err) != RC_OK ||
        agent_want(agent, text, &err) != RC_OK)
        log_event(l->log, LOG_ERROR, "node.recall", LOG_S("why", err_text(&err)));
}

enum rc link_pull(struct link *l, struct agent *agent, int64_t wait_s, struct arena *arena,
                  struct err *err)
{
    struct wire_reply reply;
    struct wire_request request = {.method = STR("GET"),
                                   .timeout_us = PULL_US + wait_s * US_PER_SECOND,
                                   .reply_bytes_max = DESIRED_BYTES_MAX};
    struct str target = arena_fmt(arena, "/v1/node/desired?after=%" PRId64 "&wait=%" PRId64,
                                  l->unkept ? 0 : agent_revision(agent), wait_s);
    TRY(call_typed(l, &request, target, arena, &reply, err));
    if (reply.status != STATUS_OK || reply.body.n == 0)
        return RC_OK; /* nothing newer */
    /* Refused where it is broken; then the disk, for the next start, and only then the agent: what
     * it tells of having done is not undone by an older list after a crash. Where the disk is full
     * it is done all the same, and asked for again until it is kept. */
    struct wanted *wanted = NULL;
    TRY(agent_read(reply.body, &wanted, err));
    enum rc kept = file_write(home_path(l, "desired", arena), reply.body, err);
    l->unkept = kept != RC_OK;
    point_pass("want.kept");
    agent_take(agent, wanted);
    point_pass("want.taken");
    return kept;
}

/* --- reports --- */

/* Whether this was told before; notes that it is told now. */
static bool was_told(struct link_told *told, const struct sighting *s, struct arena *arena)
{
    uint8_t hash[LINK_HASH_BYTES];
    struct str text = schema_str(&sighting_schema, s, SIGHTING_BYTES_MAX, arena);
    crypto_generichash(hash, sizeof hash, (const uint8_t *)text.p, text.n, NULL, 0);
    size_t i = 0;
    while (i < told->count && !str_eq(str_c(told->services[i].id), s->id))
        i++;
    if (i < told->count && memcmp(told->services[i].hash, hash, sizeof hash) == 0)
        return true;
    if (i == SPEC_SERVICES_MAX)
        return false;
    told->count = max_size(told->count, i + 1);
    memcpy(told->services[i].id, s->id.p, s->id.n);
    told->services[i].id[s->id.n] = '\0';
    memcpy(told->services[i].hash, hash, sizeof hash);
    return false;
}

static struct list changed_only(struct link_told *told, const struct list *all, struct arena *arena)
{
    struct sighting *items = all->items, *kept = NEW_N(arena, struct sighting, all->count);
    size_t count = 0;
    if (told->whole)
        told->count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (!was_told(told, &items[i], arena) || told->whole)
            kept[count++] = items[i];
    return (struct list){.items = kept, .count = count};
}

/* As many of them, from the first, as one call takes: at least one. */
static size_t part_of(const struct sighting *items, size_t count, struct arena *arena)
{
    size_t bytes = 0, n = 0;
    while (n < count) {
        bytes += schema_str(&sighting_schema, &items[n], SIGHTING_BYTES_MAX, arena).n + 1;
        if (n > 0 && bytes > LINK_PART_BYTES)
            break;
        n++;
    }
    return n;
}

static enum rc tell_part(struct link *l, struct agent *agent, struct node_report *report,
                         struct link_told *told, struct arena *arena, struct err *err)
{
    struct wire_reply reply;
    const struct json *root;
    struct report_answer answer = {0};
    /* Of what another agent said on this machine before, its clock tells. */
    told->order = max_i64(told->order + 1, clock_now(l->clock));
    report->order = told->order;
    struct str body = schema_str(&node_report_schema, report, HTTP_BODY_BYTES_MAX, arena);
    time_us sent = clock_steady(l->clock);
    enum rc rc = link_call(l, "POST", STR("/v1/node/reports"), body, arena, &reply, err);
    /* What did not arrive, or may not have, is told again. */
    told->whole = rc != RC_OK;
    TRY(rc);
    TRY(json_parse(reply.body, arena, &root, err));
    TRY(schema_decode(&report_answer_schema, SCHEMA_WHOLE, root, arena, &answer, err));
    if (answer.order > told->order) {
        told->order = answer.order;
        told->whole = true;
        return err_set(err, RC_CHANGED, "a newer report of this node was heard");
    }
    agent_lease(agent, sent + answer.lease_until_s * US_PER_SECOND);
    return RC_OK;
}

enum rc link_report(struct link *l, struct agent *agent, struct node_report *report,
                    struct link_told *told, struct arena *arena, struct err *err)
{
    struct list all;
    agent_sightings(agent, arena, &all);
    report->revision = agent_revision(agent);
    bool whole = told->whole;
    struct list changed = changed_only(told, &all, arena);
    struct sighting *items = changed.items;
    size_t done = 0;
    do {
        size_t count = part_of(items + done, changed.count - done, arena);
        report->services = (struct list){.items = items + done, .count = count};
        report->whole = whole && count == changed.count;
        TRY(tell_part(l, agent, report, told, arena, err));
        done += count;
    } while (done < changed.count);
    return RC_OK;
}
