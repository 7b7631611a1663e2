/* Images: hash, name, and the programs that build them. */
#include "node/image.h"

#include "node/file.h"
#include "node/image_disk.h"
#include "node/machine.h"
#include "node/run.h"
#include "node/scratch.h"

#include "base/point.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 64 * 1024,
    NOTE_BYTES_MAX = 64 * 1024,
    BUILD_TIMEOUT_MS = 3600 * 1000,
    IMAGE_MODE = 0600
};

bool image_is_name(struct str name)
{
    bool good = name.n > 0 && name.n <= IMAGE_NAME_MAX && name.p[0] != '.';
    for (size_t i = 0; good && i < name.n; i++) {
        char c = name.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    }
    return good;
}

bool image_is_hash(struct str hash)
{
    return str_is_hex(hash, IMAGE_HASH_MAX);
}

const char *image_path(const char *home, struct str sha256, struct arena *arena)
{
    ASSERT(image_is_hash(sha256));
    return arena_fmt(arena, "%s/images/%.*s", home, STRF(sha256)).p;
}

enum rc image_hash(const char *path, struct arena *arena, struct str *ret, int64_t *ret_bytes,
                   struct err *err)
{
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES];
    int64_t bytes = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot read", path);
    char *piece = arena_bytes(arena, PIECE_BYTES);
    crypto_hash_sha256_init(&state);
    while ((n = read(fd, piece, PIECE_BYTES)) > 0) {
        crypto_hash_sha256_update(&state, (const uint8_t *)piece, (unsigned long long)n);
        bytes += n;
    }
    enum rc rc = n < 0 ? file_failed(err, "cannot read", path) : RC_OK;
    close(fd);
    crypto_hash_sha256_final(&state, hash);
    TRY(rc);
    char *hex = arena_alloc(arena, IMAGE_HASH_MAX + 1);
    sodium_bin2hex(hex, IMAGE_HASH_MAX + 1, hash, sizeof hash);
    *ret = str_n(hex, IMAGE_HASH_MAX);
    *ret_bytes = bytes;
    return RC_OK;
}

enum rc image_take(const char *home, const char *file, struct str wanted, struct spec_image *ret,
                   struct arena *arena, struct err *err)
{
    struct spec_image image = {.format = STR("squashfs")};
    TRY(image_hash(file, arena, &image.sha256, &image.bytes, err));
    if (wanted.n > 0 && !str_eq(wanted, image.sha256)) {
        (void)unlink(file); /* nobody shall use it */
        return err_set(err, RC_INVALID, "the image has the hash %.*s, and %.*s is wanted",
                       STRF(image.sha256), STRF(wanted));
    }
    if (chmod(file, IMAGE_MODE) != 0)
        return file_failed(err, "cannot keep the image", file);
    point_pass("image.checked");
    TRY(file_rename(file, image_path(home, image.sha256, arena), err));
    point_pass("image.kept");
    *ret = image;
    return RC_OK;
}

/* --- names --- */

/* "HASH BYTES\nwhat it was made of". */
#define OF_DISK "disk "

static const char *note_path(const char *home, struct str name, struct arena *arena)
{
    return arena_fmt(arena, "%s/images/names/%.*s", home, STRF(name)).p;
}

static enum rc read_note(const char *home, struct str name, struct arena *arena,
                         struct spec_image *ret, struct str *ret_of, struct err *err)
{
    struct str text;
    if (!image_is_name(name))
        return err_set(err, RC_INVALID, "'%.*s' is no name of an image", STRF(name));
    TRY(file_read(note_path(home, name, arena), NOTE_BYTES_MAX, arena, &text, err));
    struct str line = str_cut(&text, '\n');
    struct str hash = str_cut(&line, ' ');
    int64_t bytes = 0;
    if (!image_is_hash(hash) || !str_to_i64(line, 1, INT64_MAX, &bytes))
        return err_set(err, RC_INVALID, "the note on the image '%.*s' is broken", STRF(name));
    bool disk = str_starts(text, STR(OF_DISK));
    *ret = (struct spec_image){.name = name,
                               .sha256 = hash,
                               .bytes = bytes,
                               .format = disk ? STR("qcow2") : STR("squashfs")};
    *ret_of = text;
    return RC_OK;
}

