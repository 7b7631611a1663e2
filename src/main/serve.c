#include "main/serve.h"

#include "api/api.h"
#include "api/mailer.h"
#include "api/test_clock.h"
#include "base/process.h"
#include "fleet/work_kind.h"
#include "ledger/ledger.h"
#include "main/alerts.h"
#include "main/here.h"
#include "main/jobs.h"
#include "party/invitation.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_WAIT_US (20 * US_PER_SECOND)

enum { FOLDER_MODE = 0700, READERS_SPARE = 2, READERS_MAX = 64 };

/* All that is open; closed in the other order, however far it came. */
struct house {
    struct log log;
    struct clock_test test_clock;
    struct seal seal;
    bool sealed;
    struct str images;
    struct str backups;
    struct clock *clock; /* the test clock, or the machine's */
    struct store *store;
    struct ledger *ledger;
    struct jobs *jobs;
    struct alerts *alerts;
    struct outbox *outbox;
    struct wire *wire;
    struct mailer mailer;
    struct api *api;
    struct http_server *http;
};

static enum rc open_store(struct house *h, const struct settings *s, struct err *err)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t sockets = s->http_threads > 0 ? s->http_threads : min_i64(max_i64(processors, 1), 8);
    struct store_options options = {
        .url = s->store,
        .clock = h->clock,
        .log = &h->log,
        .readers_max = (size_t)min_i64(sockets + s->work_threads + READERS_SPARE, READERS_MAX),
        .batch_max = (size_t)s->batch_max,
    };
    return store_open(&h->store, &options, err);
}

static enum rc open_mail(struct house *h, const struct settings *s, struct arena *arena,
                         struct err *err)
{
    h->mailer = (struct mailer){
        .log = &h->log, .url = s->mail_url, .user = s->mail_user, .from = s->mail_from};
    if (s->mail_password_file.n > 0)
        TRY(conf_secret(arena_cstr(arena, s->mail_password_file), arena, &h->mailer.password, err));
    h->wire = wire_curl_open();
    h->mailer.wire = h->wire;
    return RC_OK;
}

/* "sqlite:/var/lib/hanse" has a folder of its own; a server's store has none here. */
static struct str store_folder(const struct settings *s)
{
    struct str rest = s->store;
    struct str scheme = str_cut(&rest, ':');
    bool folder = str_eq(scheme, STR("sqlite")) && rest.n > 0 && rest.p[0] == '/';
    return folder ? rest : STR("");
}

/* The key of services' secrets and the folder of images: beside the embedded store, or where the
 * settings say. Without a key there are no services. */
static enum rc open_fleet(struct house *h, const struct settings *s, struct arena *arena,
                          struct err *err)
{
    struct str folder = store_folder(s);
    struct str key = s->key_file;
    h->images = s->images;
    if (key.n == 0 && folder.n > 0)
        key = arena_fmt(arena, "%.*s/hanse.key", STRF(folder));
    if (h->images.n == 0 && folder.n > 0)
        h->images = arena_fmt(arena, "%.*s/images", STRF(folder));
    if (h->images.n > 0)
        (void)mkdir(arena_cstr(arena, h->images), FOLDER_MODE); /* told when a file is missing */
    h->backups = s->backups;
    if (h->backups.n == 0 && folder.n > 0)
        h->backups = arena_fmt(arena, "%.*s/backups", STRF(folder));
    if (h->backups.n > 0)
        (void)mkdir(arena_cstr(arena, h->backups), FOLDER_MODE); /* told when one is written */
    h->sealed = key.n > 0;
    return h->sealed ? seal_open(&h->seal, arena_cstr(arena, key), err) : RC_OK;
}

static enum rc open_http(struct house *h, const struct settings *s, struct err *err)
{
    struct http_options options = {
        .listen = s->listen,
        .handler = api_handler(h->api),
        .clock = clock_system(),
        .log = &h->log,
        .threads = (size_t)s->http_threads,
        .connections_max = (size_t)s->connections_max,
        .per_address_max = (size_t)s->per_address_max,
        .idle_us = s->idle_seconds * US_PER_SECOND,
        .request_us = s->request_seconds * US_PER_SECOND,
        .trust_forwarded = s->trust_forwarded,
    };
    return http_open(&h->http, &options, err);
}

static enum rc choose_clock(struct house *h, const struct settings *s, struct err *err)
{
    time_us at = 0;
    h->clock = clock_system();
    if (s->test_clock.n == 0)
        return RC_OK;
    TRY(settings_clock(s, &at, err));
    clock_test_init(&h->test_clock, at);
    h->clock = &h->test_clock.clock;
    return RC_OK;
}

static struct clock_test *test_clock(struct house *h)
{
    return h->clock == &h->test_clock.clock ? &h->test_clock : NULL;
}

static enum rc start_clock(struct tx *tx, void *arg)
{
    return test_clock_start(tx, test_clock(arg));
}

