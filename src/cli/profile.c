#include "cli/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_TEXT_MAX = 3072 };

#define FILE_NAME      "profiles.json"
#define FILE_NAME_TEMP "profiles.json.new"

static const struct field profile_fields[] = {
    FIELD(struct profile, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = PROFILE_NAME_MAX,
          .doc = "Name of the profile."),
    FIELD(struct profile, url, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 1000,
          .doc = "Address of the server."),
    FIELD(struct profile, user, TEXT, .max = 254, .doc = "E-mail address of the user."),
    FIELD(struct profile, token_id, TEXT, .max = 40, .doc = "Id of the token."),
    FIELD(struct profile, token, TEXT, .max = 400, .doc = "The token."),
    FIELD(struct profile, ends, TIME, .doc = "When the token ends."),
};
const struct schema profile_schema =
    SCHEMA(struct profile, "profile", profile_fields, "One server that a user is logged in to.");

static const struct field profiles_fields[] = {
    FIELD(struct profiles, current, TEXT, .max = PROFILE_NAME_MAX,
          .doc = "Name of the profile that is used unless another is named."),
    {.name = "profiles",
     .type = FIELD_LIST,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(struct profiles, list),
     .max = PROFILES_MAX,
     .schema = &profile_schema,
     .doc = "The servers."},
};
const struct schema profiles_schema =
    SCHEMA(struct profiles, "profiles", profiles_fields, "The servers a user is logged in to.");

bool profile_name_ok(struct str name)
{
    if (name.n == 0 || name.n > PROFILE_NAME_MAX || name.p[0] == '-')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

struct profile *profiles_find(const struct profiles *all, struct str name)
{
    struct profile *items = all->list.items;
    for (size_t i = 0; i < all->list.count; i++)
        if (str_eq(items[i].name, name))
            return &items[i];
    return NULL;
}

enum rc profiles_parse(struct str text, struct arena *arena, struct profiles *ret, struct err *err)
{
    const struct json *node = NULL;
    TRY(json_parse(text, arena, &node, err));
    return schema_decode(&profiles_schema, SCHEMA_WHOLE, node, arena, ret, err);
}

/* --- the folder --- */

static enum rc refuse_path(struct err *err, const char *path, const char *what)
{
    enum rc rc = errno == ENOSPC || errno == EDQUOT ? RC_FULL : RC_FORBIDDEN;
    return err_set(err, rc, "'%s' cannot be %s: %s", path, what, strerror(errno));
}

static enum rc folder_path(const struct cli *cli, struct arena *arena, const char **ret,
                           struct err *err)
{
    struct str config = cli_env(cli, "XDG_CONFIG_HOME");
    struct str home = cli_env(cli, "HOME");
    /* The XDG base directory specification: paths that are not absolute are ignored. */
    bool from_config = str_starts(config, STR("/"));
    if (!from_config && !str_starts(home, STR("/")))
        return err_set(err, RC_INVALID, "there is no place for profiles: set HOME");
    if (config.n + home.n > PATH_TEXT_MAX)
        return err_set(err, RC_INVALID, "HOME or XDG_CONFIG_HOME is too long");
    struct str path = from_config ? arena_fmt(arena, "%.*s/hanse", STRF(config))
                                  : arena_fmt(arena, "%.*s/.config/hanse", STRF(home));
    *ret = arena_cstr(arena, path);
    return RC_OK;
}

/* The folder and those above it, where they are missing. */
static enum rc make_folder(const char *path, struct arena *arena, struct err *err)
{
    struct str all = str_c(path);
    for (size_t at = str_find(all, '/', 1);; at = str_find(all, '/', at + 1)) {
        const char *part = arena_cstr(arena, str_sub(all, 0, at));
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return refuse_path(err, part, "made");
        if (at >= all.n)
            return RC_OK;
    }
}

/* *ret is -1 where there is no folder. */
static enum rc open_folder(const char *path, int *ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *ret = -1;
        return RC_OK;
    }
    if (fd < 0)
        return refuse_path(err, path, "opened");
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        (void)close(fd); /* only opened for reading */
        return err_set(err, RC_INVALID,
                       "others can change the folder '%s': it must be yours; run: chmod 700 %s",
                       path, path);
    }
    *ret = fd;
    return RC_OK;
}

/* --- reading --- */

static enum rc read_file(int fd, const char *folder, struct arena *arena, struct str *ret,
                         struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(err, RC_INVALID, "'%s/" FILE_NAME "' is not a file", folder);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return err_set(err, RC_INVALID,
                       "others can read the tokens in '%s/" FILE_NAME
                       "': it must be yours alone; run: chmod 600 %s/" FILE_NAME,
                       folder, folder);
    if (st.st_size > PROFILES_FILE_MAX)
        return err_set(err, RC_INVALID, "'%s/" FILE_NAME "' is too large", folder);
    size_t size = (size_t)st.st_size;
    char *bytes = arena_bytes(arena, size + 1);
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, bytes + n, size - n);
        if (got < 0 && errno != EINTR)
            return refuse_path(err, FILE_NAME, "read");
        if (got == 0)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    *ret = str_n(bytes, n);
    return RC_OK;
}

static enum rc read_in(int folder_fd, const char *folder, struct arena *arena, struct profiles *ret,
                       struct err *err)
{
    int fd = openat(folder_fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        *ret = (struct profiles){.set = schema_all(&profiles_schema)};
        return RC_OK;
    }
    if (fd < 0)
        return refuse_path(err, FILE_NAME, "opened");
    struct str text = STR("");
    enum rc rc = read_file(fd, folder, arena, &text, err);
    (void)close(fd); /* it was only read */
    TRY(rc);
    if (profiles_parse(text, arena, ret, err) == RC_OK)
        return RC_OK;
    err_write(err, RC_INVALID, "'%s/" FILE_NAME "' is damaged: remove it and log in again", folder);
    return RC_INVALID;
}

