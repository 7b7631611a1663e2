#include "main/pico_settings.h"

#include "base/schema.h"
#include "krl/machine.h"
#include "main/folders.h"

#include <unistd.h>

enum { HELP_BYTES_MAX = 128 * 1024, FLAGS_MAX = 128, MIB = 1024 * 1024, RATE_MAX = 1000000000 };

static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};

static const struct field fields[] = {
    FIELD(struct pico_settings, store, TEXT, .min = 1, .max = 4000,
          .doc = "Where picos are kept: sqlite:FOLDER or postgresql://..., for this engine alone."),
    FIELD(struct pico_settings, listen, TEXT, .min = 1, .max = 200,
          .doc = "Where customers ask: ADDRESS:PORT (port 0: any free one) or unix:PATH. There is "
                 "nothing here but what a channel opens."),
    FIELD(struct pico_settings, developer_listen, TEXT, .max = 200,
          .doc = "Where developers ask, who may do everything; empty: nowhere. Keep it on this "
                 "machine."),
    FIELD(struct pico_settings, developer_token_file, TEXT, .max = 4000,
          .doc = "File that holds the token developers must send. Without one, who is on this "
                 "machine may."),
    FIELD(struct pico_settings, interface, TEXT, .max = 4000,
          .doc = "Folder with the files of the official engine's interface for browsers, shown to "
                 "developers alone; empty: none."),
    FIELD(struct pico_settings, base_url, TEXT, .max = 300,
          .doc = "The address that others use, such as https://picos.example.net: meta:host. Where "
                 "it is empty, that of the listener."),
    FIELD(struct pico_settings, rulesets, TEXT, .max = 4000,
          .doc = "Folder whose files file: URLs may name; empty: none."),
    FIELD(struct pico_settings, log_level, WORD, .words = level_words,
          .doc = "Events below this level are not logged."),
    FIELD(struct pico_settings, log_json, BOOL, .doc = "Log JSON in place of key=value."),
    FIELD(struct pico_settings, trust_forwarded, BOOL,
          .doc = "Believe X-Forwarded-For: only behind a proxy of yours that writes it."),
    FIELD(struct pico_settings, private_hosts, BOOL,
          .doc = "Let http: in rulesets ask private addresses: for closed networks."),
    FIELD(struct pico_settings, usage_url, TEXT, .max = 2000,
          .doc =
              "Where usage of picos that are paid for is told: https://cloud.example.net/v1/usage. "
              "Where it is empty, nobody is told."),
    FIELD(struct pico_settings, usage_source, TEXT, .max = 200,
          .doc = "Who tells it, such as urn:hanse:PARTY:picos; each engine has a name of its own."),
    FIELD(struct pico_settings, usage_token_file, TEXT, .max = 4000,
          .doc = "File that holds the token for it, with the permission usage:write."),
    FIELD(struct pico_settings, usage_seconds, INT, .min = 60, .max = 86400,
          .doc = "Seconds of one record, which begin with the day (UTC)."),
    FIELD(struct pico_settings, suspended_url, TEXT, .max = 2000,
          .doc =
              "Where the list of subscriptions is that are suspended because a bill is not paid: "
              "https://cloud.example.net/v1/parties/PARTY/suspended-subscriptions, asked with "
              "the token for usage. Where it is empty, nobody is suspended by it."),
    FIELD(struct pico_settings, suspended_seconds, INT, .min = 1, .max = 86400,
          .doc = "Seconds between two looks at it."),
    FIELD(struct pico_settings, mail_url, TEXT, .max = 300,
          .doc =
              "Mail server for mail:send in rulesets: smtp://HOST:25 or smtps://HOST:465; empty: "
              "they send none."),
    FIELD(struct pico_settings, mail_user, TEXT, .max = 200,
          .doc = "User at the mail server; empty: no login."),
    FIELD(struct pico_settings, mail_password_file, TEXT, .max = 4000,
          .doc = "File that holds the password there."),
    FIELD(struct pico_settings, mail_from, TEXT, .max = 300,
          .doc = "Who mail comes from: Picos <no-reply@example.net>."),
    FIELD(struct pico_settings, official_reset, BOOL,
          .doc = "An event whose attributes do not match resets its rule, as in the official "
                 "engine; else it is ignored, as the documentation of KRL says."),
    FIELD(struct pico_settings, official_window, BOOL,
          .doc = "The window of \"within\" goes on when its rule has fired, as in the official "
                 "engine; else it begins anew."),
    FIELD(struct pico_settings, channel_per_minute, INT, .min = 0, .max = RATE_MAX,
          .doc = "Requests a minute over one channel; 0: no limit."),
    FIELD(struct pico_settings, threads, INT, .min = 0, .max = 32,
          .doc = "Threads that run rulesets; 0: one for each processor."),
    FIELD(struct pico_settings, slow_threads, INT, .min = 0, .max = 32,
          .doc = "Threads, of low priority, for what takes long or waits; 0: 2."),
    FIELD(struct pico_settings, steps_max, INT, .min = 10000, .max = INT64_C(1000000000000),
          .doc = "Steps that one event or query may take."),
    FIELD(struct pico_settings, memory_max_mb, INT, .min = 1, .max = 1024,
          .doc = "Memory that one event or query may use, in MiB."),
    FIELD(struct pico_settings, loaded_max, INT, .min = 100, .max = 10000000,
          .doc = "Picos held in memory; the others are read when they are asked."),
    FIELD(struct pico_settings, connections_max, INT, .min = 16, .max = 100000,
          .doc = "Connections open at once."),
    FIELD(struct pico_settings, per_address_max, INT, .min = 1, .max = 100000,
          .doc = "Connections of one address."),
    FIELD(struct pico_settings, idle_seconds, INT, .min = 1, .max = 3600,
          .doc = "A connection without a request is closed after so long."),
    FIELD(struct pico_settings, request_seconds, INT, .min = 1, .max = 3600,
          .doc = "A request has to be here within so long."),
};
const struct schema pico_settings_schema =
    SCHEMA(struct pico_settings, "settings", fields, "The settings of hanse-pico.");

