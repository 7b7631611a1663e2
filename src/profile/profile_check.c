/*
 * profile_check.c - what tables cannot say about a profile: names that exist, templates that keep
 * their values in place, sizes that are sizes.
 */
#include "profile/inside.h"
#include "profile/pattern.h"
#include "profile/size.h"

#define NAME_PATTERN     "[a-z][a-z0-9_]{0,39}"
#define LABEL_PATTERN    "[a-z][a-z0-9-]{0,39}"
#define PACKAGE_PATTERN  "[a-z0-9][a-z0-9+.-]{0,99}"
#define VERSION_PATTERN  "[A-Za-z0-9][A-Za-z0-9.+~-]{0,39}"
#define CODE_PATTERN     "[a-z0-9][a-z0-9._-]{0,59}"
#define VARIABLE_PATTERN "[A-Za-z_][A-Za-z0-9_]{0,99}"

struct checker {
    const struct profile *p;
    struct arena *arena;
    struct err *err;
};

/* Blame "/LIST/INDEX/FIELD" for what failed. */
static enum rc blame(const struct checker *c, enum rc rc, const char *list, size_t index,
                     const char *field)
{
    if (rc != RC_OK)
        err_at(c->err, arena_fmt(c->arena, "/%s/%zu%s%s", list, index, *field ? "/" : "", field));
    return rc;
}

static enum rc check_looks(const struct checker *c, struct str s, const char *pattern)
{
    if (pattern_matches(str_c(pattern), s))
        return RC_OK;
    return err_set(c->err, RC_INVALID, "'%.*s' must look like %s", STRF(s), pattern);
}

static enum rc check_template(const struct checker *c, struct str text, enum template_kind kind,
                              enum profile_place place)
{
    struct profile_names names = {.profile = c->p, .place = place};
    struct template_scope scope = {.find = profile_names_find, .arg = &names};
    return template_check(text, kind, &scope, c->err);
}

static enum rc check_path(const struct checker *c, struct str path)
{
    bool good = path.n > 1 && path.p[0] == '/' && path.p[path.n - 1] != '/' &&
                !str_has(path, STR("//")) && !str_has(path, STR("/../")) &&
                !str_has(path, STR("/./")) && !str_ends(path, STR("/..")) &&
                !str_ends(path, STR("/."));
    return good ? RC_OK
                : err_set(c->err, RC_INVALID, "'%.*s' must be absolute and plain: /etc/x/y",
                          STRF(path));
}

/* --- names --- */

/* How many things templates know by this name. */
static size_t count_names(const struct profile *p, struct str name)
{
    size_t count = 0;
    const struct profile_parameter *parameters = p->parameters.items;
    for (size_t i = 0; i < p->parameters.count; i++)
        count += str_eq(parameters[i].name, name);
    const struct profile_secret *secrets = p->secrets.items;
    for (size_t i = 0; i < p->secrets.count; i++)
        count += str_eq(secrets[i].name, name);
    return count;
}

static enum rc check_value_name(const struct checker *c, struct str name)
{
    static const char *const taken[] = {"cpu_milli", "memory_mib", "disk_mib", "address", NULL};
    TRY(check_looks(c, name, NAME_PATTERN));
    for (size_t i = 0; taken[i] != NULL; i++)
        if (str_eq(name, str_c(taken[i])))
            return err_set(c->err, RC_INVALID, "'%s' means something else already", taken[i]);
    if (count_names(c->p, name) > 1)
        return err_set(c->err, RC_INVALID, "'%.*s' is there twice", STRF(name));
    return RC_OK;
}

/* names[at] is a label that none before it has; each name lies `size` bytes behind the one before.
 */
static enum rc check_label(const struct checker *c, const void *names, size_t size, size_t at)
{
    const char *base = names;
    struct str name = *(const struct str *)(const void *)(base + at * size);
    TRY(check_looks(c, name, LABEL_PATTERN));
    for (size_t i = 0; i < at; i++)
        if (str_eq(*(const struct str *)(const void *)(base + i * size), name))
            return err_set(c->err, RC_INVALID, "'%.*s' is there twice", STRF(name));
    return RC_OK;
}