enum rc profiles_read(const struct cli *cli, struct arena *arena, struct profiles *ret,
                      struct err *err)
{
    const char *folder = NULL;
    TRY(folder_path(cli, arena, &folder, err));
    int fd = -1;
    TRY(open_folder(folder, &fd, err));
    if (fd < 0) {
        *ret = (struct profiles){.set = schema_all(&profiles_schema)};
        return RC_OK;
    }
    enum rc rc = read_in(fd, folder, arena, ret, err);
    (void)close(fd); /* only opened for reading */
    return rc;
}

/* --- writing --- */

static bool write_all(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            text = str_sub(text, (size_t)n, text.n);
    }
    return true;
}

static enum rc write_in(int folder_fd, struct arena *arena, const struct profiles *all,
                        struct err *err)
{
    struct buf b;
    buf_init(&b, arena, PROFILES_FILE_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    w.pretty = true;
    schema_encode(&profiles_schema, all, &w);
    buf_add_char(&b, '\n');
    if (b.full)
        return err_set(err, RC_TOO_LARGE, "there are too many profiles: remove some");

    /* We hold the lock: a file of this name was left behind by a process that died. */
    (void)unlinkat(folder_fd, FILE_NAME_TEMP, 0); /* mostly it is not there */
    int fd = openat(folder_fd, FILE_NAME_TEMP, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse_path(err, FILE_NAME_TEMP, "made");
    bool written = write_all(fd, buf_str(&b)) && fsync(fd) == 0;
    if (close(fd) != 0)
        written = false;
    if (written && renameat(folder_fd, FILE_NAME_TEMP, folder_fd, FILE_NAME) == 0 &&
        fsync(folder_fd) == 0)
        return RC_OK;
    enum rc rc = refuse_path(err, FILE_NAME, "written");
    (void)unlinkat(folder_fd, FILE_NAME_TEMP, 0); /* the write has failed already */
    return rc;
}

struct change {
    const struct profile *put; /* or NULL */
    struct str use;            /* or empty */
    struct str remove;         /* or empty */
};

static void apply_put(struct profiles *all, struct arena *arena, const struct profile *p)
{
    struct profile *old = profiles_find(all, p->name);
    if (old == NULL) {
        struct profile *items = NEW_N(arena, struct profile, all->list.count + 1);
        if (all->list.count > 0)
            memcpy(items, all->list.items, all->list.count * sizeof(items[0]));
        old = &items[all->list.count];
        all->list = (struct list){items, all->list.count + 1};
    }
    *old = *p;
    old->set = schema_all(&profile_schema);
    all->current = p->name;
}

static enum rc apply(struct profiles *all, struct arena *arena, const struct change *c,
                     struct err *err)
{
    struct str name = c->use.n > 0 ? c->use : c->remove;
    struct profile *found = profiles_find(all, name);
    if (c->put == NULL && found == NULL)
        return err_set(err, RC_NOT_FOUND, "there is no profile '%.*s'; see: hanse profile list",
                       STRF(name));
    if (c->put != NULL) {
        if (all->list.count >= PROFILES_MAX && profiles_find(all, c->put->name) == NULL)
            return err_set(err, RC_TOO_LARGE, "there are too many profiles: remove some");
        apply_put(all, arena, c->put);
    }
    if (c->use.n > 0)
        all->current = c->use;
    if (c->remove.n > 0) {
        struct profile *items = all->list.items;
        size_t behind = all->list.count - (size_t)(found - items) - 1;
        memmove(found, found + 1, behind * sizeof(items[0]));
        all->list.count--;
        if (str_eq(all->current, c->remove))
            all->current = STR("");
    }
    all->set = schema_all(&profiles_schema);
    return RC_OK;
}

static enum rc change_profiles(const struct cli *cli, struct arena *arena, const struct change *c,
                               struct err *err)
{
    const char *folder = NULL;
    TRY(folder_path(cli, arena, &folder, err));
    TRY(make_folder(folder, arena, err));
    int fd = -1;
    TRY(open_folder(folder, &fd, err));
    if (fd < 0)
        return err_set(err, RC_FORBIDDEN, "the folder '%s' went away", folder);
    struct profiles all = {0};
    enum rc rc = flock(fd, LOCK_EX) == 0 ? RC_OK : refuse_path(err, folder, "locked");
    if (rc == RC_OK)
        rc = read_in(fd, folder, arena, &all, err);
    if (rc == RC_OK)
        rc = apply(&all, arena, c, err);
    if (rc == RC_OK)
        rc = write_in(fd, arena, &all, err);
    (void)close(fd); /* gives the lock back; what was written is on disk */
    return rc;
}

enum rc profiles_put(const struct cli *cli, struct arena *arena, const struct profile *p,
                     struct err *err)
{
    ASSERT(profile_name_ok(p->name));
    return change_profiles(cli, arena, &(struct change){.put = p}, err);
}

enum rc profiles_use(const struct cli *cli, struct arena *arena, struct str name, struct err *err)
{
    if (name.n == 0)
        return err_set(err, RC_SYNTAX, "say which profile: hanse profile use NAME");
    return change_profiles(cli, arena, &(struct change){.use = name}, err);
}

enum rc profiles_remove(const struct cli *cli, struct arena *arena, struct str name,
                        struct err *err)
{
    if (name.n == 0)
        return err_set(err, RC_SYNTAX, "say which profile: hanse profile remove NAME");
    return change_profiles(cli, arena, &(struct change){.remove = name}, err);
}
