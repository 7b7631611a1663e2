/*
 * demo_parts.c - what can be ordered: kinds, images, plans; made where they are missing.
 */
#include "cli/body.h"
#include "cli/demo_live.h"
#include "cli/image.h"
#include "cli/peek.h"
#include "cli/prompt.h"
#include "cli/root.h"

#define NODE_PAUSE_US  (500 * US_PER_MS)
#define BUILD_PAUSE_US (200 * US_PER_MS)
#define BUILD_TOLD_US  (15 * US_PER_SECOND)
#define CPU_PRICE      "1.00" /* of a second */
#define MEMORY_PRICE   "0.10" /* of 10^9 byte-seconds that were begun */
#define MEMORY_PACKAGE "1000000000"

enum {
    NODE_POLLS_MAX = 60,
    FEATURES_MAX = 40,
    KIND_TEXT_MAX = 512 * 1024, /* as long as a profile may be */
    KIND_CALL_BYTES = 2 * KIND_TEXT_MAX,
    SAID_MAX = 4096,
    SAID_BYTES_MAX = 4 * 1024 * 1024,
    BUILD_WORDS = 5,
};

const struct live_part *live_parts(size_t *ret_count)
{
    static const struct live_part parts[] = {
        {"python", "a Python application", "python", "container", "\"memory\":128",
         "\"message\":\"hello from hanse\"", "4.00", 120},
        {"postgresql", "PostgreSQL", "postgresql", "container", "\"memory\":256,\"disk\":1", "",
         "9.00", 180},
        {"vm", "a small virtual machine", "vm-test", "vm", "", "", "6.00", 600},
    };
    *ret_count = COUNT(parts);
    ASSERT(COUNT(parts) <= LIVE_PARTS_MAX);
    return parts;
}

/* --- nodes --- */

struct ready {
    struct str ids[LIVE_NODES_MAX];
    size_t count;
    size_t others;
};

static enum rc note_node(struct demo *d, const struct json *item, void *arg)
{
    struct ready *r = arg;
    bool ready = str_eq(peek_text(item, "state"), STR("ready"));
    if (ready && r->count < LIVE_NODES_MAX)
        r->ids[r->count++] = arena_str(d->run->arena, peek_text(item, "id"));
    r->others += ready ? 0 : 1;
    return RC_OK;
}

/* "vm" is had as "vm:kvm" or "vm:qemu". */
static bool has_feature(const struct live *l, struct str name)
{
    const struct str *items = l->features.items;
    for (size_t i = 0; i < l->features.count; i++)
        if (str_starts(items[i], name))
            return true;
    return false;
}

static enum rc add_features(struct live *l, struct str node)
{
    struct demo *d = l->d;
    const struct json *answer = NULL;
    struct str *items = l->features.items;
    TRY(demo_ask(d, "op", HTTP_GET, arena_fmt(d->run->arena, "/v1/nodes/%.*s", STRF(node)), STR(""),
                 &answer));
    const struct json *list = peek_array(answer, "features");
    for (const struct json *f = list != NULL ? json_first(list) : NULL; f != NULL;
         f = json_next(list, f))
        if (!has_feature(l, json_text(f)) && l->features.count < FEATURES_MAX)
            items[l->features.count++] = arena_str(d->run->arena, json_text(f));
    return RC_OK;
}

enum rc live_find_nodes(struct live *l)
{
    struct demo *d = l->d;
    struct ready *r = NEW(d->run->arena, struct ready);
    struct str path = arena_fmt(d->run->arena, "/v1/parties/%.*s/nodes", STRF(d->names[0].id));
    l->features.items = NEW_N(d->run->arena, struct str, FEATURES_MAX);
    for (int i = 0; i < NODE_POLLS_MAX; i++) {
        *r = (struct ready){0};
        TRY(demo_each(d, d->names[0].token, path, note_node, r));
        if (r->count > 0 || r->others == 0)
            break;
        if (i == 0)
            live_say(l, STR("a node is there, and does not report yet: it is waited for"));
        d->run->cli->pause(d->run->cli, NODE_PAUSE_US);
    }
    for (size_t i = 0; i < r->count; i++)
        TRY(add_features(l, r->ids[i]));
    for (size_t i = 0; i < l->count; i++) {
        struct live_service *s = &l->services[i];
        bool vm = str_eq(str_c(s->part->feature), STR("vm"));
        if (r->count == 0)
            s->lacks =
                STR("no node is ready (make run as root, with crun, makes this machine one)");
        else if (!has_feature(l, str_c(s->part->feature)))
            s->lacks = vm ? STR("no node runs machines (libvirt and QEMU are missing there)")
                          : STR("no node runs containers (crun is missing there)");
    }
    return RC_OK;
}

/* --- kinds --- */

struct found {
    struct str name;
    struct str id; /* the newest */
};