static enum rc check_parameter(const struct checker *c, const struct profile_parameter *p)
{
    bool text = p->type == PARAMETER_STRING;
    TRY(check_value_name(c, p->name));
    if (!text && (p->values.count > 0 || p->pattern.n > 0 || p->max_length > 0 || p->multiline))
        return err_set(c->err, RC_INVALID,
                       "enum, pattern, max_length and multiline are for strings");
    bool bounds = schema_has(&profile_parameter_schema, p, "minimum") ||
                  schema_has(&profile_parameter_schema, p, "maximum");
    if (p->type != PARAMETER_INTEGER && bounds)
        return err_set(c->err, RC_INVALID, "minimum and maximum are for integers");
    if (p->pattern.n > 0)
        TRY(pattern_check(p->pattern, c->err));
    if (p->pattern.n > 0 && p->values.count > 0)
        return err_set(c->err, RC_INVALID, "enum needs no pattern");
    if (p->fallback == NULL)
        return RC_OK;
    struct template_value value;
    enum rc rc = parameter_take(p, p->fallback, c->arena, &value, c->err);
    if (rc != RC_OK)
        err_add(c->err, "the default");
    return rc;
}

static enum rc check_values(const struct checker *c)
{
    const struct profile_parameter *parameters = c->p->parameters.items;
    for (size_t i = 0; i < c->p->parameters.count; i++)
        TRY(blame(c, check_parameter(c, &parameters[i]), "parameters", i, ""));
    const struct profile_secret *secrets = c->p->secrets.items;
    for (size_t i = 0; i < c->p->secrets.count; i++)
        TRY(blame(c, check_value_name(c, secrets[i].name), "secrets", i, "name"));
    const struct profile_need *needs = c->p->needs.items;
    for (size_t i = 0; i < c->p->needs.count; i++) {
        TRY(blame(c, check_label(c, &needs[0].name, sizeof *needs, i), "needs", i, "name"));
        TRY(blame(c, check_looks(c, needs[i].profile, LABEL_PATTERN), "needs", i, "profile"));
    }
    return RC_OK;
}

static bool is_need(const struct profile *p, struct str name)
{
    struct str rest = name;
    struct str head = str_cut(&rest, '.');
    const struct profile_need *needs = p->needs.items;
    for (size_t i = 0; i < p->needs.count; i++)
        if (str_eq(needs[i].name, head) && rest.n > 0)
            return true;
    return false;
}

bool profile_is_fact(const struct profile *p, struct str name)
{
    if (str_eq(name, STR("address")))
        return true;
    const struct spec_port *ports = p->ports.items;
    for (size_t i = 0; i < p->ports.count; i++) {
        struct str rest = str_sub(name, ports[i].name.n, name.n);
        if (str_starts(name, ports[i].name) &&
            (str_eq(rest, STR(".address")) || str_eq(rest, STR(".port"))))
            return true;
    }
    return false;
}

bool profile_names_find(const void *arg, struct str name, struct template_value *ret)
{
    const struct profile_names *n = arg;
    const struct profile *p = n->profile;
    *ret = (struct template_value){.plain = true};
    const struct profile_parameter *parameters = p->parameters.items;
    for (size_t i = 0; i < p->parameters.count; i++)
        if (str_eq(parameters[i].name, name)) {
            ret->plain = parameter_is_plain(&parameters[i]);
            return true;
        }
    if (n->place == PLACE_RESOURCES)
        return false;
    if (count_names(p, name) > 0 || str_eq(name, STR("service.id")) ||
        str_eq(name, STR("cpu_milli")) || str_eq(name, STR("memory_mib")) ||
        str_eq(name, STR("disk_mib")))
        return true;
    if (n->place == PLACE_PUBLISHED && profile_is_fact(p, name))
        return true;
    ret->plain = false;
    return str_eq(name, STR("service.name")) || is_need(p, name);
}

/* --- the parts --- */

typedef enum rc (*size_fn)(struct str s, int64_t *ret, struct err *err);

static enum rc check_size(const struct checker *c, struct str s, size_fn read, const char *field)
{
    int64_t unused = 0;
    enum rc rc = check_template(c, s, TEMPLATE_RAW, PLACE_RESOURCES);
    if (rc == RC_OK && !str_has(s, STR("{{")))
        rc = read(s, &unused, c->err);
    if (rc != RC_OK)
        err_at(c->err, arena_fmt(c->arena, "/resources/%s", field));
    return rc;
}

