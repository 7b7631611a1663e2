#include "node/image_disk.h"

#include "node/file.h"
#include "node/gpt.h"
#include "node/run.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#define MIB ((int64_t)1024 * 1024)
#define GIB (1024 * MIB)

enum {
    MAKE_TIMEOUT_MS = 3600 * 1000,
    BOOT_FIRST = 2048, /* sectors: GRUB's core, a MiB from the begin */
    ROOT_FIRST = 4096, /* sectors: to the end */
    ROOT_NUMBER = 1,
    BOOT_NUMBER = 14, /* as Debian has it: root is the first */
    CORE_BYTES_MAX = (ROOT_FIRST - BOOT_FIRST) * GPT_SECTOR,
    BOOT_CODE_BYTES = 440, /* of the first sector, behind which the table of partitions begins */
    BOOT_CORE_AT = 0x5c,   /* in GRUB's boot.img: the sector where its core begins */
    CORE_REST_AT = 0x1f4,  /* in its core: the sector where all but the first of it is */
    SPARE_MIB = 128
};

const char image_disk_packages[] =
    "linux-image-cloud-amd64,grub-pc-bin,systemd-sysv,udev,dbus,libpam-systemd,systemd-resolved,"
    "systemd-timesyncd,netplan.io,iproute2,iputils-ping,cloud-init,cloud-guest-utils,fdisk,"
    "e2fsprogs,openssh-server,qemu-guest-agent,sudo,ca-certificates";

/* Text in the ids that GPT and ext4 have. */
static void make_id(struct str seed, uint8_t ret[GPT_ID_BYTES], struct arena *arena,
                    const char **ret_text)
{
    (void)crypto_generichash(ret, GPT_ID_BYTES, (const uint8_t *)seed.p, seed.n, NULL, 0);
    ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x80); /* RFC 9562: version 8, made in one's own way */
    ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
    char hex[2 * GPT_ID_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, ret, GPT_ID_BYTES);
    *ret_text =
        arena_fmt(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20).p;
}

/* --- the tree --- */

/* The symbolic links /vmlinuz and /initrd.img are Debian's own: they follow the kernel. */
static struct str boot_menu(const char *uuid, struct arena *arena)
{
    return arena_fmt(arena,
                     "serial --unit=0 --speed=115200\n"
                     "terminal_input console serial\n"
                     "terminal_output console serial\n"
                     "set timeout=1\n"
                     "menuentry 'Debian GNU/Linux' {\n"
                     "    linux /vmlinuz root=UUID=%s ro console=tty0 console=ttyS0,115200\n"
                     "    initrd /initrd.img\n"
                     "}\n",
                     uuid);
}

static enum rc write_files(const char *tree, const char *uuid, struct arena *arena, struct err *err)
{
    const struct {
        const char *path;
        struct str text;
    } files[] = {
        {"boot/grub/grub.cfg", boot_menu(uuid, arena)},
        {"etc/fstab", arena_fmt(arena, "UUID=%s / ext4 rw,discard,errors=remount-ro 0 1\n", uuid)},
        {"etc/hostname", STR("localhost\n")},
        {"etc/hosts", STR("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")},
        /* Where there is no seed it does not wait for a cloud that it is not in. */
        {"etc/cloud/cloud.cfg.d/90_image.cfg",
         STR("datasource_list: [NoCloud, ConfigDrive, None]\n"
             "locale: false\n")}, /* else cloud-init makes one of its own, and fails */
        {"etc/default/locale", STR("LANG=C.UTF-8\n")},
        {"etc/machine-id", STR("")},
    };
    TRY(file_make_folder(arena_fmt(arena, "%s/boot/grub", tree).p, err));
    for (size_t i = 0; i < COUNT(files); i++)
        TRY(file_show(arena_fmt(arena, "%s/%s", tree, files[i].path).p, files[i].text, err));
    const char *resolver = arena_fmt(arena, "%s/etc/resolv.conf", tree).p;
    TRY(file_remove(resolver, err));
    if (symlink("../run/systemd/resolve/stub-resolv.conf", resolver) != 0)
        return file_failed(err, "cannot make", resolver);
    return RC_OK;
}

/* What one machine alone may have, and what was for the building. */
static enum rc remove_own(const char *tree, struct arena *arena, struct err *err)
{
    static const char *const left[] = {
        "etc/ssh/ssh_host_rsa_key",        "etc/ssh/ssh_host_rsa_key.pub",
        "etc/ssh/ssh_host_ecdsa_key",      "etc/ssh/ssh_host_ecdsa_key.pub",
        "etc/ssh/ssh_host_ed25519_key",    "etc/ssh/ssh_host_ed25519_key.pub",
        "var/lib/dbus/machine-id",         "var/lib/systemd/random-seed",
        "etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap"};
    for (size_t i = 0; i < COUNT(left); i++)
        TRY(file_remove(arena_fmt(arena, "%s/%s", tree, left[i]).p, err));
    return RC_OK;
}

/* --- what starts it --- */

/* GRUB's own program of the tree, so that all of it is of one version. */
static enum rc make_core(const char *tree, struct arena *arena, struct str *ret, struct err *err)
{
    const char *core = arena_fmt(arena, "%s/core.img", tree).p;
    TRY(run_tool(arena, err, "chroot", tree, "grub-mkimage", "--format=i386-pc",
                 "--output=/core.img", "--prefix=(,gpt1)/boot/grub", "biosdisk", "part_gpt", "ext2",
                 "normal", "linux", "serial", "terminal", "test", "echo", "ls", "reboot", "halt"));
    TRY(file_read(core, CORE_BYTES_MAX, arena, ret, err));
    return file_remove(core, err);
}

