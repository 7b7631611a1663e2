#include "profile/profile.h"

#include "profile/inside.h"
#include "profile/pattern.h"
#include "profile/size.h"
#include "profile/yaml.h"

enum {
    LINE_BYTES_MAX = 4096, /* of an argument or a variable, filled in */
    SECRET_LENGTH = 24,
    PROCESSES_DEFAULT = 500,
    MODE_DEFAULT = 0644,
};
#define MIB INT64_C(1048576)

/* --- read --- */

/* The line goes in front of the sentence; the pointer stays. */
static enum rc with_line(const struct yaml *y, enum rc rc, struct err *err)
{
    if (rc != RC_OK)
        err_add(err, "line %zu", yaml_line(y, err_pointer(err)));
    return rc;
}

enum rc profile_read(struct str text, struct arena *arena, struct profile *ret, struct err *err)
{
    struct yaml yaml;
    struct profile p = {0};
    TRY(yaml_read(text, arena, &yaml, err));
    TRY(with_line(&yaml,
                  schema_decode(&service_profile_schema, SCHEMA_WHOLE, yaml.root, arena, &p, err),
                  err));
    TRY(with_line(&yaml, profile_check(&p, arena, err), err));
    *ret = p;
    return RC_OK;
}

/* --- secrets --- */

static struct str make_secret(size_t length, struct clock *clock, struct arena *arena)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    enum { LETTERS = sizeof letters - 1, EVEN = 256 / LETTERS * LETTERS };
    char *p = arena_bytes(arena, length);
    for (size_t n = 0; n < length;) {
        unsigned char byte = 0;
        clock_chance(clock, &byte, 1);
        if (byte < EVEN) /* else the first letters would come more often */
            p[n++] = letters[byte % LETTERS];
    }
    return str_n(p, length);
}

struct list profile_secrets(const struct profile *p, struct clock *clock, struct arena *arena)
{
    const struct profile_secret *items = p->secrets.items;
    struct str *made = NEW_N(arena, struct str, p->secrets.count);
    for (size_t i = 0; i < p->secrets.count; i++) {
        int64_t length = items[i].length > 0 ? items[i].length : SECRET_LENGTH;
        made[i] = make_secret((size_t)length, clock, arena);
    }
    return (struct list){made, p->secrets.count};
}

/* --- what it takes --- */

typedef enum rc (*size_fn)(struct str s, int64_t *ret, struct err *err);

static enum rc take_size(struct str text, const struct profile_values *v, size_fn read,
                         struct arena *arena, int64_t *ret, struct err *err)
{
    struct template_scope scope = {.find = profile_values_find, .arg = v};
    struct str filled;
    TRY(template_render(text, TEMPLATE_RAW, &scope, LINE_BYTES_MAX, arena, &filled, err));
    return read(filled, ret, err);
}

enum rc profile_taken(const struct profile *p, const struct profile_values *v, struct arena *arena,
                      struct profile_taken *ret, struct err *err)
{
    const struct profile_resources *r = &p->resources;
    struct profile_taken t = {.processes_max = r->processes > 0 ? r->processes : PROCESSES_DEFAULT};
    TRY(take_size(r->cpu, v, size_cpu, arena, &t.cpu_milli, err));
    TRY(take_size(r->memory, v, size_bytes, arena, &t.memory_bytes, err));
    TRY(take_size(r->disk, v, size_bytes, arena, &t.disk_bytes, err));
    if (r->network.n > 0)
        TRY(take_size(r->network, v, size_bits, arena, &t.network_bit_s, err));
    *ret = t;
    return RC_OK;
}

/* --- filling in --- */

struct filler {
    struct profile_values values;
    struct template_scope scope;
    struct arena *arena;
    struct err *err;
};