static enum rc check_resources(const struct checker *c)
{
    const struct profile_resources *r = &c->p->resources;
    TRY(check_size(c, r->cpu, size_cpu, "cpu"));
    TRY(check_size(c, r->memory, size_bytes, "memory"));
    TRY(check_size(c, r->disk, size_bytes, "disk"));
    return r->network.n > 0 ? check_size(c, r->network, size_bits, "network") : RC_OK;
}

static enum rc check_image(const struct checker *c)
{
    const struct profile_image *image = &c->p->image;
    bool container = c->p->runtime == SPEC_CONTAINER;
    const struct str *packages = image->packages.items;
    for (size_t i = 0; i < image->packages.count; i++)
        TRY(blame(c, check_looks(c, packages[i], PACKAGE_PATTERN), "image/packages", i, ""));
    const struct str *programs = image->programs.items;
    for (size_t i = 0; i < image->programs.count; i++)
        if (!profile_is_program(programs[i]))
            return err_set_at(c->err, RC_INVALID, STR("/image/programs"),
                              "'%.*s' is none of hanse, hanse-pico", STRF(programs[i]));
    if (image->programs.count > 0 && image->packages.count == 0)
        return err_set_at(c->err, RC_INVALID, STR("/image/programs"),
                          "programs want packages with the libraries that they use");
    if (image->name.n > 0 && !pattern_matches(STR(CODE_PATTERN), image->name))
        return err_set_at(c->err, RC_INVALID, STR("/image/name"), "must look like %s",
                          CODE_PATTERN);
    const struct str *disks = image->disks.items;
    for (size_t i = 0; i < image->disks.count; i++)
        TRY(blame(c, check_looks(c, disks[i], CODE_PATTERN), "image/disks", i, ""));
    if (container && image->disks.count > 0)
        return err_set_at(c->err, RC_INVALID, STR("/image/disks"),
                          "disks are of virtual machines: a container has volumes");
    if (!container && image->packages.count > 0)
        return err_set_at(c->err, RC_INVALID, STR("/image/packages"),
                          "packages make the root of a container, not of a virtual machine");
    if (container && image->packages.count == 0 && image->name.n == 0)
        return err_set_at(c->err, RC_INVALID, STR("/image"),
                          "a container wants packages, or the name of an image");
    if (image->format.n > 0 && container != str_eq(image->format, STR("squashfs")))
        return err_set_at(c->err, RC_INVALID, STR("/image/format"),
                          "squashfs is for containers, qcow2 and raw for virtual machines");
    return RC_OK;
}

static enum rc check_file(const struct checker *c, size_t at)
{
    const struct profile_file *files = c->p->files.items;
    const struct profile_file *f = &files[at];
    TRY(blame(c, check_path(c, f->path), "files", at, "path"));
    for (size_t i = 0; i < at; i++)
        if (str_eq(files[i].path, f->path))
            return blame(c, err_set(c->err, RC_INVALID, "'%.*s' is there twice", STRF(f->path)),
                         "files", at, "path");
    if (f->mode.n > 0 && !pattern_matches(STR("[0-7]{4}"), f->mode))
        return blame(c, err_set(c->err, RC_INVALID, "must be four octal digits: \"0600\""), "files",
                     at, "mode");
    enum rc rc = check_template(c, f->content, (enum template_kind)f->kind, PLACE_SERVICE);
    return blame(c, rc, "files", at, "content");
}

static enum rc check_texts(const struct checker *c, const struct list *texts)
{
    const struct str *items = texts->items;
    for (size_t i = 0; i < texts->count; i++)
        TRY(check_template(c, items[i], TEMPLATE_RAW, PLACE_SERVICE));
    return RC_OK;
}

/* The environment is data: any value may stand behind the '='. */
static enum rc check_environment(const struct checker *c, const struct list *texts)
{
    const struct str *items = texts->items;
    for (size_t i = 0; i < texts->count; i++) {
        struct str value = items[i];
        struct str name = str_cut(&value, '=');
        TRY(check_looks(c, name, VARIABLE_PATTERN));
        if (name.n == items[i].n)
            return err_set(c->err, RC_INVALID, "must be NAME=value");
        TRY(check_template(c, value, TEMPLATE_HTML, PLACE_SERVICE));
    }
    return RC_OK;
}

