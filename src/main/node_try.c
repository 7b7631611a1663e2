#include "main/node_try.h"

#include "base/id.h"
#include "main/node_run.h"
#include "node/agent.h"
#include "node/disk.h"
#include "node/file.h"
#include "node/image.h"
#include "profile/profile.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    CHOSEN_BYTES_MAX = 4 * 1024 * 1024,
    DESIRED_BYTES_MAX = 8 * 1024 * 1024,
    LOG_BYTES_MAX = 256 * 1024 * 1024,
    LOG_SHOWN_BYTES = 4000,
    LOOK_BYTES = 4 * 1024 * 1024,
    BACKUP_MS = 300 * 1000,
};
#define LOOK_US    (200 * US_PER_MS)
#define PATIENCE_S 600 /* until it runs and keeps all promises */
#define GOODBYE_S  120 /* until nothing of it is left */

/* --- the profile and what was chosen --- */

struct trial {
    const struct node_settings *settings;
    const struct node_line *line;
    struct arena *arena;
    struct err *err;
    struct profile profile;
    struct profile_values values;
    struct profile_service service;
    struct service_spec spec;
    struct drivers drivers;
    struct promise_door door;
    struct agent *agent;
    int signals;
    struct arena looks; /* of one look at it */
};

/* Progress for people; standard output is what it publishes. */
static void say(const char *what, struct str more)
{
    fprintf(stderr, "%s%.*s\n", what, STRF(more));
}

static const struct profile_parameter *parameter_named(const struct profile *p, struct str name)
{
    const struct profile_parameter *items = p->parameters.items;
    for (size_t i = 0; i < p->parameters.count; i++)
        if (str_eq(items[i].name, name))
            return &items[i];
    return NULL;
}

/* A whole number or true and false as JSON has them; all else is a text, which the profile refuses
 * in its own words where it wants another type. */
static void put_chosen(struct json_writer *w, const struct profile_parameter *p, struct str value)
{
    int64_t number = 0;
    bool truth = str_eq(value, STR("true"));
    if (p != NULL && p->type == PARAMETER_INTEGER &&
        str_to_i64(value, INT64_MIN, INT64_MAX, &number))
        json_put_i64(w, number);
    else if (p != NULL && p->type == PARAMETER_BOOLEAN && (truth || str_eq(value, STR("false"))))
        json_put_bool(w, truth);
    else
        json_put_str(w, value);
}

static enum rc choose(struct trial *t, struct json_writer *w, struct str word)
{
    size_t equals = str_find(word, '=', 0);
    struct str name = str_sub(word, 0, equals);
    if (equals == word.n || name.n == 0)
        return err_set(t->err, RC_SYNTAX, "'%.*s' is no NAME=VALUE", STRF(word));
    struct str value = str_sub(word, equals + 1, word.n);
    if (value.n > 0 && value.p[0] == '@')
        TRY(file_read(arena_cstr(t->arena, str_sub(value, 1, value.n)), PROFILE_VALUE_MAX, t->arena,
                      &value, t->err));
    if (str_find(name, '.', 0) < name.n) {
        if (t->values.count == COUNT(t->values.items))
            return err_set(t->err, RC_TOO_LARGE, "these are too many values");
        profile_values_add(&t->values, name, value);
        return RC_OK;
    }
    json_put_key(w, name);
    put_chosen(w, parameter_named(&t->profile, name), value);
    return RC_OK;
}

static enum rc take_values(struct trial *t)
{
    struct buf text;
    struct json_writer w;
    const struct json *chosen = NULL;
    buf_init(&text, t->arena, CHOSEN_BYTES_MAX);
    json_writer_init(&w, &text);
    json_begin_object(&w);
    for (int i = 2; i < t->line->word_count; i++)
        TRY(choose(t, &w, str_c(t->line->words[i])));
    json_end_object(&w);
    if (text.full)
        return err_set(t->err, RC_TOO_LARGE, "these values are too long");
    TRY(json_parse(buf_str(&text), t->arena, &chosen, t->err));
    TRY(profile_parameters(&t->profile, chosen, t->arena, &t->values, t->err));
    struct list secrets = profile_secrets(&t->profile, clock_system(), t->arena);
    const struct profile_secret *names = t->profile.secrets.items;
    const struct str *texts = secrets.items;
    for (size_t i = 0; i < secrets.count; i++)
        profile_values_add(&t->values, names[i].name, texts[i]);
    return RC_OK;
}

