/*
 * A backup of a store with picos, with some of its bytes changed, or any bytes in its place, is put
 * back: it is refused, and the store that is there stays as it is; or it is whole, and what reads
 * all of it says so. The first byte tells which: even, the rest is the file; odd, the rest are
 * changes of four bytes each, a place (three bytes, from the begin or from the end) and a value.
 */
#include "fuzz.h"

#include "pico/engine.h"
#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKUP_BYTES_MAX = 8 * 1024 * 1024, CHANGE_BYTES = 4, CHANGES_MAX = 64 };

struct place {
    char folder[32];
    char url[64];
    char file[64];
    uint8_t *backup;
    size_t n;
};

static void write_file(const char *path, const uint8_t *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT(fd >= 0);
    ASSERT(write(fd, bytes, n) == (ssize_t)n);
    ASSERT(close(fd) == 0);
}

static void read_backup(struct place *p)
{
    struct stat st;
    int fd = open(p->file, O_RDONLY | O_CLOEXEC);
    ASSERT(fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= BACKUP_BYTES_MAX);
    p->n = (size_t)st.st_size;
    p->backup = malloc(p->n);
    ASSERT(p->backup != NULL && read(fd, p->backup, p->n) == st.st_size);
    ASSERT(close(fd) == 0);
}

/* A store with an engine's first pico in it, and its backup. */
static void make_place(struct place *p)
{
    struct err err = {0};
    struct store *store = NULL;
    struct pico_engine *e = NULL;
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/hanse-fuzz-XXXXXX");
    ASSERT(mkdtemp(p->folder) != NULL);
    (void)snprintf(p->url, sizeof p->url, "sqlite:%s", p->folder);
    (void)snprintf(p->file, sizeof p->file, "%s/backup", p->folder);
    ASSERT(store_open(&store,
                      &(struct store_options){.url = str_c(p->url), .clock = clock_system()},
                      &err) == RC_OK);
    ASSERT(pico_engine_open(&e, &(struct pico_options){.store = store, .clock = clock_system()},
                            &err) == RC_OK);
    pico_engine_close(e);
    store_close(store);
    ASSERT(store_backup(str_c(p->url), p->file, &err) == RC_OK);
    read_backup(p);
}

static struct place *the_place(void)
{
    static struct place p;
    return &p;
}

static void take_away(void)
{
    static const char *const names[] = {"hanse.db", "hanse.db-wal", "hanse.db-shm", "lock",
                                        "backup"};
    char path[64];
    const struct place *p = the_place();
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", p->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(p->folder); /* what is left there lies below /tmp */
    free(p->backup);
}

static void write_changed(const struct place *p, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(p->n);
    ASSERT(copy != NULL);
    memcpy(copy, p->backup, p->n);
    for (size_t i = 0; i + CHANGE_BYTES <= size && i < (size_t)CHANGES_MAX * CHANGE_BYTES;
         i += CHANGE_BYTES) {
        size_t at = (size_t)(data[i] & 0x7F) << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
        at %= p->n;
        copy[(data[i] & 0x80) == 0 ? at : p->n - 1 - at] ^= data[i + 3];
    }
    write_file(p->file, copy, p->n);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct place *p = the_place();
    struct err err = {0};
    if (size == 0)
        return 0;
    if (p->backup == NULL) {
        make_place(p);
        ASSERT(atexit(take_away) == 0);
    }
    if (data[0] % 2 == 0)
        write_file(p->file, data + 1, size - 1);
    else
        write_changed(p, data + 1, size - 1);
    bool changed = data[0] % 2 == 0 || size > CHANGE_BYTES;
    enum rc rc = store_restore(str_c(p->url), p->file, true, &err);
    ASSERT(rc == RC_OK || changed);
    ASSERT(rc == RC_OK || err_text(&err).n > 0);
    enum rc whole = store_verify(str_c(p->url), &err);
    if (whole != RC_OK)
        fprintf(stderr, "restored: %s, then: %s\n", rc_slug(rc), err.text);
    ASSERT(whole == RC_OK);
    return 0;
}