static enum rc check_process(const struct checker *c, size_t at)
{
    const struct spec_process *processes = c->p->processes.items;
    const struct spec_process *p = &processes[at];
    TRY(blame(c, check_label(c, &processes[0].name, sizeof *p, at), "processes", at, "name"));
    TRY(blame(c, check_texts(c, &p->command), "processes", at, "command"));
    const struct str *command = p->command.items;
    TRY(blame(c, check_path(c, command[0]), "processes", at, "command"));
    TRY(blame(c, check_environment(c, &p->environment), "processes", at, "environment"));
    if (p->directory.n > 1)
        TRY(blame(c, check_path(c, p->directory), "processes", at, "directory"));
    return RC_OK;
}

static bool has_port(const struct profile *p, struct str name)
{
    const struct spec_port *ports = p->ports.items;
    for (size_t i = 0; i < p->ports.count; i++)
        if (str_eq(ports[i].name, name))
            return true;
    return false;
}

static bool has_volume(const struct profile *p, struct str name)
{
    const struct spec_volume *volumes = p->volumes.items;
    for (size_t i = 0; i < p->volumes.count; i++)
        if (str_eq(volumes[i].name, name))
            return true;
    return false;
}

static enum rc check_target(const struct checker *c, const struct spec_promise *p)
{
    struct str rest = p->target;
    struct str port = str_cut(&rest, '/');
    if (str_eq(p->kind, STR("command")))
        return p->command.count > 0
                   ? check_texts(c, &p->command)
                   : err_set(c->err, RC_INVALID, "a promise of this kind wants a command");
    if (p->command.count > 0)
        return err_set(c->err, RC_INVALID, "only promises of the kind command have a command");
    if (str_eq(p->kind, STR("temperature")))
        return err_set(c->err, RC_INVALID, "this is a promise of nodes, not of services");
    if (str_eq(p->kind, STR("disk")))
        return has_volume(c->p, p->target)
                   ? RC_OK
                   : err_set(c->err, RC_INVALID, "there is no volume '%.*s'", STRF(p->target));
    return has_port(c->p, port)
               ? RC_OK
               : err_set(c->err, RC_INVALID, "there is no port '%.*s'", STRF(port));
}

/* Names that the house gives to promises of its own (fleet/promise_change.h). */
static enum rc check_free(const struct checker *c, struct str name)
{
    static const char *const taken[] = {"heard", "outside", "drill"};
    for (size_t i = 0; i < COUNT(taken); i++)
        if (str_eq(name, str_c(taken[i])))
            return err_set(c->err, RC_INVALID, "the name '%s' is taken by Hanse's own promise",
                           taken[i]);
    return RC_OK;
}

/* What is looked at from other sites is a port that they reach. */
static enum rc check_outside(const struct checker *c, const struct spec_promise *p)
{
    const struct spec_port *ports = c->p->ports.items;
    struct str rest = p->target;
    struct str name = str_cut(&rest, '/');
    bool kind = str_eq(p->kind, STR("tcp")) || str_eq(p->kind, STR("http")) ||
                str_eq(p->kind, STR("certificate"));
    for (size_t i = 0; kind && i < c->p->ports.count; i++)
        if (str_eq(ports[i].name, name) && ports[i].published &&
            !str_eq(ports[i].protocol, STR("udp")))
            return RC_OK;
    return !p->outside ? RC_OK
                       : err_set(c->err, RC_INVALID,
                                 "only a promise about a published port of TCP is looked at from "
                                 "outside");
}

static enum rc check_plain_lists(const struct checker *c)
{
    const struct profile *p = c->p;
    const struct spec_port *ports = p->ports.items;
    for (size_t i = 0; i < p->ports.count; i++)
        TRY(blame(c, check_label(c, &ports[0].name, sizeof *ports, i), "ports", i, "name"));
    const struct spec_volume *volumes = p->volumes.items;
    for (size_t i = 0; i < p->volumes.count; i++) {
        TRY(blame(c, check_label(c, &volumes[0].name, sizeof *volumes, i), "volumes", i, "name"));
        TRY(blame(c, check_path(c, volumes[i].path), "volumes", i, "path"));
    }
    const struct spec_promise *promises = p->promises.items;
    for (size_t i = 0; i < p->promises.count; i++) {
        TRY(blame(c, check_label(c, &promises[0].name, sizeof *promises, i), "promises", i,
                  "name"));
        TRY(blame(c, check_free(c, promises[i].name), "promises", i, "name"));
        TRY(blame(c, check_target(c, &promises[i]), "promises", i, "target"));
        TRY(blame(c, check_outside(c, &promises[i]), "promises", i, "outside"));
    }
    const struct str *meters = p->meters.items;
    for (size_t i = 0; i < p->meters.count; i++)
        TRY(blame(c, check_looks(c, meters[i], CODE_PATTERN), "meters", i, ""));
    return RC_OK;
}

