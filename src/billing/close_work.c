/* One unit of work of a close: what the job thread, tests and simulator call again and again. */
#include "base/work.h"
#include "billing/close_inside.h"
#include "billing/wallet.h"
#include "meter/total.h"

#include <semaphore.h>

enum { BREAK_LIMIT = 1000 };

struct work {
    struct ledger *l;
    const struct close_above *above;
    bool worked;
    struct close_row row;          /* a dry one, between its two units of work */
    char hand[CLOSE_WHAT_MAX + 1]; /* what may be passed by if it fails */
    char why[CLOSE_TEXT_MAX];
    struct close_found found;
    struct close_page page;
};

/* --- steps --- */

/* From here on what ends with the month, in the zone where it ends last, counts as billed. */
static enum rc begin_rate(struct tx *tx, struct close_row *row)
{
    struct close_bounds *bounds = NULL;
    size_t count = 0;
    time_us since = row->since;
    time_us end = row->end;
    TRY(close_bounds_list(tx, row, &bounds, &count));
    for (size_t i = 0; i < count; i++) {
        since = min_i64(since, bounds[i].since);
        end = max_i64(end, bounds[i].end);
    }
    TRY(subscription_count(tx, since, end, &row->total));
    row->step = CLOSE_RATE;
    return row->dry ? RC_OK : total_billed(tx, end);
}

/* Once all usage is added up it counts as billed: what comes while lines are rated is late. A dry
 * close adds it up as well, which tells the same as before, and leaves credit that ends alone. */
static enum rc collect(struct tx *tx, struct ledger *l, struct close_row *row)
{
    bool done = false;
    TRY(total_fold(tx, CLOSE_FOLD_RECORDS, &done));
    if (done && !row->dry)
        TRY(wallet_break(tx, l, BREAK_LIMIT, &done));
    return done ? begin_rate(tx, row) : RC_OK;
}

static enum rc make_statements(struct tx *tx, struct work *w, struct close_row *row)
{
    struct close shown;
    struct close_pass pass;
    const struct close_above *above = w->above;
    bool done = above == NULL;
    if (!done) {
        TRY(close_show(tx, row, &shown));
        TRY(close_pass_load(tx, row, w->hand, &pass));
        TRY(above->statements(tx, w->l, &shown, &pass, &done, close_above_begin(above, tx)));
    }
    if (!done)
        return RC_OK;
    /* What an earlier close passed by is stated now, or was met again. */
    TRY(sql_run(tx, "DELETE FROM close_stuck WHERE step = $1 AND close_no <> $2",
                V(close_steps[CLOSE_STATEMENTS]), V(row->no)));
    row->step = CLOSE_DONE;
    row->finished = tx->now;
    return RC_OK;
}

static enum rc step(struct tx *tx, struct work *w, struct close_row *row, struct close_found *found)
{
    switch (row->step) {
    case CLOSE_COLLECT:
        return collect(tx, w->l, row);
    case CLOSE_RATE: /* not in one unit of work: rate_pages */
        return RC_OK;
    case CLOSE_DRAFT:
        return close_draft_step(tx, row, found);
    case CLOSE_REVIEW: /* nobody has to look */
        row->step = CLOSE_FINALISE;
        row->at_number = row->first_document;
        return RC_OK;
    case CLOSE_FINALISE:
        return close_finalise_step(tx, row);
    case CLOSE_POST:
        return close_post_step(tx, w->l, row, w->above, w->hand);
    case CLOSE_STATEMENTS:
        return make_statements(tx, w, row);
    case CLOSE_DONE:
        break;
    }
    NEVER("a close that is done is not open");
}

/* --- units of work --- */

static enum rc work_once(struct tx *tx, void *arg)
{
    struct work *w = arg;
    struct close_row row;
    struct close_found found = {0};
    w->hand[0] = '\0';
    TRY(close_row_open(tx, &row, &w->worked));
    bool posts = row.step == CLOSE_POST && w->row.step != CLOSE_POST; /* another process went on */
    if (!w->worked || (row.dry && row.step != CLOSE_COLLECT) || posts)
        return RC_OK;
    TRY(step(tx, w, &row, &found));
    return close_row_save(tx, &row, &found);
}

static enum rc peek(struct tx *tx, void *arg)
{
    struct work *w = arg;
    return close_row_open(tx, &w->row, &w->worked);
}

