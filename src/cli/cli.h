/*
 * cli.h - the command line: one call runs one command.
 *
 * The commands, their flags, help, manual page and completion come from the table of routes
 * (api/route.h); a few commands of our own (login, setup, status, ...) are in command.c. Everything
 * outside is handed in, so that tests run whole commands against a simulated wire.
 *
 * Results go to out, all else (errors, questions, hints) to err. The first line of an error
 * begins with "hanse: ". The exit code is rc_exit of what cli_run returns.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/clock.h"
#include "base/rc.h"
#include "cli/host.h"
#include "http/wire.h"

#include <stdio.h>

#define CLI_URL_DEFAULT "http://127.0.0.1:8420"

struct cli {
    struct wire *wire;
    struct clock *clock;
    const struct host *host; /* for commands that start programs */
    FILE *in;
    FILE *out;
    FILE *err;
    char *const *environment; /* as environ */
    bool in_terminal;
    bool out_terminal;
    bool err_terminal;
    size_t columns; /* of the terminal; 0: unknown, lines are never cut */
    /* Wait before the next try. Tests count instead. */
    void (*pause)(struct cli *cli, int64_t us);
    void *arg; /* the owner's: for pause */
};

/* argv[0] is the program. The error, if any, has been printed. RC_SYNTAX: the command line is
 * wrong; RC_UNAVAILABLE: no server answers; else what the command or the server says. */
enum rc cli_run(struct cli *cli, int argc, char *const *argv);

/* A variable of the environment, empty where it is not set. */
struct str cli_env(const struct cli *cli, const char *name);

#endif
