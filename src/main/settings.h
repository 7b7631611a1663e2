/*
 * settings.h - the settings of hansed: one table for file, environment, flags and --config-help.
 */
#ifndef MAIN_SETTINGS_H
#define MAIN_SETTINGS_H

#include "base/conf.h"
#include "base/log.h"

struct settings {
    uint64_t set;
    struct str store;
    struct str listen;
    struct str public_url;
    int64_t log_level; /* enum log_level */
    bool log_json;
    struct str operator_name;
    struct str operator_country;
    struct str operator_currency;
    struct str operator_email;
    struct str web_root;
    bool trust_forwarded;
    bool metrics_public;
    int64_t read_per_minute;
    int64_t write_per_minute;
    int64_t login_per_minute;
    int64_t connections_max;
    int64_t per_address_max;
    int64_t idle_seconds;
    int64_t request_seconds;
    int64_t http_threads;
    int64_t work_threads;
    int64_t batch_max;
    struct str test_clock;
    struct str key_file;
    struct str images;
    struct str here_token;
    struct str backups;
    struct str mail_url;
    struct str mail_user;
    struct str mail_password_file;
    struct str mail_from;
    bool private_hosts;
};

extern const struct schema settings_schema;

/* What holds where nothing else is said. The store of an ordinary user is in $XDG_DATA_HOME/hanse
 * or ~/.local/share/hanse; that of root and of system users in /var/lib/hanse, unless
 * XDG_DATA_HOME is set. */
void settings_default(struct settings *s, struct arena *arena);

/* The arguments that are no settings, and the settings from file, environment and flags. */
struct command_line {
    const char *words[4]; /* "backup", FILE */
    size_t word_count;
    bool help, version, config_help, replace;
    const char *format; /* --format NAME, or NULL */
    const char *at;     /* --at TIME, or NULL */
};

/* Without --config the file is /etc/hanse/hansed.conf for root and system users, and
 * $XDG_CONFIG_HOME/hanse/hansed.conf or ~/.config/hanse/hansed.conf for others; it may be missing.
 * RC_SYNTAX: words that make no sense; RC_INVALID: a setting that is wrong. */
MUST_CHECK enum rc settings_load(int argc, char **argv, struct arena *arena, struct settings *ret,
                                 struct command_line *ret_line, struct err *err);

/* The instant of test_clock, which is not empty. RC_INVALID. */
MUST_CHECK enum rc settings_clock(const struct settings *s, time_us *ret, struct err *err);

/* --config-help. */
void settings_help(struct arena *arena, FILE *out);

#endif
