/*
 * The logs of picos, kept. Entries are gathered in memory and written once a second, so that no
 * event waits for them; each pico keeps its newest ones. A kill loses those of the last second.
 */
#include "pico/inside.h"

#include <stdlib.h>

enum {
    PENDING_MAX = 10000, /* entries that wait to be written; what comes then is not kept */
    KEPT = 200,          /* of one pico */
    WRITE_ARENA = 256 * 1024 * 1024,
    READ_BYTES_MAX = 128 * 1024, /* that a ruleset sees at once */
};

struct diary_entry {
    struct diary_entry *next;
    int64_t pico;
    int64_t no;
    struct str json; /* lies behind */
};

/* --- writing --- */

void diary_add(struct pico_engine *e, int64_t pico, time_us at, struct str json)
{
    struct diary_entry *entry = malloc(sizeof *entry + json.n);
    ASSERT(entry != NULL);
    memcpy(entry + 1, json.p, json.n);
    *entry = (struct diary_entry){.pico = pico, .json = str_n((char *)(entry + 1), json.n)};
    pthread_mutex_lock(&e->lock);
    bool room = e->diary_n < PENDING_MAX;
    if (room) {
        /* Rising, also behind what was written before the engine began. */
        e->diary_no = max_i64(e->diary_no + 1, at);
        entry->no = e->diary_no;
        if (e->diary_last == NULL)
            e->diary_first = entry;
        else
            e->diary_last->next = entry;
        e->diary_last = entry;
        e->diary_n++;
    }
    pthread_mutex_unlock(&e->lock);
    if (!room)
        free(entry);
}

static enum rc trim(struct tx *tx, int64_t pico)
{
    return sql_run(tx,
                   "DELETE FROM pico_log WHERE pico = $1 AND no < (SELECT MIN(no) FROM (SELECT no "
                   "FROM pico_log WHERE pico = $1 ORDER BY no DESC LIMIT $2) AS kept)",
                   V(pico), V(KEPT));
}

/* The first entry of a pico looks whether it is there still, the last one makes room. */
static enum rc write_entries(struct tx *tx, void *arg)
{
    const struct diary_entry *first = arg;
    for (const struct diary_entry *j = first; j != NULL; j = j->next) {
        struct rows rows;
        TRY(sql_rows(tx, &rows, "SELECT 1 FROM pico WHERE no = $1", V(j->pico)));
        if (rows.count == 0)
            continue;
        TRY(sql_run(tx,
                    "INSERT INTO pico_log (pico, no, entry) VALUES ($1, $2, $3) ON CONFLICT (pico, "
                    "no) DO NOTHING",
                    V(j->pico), V(j->no), V(j->json)));
        if (j->next == NULL || j->next->pico != j->pico)
            TRY(trim(tx, j->pico));
    }
    return RC_OK;
}

static void forget(struct diary_entry *first)
{
    for (struct diary_entry *j = first, *next = NULL; j != NULL; j = next) {
        next = j->next;
        free(j);
    }
}

void diary_write(struct pico_engine *e)
{
    struct arena arena;
    struct err err;
    struct diary_entry *first = e->diary_first;
    if (first == NULL || e->diary_writing != NULL)
        return;
    e->diary_writing = first;
    e->diary_first = NULL;
    e->diary_last = NULL;
    e->diary_n = 0;
    pthread_mutex_unlock(&e->lock);
    arena_init(&arena, WRITE_ARENA);
    enum rc rc = store_write(e->store, &arena, &err, write_entries, first);
    if (rc != RC_OK && e->o.log != NULL)
        log_event(e->o.log, LOG_WARN, "pico.log_lost", LOG_S("error", err_text(&err)));
    arena_fini(&arena);
    pthread_mutex_lock(&e->lock);
    e->diary_writing = NULL;
    forget(first);
}

void diary_close(struct pico_engine *e)
{
    forget(e->diary_first);
    e->diary_first = NULL;
}

/* --- reading --- */

struct diary_reading {
    int64_t pico;
    struct arena *arena;
    struct str entries[KEPT]; /* the newest first */
    int64_t numbers[KEPT];
    size_t n;
    size_t n_memory; /* of them were not written when the reading began */
    size_t bytes;
};

static bool take(struct diary_reading *r, int64_t no, struct str json)
{
    if (r->n == KEPT || r->bytes + json.n > READ_BYTES_MAX)
        return false;
    r->numbers[r->n] = no;
    r->entries[r->n++] = arena_str(r->arena, json);
    r->bytes += json.n;
    return true;
}

/* With the lock: the newest entries of the pico; one list after the other, each from its end. */
static void take_list(struct diary_reading *r, const struct diary_entry *first)
{
    const struct diary_entry *found[KEPT];
    size_t n = 0;
    for (const struct diary_entry *j = first; j != NULL; j = j->next)
        if (j->pico == r->pico)
            found[n++ % KEPT] = j;
    for (size_t i = 0; i < n && i < KEPT; i++) {
        const struct diary_entry *j = found[(n - 1 - i) % KEPT];
        if (!take(r, j->no, j->json))
            return;
    }
}

static enum rc read_entry(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct diary_reading *r = arg;
    (void)tx;
    ASSERT(columns == 2);
    for (size_t i = 0; i < r->n_memory; i++)
        if (r->numbers[i] == v[0].number)
            return RC_OK;                  /* it was written meanwhile */
    (void)take(r, v[0].number, v[1].text); /* the older ones find no room */
    return RC_OK;
}

static enum rc read_entries(struct tx *tx, void *arg)
{
    struct diary_reading *r = arg;
    while (r->n > r->n_memory) /* a read may run again */
        r->bytes -= r->entries[--r->n].n;
    return sql_each(tx, read_entry, r,
                    "SELECT no, entry FROM pico_log WHERE pico = $1 ORDER BY no DESC LIMIT $2",
                    V(r->pico), V(KEPT));
}

enum rc diary_read(struct pico_engine *e, int64_t pico, struct arena *arena, const struct str **ret,
                   size_t *ret_n, struct err *err)
{
    struct diary_reading *r = NEW(arena, struct diary_reading);
    struct arena own;
    r->pico = pico;
    r->arena = arena;
    pthread_mutex_lock(&e->lock);
    take_list(r, e->diary_first);
    take_list(r, e->diary_writing);
    pthread_mutex_unlock(&e->lock);
    r->n_memory = r->n;
    arena_init(&own, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &own, err, read_entries, r);
    arena_fini(&own);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < r->n / 2; i++) {
        struct str swapped = r->entries[i];
        r->entries[i] = r->entries[r->n - 1 - i];
        r->entries[r->n - 1 - i] = swapped;
    }
    *ret = r->entries;
    *ret_n = r->n;
    return RC_OK;
}
