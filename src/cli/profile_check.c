/*
 * profile_check.c - whether a profile is right, without a server.
 */
#include "cli/builtin.h"
#include "cli/text.h"
#include "profile/profile.h"

#include <errno.h>

static enum rc read_file(struct run *run, struct arena *arena, struct str *ret)
{
    const char *path = arena_cstr(run->arena, run->args.words[0]);
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? run->cli->in : fopen(path, "re");
    if (file == NULL)
        return err_set(run->err, errno == ENOENT ? RC_NOT_FOUND : RC_FORBIDDEN,
                       "'%s' cannot be opened: %s", path, strerror(errno));
    char *bytes = arena_bytes(arena, PROFILE_TEXT_MAX + 1);
    size_t n = fread(bytes, 1, PROFILE_TEXT_MAX + 1, file);
    bool failed = ferror(file) != 0;
    if (!standard)
        (void)fclose(file); /* only read */
    if (failed)
        return err_set(run->err, RC_FORBIDDEN, "'%s' cannot be read: %s", path, strerror(errno));
    *ret = str_n(bytes, n);
    return RC_OK;
}

static enum rc check_file(struct run *run, struct arena *arena)
{
    struct str text;
    struct profile p;
    TRY(read_file(run, arena, &text));
    TRY(profile_read(text, arena, &p, run->err));
    fprintf(run->cli->out, "%.*s %.*s: %s, %zu parameters, %zu processes, %zu promises\n",
            STRF(text_plain(run->arena, p.name)), STRF(text_plain(run->arena, p.version)),
            spec_runtimes[p.runtime], p.parameters.count, p.processes.count, p.promises.count);
    return RC_OK;
}

enum rc builtin_profile_check(struct run *run)
{
    if (run->args.word_count == 0)
        return err_set(run->err, RC_SYNTAX, "name a file with a profile");
    struct arena arena;
    arena_init(&arena, PROFILE_ARENA_BYTES);
    enum rc rc = check_file(run, &arena);
    arena_fini(&arena);
    return rc;
}