/* Computed in a snapshot; what it keeps is how far it is and what it found. */
static enum rc compute_dry(struct tx *tx, void *arg)
{
    struct work *w = arg;
    w->found = (struct close_found){0};
    TRY(close_row_open(tx, &w->row, &w->worked));
    if (!w->worked || !w->row.dry || w->row.step == CLOSE_COLLECT)
        return RC_OK;
    TRY(close_rate_page(tx, &w->row, NULL, w->above, &w->page));
    w->row = w->page.row;
    w->found = w->page.found;
    return RC_OK;
}

static enum rc keep_dry(struct tx *tx, void *arg)
{
    struct work *w = arg;
    struct close_row row = w->row;
    if (row.step == CLOSE_COLLECT)
        return RC_OK;
    if (row.step > CLOSE_RATE) {
        row.step = CLOSE_DONE;
        row.finished = tx->now;
    }
    return close_row_save(tx, &row, &w->found);
}

/* --- rating beside the writing thread --- */

/* Two pages are computed beside one another while the two before are written. */
enum { BESIDE = 2, FLIGHTS = 2 * BESIDE };

/* A page that is computed, and then on its way into the store. */
struct flight {
    struct close_page page;
    struct store *store;
    const struct close_above *above;
    struct work_item item; /* computes it on another thread */
    sem_t computed;
    sem_t landed;
    struct subscription_cursor until; /* where another flight begins, if it is bounded */
    struct arena arena;
    struct store_job job;
    enum rc rc;
    struct err err;
    bool bounded;
    bool flying;
};

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        continue; /* EINTR: the only error of a valid semaphore */
}

static void flight_init(struct flight *f, struct store *s, const struct close_above *above)
{
    f->store = s;
    f->above = above;
    arena_init(&f->arena, STORE_TX_ARENA_BYTES);
    arena_keep(&f->arena, STORE_TX_ARENA_BYTES);
    int failed = sem_init(&f->landed, 0, 0);
    ASSERT(failed == 0);
    failed = sem_init(&f->computed, 0, 0);
    ASSERT(failed == 0);
}

static void flight_fini(struct flight *f)
{
    sem_destroy(&f->computed);
    sem_destroy(&f->landed);
    arena_fini(&f->arena);
}

static enum rc keep_page(struct tx *tx, void *arg)
{
    struct flight *f = arg;
    return close_keep_page(tx, &f->page);
}

static void note_landed(struct store_job *job, enum rc rc)
{
    (void)rc; /* the job has it */
    sem_post(&CONTAINER_OF(job, struct flight, job)->landed);
}

static void launch(struct flight *f)
{
    f->job = (struct store_job){
        .fn = keep_page, .arg = f, .arena = &f->arena, .err = &f->err, .done = note_landed};
    f->flying = true;
    store_submit(f->store, &f->job);
}

static enum rc land(struct flight *f, struct err *err)
{
    if (!f->flying)
        return RC_OK;
    wait_for(&f->landed);
    f->flying = false;
    if (f->job.rc != RC_OK)
        *err = f->err;
    return f->job.rc;
}

/* The texts of where it begins are in another flight's arena, which is emptied before its own. */
static void begin_from(struct flight *f, const struct close_row *row,
                       const struct subscription_cursor *at)
{
    arena_reset(&f->arena);
    f->bounded = false;
    f->page.from = *row;
    f->page.from.at = (struct subscription_cursor){arena_str(&f->arena, at->agreement),
                                                   arena_str(&f->arena, at->client),
                                                   arena_str(&f->arena, at->id)};
}

static enum rc find_bound(struct tx *tx, void *arg)
{
    struct flight *f = arg;
    if (f->page.from.at_number != PHASE_WALK)
        return RC_OK;
    return subscription_walk_ahead(tx, &f->page.from.at, CLOSE_CHUNK, &f->until, &f->bounded);
}

static enum rc compute_in(struct tx *tx, void *arg)
{
    struct flight *f = arg;
    return close_rate_page(tx, &f->page.from, f->bounded ? &f->until : NULL, f->above, &f->page);
}

static void compute_beside(struct work_item *item)
{
    struct flight *f = CONTAINER_OF(item, struct flight, item);
    f->rc = store_read(f->store, &f->arena, &f->err, compute_in, f);
    sem_post(&f->computed);
}

/* The first page is to end where the second begins, if there is so much left. */
static enum rc compute_two(struct work_pool *pool, struct flight *first, struct flight *second,
                           struct err *err)
{
    TRY(store_read(first->store, &first->arena, err, find_bound, first));
    bool two = first->bounded;
    if (two) {
        begin_from(second, &first->page.from, &first->until);
        second->item.run = compute_beside;
        two = work_submit(pool, &second->item);
        ASSERT(two); /* a pool of our own, with nothing else to do */
    }
    enum rc rc = store_read(first->store, &first->arena, err, compute_in, first);
    if (two)
        wait_for(&second->computed);
    return rc;
}

