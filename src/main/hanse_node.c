/*
 * hanse_node.c - the agent on every server: keeps running what should run.
 */
#include "main/node_run.h"
#include "main/node_try.h"

#include "base/process.h"
#include "node/file.h"
#include "node/image.h"
#include "node/import.h"
#include "node/link.h"

#include <unistd.h>

enum { MAIN_ARENA_BYTES = 64 * 1024 * 1024, STATUS_BYTES_MAX = 8 * 1024 * 1024, EXEC_MS = 3600000 };
enum { CONSOLE_BYTES_MAX = 8 * 1024 * 1024, IMPORTED_BYTES_MAX = 4096 };

static const char usage[] =
    "hanse-node enrol --server URL --token TOKEN\n"
    "                        make this machine a node of a control plane\n"
    "hanse-node run          run what the control plane wants, until SIGTERM; services go on\n"
    "hanse-node run --desired FILE [--once]\n"
    "                        run the services of a file (JSON, profile/spec.h), and follow its\n"
    "                        changes; with --once end when all is as it should be\n"
    "hanse-node try FILE [NAME=VALUE ...] [--once]\n"
    "                        run a profile as a service here, show what it publishes, and remove\n"
    "                        it at the end; NAME=@FILE takes a value from a file\n"
    "hanse-node status       what is on this node, as JSON\n"
    "hanse-node exec SERVICE COMMAND ...\n"
    "                        run a command inside a service; it reads what this one is given\n"
    "hanse-node console SERVICE\n"
    "                        what a machine said at its serial console\n"
    "hanse-node snapshot SERVICE NAME\n"
    "hanse-node revert SERVICE NAME\n"
    "                        keep a machine's disk under a name; have it as it was then\n"
    "hanse-node image build NAME PACKAGE ... [--suite NAME] [--mirror URL] [--fresh]\n"
    "                       [--program hanse-pico]\n"
    "hanse-node image import NAME FILE\n"
    "                        make an image of a machine's disk: qcow2, raw, vmdk, vdi, vhdx, OVA\n"
    "hanse-node image build NAME --folder FOLDER\n"
    "                        make a root image of Debian packages, with a program of Hanse where\n"
    "                        one is named, or of a folder\n"
    "hanse-node image build NAME --disk [PACKAGE ...]\n"
    "                        make a machine's disk with what Debian's cloud image has: its cloud\n"
    "                        kernel, cloud-init, SSH, the guest agent; and these packages\n"
    "hanse-node --config-help    all settings, with their defaults\n"
    "hanse-node --version | --help\n";

/* A line of JSON for each disk, the one that the machine starts from first. */
static void tell_image(const struct spec_image *image, struct arena *arena)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, arena, IMPORTED_BYTES_MAX);
    json_writer_init(&w, &out);
    json_begin_object(&w);
    json_put_key(&w, STR("name"));
    json_put_str(&w, image->name);
    json_put_key(&w, STR("sha256"));
    json_put_str(&w, image->sha256);
    json_put_key(&w, STR("bytes"));
    json_put_i64(&w, image->bytes);
    json_put_key(&w, STR("format"));
    json_put_str(&w, image->format);
    json_end_object(&w);
    printf("%.*s\n", STRF(buf_str(&out)));
}

static enum rc import_command(const struct node_settings *s, const struct node_line *line,
                              struct arena *arena, struct err *err)
{
    struct imported got;
    TRY(import_file(arena_cstr(arena, s->home), str_c(line->words[2]), line->words[3],
                    IMPORT_BYTES_MAX, arena, &got, err));
    for (size_t i = 0; i < got.count; i++) {
        tell_image(&got.disks[i].image, arena);
        fprintf(stderr, "%sthe disk '%.*s' has %lld bytes", i > 0 ? "; " : "",
                STRF(got.disks[i].image.name), (long long)got.disks[i].bytes);
    }
    if (got.machine.count > 0)
        fprintf(stderr, "; the machine wants %lld processors and %lld bytes of memory",
                (long long)got.machine.cpus, (long long)got.machine.memory_bytes);
    fputc('\n', stderr);
    return RC_OK;
}

