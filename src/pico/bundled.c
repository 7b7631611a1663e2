#include "pico/bundled.h"

#include <semaphore.h>

struct waiting {
    struct pico_request request;
    sem_t done;
};

static void answered(struct pico_request *r)
{
    sem_post(&CONTAINER_OF(r, struct waiting, request)->done);
}

/* Hand in a request and wait for its answer. */
static enum rc ask(struct pico_engine *e, struct pico_request r, struct str *ret, struct err *err)
{
    struct waiting w = {.request = r};
    w.request.inside = true;
    w.request.eci = pico_root(e);
    w.request.done = answered;
    sem_init(&w.done, 0, 0);
    pico_submit(e, &w.request);
    while (sem_wait(&w.done) != 0)
        ; /* a signal came */
    sem_destroy(&w.done);
    if (w.request.rc == RC_OK)
        *ret = w.request.reply;
    else
        *err = w.request.err;
    return w.request.rc;
}

/* Installing what is there already changes nothing but its place. */
static enum rc install(struct pico_engine *e, const struct pico_bundled *b, struct arena *arena,
                       struct err *err)
{
    struct str answer = STR("");
    TRY(pico_flush(e, b->url, b->source, arena, &answer, err));
    struct pico_request r = {.ask = PICO_INSTALL, .name = b->url, .arena = arena};
    return ask(e, r, &answer, err);
}

enum rc pico_bundled_install(struct pico_engine *e, struct arena *arena, struct err *err)
{
    struct str answer = STR("");
    for (size_t i = 0; i < pico_bundled_n; i++) {
        enum rc rc = install(e, &pico_bundled[i], arena, err);
        if (rc != RC_OK)
            err_add(err, "while installing %.*s", STRF(pico_bundled[i].rid));
        TRY(rc);
    }
    struct pico_request r = {.ask = PICO_EVENT_WAIT,
                             .domain = STR("engine_ui"),
                             .name = STR("setup"),
                             .attrs = STR("{}"),
                             .arena = arena};
    TRY(ask(e, r, &answer, err));
    r.domain = STR("engine");
    r.name = STR("started");
    return ask(e, r, &answer, err);
}