enum rc image_named(const char *home, struct str name, struct arena *arena, struct spec_image *ret,
                    struct err *err)
{
    struct str of;
    TRY(read_note(home, name, arena, ret, &of, err));
    if (!file_exists(image_path(home, ret->sha256, arena)))
        return err_set(err, RC_NOT_FOUND, "the image '%.*s' is not on this node", STRF(name));
    return RC_OK;
}

/* --- building --- */

static enum rc made_of(const struct image_order *o, struct arena *arena, struct str *ret,
                       struct err *err)
{
    struct buf text;
    buf_init(&text, arena, NOTE_BYTES_MAX / 2);
    if (o->disk)
        buf_fmt(&text, OF_DISK "%s ", image_disk_packages);
    buf_fmt(&text, "%.*s", STRF(o->suite));
    for (size_t i = 0; o->words != NULL && o->words[i] != NULL; i++)
        buf_fmt(&text, " %s", o->words[i]);
    for (size_t i = 0; i < o->program_count; i++) {
        struct str hash;
        int64_t bytes = 0;
        TRY(image_hash(arena_cstr(arena, o->programs[i]), arena, &hash, &bytes, err));
        buf_fmt(&text, " %.*s", STRF(hash));
    }
    *ret = buf_str(&text);
    return RC_OK;
}

static enum rc check_order(const struct image_order *o, struct err *err)
{
    size_t count = 0;
    if (!image_is_name(o->name))
        return err_set(err, RC_INVALID,
                       "'%.*s' is no name of an image: small letters, digits, '-' and '.'",
                       STRF(o->name));
    for (; o->words != NULL && o->words[count] != NULL; count++)
        for (const char *c = o->words[count]; *c != '\0'; c++)
            if (strchr("abcdefghijklmnopqrstuvwxyz0123456789+-.:", *c) == NULL)
                return err_set(err, RC_INVALID, "'%s' is no package's name", o->words[count]);
    if (count > IMAGE_PACKAGES_MAX)
        return err_set(err, RC_INVALID, "an image is made of at most %d packages",
                       (int)IMAGE_PACKAGES_MAX);
    if (o->disk && (o->folder != NULL || o->program_count > 0))
        return err_set(err, RC_INVALID, "a machine's disk is made of packages alone");
    if (o->folder == NULL && count == 0 && !o->disk)
        return err_set(err, RC_INVALID, "an image is made of packages, or of a folder");
    if (o->folder != NULL && o->program_count > 0)
        return err_set(err, RC_INVALID, "programs are put into an image of packages");
    return RC_OK;
}

static enum rc install_packages(const struct image_order *o, const char *tree, struct arena *arena,
                                struct err *err)
{
    struct buf include;
    buf_init(&include, arena, NOTE_BYTES_MAX / 2);
    buf_fmt(&include, "--include=%s", o->disk ? image_disk_packages : "");
    for (size_t i = 0; o->words[i] != NULL; i++)
        buf_fmt(&include, "%s%s", i > 0 || o->disk ? "," : "", o->words[i]);
    const char *argv[12] = {"mmdebstrap",
                            "--mode=root",
                            "--variant=minbase",
                            "--quiet",
                            "--aptopt=APT::Install-Recommends \"false\"",
                            "--dpkgopt=path-exclude=/usr/share/doc/*",
                            "--dpkgopt=path-exclude=/usr/share/man/*",
                            arena_cstr(arena, buf_str(&include)),
                            arena_cstr(arena, o->suite),
                            tree,
                            o->mirror,
                            NULL};
    return run_ok(&(struct run){.argv = argv, .timeout_ms = BUILD_TIMEOUT_MS, .own_mounts = true},
                  arena, err);
}

static enum rc install_programs(const struct image_order *o, const char *tree, struct arena *arena,
                                struct err *err)
{
    const char *folder = arena_fmt(arena, "%s/usr/bin/", tree).p;
    for (size_t i = 0; i < o->program_count; i++)
        TRY(run_tool(arena, err, "install", "-m", "0755", arena_cstr(arena, o->programs[i]),
                     folder));
    return RC_OK;
}

