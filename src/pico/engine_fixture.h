/*
 * engine_fixture.h - an engine with simulated time for one test, and short ways to ask it. Only for
 * tests: everything here asserts.
 */
#ifndef PICO_ENGINE_FIXTURE_H
#define PICO_ENGINE_FIXTURE_H

#include "pico/engine.h"
#include "store/store_fixture.h"

#include <check.h>

struct world {
    struct fixture f;
    struct clock_sim sim;
    struct pico_engine *e;
    struct arena arena; /* of what was asked */
    struct pico_options o;
};

#define WORLD_START (INT64_C(1764000000) * US_PER_SECOND)

static inline void world_open(struct world *w)
{
    w->o.store = w->f.store;
    w->o.clock = &w->sim.clock;
    w->o.base_url = STR("http://localhost:3000");
    enum rc rc = pico_engine_open(&w->e, &w->o, &w->f.err);
    ck_assert_msg(rc == RC_OK, "%s", w->f.err.text);
}

static inline void world_open_store(struct world *w)
{
    fixture_open_with(&w->f, (struct store_options){.clock = &w->sim.clock, .sole = true});
}

static inline void world_start(struct world *w)
{
    *w = (struct world){0};
    clock_sim_init(&w->sim, WORLD_START, 20261125);
    fixture_init_handed_on(&w->f);
    world_open_store(w);
    arena_init(&w->arena, 1024 * 1024 * 1024);
    world_open(w);
}

/* Engine and store end and begin again. */
static inline void world_restart(struct world *w)
{
    pico_engine_close(w->e);
    store_close(w->f.store);
    world_open_store(w);
    world_open(w);
}

static inline void world_stop(struct world *w)
{
    pico_engine_close(w->e);
    arena_fini(&w->arena);
    fixture_close(&w->f);
}

static inline void world_run(struct world *w)
{
    enum rc rc = pico_engine_run_due(w->e, &w->f.err);
    ck_assert_msg(rc == RC_OK, "%s", w->f.err.text);
}

static inline void world_advance(struct world *w, int64_t by_us)
{
    clock_sim_advance(&w->sim, by_us);
    world_run(w);
}

static inline void world_done(struct pico_request *r)
{
    bool *done = r->inner;
    ck_assert(!*done);
    *done = true;
}

static inline struct pico_request world_ask(struct world *w, struct pico_request r)
{
    bool done = false;
    r.arena = &w->arena;
    r.done = world_done;
    r.inner = &done;
    pico_submit(w->e, &r);
    world_run(w);
    ck_assert(done);
    return r;
}

/* The answer as text; the sentence of the error where it is one. */
static inline struct str world_text(struct world *w, const struct pico_request *r)
{
    if (r->rc != RC_OK)
        return arena_str(&w->arena, err_text(&r->err));
    return r->undefined ? STR("undefined") : r->reply;
}

static inline struct str world_event(struct world *w, struct str eci, const char *domain,
                                     const char *name, const char *attrs)
{
    struct pico_request r = world_ask(w, (struct pico_request){.ask = PICO_EVENT_WAIT,
                                                               .eci = eci,
                                                               .eid = STR("none"),
                                                               .domain = str_c(domain),
                                                               .name = str_c(name),
                                                               .attrs = str_c(attrs),
                                                               .inside = true});
    return world_text(w, &r);
}

static inline struct str world_query(struct world *w, struct str eci, const char *rid,
                                     const char *name, const char *args)
{
    struct pico_request r = world_ask(w, (struct pico_request){.ask = PICO_QUERY,
                                                               .eci = eci,
                                                               .rid = str_c(rid),
                                                               .query = str_c(name),
                                                               .attrs = str_c(args),
                                                               .inside = true});
    return world_text(w, &r);
}

/* A source becomes the ruleset at file:RID.krl and is installed on the pico. */
static inline void world_flush(struct world *w, const char *rid, const char *source)
{
    struct str reply;
    struct str url = arena_fmt(&w->arena, "file:///%s.krl", rid);
    enum rc rc = pico_flush(w->e, url, str_c(source), &w->arena, &reply, &w->f.err);
    ck_assert_msg(rc == RC_OK, "%s", w->f.err.text);
}

static inline struct str world_install_at(struct world *w, struct str eci, const char *rid,
                                          const char *config)
{
    struct str url = arena_fmt(&w->arena, "file:///%s.krl", rid);
    struct pico_request r = world_ask(
        w,
        (struct pico_request){
            .ask = PICO_INSTALL, .eci = eci, .name = url, .attrs = str_c(config), .inside = true});
    return world_text(w, &r);
}

static inline void world_install(struct world *w, struct str eci, const char *rid,
                                 const char *source)
{
    world_flush(w, rid, source);
    struct str said = world_install_at(w, eci, rid, "");
    ck_assert_msg(str_starts(said, STR("{\"rid\"")), "%.*s", STRF(said));
}

/* A child of the pico; its id. */
static inline struct str world_child(struct world *w, struct str eci, const char *attrs)
{
    struct pico_request r = world_ask(
        w,
        (struct pico_request){.ask = PICO_NEW, .eci = eci, .attrs = str_c(attrs), .inside = true});
    struct str said = world_text(w, &r);
    ck_assert_msg(str_starts(said, STR("{\"id\":\"")), "%.*s", STRF(said));
    return str_sub(said, 7, 7 + 25);
}

#define CHECK_TEXT(is, want)                                                        \
    do {                                                                            \
        struct str is_ = (is);                                                      \
        ck_assert_msg(str_eq(is_, STR(want)), "is %.*s, want %s", STRF(is_), want); \
    } while (0)

#endif
