/* bubblewrap for what it sees, prlimit for how much it takes. */
#include "node/sandbox.h"

#include "node/run.h"

enum { WORDS_MAX = 64, MEMORY_GIB = 4 };

struct words {
    const char *items[WORDS_MAX];
    size_t count;
};

static void add(struct words *w, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        ASSERT(w->count + 1 < WORDS_MAX);
        w->items[w->count++] = words[i];
    }
}

#define ADD(w, ...) add((w), (const char *const[]){__VA_ARGS__, NULL})

enum rc sandbox_run(const struct sandbox *s, const char *const *argv, struct arena *arena,
                    int *ret_status, struct str *ret_output, struct err *err)
{
    struct words w = {0};
    if (!run_has("bwrap") || !run_has("prlimit"))
        return err_set(err, RC_UNSUPPORTED,
                       "images of strangers are read with the programs bwrap and prlimit");
    ADD(&w, "prlimit", arena_fmt(arena, "--as=%lld", (long long)MEMORY_GIB << 30).p,
        arena_fmt(arena, "--cpu=%d", SANDBOX_CPU_S).p,
        arena_fmt(arena, "--fsize=%lld", (long long)s->file_bytes).p, "--core=0");
    ADD(&w, "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--clearenv", "--setenv", "PATH", "/usr/bin:/bin");
    ADD(&w, "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib",
        "/lib", "--symlink", "usr/lib64", "/lib64", "--dev", "/dev", "--tmpfs", "/tmp");
    ADD(&w, "--ro-bind", s->read, s->read);
    if (s->write != NULL)
        ADD(&w, "--bind", s->write, s->write);
    ADD(&w, "--");
    add(&w, argv);
    struct run run = {.argv = w.items,
                      .timeout_ms = s->timeout_ms > 0 ? s->timeout_ms : SANDBOX_TIMEOUT_MS};
    return run_program(&run, arena, ret_status, ret_output, err);
}
