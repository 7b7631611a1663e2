#include "main/settings.h"

#include "base/schema.h"
#include "main/folders.h"

#include <unistd.h>

enum { HELP_BYTES_MAX = 128 * 1024, FLAGS_MAX = 128 };

static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};

#define RATE_MAX 1000000000

static const struct field settings_fields[] = {
    FIELD(struct settings, store, TEXT, .min = 1, .max = 4000,
          .doc = "Where everything is kept: sqlite:FOLDER or postgresql://..."),
    FIELD(struct settings, listen, TEXT, .min = 1, .max = 200,
          .doc = "Where to listen: ADDRESS:PORT (port 0: any free one) or unix:PATH."),
    FIELD(struct settings, public_url, TEXT, .max = 300,
          .doc = "The address that users type, such as https://cloud.example.net: links begin "
                 "with it. Where it is empty, the one that was asked."),
    FIELD(struct settings, log_level, WORD, .words = level_words,
          .doc = "Events below this level are not logged."),
    FIELD(struct settings, log_json, BOOL, .doc = "Log JSON in place of key=value."),
    FIELD(struct settings, operator_name, TEXT, .min = 1, .max = 200,
          .doc = "Name of the operator's party, at the first start."),
    FIELD(struct settings, operator_country, TEXT, .min = 2, .max = 2,
          .doc = "Its country (ISO 3166-1), at the first start."),
    FIELD(struct settings, operator_currency, TEXT, .min = 3, .max = 3,
          .doc = "Its currency (ISO 4217), at the first start."),
    FIELD(struct settings, operator_email, TEXT, .max = 254,
          .doc = "Its e-mail address, at the first start."),
    FIELD(struct settings, web_root, TEXT, .max = 4000,
          .doc = "Folder of the portal's files. Where it is empty there are a few built-in pages."),
    FIELD(struct settings, trust_forwarded, BOOL,
          .doc = "Believe X-Forwarded-For: only behind a proxy of yours that writes it."),
    FIELD(struct settings, metrics_public, BOOL, .doc = "Show /metrics to everyone."),
    FIELD(struct settings, read_per_minute, INT, .min = 1, .max = RATE_MAX,
          .doc = "Reads a minute, of each token, session or address."),
    FIELD(struct settings, write_per_minute, INT, .min = 1, .max = RATE_MAX,
          .doc = "Writes a minute, of each token, session or address."),
    FIELD(struct settings, login_per_minute, INT, .min = 1, .max = RATE_MAX,
          .doc = "Logins and openings of invitations a minute, of each address."),
    FIELD(struct settings, connections_max, INT, .min = 16, .max = 100000,
          .doc = "Connections open at once."),
    FIELD(struct settings, per_address_max, INT, .min = 1, .max = 100000,
          .doc = "Connections of one address."),
    FIELD(struct settings, idle_seconds, INT, .min = 1, .max = 3600,
          .doc = "A connection without a request is closed after so long."),
    FIELD(struct settings, request_seconds, INT, .min = 1, .max = 3600,
          .doc = "A request has to be here within so long."),
    FIELD(struct settings, http_threads, INT, .min = 0, .max = 8,
          .doc = "Threads that read sockets; 0: one for each processor."),
    FIELD(struct settings, work_threads, INT, .min = 1, .max = 64,
          .doc = "Threads that hash passwords and wait for PostgreSQL."),
    FIELD(struct settings, batch_max, INT, .min = 1, .max = 512,
          .doc = "Callers in one commit; 1 turns grouping off."),
    FIELD(struct settings, test_clock, TEXT, .max = TIME_TEXT_MAX,
          .doc = "A test installation, in a store of its own: time stands still at this instant "
                 "(2026-01-01T00:00:00Z) until POST /v1/test-clock/actions/move moves it."),
    FIELD(struct settings, key_file, TEXT, .max = 4000,
          .doc = "File with the key that closes services' secrets, made where it is missing; "
                 "beside the embedded store unless said otherwise."),
    FIELD(struct settings, images, TEXT, .max = 4000,
          .doc = "Folder of the images that nodes fetch; beside the embedded store unless said "
                 "otherwise."),
    FIELD(struct settings, here_token, TEXT, .max = 4000,
          .doc = "File to write an address and a token into, by which the agent of this machine "
                 "becomes a node of the operator's site 'here', as make run asks for."),
    FIELD(struct settings, backups, TEXT, .max = 4000,
          .doc = "Folder of the backups of services, encrypted, until a node holds them; beside "
                 "the embedded store unless said otherwise."),
    FIELD(struct settings, mail_url, TEXT, .max = 300,
          .doc = "Mail server: smtp://HOST:25 or smtps://HOST:465. Where it is empty no mail is "
                 "sent."),
    FIELD(struct settings, mail_user, TEXT, .max = 200, .doc = "Name for the mail server."),
    FIELD(struct settings, mail_password_file, TEXT, .max = 4000,
          .doc = "File that holds the password for it."),
    FIELD(struct settings, mail_from, TEXT, .max = 300,
          .doc = "Sender of mails, unless a brand has its own: Hanse <no-reply@example.net>."),
    FIELD(struct settings, private_hosts, BOOL,
          .doc = "Let webhooks of alerts call private addresses: for closed networks."),
};
const struct schema settings_schema =
    SCHEMA(struct settings, "settings", settings_fields, "The settings of hansed.");