/* The values of the house behind those of the service. */
static struct filler *filler_new(const struct profile_values *v, const struct profile_service *s,
                                 struct arena *arena, struct err *err)
{
    struct filler *f = NEW(arena, struct filler);
    f->values = *v;
    f->scope = (struct template_scope){.find = profile_values_find, .arg = &f->values};
    f->arena = arena;
    f->err = err;
    profile_values_add(&f->values, STR("service.id"), s->id);
    profile_values_add(&f->values, STR("service.name"), s->name);
    profile_values_add(&f->values, STR("cpu_milli"),
                       arena_fmt(arena, "%lld", (long long)s->taken.cpu_milli));
    profile_values_add(&f->values, STR("memory_mib"),
                       arena_fmt(arena, "%lld", (long long)(s->taken.memory_bytes / MIB)));
    profile_values_add(&f->values, STR("disk_mib"),
                       arena_fmt(arena, "%lld", (long long)(s->taken.disk_bytes / MIB)));
    return f;
}

static enum rc fill(struct filler *f, struct str text, enum template_kind kind, size_t max,
                    struct str *ret)
{
    return template_render(text, kind, &f->scope, max, f->arena, ret, f->err);
}

static enum rc fill_list(struct filler *f, const struct list *texts, struct list *ret)
{
    const struct str *from = texts->items;
    struct str *to = NEW_N(f->arena, struct str, texts->count);
    for (size_t i = 0; i < texts->count; i++)
        TRY(fill(f, from[i], TEMPLATE_RAW, LINE_BYTES_MAX, &to[i]));
    *ret = (struct list){to, texts->count};
    return RC_OK;
}

/* "NAME={{ x }}": the value goes in as it is, as no shell reads it; NUL cannot be in a text. */
static enum rc fill_variable(struct filler *f, struct str text, struct str *ret)
{
    struct profile_values *plain = NEW(f->arena, struct profile_values);
    *plain = f->values;
    for (size_t i = 0; i < plain->count; i++)
        plain->items[i].value.plain = true;
    struct template_scope scope = {.find = profile_values_find, .arg = plain};
    return template_render(text, TEMPLATE_RAW, &scope, LINE_BYTES_MAX, f->arena, ret, f->err);
}

static enum rc fill_files(struct filler *f, const struct profile *p, struct list *ret)
{
    const struct profile_file *from = p->files.items;
    struct spec_file *to = NEW_N(f->arena, struct spec_file, p->files.count);
    for (size_t i = 0; i < p->files.count; i++) {
        to[i] = (struct spec_file){.path = from[i].path, .user = from[i].user};
        to[i].set = schema_all(&spec_file_schema);
        to[i].mode = MODE_DEFAULT;
        if (from[i].mode.n > 0)
            to[i].mode = strtol(arena_cstr(f->arena, from[i].mode), NULL, 8);
        enum rc rc = fill(f, from[i].content, (enum template_kind)from[i].kind, SPEC_FILE_BYTES_MAX,
                          &to[i].content);
        if (rc != RC_OK)
            err_add(f->err, "%.*s", STRF(from[i].path));
        TRY(rc);
    }
    *ret = (struct list){to, p->files.count};
    return RC_OK;
}

static enum rc fill_processes(struct filler *f, const struct profile *p, struct list *ret)
{
    const struct spec_process *from = p->processes.items;
    struct spec_process *to = NEW_N(f->arena, struct spec_process, p->processes.count);
    for (size_t i = 0; i < p->processes.count; i++) {
        const struct str *variables = from[i].environment.items;
        size_t count = from[i].environment.count;
        struct str *filled = NEW_N(f->arena, struct str, count);
        to[i] = from[i];
        to[i].set = schema_all(&spec_process_schema);
        TRY(fill_list(f, &from[i].command, &to[i].command));
        for (size_t k = 0; k < count; k++)
            TRY(fill_variable(f, variables[k], &filled[k]));
        to[i].environment = (struct list){filled, count};
    }
    *ret = (struct list){to, p->processes.count};
    return RC_OK;
}

