/*
 * party_fixture.h - a store with a clock that stands still, and people in it. Only for tests:
 * everything here asserts.
 *
 * A test that needs no rollback runs in one unit of work:
 *
 *     TX_TEST(parties_have_names)
 *     {
 *         struct str id = make_party(tx, "Nord", make_operator(tx));
 *         ...
 *     }
 *
 * Within it nothing that fails is undone; tests of what is undone use world_write for each step.
 */
#ifndef PARTY_PARTY_FIXTURE_H
#define PARTY_PARTY_FIXTURE_H

#include "party/member.h"
#include "party/party.h"
#include "store/store_fixture.h"

#include <check.h>
#include <setjmp.h>

#define WORLD_START INT64_C(1795348648000000) /* 2026-11-22T01:57:28Z */
/* Stands where a password's hash would: nobody logs in with it. */
#define NO_HASH STR("$argon2id$v=19$m=65536,t=3,p=1$none$none")

struct world {
    struct fixture fixture;
    struct clock_sim clock;
};

static inline void world_open(struct world *w)
{
    clock_sim_init(&w->clock, WORLD_START, 7);
    fixture_init_handed_on(&w->fixture);
    fixture_open_with(&w->fixture, (struct store_options){.clock = &w->clock.clock});
}

static inline void world_close(struct world *w)
{
    fixture_close(&w->fixture);
}

/* One unit of work that has to end as wanted. */
static inline void world_write(struct world *w, tx_fn fn, void *arg, enum rc want)
{
    enum rc rc = fixture_write(&w->fixture, fn, arg);
    ck_assert_msg(rc == want, "%s, wanted was %s: %s", rc_slug(rc), rc_slug(want),
                  w->fixture.err.text);
}

/* Where a test that runs in one unit of work begins anew: a server may refuse what nobody else
 * has touched (PostgreSQL 15, 13.2.3: "false positives"), and then the unit is run again. */
static _Thread_local jmp_buf *tx_again UNUSED;

/* Run in a world of its own, in one unit of work. */
static inline void run_in_tx(enum rc (*fn)(struct tx *tx, void *arg))
{
    struct world *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    world_open(w);
    world_write(w, fn, w, RC_OK);
    world_close(w);
    free(w);
}

#define TX_TEST(name)                                         \
    static void name##_body(struct tx *tx);                   \
    static enum rc name##_in(struct tx *tx, void *arg UNUSED) \
    {                                                         \
        jmp_buf again;                                        \
        bool first = setjmp(again) == 0;                      \
        tx_again = first ? &again : NULL;                     \
        if (!first)                                           \
            return RC_RETRY;                                  \
        name##_body(tx);                                      \
        tx_again = NULL;                                      \
        return RC_OK;                                         \
    }                                                         \
    START_TEST(name)                                          \
    {                                                         \
        run_in_tx(name##_in);                                 \
    }                                                         \
    END_TEST                                                  \
    static void name##_body(struct tx *tx)

/* The call must end well. */
#define OK(tx, call) check_ok((tx), (call), __FILE__, __LINE__)
/* The call must fail so, and blame this pointer (NULL: no matter which). */
#define FAILS(tx, want, pointer, call) \
    (err_clear((tx)->err), check_fails((tx), (call), (want), (pointer), __FILE__, __LINE__))
#define SAME(got, want) check_same((got), (want), __FILE__, __LINE__)

static inline void check_ok(struct tx *tx, enum rc rc, const char *file, int line)
{
    if (rc == RC_RETRY && tx_again != NULL)
        longjmp(*tx_again, 1);
    ck_assert_msg(rc == RC_OK, "%s:%d: %s: %s", file, line, rc_slug(rc), tx->err->text);
}

static inline void check_fails(struct tx *tx, enum rc rc, enum rc want, const char *pointer,
                               const char *file, int line)
{
    ck_assert_msg(rc == want, "%s:%d: %s, wanted was %s: %s", file, line, rc_slug(rc),
                  rc_slug(want), tx->err->text);
    ck_assert_int_eq(tx->err->rc, want);
    if (pointer != NULL)
        ck_assert_msg(strcmp(tx->err->pointer, pointer) == 0, "%s:%d: blames '%s', wanted was '%s'",
                      file, line, tx->err->pointer, pointer);
}

static inline void check_same(struct str got, struct str want, const char *file, int line)
{
    ck_assert_msg(str_eq(got, want), "%s:%d: '%.*s', wanted was '%.*s'", file, line, STRF(got),
                  STRF(want));
}

/* --- people --- */

static inline struct str make_party(struct tx *tx, const char *name, struct str sponsor)
{
    struct party p;
    struct party fresh = {.name = str_c(name), .address = {.country = STR("FR")}};
    OK(tx, party_create(tx, &fresh, sponsor, &p));
    return p.id;
}

/* The operator; roles are in the store then too. */
static inline struct str make_operator(struct tx *tx)
{
    OK(tx, permission_seed(tx));
    return make_party(tx, "Operator", STR(""));
}

/* "NAME@example.net" */
static inline struct str make_user(struct tx *tx, const char *name)
{
    struct user u;
    struct user fresh = {.email = arena_fmt(tx->arena, "%s@example.net", name),
                         .name = str_c(name)};
    OK(tx, user_create(tx, &fresh, NO_HASH, &u));
    return u.id;
}

/* A new user with a role. */
static inline struct str make_member(struct tx *tx, const char *name, struct str party,
                                     const char *role)
{
    struct str id = make_user(tx, name);
    OK(tx, member_add(tx, party, id, str_c(role)));
    return id;
}

static inline struct caller by_session(struct str user)
{
    return (struct caller){.kind = CALLER_SESSION, .user = user, .scopes = PERM_ALL};
}

static inline struct caller by_token(struct str user, uint64_t scopes, struct str party)
{
    return (struct caller){.kind = CALLER_TOKEN,
                           .user = user,
                           .token = STR("tok_0"),
                           .party = party,
                           .scopes = scopes};
}

#endif
