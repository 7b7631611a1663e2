#include "main/folders.h"

#include <unistd.h>

enum { SYSTEM_USER_BELOW = 1000 };

static bool is_system_user(void)
{
    return geteuid() < SYSTEM_USER_BELOW;
}

/* $NAME, or ~/below, or empty where there is no home. */
static struct str user_folder(const char *name, const char *below, struct arena *arena)
{
    const char *folder = getenv(name);
    if (folder != NULL && folder[0] == '/')
        return str_c(folder);
    const char *home = getenv("HOME");
    return home != NULL && home[0] == '/' ? arena_fmt(arena, "%s/%s", home, below) : STR("");
}

struct str folders_store(const char *name, struct arena *arena)
{
    struct str folder = user_folder("XDG_DATA_HOME", ".local/share", arena);
    bool system = folder.n == 0 || (is_system_user() && getenv("XDG_DATA_HOME") == NULL);
    return system ? arena_fmt(arena, "sqlite:/var/lib/%s", name)
                  : arena_fmt(arena, "sqlite:%.*s/%s", STRF(folder), name);
}

const char *folders_settings(const char *file, struct arena *arena)
{
    if (is_system_user())
        return arena_fmt(arena, "/etc/hanse/%s", file).p;
    struct str folder = user_folder("XDG_CONFIG_HOME", ".config", arena);
    return folder.n == 0 ? NULL : arena_fmt(arena, "%.*s/hanse/%s", STRF(folder), file).p;
}