static enum rc note_found(struct demo *d, const struct json *item, void *arg)
{
    struct found *f = arg;
    struct str id = peek_text(item, "id");
    if (str_eq(peek_text(item, "name"), f->name) && str_cmp(id, f->id) > 0)
        f->id = arena_str(d->run->arena, id);
    return RC_OK;
}

static enum rc find_named(struct demo *d, struct str path, struct str name, struct str *ret)
{
    struct found f = {.name = name, .id = STR("")};
    TRY(demo_each(d, d->names[0].token, path, note_found, &f));
    *ret = f.id;
    return RC_OK;
}

static struct str images_path(struct demo *d)
{
    return arena_fmt(d->run->arena, "/v1/parties/%.*s/images", STRF(d->names[0].id));
}

static enum rc publish(struct live *l, const char *profile, struct str *ret_text)
{
    struct demo *d = l->d;
    const struct json *answer = NULL;
    struct buf b;
    struct json_writer w;
    struct str file = arena_fmt(d->run->arena, "%.*s/%s.yaml", STRF(l->profiles), profile);
    TRY(prompt_file(d->run->cli, file, KIND_TEXT_MAX, d->run->arena, ret_text, d->run->err));
    buf_init(&b, d->run->arena, KIND_CALL_BYTES);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "text", *ret_text);
    json_end_object(&w);
    ASSERT(!b.full);
    live_say(l, arena_fmt(d->run->arena, "the operator publishes the profile %s", profile));
    return demo_ask(d, "op", HTTP_POST,
                    arena_fmt(d->run->arena, "/v1/parties/%.*s/kinds", STRF(d->names[0].id)),
                    buf_str(&b), &answer);
}

static enum rc kind_text(struct live *l, const char *profile, struct str *ret)
{
    struct demo *d = l->d;
    const struct json *answer = NULL;
    struct str id = STR("");
    TRY(find_named(d, STR("/v1/kinds"), str_c(profile), &id));
    if (id.n == 0)
        return publish(l, profile, ret);
    TRY(demo_ask(d, "op", HTTP_GET, arena_fmt(d->run->arena, "/v1/kinds/%.*s", STRF(id)), STR(""),
                 &answer));
    *ret = arena_str(d->run->arena, peek_text(answer, "text"));
    return RC_OK;
}

static enum rc make_kind(struct live *l, struct live_service *s)
{
    struct run *run = l->d->run;
    struct str text = STR("");
    TRY(kind_text(l, s->part->profile, &text));
    return root_read(text, run->arena, &s->root, run->err);
}

/* --- images --- */

/* A program that may take minutes: how long it runs is told. */
static enum rc run_slowly(struct live *l, const char *const *argv, const char *output,
                          struct str what)
{
    struct run *run = l->d->run;
    const struct host *h = run->cli->host;
    const char *errors =
        arena_cstr(run->arena, arena_fmt(run->arena, "%.*s/build.txt", STRF(l->d->folder)));
    struct program p = {.argv = argv, .output = output, .errors = errors};
    struct str said = STR("");
    int64_t pid = 0;
    time_us told = clock_now(run->cli->clock);
    live_say(l, what);
    TRY(h->start(h, &p, &pid, run->err));
    while (h->runs(h, pid) && !h->stopped(h)) {
        run->cli->pause(run->cli, BUILD_PAUSE_US);
        if (clock_now(run->cli->clock) - told < BUILD_TOLD_US)
            continue;
        told = clock_now(run->cli->clock);
        live_say(l, arena_fmt(run->arena, "%.*s ...", STRF(what)));
    }
    if (h->stop(h, pid, run->err) == RC_OK)
        return RC_OK;
    err_clear(run->err);
    if (prompt_file(run->cli, str_c(errors), SAID_BYTES_MAX, run->arena, &said, run->err) != RC_OK)
        said = STR("");
    err_clear(run->err);
    said = str_trim(said);
    return err_set(run->err, RC_UNAVAILABLE, "%s failed: %.*s", argv[0],
                   STRF(str_sub(said, said.n - min_size(said.n, SAID_MAX / 8), said.n)));
}

static enum rc build_root(struct live *l, const struct live_service *s, struct str *ret_file)
{
    struct run *run = l->d->run;
    const struct host *h = run->cli->host;
    const struct str *packages = s->root.packages.items;
    const char **argv = NEW_N(run->arena, const char *, s->root.packages.count + BUILD_WORDS);
    const char *output =
        arena_cstr(run->arena, arena_fmt(run->arena, "%.*s/image.json", STRF(l->d->folder)));
    const struct json *made = NULL;
    struct str text = STR("");
    size_t n = 0;
    argv[n++] = arena_cstr(run->arena, h->beside(h, "hanse-node", run->arena));
    argv[n++] = "image";
    argv[n++] = "build";
    argv[n++] = arena_cstr(run->arena, s->root.name);
    for (size_t i = 0; i < s->root.packages.count; i++)
        argv[n++] = arena_cstr(run->arena, packages[i]);
    TRY(run_slowly(
        l, argv, output,
        arena_fmt(run->arena, "the image %.*s is built of Debian packages", STRF(s->root.name))));
    TRY(prompt_file(run->cli, str_c(output), SAID_MAX, run->arena, &text, run->err));
    TRY(json_parse(text, run->arena, &made, run->err));
    *ret_file = arena_fmt(run->arena, "%.*s/images/%.*s", STRF(l->node_home),
                          STRF(peek_text(made, "sha256")));
    return RC_OK;
}

