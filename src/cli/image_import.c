/*
 * image_import.c - a machine's disk of another house becomes images that can be ordered: hanse-node
 * looks at it and converts it in its sandbox (node/import.h), and each disk is sent.
 */
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/image.h"
#include "cli/peek.h"
#include "cli/prompt.h"
#include "cli/scratch.h"
#include "cli/text.h"

enum { OUTPUT_BYTES_MAX = 64 * 1024, IMAGES_MAX = 16 };

struct import {
    struct run *run;
    struct server server;
    struct str folder;
    struct str name;
};

static const char *part(const struct import *m, const char *name)
{
    return arena_fmt(m->run->arena, "%.*s/%s", STRF(m->folder), name).p;
}

/* What the program said: its last line is why it failed, or what the machine wants. */
static struct str last_line(struct str text)
{
    size_t at = (text = str_trim(text)).n;
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return str_sub(text, at, text.n);
}

static enum rc convert(const struct import *m, struct str *ret)
{
    struct run *run = m->run;
    const struct host *h = run->cli->host;
    struct str said = STR("");
    int code = 0;
    const char *const argv[] = {
        arena_cstr(run->arena, h->beside(h, "hanse-node", run->arena)),
        "--home",
        part(m, "node"),
        "image",
        "import",
        arena_cstr(run->arena, m->name),
        arena_cstr(run->arena, run->args.words[1]),
        NULL,
    };
    const struct program p = {.argv = argv, .output = part(m, "out"), .errors = part(m, "said")};
    TRY(h->run(h, &p, &code, run->err));
    TRY(prompt_file(run->cli, str_c(p.errors), OUTPUT_BYTES_MAX, run->arena, &said, run->err));
    said = text_plain(run->arena, last_line(said));
    if (code != 0)
        return err_set(run->err, RC_INVALID, "'%.*s' cannot be imported: %.*s",
                       STRF(text_plain(run->arena, run->args.words[1])), STRF(said));
    fprintf(run->cli->err, "%.*s\n", STRF(said));
    return prompt_file(run->cli, str_c(p.output), OUTPUT_BYTES_MAX, run->arena, ret, run->err);
}

static enum rc send_one(const struct import *m, struct str line)
{
    struct run *run = m->run;
    const struct json *image = NULL;
    struct str answer = STR("");
    TRY(json_parse(line, run->arena, &image, run->err));
    struct str hash = peek_text(image, "sha256");
    const struct image_send what = {
        .party = run->args.words[0],
        .file = arena_fmt(run->arena, "%.*s/node/images/%.*s", STRF(m->folder), STRF(hash)),
        .name = peek_text(image, "name"),
        .format = peek_text(image, "format")};
    TRY(image_send(&m->server, &what, &answer));
    return errand_show(run, run->command->route, answer);
}

/* The disk that the machine starts from first. */
static enum rc import(const struct import *m)
{
    struct str lines = STR("");
    TRY(convert(m, &lines));
    for (int i = 0; lines.n > 0 && i < IMAGES_MAX; i++) {
        struct str line = str_cut(&lines, '\n');
        if (line.n > 0)
            TRY(send_one(m, line));
    }
    return RC_OK;
}

enum rc builtin_image_import(struct run *run)
{
    const struct host *h = run->cli->host;
    struct str unused = STR("");
    struct import m = {.run = run, .name = args_get(&run->args, "name")};
    if (run->args.word_count != 2 || m.name.n == 0)
        return err_set(run->err, RC_SYNTAX,
                       "say whose, which file and its name: hanse image import "
                       "PARTY FILE --name NAME");
    TRY(server_open(run, &m.server));
    if (m.server.token.n == 0)
        return err_set(run->err, RC_UNAUTHENTICATED,
                       "you are not logged in to %.*s: hanse login %.*s", STRF(m.server.url),
                       STRF(m.server.url));
    TRY(errand_path(run, run->command->route, &unused)); /* the party is an id */
    TRY(scratch_make(run, "import", &m.folder));
    h->hold(h, true); /* who gives up in between has the folder removed first */
    enum rc rc = import(&m);
    scratch_remove(run, m.folder);
    h->hold(h, false);
    return rc;
}