static bool same_place(const struct close_row *a, const struct close_row *b)
{
    return a->step == b->step && a->at_number == b->at_number &&
           str_eq(a->at.agreement, b->at.agreement) && str_eq(a->at.client, b->at.client) &&
           str_eq(a->at.id, b->at.id);
}

/* The next pages are computed while those before are written: they need nothing of them but where
 * they end. What follows the walk does, and waits. */
static enum rc fly(struct work_pool *pool, struct close_row *row, struct flight flights[FLIGHTS],
                   struct err *err)
{
    for (size_t i = 0; i < CLOSE_PAGES; i += BESIDE) {
        struct flight *first = &flights[i % FLIGHTS];
        struct flight *second = first + 1;
        struct flight *before = &flights[(i + BESIDE) % FLIGHTS];
        begin_from(first, row, &row->at);
        TRY(compute_two(pool, first, second, err));
        for (size_t k = 0; k < BESIDE; k++) {
            TRY(land(&before[k], err));
            if (before[k].page.stale)
                return RC_OK;
        }
        *row = first->page.row;
        launch(first);
        if (first->bounded && same_place(row, &second->page.from)) {
            if (second->rc != RC_OK) {
                *err = second->err;
                return second->rc;
            }
            close_follow_page(&second->page, row);
            *row = second->page.row;
            launch(second);
        }
        if (row->step != CLOSE_RATE || row->at_number != PHASE_WALK)
            return RC_OK;
    }
    return RC_OK;
}

static enum rc rate_pages(struct store *s, const struct close_above *above, struct close_row *row,
                          struct err *err)
{
    struct flight flights[FLIGHTS] = {0};
    struct err late = {0};
    for (size_t i = 0; i < FLIGHTS; i++)
        flight_init(&flights[i], s, above);
    struct work_pool *pool = work_open(1, 1);
    enum rc rc = fly(pool, row, flights, err);
    for (size_t i = 0; i < FLIGHTS; i++) {
        enum rc landed = land(&flights[i], &late);
        if (rc == RC_OK && landed != RC_OK) {
            *err = late;
            rc = landed;
        }
    }
    work_close(pool);
    for (size_t i = 0; i < FLIGHTS; i++)
        flight_fini(&flights[i]);
    return rc;
}

/* As w->worked says there is something to do. An invoice is posted in one piece, however long. */
static enum rc write_once(struct store *s, struct work *w, struct arena *arena, struct err *err)
{
    struct arena own;
    if (w->row.step != CLOSE_POST)
        return store_write(s, arena, err, work_once, w);
    arena_init(&own, CLOSE_POST_ARENA_BYTES);
    enum rc rc = store_write(s, &own, err, work_once, w);
    arena_fini(&own);
    return rc;
}

static enum rc pass_by(struct tx *tx, void *arg)
{
    struct work *w = arg;
    struct close_row row;
    TRY(close_row_open(tx, &row, &w->worked));
    if (!w->worked || row.no != w->row.no || row.step != w->row.step)
        return RC_OK; /* another process went on */
    return close_pass_note(tx, &row, str_c(w->hand), str_c(w->why));
}

/* A failure that is about what was in hand alone: the others go on. */
static enum rc write_or_pass(struct store *s, struct work *w, struct arena *arena, struct err *err)
{
    enum rc rc = write_once(s, w, arena, err);
    if (rc == RC_OK || w->hand[0] == '\0' || (rc != RC_CONFLICT && !close_may_go_on(rc)))
        return rc;
    struct str why = err_text(err);
    (void)snprintf(w->why, sizeof w->why, "%.*s", STRF(why));
    err_clear(err);
    arena_reset(arena);
    return store_write(s, arena, err, pass_by, w);
}

enum rc close_work(struct store *s, struct ledger *l, const struct close_above *above,
                   struct arena *arena, bool *ret_worked, struct err *err)
{
    struct work w = {.l = l, .above = above};
    TRY(store_read(s, arena, err, peek, &w));
    if (w.worked && w.row.dry && w.row.step != CLOSE_COLLECT) {
        TRY(store_read(s, arena, err, compute_dry, &w));
        if (w.worked)
            TRY(store_write(s, arena, err, keep_dry, &w));
    } else if (w.worked && w.row.step == CLOSE_RATE) {
        TRY(rate_pages(s, above, &w.row, err));
    } else if (w.worked) {
        TRY(write_or_pass(s, &w, arena, err));
    }
    *ret_worked = w.worked;
    return RC_OK;
}