static enum rc fill_promises(struct filler *f, const struct profile *p, struct list *ret)
{
    const struct spec_promise *from = p->promises.items;
    struct spec_promise *to = NEW_N(f->arena, struct spec_promise, p->promises.count);
    for (size_t i = 0; i < p->promises.count; i++) {
        to[i] = from[i];
        to[i].set = schema_all(&spec_promise_schema) & ~schema_bit(&spec_promise_schema, "outside");
        TRY(fill_list(f, &from[i].command, &to[i].command));
    }
    *ret = (struct list){to, p->promises.count};
    return RC_OK;
}

static struct list copy_ports(const struct profile *p, struct arena *arena)
{
    const struct spec_port *from = p->ports.items;
    struct spec_port *to = NEW_N(arena, struct spec_port, p->ports.count);
    for (size_t i = 0; i < p->ports.count; i++) {
        to[i] = from[i];
        to[i].set = schema_all(&spec_port_schema);
        if (to[i].protocol.n == 0)
            to[i].protocol = STR("tcp");
    }
    return (struct list){to, p->ports.count};
}

enum rc profile_render(const struct profile *p, const struct profile_values *v,
                       const struct profile_service *service, struct arena *arena,
                       struct service_spec *ret, struct err *err)
{
    struct filler *f = filler_new(v, service, arena, err);
    struct service_spec spec = {
        .set = schema_all(&service_spec_schema),
        .id = service->id,
        .runtime = p->runtime,
        .profile = p->name,
        .profile_version = p->version,
        .cpu_milli = service->taken.cpu_milli,
        .memory_bytes = service->taken.memory_bytes,
        .disk_bytes = service->taken.disk_bytes,
        .network_bit_s = service->taken.network_bit_s,
        .processes_max = service->taken.processes_max,
        .ports = copy_ports(p, arena),
        .volumes = p->volumes,
    };
    TRY(fill_files(f, p, &spec.files));
    TRY(fill_processes(f, p, &spec.processes));
    TRY(fill_promises(f, p, &spec.promises));
    TRY(fill(f, p->user_data, TEMPLATE_YAML, SPEC_FILE_BYTES_MAX, &spec.user_data));
    TRY(fill_list(f, &p->backup, &spec.backup));
    TRY(fill_list(f, &p->restore, &spec.restore));
    TRY(fill_list(f, &p->end, &spec.end));
    *ret = spec;
    return RC_OK;
}

/* --- what it publishes --- */

/* An address or a port as a node says it; anything else is no fact. */
static bool is_fact(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(":[]", s.p[i]) == NULL && !text_is_plain(str_sub(s, i, i + 1)))
            return false;
    return s.n > 0;
}

static void add_facts(struct filler *f, const struct profile *p, const struct list *facts)
{
    const struct sighting_fact *items = facts->items;
    for (size_t i = 0; i < facts->count && f->values.count < PROFILE_VALUES_MAX; i++) {
        struct template_value unused;
        if (!profile_is_fact(p, items[i].name) || !is_fact(items[i].value) ||
            profile_values_find(&f->values, items[i].name, &unused))
            continue;
        profile_values_add(&f->values, items[i].name, items[i].value);
        f->values.items[f->values.count - 1].value.plain = true;
    }
}

enum rc profile_publish(const struct profile *p, const struct profile_values *v,
                        const struct profile_service *service, const struct list *facts,
                        struct arena *arena, struct list *ret, struct err *err)
{
    struct filler *f = filler_new(v, service, arena, err);
    add_facts(f, p, facts);
    const struct profile_published *items = p->publishes.items;
    struct str *made = NEW_N(arena, struct str, p->publishes.count);
    for (size_t i = 0; i < p->publishes.count; i++) {
        struct err missing = {0};
        if (template_check(items[i].value, TEMPLATE_RAW, &f->scope, &missing) != RC_OK)
            continue;
        TRY(fill(f, items[i].value, TEMPLATE_RAW, PROFILE_PUBLISHED_BYTES_MAX, &made[i]));
    }
    *ret = (struct list){made, p->publishes.count};
    return RC_OK;
}
