/*
 * demo.c - hanse demo: play one of the mission's cases from nothing to the payout, prove the books,
 * and tell what came of it.
 */
#include "cli/demo.h"

#include "cli/builtin.h"
#include "cli/scratch.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PASSWORD_BYTES = 16 };

static enum rc choose_case(struct run *run, const struct demo_case **ret)
{
    size_t count = 0;
    const struct demo_case *cases = demo_cases(&count);
    struct buf names;
    buf_init(&names, run->arena, 1000);
    for (size_t i = 0; i < count; i++) {
        buf_fmt(&names, "%s%s", i == 0 ? "" : ", ", cases[i].name);
        if (run->args.word_count > 0 && str_eq(run->args.words[0], str_c(cases[i].name))) {
            *ret = &cases[i];
            return RC_OK;
        }
    }
    return err_set(run->err, RC_SYNTAX, "name one of the cases: %.*s", STRF(buf_str(&names)));
}

static enum rc make_folder(struct run *run, struct str *ret)
{
    struct str keep = args_get(&run->args, "keep");
    if (keep.n > 0) {
        const char *path = arena_cstr(run->arena, keep);
        if (mkdir(path, 0700) != 0)
            return err_set(run->err, errno == EEXIST ? RC_CONFLICT : RC_INVALID,
                           "the folder '%.*s' cannot be made: %s", STRF(keep), strerror(errno));
        *ret = keep;
        return RC_OK;
    }
    return scratch_make(run, "demo", ret);
}

/* Only this run knows it. */
static struct str fresh_password(struct run *run)
{
    unsigned char bytes[PASSWORD_BYTES];
    struct buf b;
    clock_chance(run->cli->clock, bytes, sizeof bytes);
    buf_init(&b, run->arena, (size_t)2 * PASSWORD_BYTES + 1);
    for (size_t i = 0; i < sizeof bytes; i++)
        buf_fmt(&b, "%02x", bytes[i]);
    return buf_str(&b);
}

static enum rc play_all(struct demo *d)
{
    struct str link = STR("");
    TRY(demo_start(d, &link));
    for (size_t i = 0; i < d->story->count; i++)
        if (d->story->steps[i].act == DEMO_OPERATOR)
            TRY(demo_operator(d, &d->story->steps[i], link));
    TRY(demo_steps(d, d->story->steps, d->story->count));
    return demo_collect(d);
}

static enum rc run_story(struct demo *d)
{
    TRY(play_all(d));
    TRY(demo_stop(d));
    TRY(demo_prove(d));
    TRY(demo_show(d));
    for (size_t i = 0; i < d->check_count; i++)
        if (d->checks[i].done && !d->checks[i].good)
            return err_set(d->run->err, RC_INTERNAL, "%s: %.*s", d->checks[i].what,
                           STRF(d->checks[i].text));
    return RC_OK;
}

void demo_init(struct demo *d, struct run *run)
{
    d->run = run;
    d->password = fresh_password(run);
    d->names = NEW_N(run->arena, struct demo_name, DEMO_NAMES_MAX);
    d->accounts = NEW_N(run->arena, struct demo_account, DEMO_ACCOUNTS_MAX);
}

enum rc demo_open(struct demo *d)
{
    const struct host *h = d->run->cli->host;
    TRY(make_folder(d->run, &d->folder));
    arena_init(&d->one, DEMO_ANSWER_BYTES * 4L);
    h->hold(h, true);
    return RC_OK;
}

void demo_close(struct demo *d)
{
    const struct host *h = d->run->cli->host;
    if (d->pid != 0) {
        struct err ignored = {0}; /* why it failed is known already */
        (void)h->stop(h, d->pid, &ignored);
    }
    if (!args_has(&d->run->args, "keep"))
        scratch_remove(d->run, d->folder);
    arena_fini(&d->one);
    h->hold(h, false);
}

enum rc builtin_demo(struct run *run)
{
    struct demo *d = NEW(run->arena, struct demo);
    TRY(choose_case(run, &d->story));
    demo_init(d, run);
    d->currency = currency_find(str_c(d->story->currency));
    ASSERT(d->currency != NULL);
    TRY(demo_open(d));
    enum rc rc = run_story(d);
    demo_close(d);
    return rc;
}