/* The small machine of the tests, where nobody named another one. */
static enum rc build_machine(struct live *l, struct str *ret_file)
{
    struct run *run = l->d->run;
    bool named = l->machine.n > 0;
    *ret_file =
        named ? l->machine : arena_fmt(run->arena, "%.*s/machine.qcow2", STRF(l->d->folder));
    FILE *there = fopen(arena_cstr(run->arena, *ret_file), "rbe");
    if (there != NULL) {
        (void)fclose(there); /* not even read */
        return RC_OK;
    }
    const char *const argv[] = {"tools/vm-image", arena_cstr(run->arena, *ret_file), NULL};
    return run_slowly(
        l, argv,
        arena_cstr(run->arena, arena_fmt(run->arena, "%.*s/machine.txt", STRF(l->d->folder))),
        STR("a small machine is made of Debian's kernel and busybox"));
}

static enum rc make_image(struct live *l, struct live_service *s)
{
    struct demo *d = l->d;
    struct str id = STR("");
    struct str file = STR("");
    struct str answer = STR("");
    TRY(find_named(d, images_path(d), s->root.name, &id));
    if (id.n > 0)
        return RC_OK;
    if (str_eq(str_c(s->part->feature), STR("vm")))
        TRY(build_machine(l, &file));
    else
        TRY(build_root(l, s, &file));
    live_say(l,
             arena_fmt(d->run->arena, "the image %.*s is sent to the server", STRF(s->root.name)));
    const struct image_send what = {
        .party = d->names[0].id, .file = file, .name = s->root.name, .format = s->root.format};
    d->server.token = d->names[0].token;
    return image_send(&d->server, &what, &answer);
}

/* --- plans --- */

static enum rc make_plan(struct live *l, const struct live_service *s)
{
    struct demo *d = l->d;
    struct arena *arena = d->run->arena;
    const struct json *answer = NULL;
    struct str op = d->names[0].id;
    const struct live_part *p = s->part;
    struct str body = arena_fmt(
        arena,
        "{\"item\":\"live-%.*s\",\"code\":\"live-%.*s-%s\",\"name\":\"%s, live %.*s\","
        "\"currency\":\"%s\",\"charges\":["
        "{\"label\":\"%s, a month\",\"kind\":\"flat\",\"price\":\"%s\"},"
        "{\"label\":\"%s: processor, by the second\",\"kind\":\"per-unit\",\"meter\":\"cpu\","
        "\"price\":\"" CPU_PRICE "\"},"
        "{\"label\":\"%s: memory, by the GB-second\",\"kind\":\"package\",\"meter\":\"memory\","
        "\"package\":\"" MEMORY_PACKAGE "\",\"price\":\"" MEMORY_PRICE "\"}]}",
        STRF(d->suffix), STRF(d->suffix), p->name, p->name, STRF(d->suffix), d->story->currency,
        p->name, p->month, p->name, p->name);
    TRY(demo_ask(d, "op", HTTP_POST, arena_fmt(arena, "/v1/parties/%.*s/plans", STRF(op)), body,
                 &answer));
    body = arena_fmt(arena, "{\"plan\":\"live-%.*s-%s\",\"kind\":\"%s\",\"parameters\":{%s}}",
                     STRF(d->suffix), p->name, p->profile, p->parameters);
    return demo_ask(d, "op", HTTP_POST, arena_fmt(arena, "/v1/parties/%.*s/offers", STRF(op)), body,
                    &answer);
}

enum rc live_prepare(struct live *l)
{
    struct run *run = l->d->run;
    for (size_t i = 0; i < l->count; i++) {
        struct live_service *s = &l->services[i];
        if (s->lacks.n > 0)
            continue;
        enum rc rc = make_kind(l, s);
        if (rc == RC_OK)
            rc = make_image(l, s);
        if (run->cli->host->stopped(run->cli->host))
            return err_set(run->err, RC_GONE, "stopped by the user");
        if (rc != RC_OK) {
            s->lacks = arena_str(run->arena, err_text(run->err));
            err_clear(run->err);
            continue;
        }
        TRY(make_plan(l, s));
    }
    return RC_OK;
}
