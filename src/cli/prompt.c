#include "cli/prompt.h"

#include "base/buf.h"
#include "base/conf.h"

#include <errno.h>
#include <termios.h>
#include <unistd.h>

enum { KEY_CTRL_C = 3, KEY_CTRL_D = 4, KEY_BACKSPACE = 8, KEY_CTRL_U = 21, KEY_DELETE = 127 };

static enum rc input_ended(const char *question, struct err *err)
{
    return err_set(err, RC_SYNTAX, "the input ended where '%s' was asked", question);
}

static enum rc read_line(struct cli *cli, const char *question, struct arena *arena,
                         struct str *ret, struct err *err)
{
    struct buf b;
    buf_init(&b, arena, PROMPT_LINE_MAX);
    int c = fgetc(cli->in);
    if (c == EOF)
        return input_ended(question, err);
    for (; c != EOF && c != '\n'; c = fgetc(cli->in))
        buf_add_char(&b, (char)c);
    if (b.full)
        return err_set(err, RC_TOO_LARGE, "the answer to '%s' is longer than %d bytes", question,
                       PROMPT_LINE_MAX);
    struct str line = buf_str(&b);
    *ret = str_ends(line, STR("\r")) ? str_sub(line, 0, line.n - 1) : line;
    return RC_OK;
}

enum rc prompt_line(struct cli *cli, const char *question, struct str fallback, struct arena *arena,
                    struct str *ret, struct err *err)
{
    if (cli->in_terminal && fallback.n > 0)
        fprintf(cli->err, "%s [%.*s]: ", question, STRF(fallback));
    else if (cli->in_terminal)
        fprintf(cli->err, "%s: ", question);
    (void)fflush(cli->err); /* a question that cannot be shown is no reason to stop */
    struct str line = STR("");
    TRY(read_line(cli, question, arena, &line, err));
    line = str_trim(line);
    *ret = line.n == 0 ? fallback : line;
    return RC_OK;
}

/* Remove the last character: all bytes of it. */
static void rub_out(char *line, size_t *n)
{
    while (*n > 0 && ((unsigned char)line[*n - 1] & 0xC0) == 0x80)
        *n -= 1;
    if (*n > 0)
        *n -= 1;
}

/* Key by key, because line editing by the terminal would leave Ctrl-C to end the process with the
 * echo still off. */
static enum rc read_keys(int fd, const char *question, char *line, size_t *ret_n, struct err *err)
{
    size_t n = 0;
    for (;;) {
        char c = '\0';
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || c == KEY_CTRL_C || (c == KEY_CTRL_D && n == 0))
            return input_ended(question, err);
        if (c == '\n' || c == '\r') {
            *ret_n = n;
            return RC_OK;
        }
        if (c == KEY_BACKSPACE || c == KEY_DELETE)
            rub_out(line, &n);
        else if (c == KEY_CTRL_U)
            n = 0;
        else if (n == PROMPT_LINE_MAX)
            return err_set(err, RC_TOO_LARGE, "the answer to '%s' is longer than %d bytes",
                           question, PROMPT_LINE_MAX);
        else
            line[n++] = c;
    }
}

enum rc prompt_secret(struct cli *cli, const char *question, struct arena *arena, struct str *ret,
                      struct err *err)
{
    if (!cli->in_terminal)
        return read_line(cli, question, arena, ret, err);

    int fd = fileno(cli->in);
    struct termios before;
    if (tcgetattr(fd, &before) != 0)
        return err_set(err, RC_UNSUPPORTED, "the terminal cannot hide what is typed: use a file");
    struct termios hidden = before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    hidden.c_cc[VMIN] = 1;
    hidden.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &hidden) != 0)
        return err_set(err, RC_UNSUPPORTED, "the terminal cannot hide what is typed: use a file");
    /* Asked only now: who answers at once is not shown either. */
    fprintf(cli->err, "%s: ", question);
    (void)fflush(cli->err); /* a question that cannot be shown is no reason to stop */
    char *line = arena_bytes(arena, PROMPT_LINE_MAX);
    size_t n = 0;
    enum rc rc = read_keys(fd, question, line, &n, err);
    (void)tcsetattr(fd, TCSAFLUSH, &before); /* nothing better can be done where this fails */
    fprintf(cli->err, "\n");
    TRY(rc);
    *ret = str_n(line, n);
    return RC_OK;
}

enum rc prompt_new_secret(struct cli *cli, const char *question, struct arena *arena,
                          struct str *ret, struct err *err)
{
    struct str chosen = STR("");
    TRY(prompt_secret(cli, question, arena, &chosen, err));
    if (cli->in_terminal) {
        struct str again = STR("");
        TRY(prompt_secret(cli, "The same again", arena, &again, err));
        if (!str_eq(chosen, again))
            return err_set(err, RC_INVALID, "the two differ: try again");
    }
    *ret = chosen;
    return RC_OK;
}

enum rc prompt_secret_file(struct cli *cli, struct str path, struct arena *arena, struct str *ret,
                           struct err *err)
{
    if (str_eq(path, STR("-")))
        return read_line(cli, "a secret", arena, ret, err);
    return conf_secret(arena_cstr(arena, path), arena, ret, err);
}

static enum rc read_all(FILE *file, struct str path, size_t max, struct arena *arena,
                        struct str *ret, struct err *err)
{
    char *bytes = arena_bytes(arena, max + 1);
    size_t n = fread(bytes, 1, max + 1, file);
    if (ferror(file))
        return err_set(err, RC_INVALID, "'%.*s' cannot be read", STRF(path));
    if (n > max)
        return err_set(err, RC_TOO_LARGE, "'%.*s' is larger than %zu bytes", STRF(path), max);
    *ret = str_n(bytes, n);
    return RC_OK;
}

enum rc prompt_file(struct cli *cli, struct str path, size_t max, struct arena *arena,
                    struct str *ret, struct err *err)
{
    if (str_eq(path, STR("-")))
        return read_all(cli->in, path, max, arena, ret, err);
    FILE *file = fopen(arena_cstr(arena, path), "rbe");
    if (file == NULL)
        return err_set(err, RC_NOT_FOUND, "'%.*s' cannot be opened: %s", STRF(path),
                       strerror(errno));
    enum rc rc = read_all(file, path, max, arena, ret, err);
    (void)fclose(file); /* it was only read */
    return rc;
}
