#include "main/admin.h"

#include "api/test_clock.h"
#include "party/invitation.h"
#include "store/store.h"

#include <sys/stat.h>
#include <unistd.h>

enum rc admin_backup(const struct settings *s, const char *file, struct err *err)
{
    umask(077); /* a backup is as secret as the store */
    TRY(store_backup(s->store, file, err));
    printf("The store is copied to %s\n", file);
    return RC_OK;
}

static enum rc adopt_clock(struct tx *tx, void *arg)
{
    const time_us *at = arg;
    return test_clock_adopt(tx, *at);
}

/* The copy is for trying things out: what is done to it is not done outside. */
static enum rc live_on_test_clock(const struct settings *s, time_us at, struct arena *arena,
                                  struct err *err)
{
    struct log log;
    log_init(&log, clock_system(), STDERR_FILENO, LOG_WARN, s->log_json);
    struct store_options options = {.url = s->store, .clock = clock_system(), .log = &log};
    struct store *store = NULL;
    TRY(store_open(&store, &options, err));
    enum rc rc = store_write(store, arena, err, adopt_clock, &at);
    store_close(store);
    return rc;
}

enum rc admin_restore(const struct settings *s, const char *file, bool replace, struct arena *arena,
                      struct err *err)
{
    time_us at = 0;
    bool tried = s->test_clock.n > 0;
    umask(077);
    if (tried)
        TRY(settings_clock(s, &at, err));
    TRY(store_restore(s->store, file, replace, err));
    if (tried)
        TRY(live_on_test_clock(s, at, arena, err));
    printf("The store is as in %s\n", file);
    return RC_OK;
}

enum rc admin_verify(const struct settings *s, struct err *err)
{
    TRY(store_verify(s->store, err));
    printf("The store is whole\n");
    return RC_OK;
}

struct link {
    struct str base_url;
    struct str text;
};

static enum rc make_link(struct tx *tx, void *arg)
{
    struct link *link = arg;
    struct party operator_party;
    struct invitation fresh = {.joins = true, .role = ROLE_OWNER};
    struct invitation made;
    TRY(party_operator(tx, &operator_party));
    fresh.party = operator_party.id;
    fresh.set = UINT64_C(1) << schema_find(&invitation_schema, STR("joins")) |
                UINT64_C(1) << schema_find(&invitation_schema, STR("role"));
    TRY(invitation_create(tx, NULL, &fresh, link->base_url, &made));
    link->text = made.link;
    return RC_OK;
}

enum rc admin_link(const struct settings *s, struct arena *arena, struct err *err)
{
    struct log log;
    log_init(&log, clock_system(), STDERR_FILENO, LOG_WARN, s->log_json);
    struct store_options options = {.url = s->store, .clock = clock_system(), .log = &log};
    struct store *store = NULL;
    struct link link = {.base_url = s->public_url};
    if (link.base_url.n == 0)
        link.base_url = arena_fmt(arena, "http://%.*s", STRF(s->listen));
    umask(077);
    TRY(store_open(&store, &options, err));
    enum rc rc = store_write(store, arena, err, make_link, &link);
    if (rc == RC_OK)
        printf("Start hansed, and open this link to become an owner of the operator. It works once:"
               "\n    %.*s\n",
               STRF(link.text));
    store_close(store);
    return rc;
}