static enum rc open_house(struct house *h, const struct settings *s, struct arena *arena,
                          struct err *err)
{
    TRY(choose_clock(h, s, err));
    TRY(open_mail(h, s, arena, err));
    TRY(open_store(h, s, err));
    TRY(open_fleet(h, s, arena, err));
    TRY(ledger_open(&h->ledger, h->store, &h->log, err));
    TRY(store_write(h->store, arena, err, start_clock, h));
    h->outbox = outbox_open(h->store, h->clock, &h->log);
    outbox_serve(h->outbox, "mail", mailer_send, &h->mailer);
    struct api_options options = {
        .store = h->store,
        .ledger = h->ledger,
        .outbox = h->outbox,
        .clock = h->clock,
        .test_clock = test_clock(h),
        .log = &h->log,
        .public_url = s->public_url,
        .web_root = s->web_root,
        .work_threads = (size_t)s->work_threads,
        .seal = h->sealed ? &h->seal : NULL,
        .images = h->images,
        .backups = h->backups,
        .metrics_public = s->metrics_public,
        .read_per_minute = s->read_per_minute,
        .write_per_minute = s->write_per_minute,
        .login_per_minute = s->login_per_minute,
    };
    TRY(api_open(&h->api, &options, err));
    struct jobs_options jobs = {.store = h->store,
                                .ledger = h->ledger,
                                .seal = h->sealed ? &h->seal : NULL,
                                .log = &h->log,
                                .backups = h->backups,
                                .images = h->images};
    h->jobs = jobs_open(&jobs);
    struct alerts_options alerts = {.store = h->store,
                                    .mailer = &h->mailer,
                                    .seal = jobs.seal,
                                    .log = &h->log,
                                    .private_hosts = s->private_hosts};
    h->alerts = alerts_open(&alerts);
    return open_http(h, s, err);
}

/* So that the next start is quick; without it the journal is read again from the last one. */
static void keep_balances(struct house *h)
{
    struct err err = {0};
    if (h->ledger == NULL)
        return;
    enum rc rc = ledger_checkpoint(h->ledger, &err);
    if (rc != RC_OK)
        log_event(&h->log, LOG_WARN, "ledger.checkpoint", LOG_S("code", str_c(rc_slug(rc))),
                  LOG_S("text", err_text(&err)));
}

static void close_house(struct house *h)
{
    if (h->http != NULL)
        http_close(h->http, STOP_WAIT_US);
    alerts_close(h->alerts);
    jobs_close(h->jobs);
    outbox_close(h->outbox);
    api_close(h->api);
    keep_balances(h);
    store_close(h->store);
    ledger_close(h->ledger);
    if (h->wire != NULL)
        wire_curl_close(h->wire);
}

/* --- the first start --- */

struct first_start {
    const struct settings *settings;
    struct str base_url;
    struct str link;
};

static enum rc run_first_start(struct tx *tx, void *arg)
{
    struct first_start *f = arg;
    const struct settings *s = f->settings;
    struct party party = {
        .kind = PARTY_COMPANY,
        .name = s->operator_name,
        .email = s->operator_email,
        .currency = s->operator_currency,
        .address = {.country = s->operator_country},
    };
    static const char *const given[] = {"kind", "name", "currency", "address"};
    for (size_t i = 0; i < COUNT(given); i++)
        party.set |= UINT64_C(1) << schema_find(&party_schema, str_c(given[i]));
    if (party.email.n > 0)
        party.set |= UINT64_C(1) << schema_find(&party_schema, STR("email"));
    party.address.set = UINT64_C(1) << schema_find(&address_schema, STR("country"));
    TRY(work_kind_seed(tx));
    return party_first_start(tx, &party, f->base_url, &f->link);
}

static enum rc first_start(struct house *h, const struct settings *s, struct arena *arena,
                           struct err *err)
{
    struct first_start f = {.settings = s, .base_url = s->public_url};
    struct str address = http_address(h->http);
    bool is_unix = str_starts(address, STR("unix:"));
    struct str url =
        is_unix ? STR("http://localhost") : arena_fmt(arena, "http://%.*s", STRF(address));
    if (f.base_url.n == 0)
        f.base_url = url;
    TRY(store_write(h->store, arena, err, run_first_start, &f));
    api_serve(h->api, h->http);
    if (s->here_token.n > 0 && !is_unix)
        TRY(here_token(h->store, s, url, arena, err));
    printf("Hanse %s answers at %.*s\n", HANSE_VERSION, STRF(is_unix ? address : url));
    if (f.link.n > 0)
        printf("Nobody has set the operator's password yet. This link does it, once:\n    %.*s\n",
               STRF(f.link));
    (void)fflush(stdout); /* who reads it from a pipe waits for it */
    return RC_OK;
}

enum rc serve(const struct settings *s, struct arena *arena, struct err *err)
{
    sigset_t signals;
    process_prepare();
    process_block_signals(&signals);
    struct house h = {0};
    log_init(&h.log, clock_system(), STDERR_FILENO, (enum log_level)s->log_level, s->log_json);
    enum rc rc = open_house(&h, s, arena, err);
    if (rc == RC_OK)
        rc = first_start(&h, s, arena, err);
    if (rc == RC_OK) {
        int signal_number = 0;
        log_event(&h.log, LOG_INFO, "hansed.started", LOG_S("version", STR(HANSE_VERSION)),
                  LOG_S("address", http_address(h.http)), LOG_S("store", store_describe(h.store)));
        while (sigwait(&signals, &signal_number) != 0)
            ;
        log_event(&h.log, LOG_INFO, "hansed.stopping", LOG_I("signal", signal_number));
    }
    close_house(&h);
    if (rc == RC_OK)
        log_event(&h.log, LOG_INFO, "hansed.stopped", LOG_S("version", STR(HANSE_VERSION)));
    return rc;
}