static enum rc check_published(const struct checker *c)
{
    const struct profile_published *items = c->p->publishes.items;
    for (size_t i = 0; i < c->p->publishes.count; i++) {
        TRY(blame(c, check_label(c, &items[0].name, sizeof *items, i), "publishes", i, "name"));
        TRY(blame(c, check_template(c, items[i].value, TEMPLATE_RAW, PLACE_PUBLISHED), "publishes",
                  i, "value"));
    }
    return RC_OK;
}

static enum rc under(const struct checker *c, enum rc rc, const char *field)
{
    if (rc != RC_OK)
        err_at(c->err, arena_fmt(c->arena, "/%s", field));
    return rc;
}

static enum rc check_runtime(const struct checker *c)
{
    const struct profile *p = c->p;
    bool container = p->runtime == SPEC_CONTAINER;
    if (container && p->processes.count == 0)
        return under(c, err_set(c->err, RC_INVALID, "a container wants a process"), "processes");
    if (!container && (p->processes.count > 0 || p->files.count > 0 || p->volumes.count > 0))
        return under(c,
                     err_set(c->err, RC_INVALID,
                             "a virtual machine has user_data, no processes, files or volumes"),
                     "runtime");
    if (container && p->user_data.n > 0)
        return under(c, err_set(c->err, RC_INVALID, "user_data is for virtual machines"),
                     "user_data");
    if (!container && p->backup.count > 0)
        return under(
            c, err_set(c->err, RC_INVALID, "no command runs in a virtual machine: say backup_disk"),
            "backup");
    if (container && p->backup_disk)
        return under(c,
                     err_set(c->err, RC_INVALID,
                             "is for virtual machines: a container has backup and restore"),
                     "backup_disk");
    if ((p->backup.count > 0) != (p->restore.count > 0))
        return under(c, err_set(c->err, RC_INVALID, "backup and restore come together"),
                     p->backup.count > 0 ? "backup" : "restore");
    TRY(under(c, check_template(c, p->user_data, TEMPLATE_YAML, PLACE_SERVICE), "user_data"));
    if (p->backup_every_s != 0 && p->backup_every_s < PROFILE_BACKUP_EVERY_MIN_S)
        return under(c,
                     err_set(c->err, RC_INVALID, "must be at least %d", PROFILE_BACKUP_EVERY_MIN_S),
                     "backup_every_s");
    if (p->drill_every_days > 0 && (p->backup.count == 0 || p->needs.count > 0))
        return under(c,
                     err_set(c->err, RC_INVALID,
                             "only what has a backup and uses no other service can be tried"),
                     "drill_every_days");
    if (!container && p->end.count > 0)
        return under(c, err_set(c->err, RC_INVALID, "no command runs in a virtual machine"), "end");
    TRY(under(c, check_texts(c, &p->end), "end"));
    TRY(under(c, check_texts(c, &p->backup), "backup"));
    return under(c, check_texts(c, &p->restore), "restore");
}

enum rc profile_check(const struct profile *p, struct arena *arena, struct err *err)
{
    struct checker c = {.p = p, .arena = arena, .err = err};
    TRY(under(&c, check_looks(&c, p->name, LABEL_PATTERN), "name"));
    TRY(under(&c, check_looks(&c, p->version, VERSION_PATTERN), "version"));
    TRY(check_values(&c));
    TRY(check_plain_lists(&c));
    TRY(check_image(&c));
    TRY(check_resources(&c));
    for (size_t i = 0; i < p->files.count; i++)
        TRY(check_file(&c, i));
    for (size_t i = 0; i < p->processes.count; i++)
        TRY(check_process(&c, i));
    TRY(check_published(&c));
    return check_runtime(&c);
}