void settings_default(struct settings *s, struct arena *arena)
{
    *s = (struct settings){
        .set = schema_all(&settings_schema),
        .store = folders_store("hanse", arena),
        .listen = STR("127.0.0.1:8420"),
        .log_level = LOG_INFO,
        .operator_name = STR("Operator"),
        .operator_country = STR("FR"),
        .operator_currency = STR("EUR"),
        .read_per_minute = 6000,
        .write_per_minute = 1200,
        .login_per_minute = 10,
        .connections_max = 4096,
        .per_address_max = 512,
        .idle_seconds = 60,
        .request_seconds = 30,
        .work_threads = 4,
        .batch_max = 512,
        .mail_from = STR("Hanse <no-reply@localhost>"),
    };
}

/* One argument that is no setting; true where it was one of these. */
static bool take_switch(const char *arg, struct command_line *line)
{
    const struct {
        const char *name;
        bool *flag;
    } switches[] = {{"--help", &line->help},
                    {"-h", &line->help},
                    {"--version", &line->version},
                    {"--config-help", &line->config_help},
                    {"--replace", &line->replace}};
    for (size_t i = 0; i < COUNT(switches); i++)
        if (strcmp(arg, switches[i].name) == 0) {
            *switches[i].flag = true;
            return true;
        }
    return false;
}

/* "--format NAME" or "--format=NAME"; moves *i to the value where that is an argument of its own.
 * True where it was one of these. */
static bool take_option(char **argv, int *i, struct command_line *line)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"--format", &line->format}, {"--at", &line->at}};
    for (size_t k = 0; k < COUNT(options); k++) {
        size_t n = strlen(options[k].name);
        if (strncmp(argv[*i], options[k].name, n) != 0)
            continue;
        if (argv[*i][n] == '=') {
            *options[k].value = argv[*i] + n + 1;
            return true;
        }
        if (argv[*i][n] == '\0' && argv[*i + 1] != NULL) {
            *options[k].value = argv[++*i];
            return true;
        }
    }
    return false;
}

/* A flag "--key value" takes the next argument with it, unless its setting is a switch. */
static bool takes_value(const char *flag)
{
    char key[64];
    size_t n = strlen(flag + 2);
    if (strchr(flag, '=') != NULL || n >= sizeof key)
        return false;
    for (size_t i = 0; i < n; i++)
        key[i] = flag[2 + i] == '-' ? '_' : flag[2 + i];
    int field = schema_find(&settings_schema, str_n(key, n));
    return field >= 0 && settings_fields[field].type != FIELD_BOOL;
}

enum rc settings_load(int argc, char **argv, struct arena *arena, struct settings *ret,
                      struct command_line *ret_line, struct err *err)
{
    const char *flags[FLAGS_MAX];
    struct command_line line = {.word_count = 0};
    struct conf_sources sources = {.file = folders_settings("hansed.conf", arena),
                                   .env_prefix = "HANSED",
                                   .environment = environ,
                                   .flags = flags};
    for (int i = 1; i < argc; i++) {
        if (sources.flag_count + 2 > FLAGS_MAX)
            return err_set(err, RC_SYNTAX, "that are too many flags");
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            sources.file = argv[++i];
            sources.file_must_exist = true;
        } else if (strncmp(argv[i], "--config=", 9) == 0) {
            sources.file = argv[i] + 9;
            sources.file_must_exist = true;
        } else if (take_switch(argv[i], &line) || take_option(argv, &i, &line)) {
            continue;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            flags[sources.flag_count++] = argv[i];
            if (takes_value(argv[i]) && i + 1 < argc)
                flags[sources.flag_count++] = argv[++i];
        } else if (line.word_count < COUNT(line.words)) {
            line.words[line.word_count++] = argv[i];
        } else {
            return err_set(err, RC_SYNTAX, "'%s' is one word too many", argv[i]);
        }
    }
    struct settings settings;
    settings_default(&settings, arena);
    *ret_line = line;
    if (line.help || line.version || line.config_help)
        return RC_OK;
    TRY(conf_load(&settings_schema, &sources, arena, &settings, err));
    /* Else an inviter chose with the Host header where the links in our mails lead to. */
    if (settings.mail_url.n > 0 && settings.public_url.n == 0)
        return err_set(err, RC_INVALID,
                       "mail_url wants public_url too: links in mails begin with it");
    *ret = settings;
    return RC_OK;
}

enum rc settings_clock(const struct settings *s, time_us *ret, struct err *err)
{
    if (!time_parse(s->test_clock, ret))
        return err_set(err, RC_INVALID,
                       "test_clock wants a time such as 2026-01-01T00:00:00Z, not '%.*s'",
                       STRF(s->test_clock));
    return RC_OK;
}

void settings_help(struct arena *arena, FILE *out)
{
    struct settings defaults;
    struct buf b;
    buf_init(&b, arena, HELP_BYTES_MAX);
    settings_default(&defaults, arena);
    conf_help(&settings_schema, "HANSED", &defaults, arena, &b);
    fprintf(out, "%.*s", STRF(buf_str(&b)));
}
