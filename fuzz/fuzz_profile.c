/*
 * Any text is refused with a sentence, or is a profile that can be described, and rendered with
 * what its parameters say by themselves, or refused again.
 */
#include "fuzz.h"

#include "profile/profile.h"

static void render(const struct profile *p, struct arena *arena)
{
    struct err err = {0};
    struct clock_sim sim;
    struct service_spec spec;
    struct list told;
    struct list none = {NULL, 0};
    struct profile_values *v = NEW(arena, struct profile_values);
    struct profile_service service = {.id = STR("svc_1"), .name = STR("a 'name'\n")};
    clock_sim_init(&sim, 0, 1);
    if (profile_parameters(p, NULL, arena, v, &err) != RC_OK)
        return;
    struct list secrets = profile_secrets(p, &sim.clock, arena);
    const struct profile_secret *names = p->secrets.items;
    for (size_t i = 0; i < secrets.count; i++)
        profile_values_add(v, names[i].name, ((struct str *)secrets.items)[i]);
    if (profile_taken(p, v, arena, &service.taken, &err) != RC_OK)
        return;
    ASSERT(service.taken.cpu_milli > 0);
    if (profile_render(p, v, &service, arena, &spec, &err) != RC_OK)
        ASSERT(err.text_n > 0);
    if (profile_publish(p, v, &service, &none, arena, &told, &err) == RC_OK)
        ASSERT(told.count == p->publishes.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 16 * 1024)
        return 0;
    struct arena arena;
    struct err err = {0};
    struct profile p;
    arena_init(&arena, (size_t)512 * 1024 * 1024);
    enum rc rc = profile_read(str_n((const char *)data, size), &arena, &p, &err);
    if (rc == RC_OK) {
        struct buf out;
        struct json_writer w;
        buf_init(&out, &arena, (size_t)1024 * 1024);
        json_writer_init(&w, &out);
        profile_describe(&p, &w);
        ASSERT(!out.full);
        render(&p, &arena);
    } else {
        ASSERT(err.text_n > 0);
    }
    arena_fini(&arena);
    return 0;
}
