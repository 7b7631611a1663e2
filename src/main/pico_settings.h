/*
 * pico_settings.h - the settings of hanse-pico: one table for file, environment, flags and
 * --config-help.
 */
#ifndef MAIN_PICO_SETTINGS_H
#define MAIN_PICO_SETTINGS_H

#include "base/conf.h"
#include "base/log.h"

struct pico_settings {
    uint64_t set;
    struct str store;
    struct str listen;
    struct str developer_listen;
    struct str developer_token_file;
    struct str interface;
    struct str base_url;
    struct str rulesets;
    int64_t log_level; /* enum log_level */
    bool log_json;
    bool trust_forwarded;
    bool private_hosts;
    struct str usage_url;
    struct str usage_source;
    struct str usage_token_file;
    int64_t usage_seconds;
    struct str suspended_url;
    int64_t suspended_seconds;
    struct str mail_url;
    struct str mail_user;
    struct str mail_password_file;
    struct str mail_from;
    bool official_reset;
    bool official_window;
    int64_t channel_per_minute;
    int64_t threads;
    int64_t slow_threads;
    int64_t steps_max;
    int64_t memory_max_mb;
    int64_t loaded_max;
    int64_t connections_max;
    int64_t per_address_max;
    int64_t idle_seconds;
    int64_t request_seconds;
};

extern const struct schema pico_settings_schema;

enum { PICO_WORDS_MAX = 2 };

struct pico_command_line {
    bool help;
    bool version;
    bool config_help;
    bool replace;                      /* --replace: of restore */
    const char *words[PICO_WORDS_MAX]; /* before all flags: "backup", FILE */
    size_t word_count;
};

/* Without --config the file is /etc/hanse/hanse-pico.conf for root and system users, and
 * $XDG_CONFIG_HOME/hanse/hanse-pico.conf or ~/.config/hanse/hanse-pico.conf for others; it may be
 * missing. RC_SYNTAX, RC_INVALID: a setting that is wrong. */
MUST_CHECK enum rc pico_settings_load(int argc, char **argv, struct arena *arena,
                                      struct pico_settings *ret, struct pico_command_line *ret_line,
                                      struct err *err);

/* --config-help. */
void pico_settings_help(struct arena *arena, FILE *out);

#endif
