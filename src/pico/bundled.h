/*
 * bundled.h - the rulesets that come with the engine: the files of src/pico/rulesets/, built in.
 *
 * Their URL is "hanse:///RID.krl", so that each finds the others beside it (ctx:rid_url). The root
 * has all of them in this order, which is that in which they use one another; children get theirs
 * from the wrangler.
 */
#ifndef PICO_BUNDLED_H
#define PICO_BUNDLED_H

#include "pico/engine.h"

struct pico_bundled {
    struct str rid;
    struct str url;
    struct str source;
};

extern const struct pico_bundled pico_bundled[];
extern const size_t pico_bundled_n;

/* Registers them, puts those on the root that it does not have, and tells it engine_ui:setup; all
 * that is repeated at every start. Waits for the engine, which has threads of its own. The arena is
 * for its answers. */
MUST_CHECK enum rc pico_bundled_install(struct pico_engine *e, struct arena *arena,
                                        struct err *err);

#endif