static enum rc read_profile(struct trial *t)
{
    struct str text;
    TRY(file_read(t->line->words[1], PROFILE_TEXT_MAX, t->arena, &text, t->err));
    TRY(profile_read(text, t->arena, &t->profile, t->err));
    if (t->profile.runtime != SPEC_CONTAINER)
        return err_set(t->err, RC_UNSUPPORTED, "'%.*s' is a machine: try runs containers",
                       STRF(t->profile.name));
    TRY(take_values(t));
    struct id_source ids;
    id_source_init(&ids, clock_system());
    t->service =
        (struct profile_service){.id = id_new(&ids, t->arena, "svc"), .name = t->profile.name};
    TRY(profile_taken(&t->profile, &t->values, t->arena, &t->service.taken, t->err));
    return profile_render(&t->profile, &t->values, &t->service, t->arena, &t->spec, t->err);
}

/* --- its image --- */

static enum rc make_image(struct trial *t, struct spec_image *ret)
{
    const struct profile_image *want = &t->profile.image;
    struct str name = want->name.n > 0 ? want->name : t->profile.name;
    const char *home = t->drivers.container.o.home;
    if (want->packages.count == 0) {
        if (image_named(home, name, t->arena, ret, t->err) == RC_OK)
            return RC_OK;
        return err_set(t->err, RC_NOT_FOUND,
                       "there is no image '%.*s' in %s: make it with hanse-node image build",
                       STRF(name), home);
    }
    const char **words = NEW_N(t->arena, const char *, want->packages.count + 1);
    const struct str *packages = want->packages.items;
    for (size_t i = 0; i < want->packages.count; i++)
        words[i] = arena_cstr(t->arena, packages[i]);
    struct image_order o = {
        .name = name,
        .suite = t->line->suite != NULL ? str_c(t->line->suite) : STR("bookworm"),
        .mirror = t->line->mirror,
        .words = words,
        .fresh = t->line->fresh,
        .program_count = want->programs.count,
    };
    struct str *programs = NEW_N(t->arena, struct str, want->programs.count + 1);
    const struct str *wanted = want->programs.items;
    for (size_t i = 0; i < want->programs.count; i++)
        TRY(node_program(wanted[i], t->arena, &programs[i], t->err));
    o.programs = programs;
    say("image: ", name);
    return image_build(home, &o, t->arena, ret, t->err);
}

/* --- running it --- */

static enum rc want(struct trial *t, enum spec_state state)
{
    struct buf text;
    struct json_writer w;
    struct desired d = {.set = schema_all(&desired_schema),
                        .revision = state == SPEC_GONE ? 2 : 1,
                        .services = {.items = &t->spec, .count = 1}};
    t->spec.state = state;
    buf_init(&text, t->arena, DESIRED_BYTES_MAX);
    json_writer_init(&w, &text);
    schema_encode(&desired_schema, &d, &w);
    if (text.full)
        return err_set(t->err, RC_TOO_LARGE, "its files are too long together");
    return agent_want(t->agent, buf_str(&text), t->err);
}

static struct sighting look(struct trial *t)
{
    struct list seen = {0};
    arena_reset(&t->looks);
    if (agent_turn(t->agent) == 0)
        agent_wait(t->agent, t->signals, LOOK_US);
    agent_sightings(t->agent, &t->looks, &seen);
    return seen.count > 0 ? *(const struct sighting *)seen.items : (struct sighting){0};
}

/* The first that is not kept, or not known yet; NULL: all are. */
static const char *missing_promise(const struct trial *t, const struct sighting *s)
{
    const struct sighting_promise *told = s->promises.items;
    for (size_t i = 0; i < s->promises.count; i++)
        if (!told[i].kept)
            return arena_fmt(t->arena, "promise '%.*s': %.*s", STRF(told[i].name),
                             STRF(told[i].text))
                .p;
    return s->promises.count < t->spec.promises.count ? "not all promises were looked at" : NULL;
}