static void set_defaults(struct pico_settings *s, struct arena *arena)
{
    *s = (struct pico_settings){
        .set = schema_all(&pico_settings_schema),
        .store = folders_store("hanse-pico", arena),
        .listen = STR("127.0.0.1:8430"),
        .log_level = LOG_INFO,
        .usage_seconds = 3600,
        .suspended_seconds = 60,
        .channel_per_minute = 6000,
        .steps_max = KRL_STEPS_DEFAULT,
        .memory_max_mb = KRL_MEMORY_DEFAULT / MIB,
        .loaded_max = 20000,
        .connections_max = 4096,
        .per_address_max = 512,
        .idle_seconds = 60,
        .request_seconds = 30,
    };
}

static bool take_switch(const char *arg, struct pico_command_line *line)
{
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
        return line->help = true;
    if (strcmp(arg, "--version") == 0)
        return line->version = true;
    if (strcmp(arg, "--config-help") == 0)
        return line->config_help = true;
    if (strcmp(arg, "--replace") == 0)
        return line->replace = true;
    return false;
}

enum rc pico_settings_load(int argc, char **argv, struct arena *arena, struct pico_settings *ret,
                           struct pico_command_line *ret_line, struct err *err)
{
    const char *flags[FLAGS_MAX];
    struct pico_command_line line = {.help = false};
    struct conf_sources sources = {.file = folders_settings("hanse-pico.conf", arena),
                                   .env_prefix = "HANSE_PICO",
                                   .environment = environ,
                                   .flags = flags};
    int first = 1;
    for (; first < argc && argv[first][0] != '-' && line.word_count < PICO_WORDS_MAX; first++)
        line.words[line.word_count++] = argv[first];
    for (int i = first; i < argc; i++) {
        bool next = strcmp(argv[i], "--config") == 0 && i + 1 < argc;
        if (next || strncmp(argv[i], "--config=", 9) == 0) {
            sources.file = next ? argv[++i] : argv[i] + 9;
            sources.file_must_exist = true;
        } else if (!take_switch(argv[i], &line)) {
            if (sources.flag_count == FLAGS_MAX)
                return err_set(err, RC_SYNTAX, "that are too many flags");
            flags[sources.flag_count++] = argv[i];
        }
    }
    struct pico_settings s;
    set_defaults(&s, arena);
    *ret_line = line;
    if (line.help || line.version || line.config_help)
        return RC_OK;
    TRY(conf_load(&pico_settings_schema, &sources, arena, &s, err));
    *ret = s;
    return RC_OK;
}

void pico_settings_help(struct arena *arena, FILE *out)
{
    struct pico_settings defaults;
    struct buf b;
    buf_init(&b, arena, HELP_BYTES_MAX);
    set_defaults(&defaults, arena);
    conf_help(&pico_settings_schema, "HANSE_PICO", &defaults, arena, &b);
    fprintf(out, "%.*s", STRF(buf_str(&b)));
}
