#include "cli/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDERS_OPEN = 8 };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

enum rc scratch_make(struct run *run, const char *purpose, struct str *ret)
{
    struct str tmp = cli_env(run->cli, "TMPDIR");
    struct str name =
        arena_fmt(run->arena, "%.*s/hanse-%s-XXXXXX", STRF(tmp.n > 0 ? tmp : STR("/tmp")), purpose);
    char *path = arena_bytes(run->arena, name.n + 1);
    memcpy(path, name.p, name.n);
    path[name.n] = '\0';
    if (mkdtemp(path) == NULL)
        return err_set(run->err, RC_UNAVAILABLE, "no folder can be made as '%s': %s", path,
                       strerror(errno));
    *ret = str_c(path);
    return RC_OK;
}

void scratch_remove(struct run *run, struct str folder)
{
    (void)nftw(arena_cstr(run->arena, folder), remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS);
}
