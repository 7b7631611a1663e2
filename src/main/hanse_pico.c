/*
 * hanse_pico.c - the pico engine: reads its settings, opens the doors, and serves.
 */
#include "main/pico_settings.h"

#include "base/process.h"
#include "http/mail.h"
#include "pico/bundled.h"
#include "pico/web.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_WAIT_US (20 * US_PER_SECOND)

enum {
    MIB = 1024 * 1024,
    MAIN_ARENA_BYTES = 16 * MIB,
    READERS = 8,
};

static const char usage[] =
    "hanse-pico [--config FILE] [--SETTING VALUE ...]    serve, until SIGTERM or SIGINT\n"
    "hanse-pico backup FILE      copy the store to a new file; the engine may run meanwhile\n"
    "hanse-pico restore FILE [--replace]\n"
    "                            put a backup in the place of the store\n"
    "hanse-pico verify           read the whole store and say whether it is whole\n"
    "hanse-pico --config-help                            all settings, with their defaults\n"
    "hanse-pico --version | --help\n";

/* All that is open; closed in the other order, however far it came. */
struct house {
    struct log log;
    struct store *store;
    struct wire *wire;
    struct pico_engine *engine;
    struct pico_web *web;
    struct http_server *customers;
    struct http_server *developers;
};

static enum rc listen_at(struct house *h, const struct pico_settings *s, struct str address,
                         struct http_handler handler, struct http_server **ret, struct err *err)
{
    struct http_options options = {
        .listen = address,
        .handler = handler,
        .clock = clock_system(),
        .log = &h->log,
        .connections_max = (size_t)s->connections_max,
        .per_address_max = (size_t)s->per_address_max,
        .idle_us = s->idle_seconds * US_PER_SECOND,
        .request_us = s->request_seconds * US_PER_SECOND,
        .trust_forwarded = s->trust_forwarded,
    };
    return http_open(ret, &options, err);
}

static enum rc read_usage(const struct pico_settings *s, struct arena *arena,
                          struct pico_usage_options *ret, struct err *err)
{
    *ret = (struct pico_usage_options){.url = s->usage_url,
                                       .source = s->usage_source,
                                       .period_us = s->usage_seconds * US_PER_SECOND,
                                       .suspended_url = s->suspended_url,
                                       .suspended_us = s->suspended_seconds * US_PER_SECOND};
    if (s->usage_token_file.n > 0)
        TRY(conf_secret(arena_cstr(arena, s->usage_token_file), arena, &ret->token, err));
    if (ret->url.n > 0 && ret->source.n == 0)
        return err_set(err, RC_INVALID, "usage_url wants usage_source: who tells it");
    if (US_PER_DAY % ret->period_us != 0)
        return err_set(err, RC_INVALID, "usage_seconds does not divide a day");
    return RC_OK;
}

static enum rc read_mail(const struct pico_settings *s, struct arena *arena,
                         struct pico_mail_options *ret, struct err *err)
{
    struct mail_address from;
    *ret =
        (struct pico_mail_options){.url = s->mail_url, .user = s->mail_user, .from = s->mail_from};
    if (s->mail_password_file.n > 0)
        TRY(conf_secret(arena_cstr(arena, s->mail_password_file), arena, &ret->password, err));
    if (ret->url.n > 0)
        TRY(mail_parse_address(ret->from, &from, err));
    return RC_OK;
}

static enum rc open_engine(struct house *h, const struct pico_settings *s, struct arena *arena,
                           struct err *err)
{
    struct store_options store = {.url = s->store,
                                  .clock = clock_system(),
                                  .log = &h->log,
                                  .readers_max = READERS,
                                  .sole = true};
    struct pico_options options = {
        .clock = clock_system(),
        .log = &h->log,
        .base_url = s->base_url,
        .rulesets = s->rulesets,
        .threads = (size_t)s->threads,
        .slow_threads = (size_t)s->slow_threads,
        .steps_max = s->steps_max,
        .memory_max = (size_t)s->memory_max_mb * MIB,
        .loaded_max = (size_t)s->loaded_max,
        .private_hosts = s->private_hosts,
        .official_reset = s->official_reset,
        .official_window = s->official_window,
    };
    TRY(read_usage(s, arena, &options.usage, err));
    TRY(read_mail(s, arena, &options.mail, err));
    bool plain = options.base_url.n == 0 && !str_starts(s->listen, STR("unix:"));
    if (plain)
        options.base_url = arena_fmt(arena, "http://%.*s", STRF(s->listen));
    TRY(store_open(&h->store, &store, err));
    h->wire = wire_curl_open();
    options.store = h->store;
    options.wire = h->wire;
    TRY(pico_engine_open(&h->engine, &options, err));
    return pico_bundled_install(h->engine, arena, err);
}

