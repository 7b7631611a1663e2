/*
 * node_settings.h - the settings of hanse-node.
 */
#ifndef MAIN_NODE_SETTINGS_H
#define MAIN_NODE_SETTINGS_H

#include "base/conf.h"

struct node_settings {
    uint64_t set;
    struct str home;
    struct str run;
    struct str init;
    struct str server;
    struct str bridge;
    struct str network;
    struct list open; /* struct str */
    struct str address;
    bool unpack;
    int64_t log_level;
    bool log_json;
    int64_t threads;
    int64_t meter_seconds;
    int64_t report_seconds;
};
extern const struct schema node_settings_schema;

struct node_line {
    bool help;
    bool version;
    bool config_help;
    bool once;           /* --once: end when all is as wanted */
    bool fresh;          /* --fresh: build the image again */
    bool disk;           /* --disk: an image is the disk of a machine */
    const char *desired; /* --desired FILE */
    const char *token;   /* --token TOKEN */
    const char *folder;  /* --folder FOLDER */
    const char *suite;   /* --suite NAME */
    const char *mirror;  /* --mirror URL */
    const char *program; /* --program NAME */
    int word_count;
    const char *const *words;
};

/* RC_INVALID, RC_SYNTAX name the flag, the file or the variable. */
MUST_CHECK enum rc node_settings_load(int argc, char **argv, struct arena *arena,
                                      struct node_settings *ret, struct node_line *ret_line,
                                      struct err *err);
/* Where a program of this house lies: beside this one. RC_INVALID: it is none that an image may
 * have; RC_NOT_FOUND: it is not there. */
MUST_CHECK enum rc node_program(struct str name, struct arena *arena, struct str *ret,
                                struct err *err);
void node_settings_help(struct arena *arena, FILE *out);

#endif
