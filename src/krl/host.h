/*
 * host.h - the door of a running ruleset to everything outside of it: entity variables, directives,
 * raised events, schedules, the log, other modules (ctx, meta, event:send, http, ...), time and
 * chance. The engine implements it; sim.h is the twin for tests and for "hanse krl run".
 *
 * All calls come from within krl_machine_* on the same thread. A call that fails notes the error in
 * the machine's heap (krl_fail) and returns false, or KRL_FAILED. Values that are handed in live in
 * the activation's arena: a host that keeps them packs them (pack.h). Values that are handed out
 * live there too, or longer.
 */
#ifndef KRL_HOST_H
#define KRL_HOST_H

#include "krl/code.h"

struct krl_raised {
    struct krl_value domain; /* texts; for "raise event X" the whole stands in name */
    struct krl_value name;
    struct krl_value attributes; /* a map, or undefined */
    struct krl_value for_rid;    /* undefined: for all rulesets. The official engine ignores it. */
};

struct krl_scheduled {
    struct krl_value domain;
    struct krl_value name;
    struct krl_value attributes;
    struct krl_value when; /* a time, or a cron specification */
    bool repeat;
};

struct krl_host {
    /* Entity variables of a ruleset on this pico; null where it is not set. */
    struct krl_value (*ent_get)(struct krl_host *host, struct krl_machine *m, struct str rid,
                                const struct krl_text *name);
    /* value may be null: forget it. */
    bool (*ent_put)(struct krl_host *host, struct krl_machine *m, struct str rid,
                    const struct krl_text *name, struct krl_value value);
    /* send_directive; returns the directive. */
    struct krl_value (*directive)(struct krl_host *host, struct krl_machine *m,
                                  struct krl_value name, struct krl_value options);
    bool (*raise)(struct krl_host *host, struct krl_machine *m, const struct krl_raised *event);
    /* error LEVEL data: system:error for the same ruleset. Level "error" also drops what was still
     * to be done for this event. */
    bool (*error)(struct krl_host *host, struct krl_machine *m, const struct krl_text *level,
                  struct krl_value data);
    /* Returns the entry of the schedule. */
    struct krl_value (*schedule)(struct krl_host *host, struct krl_machine *m,
                                 const struct krl_scheduled *s);
    /* level: "error", "warn", "info", "debug" or "klog"; label may be empty. */
    void (*log)(struct krl_host *host, struct krl_machine *m, const char *level, struct str label,
                struct krl_value value);
    /* A member of a module that is neither of this room nor a ruleset's. NULL: there is none. */
    const struct krl_door *(*find)(struct krl_host *host, struct krl_machine *m,
                                   const struct krl_text *domain, const struct krl_text *name);
    /* Its value, where it is a property; its call. args are in the order of door->params. */
    struct krl_value (*property)(struct krl_host *host, struct krl_machine *m,
                                 const struct krl_door *door);
    struct krl_value (*call)(struct krl_host *host, struct krl_machine *m,
                             const struct krl_door *door, const struct krl_value *args, size_t n);
    /* An instance of the ruleset under an alias, initialised with the values (a map). NULL: an
     * error ("Error: Module not found: rid"). */
    struct krl_instance *(*use)(struct krl_host *host, struct krl_machine *m,
                                const struct krl_meta_use *use, struct krl_value with);
    /* Milliseconds since 1970, and random bytes. */
    double (*now_ms)(struct krl_host *host);
    void (*chance)(struct krl_host *host, void *bytes, size_t n);
};

#endif