static enum rc open_house(struct house *h, const struct pico_settings *s, struct arena *arena,
                          struct err *err)
{
    struct pico_web_options options = {
        .clock = clock_system(), .log = &h->log, .per_minute = s->channel_per_minute};
    if (s->developer_token_file.n > 0)
        TRY(conf_secret(arena_cstr(arena, s->developer_token_file), arena, &options.token, err));
    if (s->interface.n > 0)
        options.interface = arena_cstr(arena, s->interface);
    TRY(open_engine(h, s, arena, err));
    options.engine = h->engine;
    options.store = h->store;
    h->web = pico_web_open(&options);
    TRY(listen_at(h, s, s->listen, pico_web_customers(h->web), &h->customers, err));
    if (s->developer_listen.n > 0)
        TRY(listen_at(h, s, s->developer_listen, pico_web_developers(h->web), &h->developers, err));
    return RC_OK;
}

static void close_house(struct house *h)
{
    pico_engine_leave(h->engine);
    if (h->developers != NULL)
        http_close(h->developers, STOP_WAIT_US);
    if (h->customers != NULL)
        http_close(h->customers, STOP_WAIT_US);
    pico_web_close(h->web);
    pico_engine_close(h->engine);
    store_close(h->store);
    if (h->wire != NULL)
        wire_curl_close(h->wire);
}

static void greet(const struct house *h)
{
    struct str address = http_address(h->customers);
    bool is_unix = str_starts(address, STR("unix:"));
    printf("The pico engine of Hanse %s answers at %s%.*s\n", HANSE_VERSION,
           is_unix ? "" : "http://", STRF(address));
    if (h->developers != NULL) {
        address = http_address(h->developers);
        is_unix = str_starts(address, STR("unix:"));
        printf("Developers: %s%.*s\n", is_unix ? "" : "http://", STRF(address));
    }
    (void)fflush(stdout); /* who reads it from a pipe waits for it */
}

static enum rc serve(const struct pico_settings *s, struct arena *arena, struct err *err)
{
    sigset_t signals;
    struct house h = {.store = NULL};
    process_prepare();
    process_block_signals(&signals);
    log_init(&h.log, clock_system(), STDERR_FILENO, (enum log_level)s->log_level, s->log_json);
    enum rc rc = open_house(&h, s, arena, err);
    if (rc == RC_OK) {
        int number = 0;
        greet(&h);
        log_event(&h.log, LOG_INFO, "hanse-pico.started", LOG_S("version", STR(HANSE_VERSION)),
                  LOG_S("address", http_address(h.customers)),
                  LOG_S("store", store_describe(h.store)));
        while (sigwait(&signals, &number) != 0)
            ;
        log_event(&h.log, LOG_INFO, "hanse-pico.stopping", LOG_I("signal", number));
    }
    close_house(&h);
    if (rc == RC_OK)
        log_event(&h.log, LOG_INFO, "hanse-pico.stopped", LOG_S("version", STR(HANSE_VERSION)));
    return rc;
}

/* What there is to do besides serving. */
static enum rc administer(const struct pico_settings *s, const struct pico_command_line *line,
                          struct err *err)
{
    const char *word = line->words[0];
    const char *file = line->words[1];
    umask(077); /* a backup is as secret as the store */
    if (line->word_count == 2 && strcmp(word, "backup") == 0) {
        TRY(store_backup(s->store, file, err));
        printf("The store is copied to %s\n", file);
    } else if (line->word_count == 2 && strcmp(word, "restore") == 0) {
        TRY(store_restore(s->store, file, line->replace, err));
        printf("The store is as in %s\n", file);
    } else if (line->word_count == 1 && strcmp(word, "verify") == 0) {
        TRY(store_verify(s->store, err));
        puts("The store is whole");
    } else {
        return err_set(err, RC_SYNTAX, "'%s' is none of: backup FILE, restore FILE, verify", word);
    }
    return RC_OK;
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct err err = {0};
    struct pico_settings settings;
    struct pico_command_line line;
    arena_init(&arena, MAIN_ARENA_BYTES);
    enum rc rc = pico_settings_load(argc, argv, &arena, &settings, &line, &err);
    if (rc == RC_OK && line.help)
        fputs(usage, stdout);
    else if (rc == RC_OK && line.version)
        puts("hanse-pico " HANSE_VERSION);
    else if (rc == RC_OK && line.config_help)
        pico_settings_help(&arena, stdout);
    else if (rc == RC_OK && line.word_count > 0)
        rc = administer(&settings, &line, &err);
    else if (rc == RC_OK)
        rc = serve(&settings, &arena, &err);
    if (rc != RC_OK)
        fprintf(stderr, "hanse-pico: %.*s\n", STRF(err_text(&err)));
    arena_fini(&arena);
    return rc_exit(rc);
}
