/* From a stranger's file to an image. */
#include "node/import.h"

#include "node/file.h"
#include "node/run.h"
#include "node/sandbox.h"
#include "node/vm_disk.h"

#include <fcntl.h>
#include <nettle/sha1.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024, CONVERT_MS = 4 * 3600 * 1000, PATH_IN_MAX = 4096 };

struct str import_format(struct str head)
{
    static const struct {
        size_t at;
        struct str bytes;
        struct str format;
    } known[] = {
        {0, STR_INIT("QFI\xfb"), STR_INIT("qcow2")},
        {0, STR_INIT("KDMV"), STR_INIT("vmdk")},
        {0, STR_INIT("# Disk DescriptorFile"), STR_INIT("vmdk")},
        {64, STR_INIT("\x7f\x10\xda\xbe"), STR_INIT("vdi")},
        {0, STR_INIT("vhdxfile"), STR_INIT("vhdx")},
        {257, STR_INIT("ustar"), STR_INIT("ova")},
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_starts(str_sub(head, min_size(known[i].at, head.n), head.n), known[i].bytes))
            return known[i].format;
    return STR("raw");
}

static enum rc read_head(const char *file, struct arena *arena, struct str *ret, struct err *err)
{
    struct stat st;
    char *head = arena_bytes(arena, IMPORT_HEAD_BYTES);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? pread(fd, head, IMPORT_HEAD_BYTES, 0) : -1;
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    enum rc rc = n >= 0 ? RC_OK : file_failed(err, "cannot read", file);
    if (fd >= 0)
        close(fd);
    TRY(rc);
    if (!regular || n == 0)
        return err_set(err, RC_INVALID, "'%s' is no file with a disk in it", file);
    *ret = str_n(head, (size_t)n);
    return RC_OK;
}

/* --- one disk --- */

/* To folder/disk, folder/disk-1, ... */
static const char *out_path(const char *folder, size_t at, struct arena *arena)
{
    return at == 0 ? arena_fmt(arena, "%s/disk", folder).p
                   : arena_fmt(arena, "%s/disk-%zu", folder, at).p;
}

static enum rc convert(const char *file, struct str format, const char *folder, int64_t max_bytes,
                       struct arena *arena, struct imported *ret, struct err *err)
{
    int status = 0;
    struct str said = STR("");
    const char *out = out_path(folder, ret->count, arena);
    int64_t bytes = 0, all = 0;
    TRY(vm_look_at(file, format, arena, &bytes, err));
    for (size_t i = 0; i < ret->count; i++)
        all += ret->disks[i].bytes;
    if (bytes > max_bytes - all)
        return err_set(err, RC_TOO_LARGE, "the disks have more than %lld bytes, which is the most",
                       (long long)max_bytes);
    const char *const argv[] = {
        "qemu-img", "convert", "-f", arena_cstr(arena, format), "-O", "qcow2", file, out, NULL};
    /* A qcow2 is a little longer than what is in it: an eighth is more than its tables take. */
    struct sandbox s = {.read = file,
                        .write = folder,
                        .file_bytes = bytes + bytes / 8 + PIECE_BYTES * 64,
                        .timeout_ms = CONVERT_MS};
    TRY(sandbox_run(&s, argv, arena, &status, &said, err));
    if (status != 0)
        return err_set(err, RC_INVALID, "the disk cannot be converted: %.*s",
                       STRF(str_trim(str_sub(said, 0, min_size(said.n, ERR_TEXT_MAX / 2)))));
    ret->disks[ret->count++].bytes = bytes;
    return RC_OK;
}

/* --- an archive --- */

static enum rc copy_out(int from, int64_t bytes, const char *path, char *piece, struct err *err)
{
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return file_failed(err, "cannot unpack", path);
    enum rc rc = RC_OK;
    for (int64_t left = bytes; left > 0 && rc == RC_OK;) {
        ssize_t n = read(from, piece, (size_t)min_i64(left, PIECE_BYTES));
        if (n <= 0)
            rc = err_set(err, RC_INVALID, "the archive ends in the middle of a file");
        else if (write(to, piece, (size_t)n) != n)
            rc = file_failed(err, "cannot unpack", path);
        left -= n;
    }
    if (close(to) != 0 && rc == RC_OK)
        rc = file_failed(err, "cannot unpack", path);
    return rc;
}

