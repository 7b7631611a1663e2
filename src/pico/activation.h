/*
 * activation.h - one thing that a pico does: an event with all it raises, a query, an order of its
 * owner. It changes nothing but itself until it is over: what it read and what it will write are
 * beside the pico, and are taken over, and committed, all at once.
 *
 * For the modules (module_*.c), which are the doors of a running ruleset to its pico.
 */
#ifndef PICO_ACTIVATION_H
#define PICO_ACTIVATION_H

#include "krl/rule.h"
#include "pico/inside.h"

/* A ruleset that has been asked for in this activation. */
struct active {
    const struct ruleset *set;
    struct ruleset_code *held;
    const struct krl_code *code;
    struct krl_instance *instance; /* NULL: its globals are not evaluated yet */
    struct krl_rule_state *states; /* NULL: no event has come to it */
    struct krl_value config;
    bool stale; /* replaced or uninstalled meanwhile */
};

/* An entity variable that was read or written. */
struct entity {
    int64_t rid;
    struct str name;
    struct krl_value value;
    bool changed;
};

struct raised {
    struct raised *next;
    struct krl_value domain;
    struct krl_value name;
    struct krl_value attrs;
    int64_t only; /* number of the one ruleset that sees it; 0: all */
};

/* A pico that this activation made; it is nobody else's yet. */
struct born {
    struct born *next;
    struct pico *p;
};

struct activation {
    struct krl_host host;
    struct pico_engine *e;
    struct pico *p;
    bool reckons;             /* its thread is slow now, where its lane is */
    struct activation *outer; /* of one in a pico that the outer one made */
    struct item *item;
    struct arena *arena;         /* of the machine: the budget */
    struct arena *arena_own;     /* for what the ruleset does not pay */
    struct arena_block *scratch; /* what the other arena is made of; NULL: nothing that was here */
    struct commit *commit;       /* NULL: a query, which changes nothing */
    struct krl_machine m;
    struct cells changes;
    struct active *actives;
    size_t actives_n;
    size_t actives_capacity;
    struct entity *entities;
    size_t entities_n;
    size_t entities_capacity;
    struct raised *raised;
    struct raised **raised_last;
    size_t raised_n;
    struct krl_array *directives;
    struct born *born;
    struct krl_event event; /* the one in hand */
    struct str eid;
    struct str eci;
    char txn[ECI_N + 1]; /* empty: nobody asked for it yet */
    char made_eid[ECI_N + 1];
    struct str due_domain; /* of the schedule that is due */
    struct str due_name;
    struct str due_attrs;
    int64_t steps_given;
    int64_t sender;
    int64_t hops;
    enum lane lane;
    enum { COUNTS_NOTHING, COUNTS_EVENT, COUNTS_QUERY } counts;
    int depth;
    bool cleared;      /* an error: the rest of the event is dropped */
    bool wants_slow;   /* begin anew on the slow lane */
    bool wants_settle; /* begin anew when all commits are durable */
    bool wants_rest;   /* begin anew when there is room at a host */
};

static inline struct activation *activation_of(struct krl_host *host)
{
    return CONTAINER_OF(host, struct activation, host);
}

/* host.c: the functions behind struct krl_host. */
extern const struct krl_host activation_host;

/* --- what the pico keeps, as this activation sees it --- */

/* NULL: there is none. */
const struct cell *view_get(const struct activation *a, enum cell_kind kind, int64_t rid,
                            struct str name);
/* All of a kind, in the order of place, schedules as they are due; *ret is the heap's. False: no
 * room. */
bool view_list(struct activation *a, enum cell_kind kind, const struct cell *const **ret,
               size_t *ret_n);
/* Change one. */
void view_put(struct activation *a, const struct cell *cell);
void view_drop(struct activation *a, enum cell_kind kind, int64_t rid, struct str name);
size_t view_count(const struct activation *a, enum cell_kind kind);

/* What all that comes of this activation is known by. */
struct str activation_txn(struct activation *a);

/* --- rulesets --- */

/* The ruleset as it is used here; NULL: an error, which the heap has. */
struct active *activation_active(struct activation *a, const struct cell *installed);
/* With its globals evaluated. */
bool activation_ready(struct activation *a, struct active *active);
/* The installed ruleset with the rid. NULL: there is none. */
const struct cell *activation_installed(struct activation *a, struct str rid);
/* The number of the ruleset whose code runs. */
int64_t activation_rid(struct activation *a, struct str rid);

/* --- effects --- */

/* Begin anew on the slow lane where this is not it: false, with an error in the heap. */
bool activation_slow(struct activation *a);
/* Begin anew after all commits of this pico are durable: the store has all but a->changes then. */
bool activation_settled(struct activation *a);
bool activation_raise(struct activation *a, struct krl_value domain, struct krl_value name,
                      struct krl_value attrs, int64_t only);
/* Where a channel leads, new ones included. *ret_found. False: an error. */
bool activation_eci(struct activation *a, struct str eci, struct eci_node *ret, bool *ret_found);
/* JSON of a value, in the heap: as it leaves in answers and events; as the function encode gives
 * it. */