static enum rc pack(const char *tree, const char *file, struct arena *arena, struct err *err)
{
    /* All times are one, so that the same tree is the same image. */
    const char *const argv[] = {
        "mksquashfs",   tree,        file, "-comp",      "zstd", "-noappend", "-quiet",
        "-no-progress", "-all-time", "0",  "-mkfs-time", "0",    NULL};
    return run_ok(&(struct run){.argv = argv, .timeout_ms = BUILD_TIMEOUT_MS}, arena, err);
}

static enum rc pack_disk(const struct image_order *o, const char *tree, const char *file,
                         struct arena *arena, struct err *err)
{
    struct str of;
    const char *work = arena_fmt(arena, "%s.work", file).p; /* goes with the folder it is in */
    TRY(made_of(o, arena, &of, err));
    TRY(file_make_folder(work, err));
    if (chmod(tree, 0755) != 0)
        return file_failed(err, "cannot open up", tree);
    return image_disk(tree, work, of, file, arena, err);
}

static enum rc pack_packages(const struct image_order *o, const char *tree, const char *file,
                             struct arena *arena, struct err *err)
{
    TRY(install_packages(o, tree, arena, err));
    if (o->disk)
        return pack_disk(o, tree, file, arena, err);
    TRY(install_programs(o, tree, arena, err));
    /* mmdebstrap makes its root for itself alone; services have other users. */
    if (chmod(tree, 0755) != 0)
        return file_failed(err, "cannot open up", tree);
    return pack(tree, file, arena, err);
}

/* In memory, where there is enough of it. */
static enum rc build_packages(const struct image_order *o, const char *tree, const char *file,
                              struct arena *arena, struct err *err)
{
    struct scratch scratch;
    TRY(file_make_folder(tree, err));
    (void)scratch_enter(&scratch, tree, machine_memory(arena));
    enum rc rc = pack_packages(o, tree, file, arena, err);
    bool again = rc != RC_OK && scratch_is_full(&scratch, tree);
    scratch_leave(&scratch);
    if (!again)
        return rc;
    err_clear(err); /* the disk may have the room */
    return pack_packages(o, tree, file, arena, err);
}

static enum rc build_in(const char *work, const char *home, const struct image_order *o,
                        struct arena *arena, struct spec_image *ret, struct err *err)
{
    const char *tree = arena_fmt(arena, "%s/tree", work).p;
    const char *file = arena_fmt(arena, "%s/image", work).p;
    if (o->folder != NULL)
        TRY(pack(o->folder, file, arena, err));
    else
        TRY(build_packages(o, tree, file, arena, err));
    TRY(image_take(home, file, STR(""), ret, arena, err));
    ret->name = o->name;
    if (o->disk)
        ret->format = STR("qcow2");
    return RC_OK;
}

enum rc image_build(const char *home, const struct image_order *o, struct arena *arena,
                    struct spec_image *ret, struct err *err)
{
    struct str of;
    struct str wanted;
    TRY(check_order(o, err));
    TRY(made_of(o, arena, &wanted, err));
    bool known = image_named(home, o->name, arena, ret, err) == RC_OK &&
                 read_note(home, o->name, arena, ret, &of, err) == RC_OK;
    if (known && !o->fresh && o->folder == NULL && str_eq(of, wanted))
        return RC_OK;
    err_clear(err);
    const char *work = arena_fmt(arena, "%s/images/build-%.*s", home, STRF(o->name)).p;
    TRY(file_make_folder(arena_fmt(arena, "%s/images/names", home).p, err));
    TRY(file_remove(work, err));
    TRY(file_make_folder(work, err));
    enum rc rc = build_in(work, home, o, arena, ret, err);
    struct err second;
    err_clear(&second);
    if (file_remove(work, &second) != RC_OK && rc == RC_OK)
        return *err = second, second.rc;
    TRY(rc);
    struct str note =
        arena_fmt(arena, "%.*s %lld\n%.*s", STRF(ret->sha256), (long long)ret->bytes, STRF(wanted));
    return file_write(note_path(home, o->name, arena), note, err);
}
