/* Who is where: folders, slots, first processes. */
#include "node/container_inside.h"

#include "node/bundle.h"
#include "node/disk.h"
#include "node/file.h"

#include "base/point.h"

#include <dirent.h>
#include <errno.h>

enum { PROC_BYTES_MAX = 64 * 1024 };

const char *container_folder(const struct container *c, struct str id, struct arena *arena)
{
    return arena_fmt(arena, "%s/services/%.*s", c->o.home, STRF(id)).p;
}

const char *container_in(const struct container *c, struct str id, const char *part,
                         struct arena *arena)
{
    return arena_fmt(arena, "%s/services/%.*s/%s", c->o.home, STRF(id), part).p;
}

uid_t container_user(int64_t slot)
{
    return (uid_t)(CONTAINER_USER_FIRST + slot * DISK_USERS);
}

const char *container_group(const struct container *c, struct str id, struct arena *arena)
{
    return arena_fmt(arena, "%.*s/%.*s", STRF(c->o.bridge), STRF(id)).p;
}

const char *container_log(const struct container *c, struct str id, struct arena *arena)
{
    return container_in(c, id, "disk/log", arena);
}

const char *container_volume(const struct container *c, struct str id, struct str volume,
                             struct arena *arena)
{
    const char *path =
        container_in(c, id, arena_fmt(arena, "disk/volumes/%.*s", STRF(volume)).p, arena);
    return file_exists(path) ? path : NULL;
}

enum rc container_ids(const struct container *c, struct arena *arena, struct list *ret,
                      struct err *err)
{
    const char *path = arena_fmt(arena, "%s/services", c->o.home).p;
    struct str *ids = NEW_N(arena, struct str, SPEC_SERVICES_MAX);
    size_t count = 0;
    DIR *dir = opendir(path);
    if (dir == NULL && errno != ENOENT)
        return file_failed(err, "cannot list", path);
    if (dir == NULL) {
        *ret = (struct list){0};
        return RC_OK;
    }
    struct dirent *e;
    while ((e = readdir(dir)) != NULL && count < SPEC_SERVICES_MAX)
        if (id_is(str_c(e->d_name), "svc"))
            ids[count++] = arena_str(arena, str_c(e->d_name));
    closedir(dir);
    *ret = (struct list){.items = ids, .count = count};
    return RC_OK;
}

enum rc container_lefts(const struct container *c, struct arena *arena, struct list *ret,
                        struct err *err)
{
    struct list ids = {0};
    TRY(container_ids(c, arena, &ids, err));
    struct left *lefts = NEW_N(arena, struct left, ids.count);
    size_t count = 0;
    for (size_t i = 0; i < ids.count; i++) {
        struct err ignored; /* a folder without state has no slot yet */
        err_clear(&ignored);
        const char *folder = container_folder(c, ((struct str *)ids.items)[i], arena);
        if (left_read(folder, arena, &lefts[count], &ignored) == RC_OK)
            count++;
    }
    *ret = (struct list){.items = lefts, .count = count};
    return RC_OK;
}

static enum rc first_free(const struct container *c, struct arena *arena, int64_t *ret,
                          struct err *err)
{
    struct list lefts;
    bool taken[SPEC_SERVICES_MAX] = {false};
    TRY(container_lefts(c, arena, &lefts, err));
    const struct left *items = lefts.items;
    for (size_t i = 0; i < lefts.count; i++)
        if (items[i].slot < SPEC_SERVICES_MAX)
            taken[items[i].slot] = true;
    for (int64_t slot = 0; slot < SPEC_SERVICES_MAX; slot++)
        if (!taken[slot]) {
            *ret = slot;
            return RC_OK;
        }
    return err_set(err, RC_FULL, "this node has %d services, and room for no more",
                   (int)SPEC_SERVICES_MAX);
}