struct unpacked {
    struct str names[OVA_MEMBERS_MAX];
    size_t count;
};

static enum rc unpack_members(int from, const char *folder, struct arena *arena,
                              struct unpacked *ret, struct err *err)
{
    char block[OVA_BLOCK];
    char *piece = arena_bytes(arena, PIECE_BYTES);
    for (ret->count = 0; ret->count < OVA_MEMBERS_MAX; ret->count++) {
        struct ova_member m;
        if (read(from, block, sizeof block) != (ssize_t)sizeof block)
            return RC_OK; /* some producers leave the empty blocks at the end out */
        TRY(ova_header(block, &m, err));
        if (m.last)
            return RC_OK;
        m.name = arena_str(arena, m.name);
        TRY(copy_out(from, m.bytes, arena_fmt(arena, "%s/%.*s", folder, STRF(m.name)).p, piece,
                     err));
        int64_t filled = (OVA_BLOCK - m.bytes % OVA_BLOCK) % OVA_BLOCK;
        if (lseek(from, filled, SEEK_CUR) < 0)
            return file_failed(err, "cannot read", folder);
        ret->names[ret->count] = m.name;
    }
    return err_set(err, RC_INVALID, "an OVA has at most %d files", (int)OVA_MEMBERS_MAX);
}

static enum rc sha1_file(const char *path, struct arena *arena, struct str *ret, struct err *err)
{
    struct sha1_ctx state;
    uint8_t hash[SHA1_DIGEST_SIZE];
    ssize_t n;
    uint8_t *piece = arena_alloc(arena, PIECE_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot read", path);
    sha1_init(&state);
    while ((n = read(fd, piece, PIECE_BYTES)) > 0)
        sha1_update(&state, (size_t)n, piece);
    close(fd);
    if (n < 0)
        return file_failed(err, "cannot read", path);
    sha1_digest(&state, sizeof hash, hash);
    struct buf text;
    buf_init(&text, arena, 2 * sizeof hash + 1);
    for (size_t i = 0; i < sizeof hash; i++)
        buf_fmt(&text, "%02x", hash[i]);
    *ret = buf_str(&text);
    return RC_OK;
}

static enum rc check_hash(const char *folder, struct str manifest, struct str name,
                          struct arena *arena, struct err *err)
{
    struct str kind, wanted, got = STR("");
    int64_t bytes = 0;
    const char *path = arena_fmt(arena, "%s/%.*s", folder, STRF(name)).p;
    TRY(ova_manifest(manifest, name, &kind, &wanted, err));
    if (str_eq(kind, STR("SHA256")))
        TRY(image_hash(path, arena, &got, &bytes, err));
    else if (str_eq(kind, STR("SHA1")))
        TRY(sha1_file(path, arena, &got, err));
    else
        return err_set(err, RC_INVALID, "the manifest has hashes of an unknown kind, '%.*s'",
                       STRF(kind));
    if (!str_eq_nocase(got, wanted))
        return err_set(err, RC_INVALID, "'%.*s' is not the file that the manifest speaks of",
                       STRF(name));
    return RC_OK;
}

static const struct str *find_ending(const struct unpacked *u, struct str ending)
{
    for (size_t i = 0; i < u->count; i++)
        if (str_ends(u->names[i], ending))
            return &u->names[i];
    return NULL;
}

/* The descriptor is believed when the manifest, if there is one, agrees with it and the disks. */
static enum rc read_archive(const char *folder, const struct unpacked *u, struct arena *arena,
                            struct ova *ret, struct err *err)
{
    struct str text, manifest;
    const struct str *ovf = find_ending(u, STR(".ovf")), *mf = find_ending(u, STR(".mf"));
    if (ovf == NULL)
        return err_set(err, RC_INVALID, "the archive has no descriptor: it is no OVA");
    TRY(file_read(arena_fmt(arena, "%s/%.*s", folder, STRF(*ovf)).p, OVA_TEXT_BYTES_MAX, arena,
                  &text, err));
    TRY(ova_describe(text, arena, ret, err));
    for (size_t i = 0; i < ret->count; i++)
        if (!file_exists(arena_fmt(arena, "%s/%.*s", folder, STRF(ret->disks[i].file)).p))
            return err_set(err, RC_INVALID, "the archive lacks the disk '%.*s'",
                           STRF(ret->disks[i].file));
    if (mf == NULL)
        return RC_OK;
    TRY(file_read(arena_fmt(arena, "%s/%.*s", folder, STRF(*mf)).p, OVA_TEXT_BYTES_MAX, arena,
                  &manifest, err));
    TRY(check_hash(folder, manifest, *ovf, arena, err));
    for (size_t i = 0; i < ret->count; i++)
        TRY(check_hash(folder, manifest, ret->disks[i].file, arena, err));
    return RC_OK;
}

static enum rc import_member(const char *folder, struct str name, const char *out,
                             int64_t max_bytes, struct arena *arena, struct imported *ret,
                             struct err *err)
{
    struct str head = {0};
    const char *disk = arena_fmt(arena, "%s/%.*s", folder, STRF(name)).p;
    TRY(read_head(disk, arena, &head, err));
    struct str format = import_format(head);
    if (str_eq(format, STR("ova")))
        return err_set(err, RC_INVALID, "an OVA in an OVA is none");
    return convert(disk, format, out, max_bytes, arena, ret, err);
}

static enum rc import_archive(const char *file, const char *folder, const char *out,
                              int64_t max_bytes, struct arena *arena, struct imported *ret,
                              struct err *err)
{
    struct unpacked *u = NEW(arena, struct unpacked);
    int from = open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return file_failed(err, "cannot read", file);
    enum rc rc = unpack_members(from, folder, arena, u, err);
    close(from);
    TRY(rc);
    TRY(read_archive(folder, u, arena, &ret->machine, err));
    for (size_t i = 0; i < ret->machine.count; i++)
        TRY(import_member(folder, ret->machine.disks[i].file, out, max_bytes, arena, ret, err));
    return RC_OK;
}

/* --- all of it --- */

static enum rc import_in(const char *work, const char *file, int64_t max_bytes, struct arena *arena,
                         struct imported *ret, struct err *err)
{
    struct str head = {0};
    const char *out = arena_fmt(arena, "%s/out", work).p;
    const char *members = arena_fmt(arena, "%s/in", work).p;
    TRY(file_make_folder(out, err));
    TRY(file_make_folder(members, err));
    TRY(read_head(file, arena, &head, err));
    struct str format = import_format(head);
    return str_eq(format, STR("ova"))
               ? import_archive(file, members, out, max_bytes, arena, ret, err)
               : convert(file, format, out, max_bytes, arena, ret, err);
}

/* Every disk under its name; the first one last, so that its name means all of them. */
static enum rc keep_images(const char *home, const char *work, struct str name, struct arena *arena,
                           struct imported *got, struct err *err)
{
    for (size_t i = got->count; i > 0; i--) {
        struct spec_image *image = &got->disks[i - 1].image;
        const char *file = out_path(arena_fmt(arena, "%s/out", work).p, i - 1, arena);
        TRY(image_take(home, file, STR(""), image, arena, err));
        image->name = i == 1 ? name : arena_fmt(arena, "%.*s-%zu", STRF(name), i);
        image->format = STR("qcow2");
    }
    return RC_OK;
}

enum rc import_file(const char *home, struct str name, const char *file, int64_t max_bytes,
                    struct arena *arena, struct imported *ret, struct err *err)
{
    struct imported got = {0};
    struct err second;
    char *whole = arena_alloc(arena, PATH_IN_MAX);
    if (!image_is_name(name))
        return err_set(err, RC_INVALID, "'%.*s' is no name of an image", STRF(name));
    if (realpath(file, whole) == NULL)
        return file_failed(err, "cannot find", file);
    const char *work = arena_fmt(arena, "%s/images/import-%.*s", home, STRF(name)).p;
    TRY(file_remove(work, err));
    TRY(file_make_folder(work, err));
    enum rc rc = import_in(work, whole, max_bytes, arena, &got, err);
    if (rc == RC_OK)
        rc = keep_images(home, work, name, arena, &got, err);
    err_clear(&second);
    if (file_remove(work, &second) != RC_OK && rc == RC_OK) {
        *err = second;
        return second.rc;
    }
    TRY(rc);
    *ret = got;
    return RC_OK;
}