static void show_log(struct trial *t)
{
    struct str text;
    struct err ignored;
    err_clear(&ignored);
    const char *path = container_log(&t->drivers.container, t->spec.id, t->arena);
    if (file_read(path, LOG_BYTES_MAX, t->arena, &text, &ignored) != RC_OK || text.n == 0)
        return; /* it said nothing */
    size_t from = text.n > LOG_SHOWN_BYTES ? text.n - LOG_SHOWN_BYTES : 0;
    say("what its processes said:\n", str_sub(text, from, text.n));
}

/* Until it runs as wanted and keeps all promises. *ret_stopped: a signal came first. */
static enum rc wait_until_well(struct trial *t, struct sighting *ret, bool *ret_stopped)
{
    int64_t told = -1;
    const char *lacks = "it was not begun";
    time_us end = clock_steady(clock_system()) + PATIENCE_S * US_PER_SECOND;
    while (clock_steady(clock_system()) < end) {
        *ret_stopped = node_stop_asked(t->signals);
        struct sighting s = look(t);
        if (s.state != told)
            say("state: ", str_c(sighting_states[s.state]));
        told = s.state;
        if (s.state == SIGHTING_FAILED)
            return err_set(t->err, RC_UNAVAILABLE, "it failed: %.*s", STRF(s.reason));
        if (s.state == SIGHTING_RUNNING)
            lacks = missing_promise(t, &s);
        *ret = s;
        if (*ret_stopped || lacks == NULL)
            return RC_OK;
    }
    return err_set(t->err, RC_UNAVAILABLE, "not well after %d s: %s", PATIENCE_S, lacks);
}

static enum rc publish(struct trial *t, const struct sighting *s)
{
    struct list values;
    struct buf text;
    struct json_writer w;
    TRY(profile_publish(&t->profile, &t->values, &t->service, &s->facts, t->arena, &values,
                        t->err));
    const struct profile_published *names = t->profile.publishes.items;
    const struct str *texts = values.items;
    buf_init(&text, t->arena, DESIRED_BYTES_MAX);
    json_writer_init(&w, &text);
    w.pretty = true;
    json_begin_object(&w);
    json_put_key(&w, STR("service"));
    json_put_str(&w, t->spec.id);
    for (size_t i = 0; i < values.count; i++) {
        json_put_key(&w, names[i].name);
        json_put_str(&w, texts[i]);
    }
    json_end_object(&w);
    printf("%.*s\n", STRF(buf_str(&text)));
    (void)fflush(stdout);
    return RC_OK;
}

/* A command of the profile, between a file and the service. */
static enum rc run_inside(struct trial *t, const struct list *command, const char *file,
                          bool restoring)
{
    int status = 0;
    struct str output = STR("");
    int fd = open(file, restoring ? O_RDONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                  0600);
    if (fd < 0)
        return file_failed(t->err, "cannot open", file);
    struct driver_exec e = {.id = t->spec.id,
                            .command = command,
                            .timeout_ms = BACKUP_MS,
                            .input = restoring ? fd : -1,
                            .output = restoring ? -1 : fd};
    struct driver *d = &t->drivers.driver;
    enum rc rc = d->exec(d, &e, t->arena, &status, &output, t->err);
    close(fd);
    if (rc == RC_OK && status != 0)
        return err_set(t->err, RC_UNAVAILABLE, "its %s command ended with %d: %.*s",
                       restoring ? "restore" : "backup", status, STRF(output));
    return rc;
}

/* What it backs up it can take back. */
static enum rc try_backup(struct trial *t)
{
    if (t->spec.backup.count == 0 || t->spec.restore.count == 0)
        return RC_OK;
    const char *file = arena_fmt(t->arena, "%s/backup", t->drivers.container.o.home).p;
    enum rc rc = run_inside(t, &t->spec.backup, file, false);
    int64_t bytes = rc == RC_OK ? disk_taken(file) : 0;
    if (rc == RC_OK && bytes == 0)
        rc = err_set(t->err, RC_UNAVAILABLE, "its backup command wrote nothing");
    if (rc == RC_OK)
        rc = run_inside(t, &t->spec.restore, file, true);
    if (rc == RC_OK)
        say("backed up and restored", STR(""));
    (void)unlink(file); /* where it could not be made there is none */
    return rc;
}

