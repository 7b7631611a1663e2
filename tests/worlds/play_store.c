/* The store of a world, and what may happen to it: units of work that are undone, processes that
 * end between two of them, and processes that are killed within one. */
#include "play.h"
#include "settle/statement.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static void open_ledger(struct play *p)
{
    if (ledger_open(&p->l, p->f.store, NULL, &p->f.err) != RC_OK)
        play_fail(p, "ledger_open: %s", p->f.err.text);
}

void play_open(struct play *p, struct world *w, struct model *m)
{
    *p = (struct play){.w = w, .m = m};
    clock_sim_init(&p->clock, w->now, w->seed);
    fixture_init(&p->f);
    fixture_open_with(&p->f, (struct store_options){.clock = &p->clock.clock});
    open_ledger(p);
}

void play_close(struct play *p)
{
    store_close(p->f.store);
    p->f.store = NULL;
    ledger_close(p->l);
    fixture_close(&p->f);
}

void play_restart(struct play *p)
{
    store_close(p->f.store);
    ledger_close(p->l);
    fixture_open_with(&p->f, (struct store_options){.clock = &p->clock.clock});
    open_ledger(p);
}

struct undone {
    tx_fn fn;
    void *arg;
};

/* All of it is done, and then the power fails. */
static enum rc undo(struct tx *tx, void *arg)
{
    struct undone *u = arg;
    enum rc rc = u->fn(tx, u->arg);
    return rc == RC_OK ? err_set(tx->err, RC_UNAVAILABLE, "the power failed") : rc;
}

/* All of it is done, and the process is no more. */
static enum rc die(struct tx *tx, void *arg)
{
    struct undone *u = arg;
    TRY(u->fn(tx, u->arg));
    (void)raise(SIGKILL);
    NEVER("a process outlives SIGKILL");
}

static enum rc write_once(struct play *p, tx_fn fn, void *arg)
{
    arena_reset(&p->f.arena);
    return fixture_write(&p->f, fn, arg);
}

/* --- processes --- */

/* Another process has the store meanwhile, and is killed (or ends by itself); then it is opened
 * again. Ids that it gave out are not given again. */
static void killed(struct play *p, void (*fn)(struct play *p, void *arg), void *arg)
{
    int status = 0;
    store_close(p->f.store);
    ledger_close(p->l);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        fixture_open_with(&p->f, (struct store_options){.clock = &p->clock.clock});
        open_ledger(p);
        fn(p, arg);
        _exit(EXIT_SUCCESS);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        play_fail(p, "no process to be killed");
    if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS)
        exit(EXIT_FAILURE); /* it told why */
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        play_fail(p, "a process that was to be killed ended by signal %d", WTERMSIG(status));
    clock_sim_init(&p->clock, p->w->now, world_below(p->w, UINT64_MAX));
    fixture_open_with(&p->f, (struct store_options){.clock = &p->clock.clock});
    open_ledger(p);
}

static void kill_write(struct play *p, void *arg)
{
    (void)write_once(p, die, arg);
}

void play_write(struct play *p, tx_fn fn, void *arg)
{
    p->clock.at = p->w->now;
    if (p->w->crashes && world_percent(p->w, 5)) {
        struct undone u = {fn, arg};
        if (write_once(p, undo, &u) != RC_UNAVAILABLE)
            play_fail(p, "before the power failed: %s", p->f.err.text);
    }
    if (p->w->crashes && world_percent(p->w, 1))
        killed(p, kill_write, &(struct undone){fn, arg});
    enum rc rc = write_once(p, fn, arg);
    if (rc != RC_OK)
        play_fail(p, "Hanse refuses: %s (%s)", p->f.err.text, p->f.err.pointer);
}

/* --- the close --- */

/* The parts of the close above billing, and how many documents until the power fails. */
struct doomed {
    const struct close_above *above;
    void *arg;
    int64_t left;
};

static void *doomed_begin(struct tx *tx, void *arg)
{
    struct doomed *d = arg;
    d->arg = close_above_begin(d->above, tx);
    return d;
}

static enum rc doomed_posted(struct tx *tx, struct ledger *l, const struct document_row *row,
                             const struct rated_line *lines, size_t count, void *arg)
{
    struct doomed *d = arg;
    if (d->left-- == 0)
        (void)raise(SIGKILL);
    return d->above->posted(tx, l, row, lines, count, d->arg);
}

static enum rc doomed_statements(struct tx *tx, struct ledger *l, const struct close *c,
                                 const struct close_pass *pass, bool *ret_done, void *arg)
{
    struct doomed *d = arg;
    TRY(d->above->statements(tx, l, c, pass, ret_done, d->arg));
    if (d->left-- == 0)
        (void)raise(SIGKILL);
    return RC_OK;
}

static bool work(struct play *p, const struct close_above *above)
{
    bool worked = false;
    arena_reset(&p->f.arena);
    err_clear(&p->f.err);
    if (close_work(p->f.store, p->l, above, &p->f.arena, &worked, &p->f.err) != RC_OK)
        play_fail(p, "the close fails: %s", p->f.err.text);
    return worked;
}

static void doomed_work(struct play *p, void *arg)
{
    struct doomed *d = arg;
    const struct close_above above = {
        .begin = doomed_begin, .posted = doomed_posted, .statements = doomed_statements, .arg = d};
    while (work(p, &above))
        if (d->left-- == 0)
            (void)raise(SIGKILL);
}

void play_work(struct play *p)
{
    enum { DEATH_AT_MOST = 40 };
    if (p->w->crashes && world_percent(p->w, 40)) {
        struct doomed d = {.above = &settle_above, .left = world_between(p->w, 0, DEATH_AT_MOST)};
        killed(p, doomed_work, &d);
    }
    while (work(p, &settle_above))
        if (p->w->crashes && world_percent(p->w, 10))
            play_restart(p);
}
