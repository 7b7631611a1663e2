#include "main/node_settings.h"

#include "base/log.h"
#include "profile/profile.h"

#include <limits.h>
#include <unistd.h>

enum { HELP_BYTES_MAX = 64 * 1024, FLAGS_MAX = 64, WORDS_MAX = 128, KEY_MAX = 64 };

static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};

static const struct field settings_fields[] = {
    FIELD(struct node_settings, home, TEXT, .min = 1, .max = 1000,
          .doc = "Folder of images, services and what is known of them."),
    FIELD(struct node_settings, run, TEXT, .min = 1, .max = 1000,
          .doc = "Folder of what ends with the machine."),
    FIELD(struct node_settings, init, TEXT, .max = 1000,
          .doc = "The program hanse-init; where it is empty, the one that was installed with this "
                 "one."),
    FIELD(struct node_settings, server, TEXT, .max = 300,
          .doc = "Address of the control plane: https://cloud.example.net. Kept by enrol."),
    FIELD(struct node_settings, bridge, TEXT, .min = 1, .max = 8,
          .doc = "Name of the services' bridge, of their control group and of the rules."),
    FIELD(struct node_settings, network, TEXT, .min = 7, .max = 15,
          .doc = "First address of the /16 that services get theirs from."),
    FIELD(struct node_settings, open, LIST, .max = 16,
          .doc = "Private networks that services may reach, such as 192.168.7.0/24: that of the "
                 "site, where nodes publish to one another."),
    FIELD(struct node_settings, address, TEXT, .max = 255,
          .doc = "Where published ports are reached; where it is empty, the machine's first "
                 "address."),
    FIELD(struct node_settings, unpack, BOOL,
          .doc = "Unpack images, as is done by itself where the kernel cannot mount them."),
    FIELD(struct node_settings, log_level, WORD, .words = level_words,
          .doc = "Events below this level are not logged."),
    FIELD(struct node_settings, log_json, BOOL, .doc = "Log JSON in place of key=value."),
    FIELD(struct node_settings, threads, INT, .min = 1, .max = 32,
          .doc = "Services that are worked on at once."),
    FIELD(struct node_settings, meter_seconds, INT, .min = 1, .max = 3600,
          .doc = "Time between two looks at counters."),
    FIELD(struct node_settings, report_seconds, INT, .min = 1, .max = 120,
          .doc = "Time between two reports where nothing changes."),
};
const struct schema node_settings_schema =
    SCHEMA(struct node_settings, "node_settings", settings_fields, "The settings of hanse-node.");

static const struct node_settings defaults = {
    .set = (UINT64_C(1) << COUNT(settings_fields)) - 1,
    .home = STR_INIT("/var/lib/hanse-node"),
    .run = STR_INIT("/run/hanse-node"),
    .bridge = STR_INIT("hanse0"),
    .network = STR_INIT("10.88.0.0"),
    .log_level = LOG_INFO,
    .threads = 4,
    .meter_seconds = 60,
    .report_seconds = 30,
};

static bool take_switch(const char *arg, struct node_line *line)
{
    const struct {
        const char *name;
        bool *flag;
    } switches[] = {{"--help", &line->help},       {"-h", &line->help},
                    {"--version", &line->version}, {"--config-help", &line->config_help},
                    {"--once", &line->once},       {"--fresh", &line->fresh},
                    {"--disk", &line->disk}};
    for (size_t i = 0; i < COUNT(switches); i++)
        if (strcmp(arg, switches[i].name) == 0) {
            *switches[i].flag = true;
            return true;
        }
    return false;
}

/* "--desired FILE": moves *i to the value. */
static bool take_option(char **argv, int *i, struct node_line *line)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"--desired", &line->desired}, {"--token", &line->token},
                   {"--folder", &line->folder},   {"--suite", &line->suite},
                   {"--mirror", &line->mirror},   {"--program", &line->program}};
    for (size_t k = 0; k < COUNT(options); k++)
        if (strcmp(argv[*i], options[k].name) == 0 && argv[*i + 1] != NULL) {
            *options[k].value = argv[++*i];
            return true;
        }
    return false;
}