static enum rc image_command(const struct node_settings *s, const struct node_line *line,
                             struct arena *arena, struct err *err)
{
    struct spec_image image;
    if (line->word_count == 4 && strcmp(line->words[1], "import") == 0)
        return import_command(s, line, arena, err);
    if (line->word_count < 3 || strcmp(line->words[1], "build") != 0)
        return err_set(err, RC_SYNTAX, "hanse-node image build NAME PACKAGE ...");
    struct image_order o = {
        .name = str_c(line->words[2]),
        .suite = line->suite != NULL ? str_c(line->suite) : STR("bookworm"),
        .mirror = line->mirror,
        .folder = line->folder,
        .words = line->words + 3,
        .fresh = line->fresh,
        .disk = line->disk,
    };
    struct str program = STR("");
    if (line->program != NULL) {
        TRY(node_program(str_c(line->program), arena, &program, err));
        o.programs = &program;
        o.program_count = 1;
    }
    TRY(image_build(arena_cstr(arena, s->home), &o, arena, &image, err));
    tell_image(&image, arena);
    return RC_OK;
}

static void put_service(struct drivers *c, const struct observed *o, struct json_writer *w,
                        struct arena *arena)
{
    static const char *const states[] = {"absent", "resting", "dead", "running"};
    struct list facts = {0};
    struct err ignored;
    struct service_spec spec = {.id = o->id};
    err_clear(&ignored);
    if (c->driver.facts(&c->driver, &spec, arena, &facts, &ignored) != RC_OK)
        facts = (struct list){0}; /* it has none yet */
    json_begin_object(w);
    json_put_key(w, STR("id"));
    json_put_str(w, o->id);
    json_put_key(w, STR("state"));
    json_put_str(w, str_c(states[o->state]));
    json_put_key(w, STR("generation"));
    json_put_i64(w, o->generation);
    json_put_key(w, STR("starts"));
    json_put_i64(w, o->starts);
    json_put_key(w, STR("process"));
    json_put_i64(w, o->process);
    json_put_key(w, STR("facts"));
    json_begin_object(w);
    const struct sighting_fact *items = facts.items;
    for (size_t i = 0; i < facts.count; i++) {
        json_put_key(w, items[i].name);
        json_put_str(w, items[i].value);
    }
    json_end_object(w);
    json_end_object(w);
}

static enum rc status_command(const struct node_settings *s, struct arena *arena, struct err *err)
{
    struct drivers c;
    struct list seen;
    struct buf out;
    struct json_writer w;
    TRY(node_drivers(s, true, arena, &c, err));
    TRY(c.driver.observe(&c.driver, arena, &seen, err));
    buf_init(&out, arena, STATUS_BYTES_MAX);
    json_writer_init(&w, &out);
    w.pretty = true;
    json_begin_array(&w);
    for (size_t i = 0; i < seen.count; i++)
        put_service(&c, &((const struct observed *)seen.items)[i], &w, arena);
    json_end_array(&w);
    printf("%.*s\n", STRF(buf_str(&out)));
    drivers_fini(&c);
    return RC_OK;
}

/* Its exit status is that of the command. */
static enum rc exec_command(const struct node_settings *s, const struct node_line *line,
                            struct arena *arena, int *ret_status, struct err *err)
{
    struct drivers c;
    struct str output;
    if (line->word_count < 3)
        return err_set(err, RC_SYNTAX, "hanse-node exec SERVICE COMMAND ...");
    struct str *words = NEW_N(arena, struct str, (size_t)line->word_count);
    for (int i = 2; i < line->word_count; i++)
        words[i - 2] = str_c(line->words[i]);
    struct list command = {.items = words, .count = (size_t)line->word_count - 2};
    struct driver_exec e = {.id = str_c(line->words[1]),
                            .command = &command,
                            .timeout_ms = EXEC_MS,
                            .input = STDIN_FILENO,
                            .output = 1};
    if (!id_is(e.id, "svc"))
        return err_set(err, RC_INVALID, "'%s' is no id of a service", line->words[1]);
    TRY(node_drivers(s, true, arena, &c, err));
    enum rc rc = c.driver.exec(&c.driver, &e, arena, ret_status, &output, err);
    drivers_fini(&c);
    return rc;
}