struct str activation_json(struct activation *a, struct krl_value v);
struct str activation_encode(struct activation *a, struct krl_value v);
/* A value from JSON; KRL_FAILED with the official sentence. */
struct krl_value activation_read(struct activation *a, struct str json);
/* Install under a URL; config may be undefined. *ret: its ruleset. */
bool activation_install(struct activation *a, struct pico *on, struct str url,
                        struct krl_value config, const struct ruleset **ret);
/* The same for all of an array of {url, config} in a new child. NULL: an error. */
struct pico *activation_new_with(struct activation *a, struct krl_value rulesets);
bool activation_uninstall(struct activation *a, struct str rid);
/* A new child, with its family channels. NULL: an error. */
struct pico *activation_new_pico(struct activation *a);
/* Delete the child that the channel leads to. */
bool activation_delete_pico(struct activation *a, struct str eci);
/* An event to another pico, once this activation is committed; its eid, or null where the channel
 * is unknown. host: the address of its engine; null: this one. */
struct krl_value activation_send(struct activation *a, struct krl_value eci,
                                 const struct krl_value names[2], struct krl_value attrs,
                                 struct krl_value host);
/* What a ruleset of this pico shares; args: a JSON map, empty: none. Nested in what runs, whose
 * root and event the caller puts back. False: an error. */
bool activation_query(struct activation *a, struct str rid, struct str name, struct str args,
                      struct krl_value *ret);
/* Ask another pico; the answer's value, or KRL_FAILED. */
struct krl_value activation_ask(struct activation *a, const struct pico_request *r);
/* Note in the log of the pico. */
void activation_log(struct activation *a, const char *level, struct str message,
                    struct krl_value value);

/* Do something in a pico that this activation made; the answer's value. */
struct krl_value activation_nested(struct activation *a, struct pico *child,
                                   const struct pico_request *r);
/* What its owner wants; *ret: the answer. False: an error. */
bool order_run(struct activation *a, const struct pico_request *r, struct krl_value *ret);

/* --- parents and children (family.c) --- */

struct family {
    int64_t no;
    struct str id;
    struct str parent_eci;
    struct str child_eci;
};
/* The children. False: an error, or to be begun anew. */
bool family_list(struct activation *a, const struct family **ret, size_t *ret_n);
/* The id of a pico. False: an error. */
bool family_id(struct activation *a, int64_t no, struct str *ret);
/* A pico that this activation made. NULL: it is none. */
struct pico *family_born(const struct activation *a, struct str eci);

/* --- channels (channel.c) --- */

/* Whether who asks may; false with the official sentence in the heap. */
bool access_event(struct activation *a, struct str domain, struct str name);
bool access_query(struct activation *a, struct str rid, struct str name);
struct krl_value channel_list(struct activation *a);
/* tags, policies for events and for queries. The channel's value. */
struct krl_value channel_new(struct activation *a, const struct krl_value *args, size_t n);
struct krl_value channel_upsert(struct activation *a, const struct krl_value *args, size_t n);
/* eci, tags, policies. */
struct krl_value channel_put(struct activation *a, const struct krl_value *args, size_t n);
struct krl_value channel_drop(struct activation *a, const struct krl_value *args, size_t n);

/* A new entry of schedule: (module_schedule.c). */
struct krl_value schedule_make(struct activation *a, const struct krl_scheduled *s,
                               const struct krl_value names[2], struct krl_value attrs);
/* What becomes of a schedule that is due; *ret_gone: it is not there any more. False: an error. */
bool schedule_take(struct activation *a, struct str id, bool *ret_gone);

/* --- modules --- */

enum { MEMBER_PARAMS_MAX = 12 };

/* A member of a module of the engine. */
struct member {
    const char *name;
    unsigned kinds; /* KRL_DOOR_* */
    struct krl_value (*run)(struct activation *a, const struct krl_value *args, size_t n);
    const char *params[MEMBER_PARAMS_MAX]; /* ended by NULL */
};

struct module {
    const char *domain;
    const struct member *members; /* ended by a name of NULL */
};

extern const struct module module_ctx;
extern const struct module module_meta;
extern const struct module module_dido;
extern const struct module module_event;
extern const struct module module_http;
extern const struct module module_mail;
extern const struct module module_ursa;
extern const struct module module_webhook;
extern const struct module module_schedule;
/* All of them, ended by NULL. */
extern const struct module *const activation_modules[];
/* http:post with a value as JSON, and webhook:post. */
struct krl_value http_post_json(struct activation *a, struct krl_value url, struct krl_value json);
struct krl_value notify_post(struct activation *a, struct krl_value url, struct krl_value data);

static inline struct str text_of(struct activation *a, struct krl_value v)
{
    const struct krl_text *t = v.type == KRL_TEXT ? v.text : krl_to_text(&a->m.heap, v);
    return t == NULL ? STR("") : krl_text_utf8(&a->m.heap, t, false);
}
static inline struct krl_value value_of(struct activation *a, struct str s)
{
    return krl_of_text(krl_text(&a->m.heap, s));
}

#endif
