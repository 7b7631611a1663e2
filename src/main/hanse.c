/*
 * hanse.c - the command line: opens the doors and runs one command.
 */
#include "cli/cli.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void pause_really(struct cli *cli, int64_t us)
{
    (void)cli;
    struct timespec left = {us / US_PER_SECOND, us % US_PER_SECOND * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static size_t terminal_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int main(int argc, char **argv)
{
    if (argc < 1)
        return rc_exit(RC_SYNTAX);
    struct wire *wire = wire_curl_open();
    struct cli cli = {
        .wire = wire,
        .clock = clock_system(),
        .host = host_system(),
        .in = stdin,
        .out = stdout,
        .err = stderr,
        .environment = environ,
        .in_terminal = isatty(STDIN_FILENO),
        .out_terminal = isatty(STDOUT_FILENO),
        .err_terminal = isatty(STDERR_FILENO),
        .columns = terminal_columns(),
        .pause = pause_really,
    };
    enum rc rc = cli_run(&cli, argc, argv);
    wire_curl_close(wire);
    return rc_exit(rc);
}