static enum rc put_at(int fd, int64_t at, const void *bytes, size_t n, const char *disk,
                      struct err *err)
{
    if (lseek(fd, (off_t)at, SEEK_SET) < 0 || !file_put_fd(fd, str_n(bytes, n)))
        return file_failed(err, "cannot write", disk);
    return RC_OK;
}

static enum rc put_boot(int fd, const char *tree, const char *disk, uint8_t *head,
                        struct arena *arena, struct err *err)
{
    struct str boot, core;
    TRY(file_read(arena_fmt(arena, "%s/usr/lib/grub/i386-pc/boot.img", tree).p, GPT_SECTOR, arena,
                  &boot, err));
    TRY(make_core(tree, arena, &core, err));
    if (boot.n != GPT_SECTOR || core.n < GPT_SECTOR)
        return err_set(err, RC_UNAVAILABLE, "the boot loader of the image is none");
    memcpy(head, boot.p, BOOT_CODE_BYTES);
    gpt_put(head + BOOT_CORE_AT, BOOT_FIRST, 8);
    uint8_t *own = arena_alloc(arena, core.n);
    memcpy(own, core.p, core.n);
    gpt_put(own + CORE_REST_AT, BOOT_FIRST + 1, 8);
    return put_at(fd, (int64_t)BOOT_FIRST * GPT_SECTOR, own, core.n, disk, err);
}

/* --- the disk --- */

static enum rc disk_size(const char *tree, struct arena *arena, int64_t *ret, struct err *err)
{
    const char *const argv[] = {"du", "--summarize", "--block-size=1M", tree, NULL};
    struct str said;
    int status = 0;
    int64_t mib = 0;
    TRY(run_program(&(struct run){.argv = argv, .timeout_ms = MAKE_TIMEOUT_MS}, arena, &status,
                    &said, err));
    if (status != 0 || !str_to_i64(str_cut(&said, '\t'), 1, INT32_MAX, &mib))
        return err_set(err, RC_UNAVAILABLE, "the size of the image is not known");
    int64_t bytes = (mib + mib / 4 + SPARE_MIB) * MIB; /* a quarter: what ext4 itself takes */
    *ret = (bytes + GIB - 1) / GIB * GIB;
    return RC_OK;
}

static enum rc write_disk(const char *tree, const char *disk, int64_t bytes, const uint8_t *id,
                          struct arena *arena, struct err *err)
{
    int64_t sectors = bytes / GPT_SECTOR;
    const struct gpt_part parts[] = {
        {ROOT_NUMBER, gpt_linux, ROOT_FIRST, sectors - 1 - GPT_TAIL_BYTES / GPT_SECTOR},
        {BOOT_NUMBER, gpt_bios_boot, BOOT_FIRST, ROOT_FIRST - 1}};
    uint8_t *head = arena_alloc(arena, GPT_HEAD_BYTES);
    uint8_t *tail = arena_alloc(arena, GPT_TAIL_BYTES);
    gpt_tables(parts, COUNT(parts), sectors, id, head, tail);
    int fd = open(disk, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_failed(err, "cannot make", disk);
    enum rc rc = ftruncate(fd, (off_t)bytes) == 0 ? put_boot(fd, tree, disk, head, arena, err)
                                                  : file_failed(err, "cannot make", disk);
    if (rc == RC_OK)
        rc = put_at(fd, 0, head, GPT_HEAD_BYTES, disk, err);
    if (rc == RC_OK)
        rc = put_at(fd, bytes - GPT_TAIL_BYTES, tail, GPT_TAIL_BYTES, disk, err);
    close(fd);
    return rc;
}

static enum rc fill_root(const char *tree, const char *disk, int64_t bytes, const char *uuid,
                         struct arena *arena, struct err *err)
{
    enum { BLOCK = 4096 };
    int64_t room = bytes - (int64_t)ROOT_FIRST * GPT_SECTOR - GPT_TAIL_BYTES;
    const char *const argv[] = {
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-b",
        "4096",
        "-U",
        uuid,
        "-d",
        tree,
        "-E",
        arena_fmt(arena, "offset=%lld", (long long)ROOT_FIRST * GPT_SECTOR).p,
        disk,
        arena_fmt(arena, "%lld", (long long)(room / BLOCK)).p,
        NULL};
    return run_ok(&(struct run){.argv = argv, .timeout_ms = MAKE_TIMEOUT_MS}, arena, err);
}

enum rc image_disk(const char *tree, const char *work, struct str seed, const char *file,
                   struct arena *arena, struct err *err)
{
    uint8_t id[GPT_ID_BYTES];
    const char *uuid;
    const char *disk = arena_fmt(arena, "%s/disk", work).p;
    int64_t bytes = 0;
    make_id(seed, id, arena, &uuid);
    TRY(write_files(tree, uuid, arena, err));
    TRY(remove_own(tree, arena, err));
    TRY(disk_size(tree, arena, &bytes, err));
    TRY(write_disk(tree, disk, bytes, id, arena, err));
    TRY(fill_root(tree, disk, bytes, uuid, arena, err));
    const char *const argv[] = {
        "qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "compression_type=zstd",
        disk,       file,      NULL};
    TRY(run_ok(&(struct run){.argv = argv, .timeout_ms = MAKE_TIMEOUT_MS}, arena, err));
    return file_remove(disk, err);
}