static enum rc take_slot(struct container *c, struct str id, const char *folder,
                         struct arena *arena, struct left *ret, struct err *err)
{
    struct left fresh = {.id = id};
    TRY(first_free(c, arena, &fresh.slot, err));
    TRY(left_write(folder, &fresh, arena, err));
    *ret = fresh;
    return RC_OK;
}

enum rc container_take_slot(struct container *c, struct str id, struct arena *arena,
                            struct left *ret, struct err *err)
{
    const char *folder = container_folder(c, id, arena);
    struct err first;
    err_clear(&first);
    enum rc rc = left_read(folder, arena, ret, &first);
    if (rc == RC_OK)
        return RC_OK;
    if (rc != RC_NOT_FOUND) {
        *err = first;
        return rc;
    }
    TRY(file_make_folder(folder, err));
    point_pass("prepare.begun");
    pthread_mutex_lock(&c->slots);
    rc = take_slot(c, id, folder, arena, ret, err);
    pthread_mutex_unlock(&c->slots);
    point_pass("prepare.placed");
    return rc;
}

/* Field 3 of proc(5)'s stat, behind the name, which may hold anything. */
static bool is_alive(int64_t pid, struct arena *arena)
{
    struct err ignored;
    struct str text;
    err_clear(&ignored);
    if (file_read(arena_fmt(arena, "/proc/%lld/stat", (long long)pid).p, PROC_BYTES_MAX, arena,
                  &text, &ignored) != RC_OK)
        return false;
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != ')')
        at--;
    struct str rest = str_sub(text, at + 1, text.n);
    return rest.n > 0 && rest.p[0] != 'Z' && rest.p[0] != 'X';
}

int64_t container_process(const struct container *c, struct str id, struct arena *arena)
{
    struct err ignored;
    struct str groups;
    const char *path = arena_fmt(arena, "%s/pids/%.*s", c->o.run, STRF(id)).p;
    int64_t pid = file_number(path, 0);
    err_clear(&ignored);
    /* The number may be another process's by now: its control group is what cannot be another's. */
    if (pid <= 0 || file_read(arena_fmt(arena, "/proc/%lld/cgroup", (long long)pid).p,
                              PROC_BYTES_MAX, arena, &groups, &ignored) != RC_OK)
        return 0;
    struct str group = arena_fmt(arena, "/%s\n", container_group(c, id, arena));
    return str_has(groups, group) && is_alive(pid, arena) ? pid : 0;
}

const char *container_lease_folder(const struct container *c, struct str id, struct arena *arena)
{
    return arena_fmt(arena, "%s/leases/%.*s", c->o.run, STRF(id)).p;
}

const char *container_lease_file(const struct container *c, struct str id, struct arena *arena)
{
    return arena_fmt(arena, "%s/%s", container_lease_folder(c, id, arena), bundle_lease_file).p;
}

enum rc container_put_lease(const struct container *c, struct str id, time_us until,
                            struct arena *arena, struct err *err)
{
    struct str text = arena_fmt(arena, "%lld", (long long)until);
    TRY(file_make_folder(container_lease_folder(c, id, arena), err));
    return file_show(container_lease_file(c, id, arena), text, err);
}

time_us container_lease_end(const struct container *c, struct str id, time_us started,
                            struct arena *arena)
{
    time_us until = file_number(container_lease_file(c, id, arena), 0);
    time_us ago = clock_steady(c->o.clock) - until;
    if (until <= 0 || ago < 0 || container_process(c, id, arena) > 0)
        return 0;
    time_us at = clock_now(c->o.clock) - ago;
    return at >= started ? at : 0; /* the wall clock was set since, or it is of an earlier start */
}

enum rc container_address(const struct container *c, struct str id, struct arena *arena,
                          struct str *ret, struct err *err)
{
    struct left left;
    TRY(left_read(container_folder(c, id, arena), arena, &left, err));
    *ret = network_address(&c->network, left.slot, arena);
    return RC_OK;
}
