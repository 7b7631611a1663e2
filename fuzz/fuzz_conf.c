/*
 * Any settings are refused with a sentence, or taken. The input up to the first NUL is the file;
 * behind it come texts that end with NUL: "HANSED_..." is a variable, all else a flag.
 */
#include "fuzz.h"

#include "base/conf.h"

#include <sys/mman.h>
#include <unistd.h>

struct settings {
    uint64_t set;
    struct str http_listen;
    int64_t http_threads;
    bool verbose;
    int64_t level;
    struct list hosts;
    struct str store;
    time_us since;
};

static const char *const levels[] = {"debug", "info", NULL};

static const struct field fields[] = {
    FIELD(struct settings, http_listen, TEXT, .min = 1, .max = 100),
    FIELD(struct settings, http_threads, INT, .min = 1, .max = 64),
    FIELD(struct settings, verbose, BOOL),
    FIELD(struct settings, level, WORD, .words = levels),
    FIELD(struct settings, hosts, LIST, .max = 4),
    FIELD(struct settings, store, TEXT, .flags = FIELD_REQUIRED, .min = 1),
    FIELD(struct settings, since, TIME),
};
static const struct schema schema = SCHEMA(struct settings, "settings", fields, NULL);

enum { TEXTS_MAX = 16 };

/* The content of a file without a disk: its path in /proc. */
static int memory_file(struct str content, char path[64])
{
    int fd = memfd_create("conf", MFD_CLOEXEC);
    ASSERT(fd >= 0);
    ASSERT(write(fd, content.p, content.n) == (ssize_t)content.n);
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena arena;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct str rest = str_n((const char *)data, size);
    char path[64];
    int fd = memory_file(str_cut(&rest, '\0'), path);
    char *environment[TEXTS_MAX + 1] = {NULL};
    const char *flags[TEXTS_MAX];
    size_t variables = 0;
    struct conf_sources sources = {.file = path, .file_must_exist = true, .env_prefix = "HANSED"};
    while (rest.n > 0 && variables < TEXTS_MAX && sources.flag_count < TEXTS_MAX) {
        struct str text = arena_str(&arena, str_cut(&rest, '\0'));
        if (str_starts(text, STR("HANSED_")))
            environment[variables++] = (char *)(uintptr_t)text.p;
        else
            flags[sources.flag_count++] = text.p;
    }
    sources.environment = environment;
    sources.flags = flags;
    struct settings settings = {.http_threads = 2, .set = 2};
    struct err err;
    err_clear(&err);
    enum rc rc = conf_load(&schema, &sources, &arena, &settings, &err);
    ASSERT(rc == err.rc);
    if (rc == RC_OK) {
        ASSERT(settings.http_threads >= 1 && settings.http_threads <= 64);
        ASSERT(schema_has(&schema, &settings, "store") && settings.store.n > 0);
    } else {
        ASSERT(rc == RC_INVALID);
        ASSERT(err.text_n > 0);
        ASSERT(settings.set == 2);
    }
    struct buf out;
    buf_init(&out, &arena, (size_t)1024 * 1024);
    conf_help(&schema, "HANSED", &settings, &arena, &out);
    ASSERT(!out.full);
    (void)close(fd);
    arena_fini(&arena);
    return 0;
}