static bool takes_value(const char *flag)
{
    char key[KEY_MAX];
    size_t n = strlen(flag + 2);
    if (strchr(flag, '=') != NULL || n >= sizeof key)
        return false;
    for (size_t i = 0; i < n; i++)
        key[i] = flag[2 + i] == '-' ? '_' : flag[2 + i];
    int field = schema_find(&node_settings_schema, str_n(key, n));
    return field >= 0 && settings_fields[field].type != FIELD_BOOL;
}

/* The folder of this program, with its slash; empty: nobody knows. */
static struct str own_folder(struct arena *arena)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    while (n > 0 && self[n - 1] != '/')
        n--;
    return arena_str(arena, str_n(self, n > 0 ? (size_t)n : 0));
}

enum rc node_program(struct str name, struct arena *arena, struct str *ret, struct err *err)
{
    struct str folder = own_folder(arena);
    if (!profile_is_program(name))
        return err_set(err, RC_INVALID,
                       "'%.*s' is no program that an image may have: hanse, "
                       "hanse-pico",
                       STRF(name));
    struct str path = arena_fmt(arena, "%.*s%.*s", STRF(folder), STRF(name));
    if (folder.n == 0 || access(path.p, R_OK) != 0)
        return err_set(err, RC_NOT_FOUND, "the program %.*s is not beside hanse-node", STRF(name));
    *ret = path;
    return RC_OK;
}

/* Beside this program, or where it is installed to. */
static struct str find_init(struct arena *arena)
{
    struct str folder = own_folder(arena);
    if (folder.n > 0) {
        struct str beside = arena_fmt(arena, "%.*shanse-init", STRF(folder));
        if (access(beside.p, X_OK) == 0)
            return beside;
        beside = arena_fmt(arena, "%.*s../libexec/hanse/hanse-init", STRF(folder));
        if (access(beside.p, X_OK) == 0)
            return beside;
    }
    return STR("/usr/libexec/hanse/hanse-init");
}

/* After "--", or behind the word "exec", all are words. */
static enum rc split(int argc, char **argv, struct conf_sources *sources, const char **words,
                     struct node_line *line, struct err *err)
{
    const char **flags = (const char **)(uintptr_t)sources->flags;
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        if (sources->flag_count + 2 > FLAGS_MAX || line->word_count + 1 > WORDS_MAX)
            return err_set(err, RC_SYNTAX, "that are too many arguments");
        if (only_words) {
            words[line->word_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            sources->file = argv[++i];
            sources->file_must_exist = true;
        } else if (take_switch(argv[i], line) || take_option(argv, &i, line)) {
            continue;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            flags[sources->flag_count++] = argv[i];
            if (takes_value(argv[i]) && i + 1 < argc)
                flags[sources->flag_count++] = argv[++i];
        } else {
            words[line->word_count++] = argv[i];
            only_words = strcmp(argv[i], "exec") == 0;
        }
    }
    return RC_OK;
}

enum rc node_settings_load(int argc, char **argv, struct arena *arena, struct node_settings *ret,
                           struct node_line *ret_line, struct err *err)
{
    struct node_settings s = defaults;
    const char **words = NEW_N(arena, const char *, WORDS_MAX + 1);
    struct node_line line = {.words = words};
    struct conf_sources sources = {.file = "/etc/hanse/hanse-node.conf",
                                   .env_prefix = "HANSE_NODE",
                                   .environment = environ,
                                   .flags = NEW_N(arena, const char *, FLAGS_MAX)};
    TRY(split(argc, argv, &sources, words, &line, err));
    TRY(conf_load(&node_settings_schema, &sources, arena, &s, err));
    if (s.init.n == 0)
        s.init = find_init(arena);
    *ret = s;
    *ret_line = line;
    return RC_OK;
}

void node_settings_help(struct arena *arena, FILE *out)
{
    struct buf text;
    buf_init(&text, arena, HELP_BYTES_MAX);
    conf_help(&node_settings_schema, "HANSE_NODE", &defaults, arena, &text);
    struct str s = buf_str(&text);
    fwrite(s.p, 1, s.n, out);
}