static enum rc remove_all(struct trial *t)
{
    TRY(want(t, SPEC_GONE));
    time_us end = clock_steady(clock_system()) + GOODBYE_S * US_PER_SECOND;
    while (clock_steady(clock_system()) < end) {
        struct sighting s = look(t);
        if (s.state == SIGHTING_GONE && agent_at_rest(t->agent))
            return RC_OK;
    }
    return err_set(t->err, RC_UNAVAILABLE, "it is not gone after %d s: see hanse-node status",
                   GOODBYE_S);
}

static enum rc run_it(struct trial *t)
{
    bool stopped = false;
    struct sighting s = {0};
    TRY(want(t, SPEC_RUNNING));
    enum rc rc = wait_until_well(t, &s, &stopped);
    if (rc == RC_OK && !stopped)
        rc = try_backup(t);
    if (rc == RC_OK && !stopped)
        rc = publish(t, &s);
    if (rc != RC_OK)
        show_log(t);
    bool stays = rc == RC_OK && !stopped && !t->line->once;
    if (stays)
        say("it runs; Ctrl-C ends it and removes all of it", STR(""));
    while (stays && !node_stop_asked(t->signals))
        (void)look(t);
    struct err first = *t->err;
    enum rc gone = remove_all(t);
    if (rc != RC_OK)
        *t->err = first; /* why it went wrong matters more */
    return rc != RC_OK ? rc : gone;
}

static enum rc open_and_run(struct trial *t)
{
    struct spec_image image;
    TRY(node_drivers(t->settings, false, t->arena, &t->drivers, t->err));
    TRY(make_image(t, &image));
    image.set = schema_all(&spec_image_schema);
    image.format = STR("squashfs");
    t->spec.images = (struct list){.items = &image, .count = 1};
    t->spec.generation = 1;
    t->spec.set = schema_all(&service_spec_schema) & ~schema_bit(&service_spec_schema, "from");
    t->door = node_door(&t->drivers.container);
    t->agent =
        agent_open(&(struct agent_options){.driver = &t->drivers.driver,
                                           .clock = clock_system(),
                                           .door = &t->door,
                                           .threads = (size_t)t->settings->threads,
                                           .meter_us = t->settings->meter_seconds * US_PER_SECOND});
    enum rc rc = run_it(t);
    agent_close(t->agent);
    wire_curl_close(t->door.wire);
    drivers_fini(&t->drivers);
    return rc;
}

/* Not where a node of this machine keeps its own. */
static struct node_settings apart(const struct node_settings *s, struct arena *arena)
{
    struct node_settings own = *s;
    own.home = arena_fmt(arena, "%.*s/try", STRF(s->home));
    own.run = arena_fmt(arena, "%.*s/try", STRF(s->run));
    if (str_eq(s->bridge, STR("hanse0"))) {
        own.bridge = STR("hntry");
        own.network = STR("10.89.0.0");
    }
    return own;
}

enum rc node_try(const struct node_settings *s, const struct node_line *line, struct arena *arena,
                 struct err *err)
{
    int lock = -1;
    struct node_settings own = apart(s, arena);
    struct trial *t = NEW(arena, struct trial);
    *t = (struct trial){.settings = &own, .line = line, .arena = arena, .err = err};
    if (line->word_count < 2)
        return err_set(err, RC_SYNTAX, "hanse-node try FILE NAME=VALUE ...");
    TRY(read_profile(t));
    t->signals = node_signals();
    if (t->signals < 0)
        return err_set(err, RC_UNAVAILABLE, "signals cannot be read");
    arena_init(&t->looks, LOOK_BYTES);
    enum rc rc = node_lock(&own, arena, &lock, err);
    if (rc == RC_OK)
        rc = open_and_run(t);
    arena_fini(&t->looks);
    close(t->signals);
    if (lock >= 0)
        close(lock);
    return rc;
}