static enum rc open_machines(const struct node_settings *s, const char *id, struct arena *arena,
                             struct drivers *ret, struct err *err)
{
    if (!id_is(str_c(id), "svc"))
        return err_set(err, RC_INVALID, "'%s' is no id of a service", id);
    TRY(node_drivers(s, true, arena, ret, err));
    if (ret->machines)
        return RC_OK;
    drivers_fini(ret);
    return err_set(err, RC_UNSUPPORTED, "%.*s", STRF(err_text(&ret->why_no)));
}

static enum rc console_command(const struct node_settings *s, const struct node_line *line,
                               struct arena *arena, struct err *err)
{
    struct drivers d;
    struct str text;
    TRY(open_machines(s, line->words[1], arena, &d, err));
    enum rc rc = file_read(vm_console(&d.vm, str_c(line->words[1]), arena), CONSOLE_BYTES_MAX,
                           arena, &text, err);
    if (rc == RC_OK)
        fwrite(text.p, 1, text.n, stdout);
    drivers_fini(&d);
    return rc;
}

static enum rc snapshot_command(const struct node_settings *s, const struct node_line *line,
                                struct arena *arena, struct err *err)
{
    struct drivers d;
    struct str id = str_c(line->words[1]), name = str_c(line->words[2]);
    TRY(open_machines(s, line->words[1], arena, &d, err));
    enum rc rc = strcmp(line->words[0], "revert") == 0 ? vm_revert(&d.vm, id, name, arena, err)
                                                       : vm_snapshot(&d.vm, id, name, arena, err);
    drivers_fini(&d);
    return rc;
}

static enum rc enrol_command(const struct node_settings *s, const struct node_line *line,
                             struct arena *arena, struct err *err)
{
    struct link l = {
        .wire = wire_curl_open(), .clock = clock_system(), .home = arena_cstr(arena, s->home)};
    enum rc rc = link_enrol(&l, s->server, str_c(line->token), arena, err);
    if (rc == RC_OK)
        rc = link_load(&l, arena, err);
    if (rc == RC_OK)
        printf("%.*s\n", STRF(l.node));
    wire_curl_close(l.wire);
    return rc;
}

static enum rc run_command(const struct node_settings *s, const struct node_line *line,
                           struct arena *arena, int *ret_status, struct err *err)
{
    const char *word = line->word_count > 0 ? line->words[0] : "run";
    if (strcmp(word, "run") == 0 && line->word_count <= 1)
        return node_run(s, line, arena, err);
    if (strcmp(word, "enrol") == 0 && line->word_count == 1)
        return enrol_command(s, line, arena, err);
    if (strcmp(word, "status") == 0 && line->word_count == 1)
        return status_command(s, arena, err);
    if (strcmp(word, "try") == 0)
        return node_try(s, line, arena, err);
    if (strcmp(word, "exec") == 0)
        return exec_command(s, line, arena, ret_status, err);
    if (strcmp(word, "console") == 0 && line->word_count == 2)
        return console_command(s, line, arena, err);
    if ((strcmp(word, "snapshot") == 0 || strcmp(word, "revert") == 0) && line->word_count == 3)
        return snapshot_command(s, line, arena, err);
    if (strcmp(word, "image") == 0)
        return image_command(s, line, arena, err);
    return err_set(err, RC_SYNTAX, "'%s' is no command of hanse-node: see hanse-node --help", word);
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct err err = {0};
    struct node_settings settings;
    struct node_line line;
    int status = 0;
    process_prepare_small();
    arena_init(&arena, MAIN_ARENA_BYTES);
    enum rc rc = node_settings_load(argc, argv, &arena, &settings, &line, &err);
    if (rc == RC_OK && line.help)
        fputs(usage, stdout);
    else if (rc == RC_OK && line.version)
        puts("hanse-node " HANSE_VERSION);
    else if (rc == RC_OK && line.config_help)
        node_settings_help(&arena, stdout);
    else if (rc == RC_OK)
        rc = run_command(&settings, &line, &arena, &status, &err);
    struct str at = err_pointer(&err);
    if (rc != RC_OK && at.n > 0)
        fprintf(stderr, "hanse-node: %.*s (at %.*s)\n", STRF(err_text(&err)), STRF(at));
    else if (rc != RC_OK)
        fprintf(stderr, "hanse-node: %.*s\n", STRF(err_text(&err)));
    arena_fini(&arena);
    return rc != RC_OK ? rc_exit(rc) : status;
}
