/*
 * hansed.c - the control plane: reads its settings, opens the doors, and serves.
 */
#include "main/admin.h"
#include "main/books.h"
#include "main/serve.h"

enum { MAIN_ARENA_BYTES = 64 * 1024 * 1024 };

static const char usage[] =
    "hansed [--config FILE] [--SETTING VALUE ...]    serve, until SIGTERM or SIGINT\n"
    "hansed backup FILE      copy the store to a new file; the server may run meanwhile\n"
    "hansed restore FILE [--replace]\n"
    "                        put a backup in the place of the store; with --test-clock TIME it\n"
    "                        is a copy to try things on, and sends nothing that waits\n"
    "hansed verify           read every page and index of the store\n"
    "hansed link             print a link that makes its reader an owner of the operator;\n"
    "                        the server must not run\n"
    "hansed ledger verify    read the whole journal of the books, and prove it; then documents, "
    "shares\n"
    "                        and payments against it\n"
    "hansed ledger replay [--at TIME]\n"
    "                        print all accounts as a replay of the journal gives them\n"
    "hansed ledger export --format hledger|ledger|beancount\n"
    "                        print the books as text that these programs read\n"
    "hansed --config-help    all settings, with their defaults\n"
    "hansed --version | --help\n";

static enum rc run_command(const struct settings *s, const struct command_line *line,
                           struct arena *arena, struct err *err)
{
    const char *word = line->word_count > 0 ? line->words[0] : "serve";
    const char *file = line->word_count == 2 ? line->words[1] : NULL;
    bool wants_file = strcmp(word, "backup") == 0 || strcmp(word, "restore") == 0;
    bool whole = wants_file ? file != NULL : line->word_count <= 1;
    if (line->replace && strcmp(word, "restore") != 0)
        return err_set(err, RC_SYNTAX, "--replace belongs to 'hansed restore'");
    if (strcmp(word, "ledger") == 0)
        return books_command(s, line, arena, err);
    if (line->format != NULL || line->at != NULL)
        return err_set(err, RC_SYNTAX, "--format and --at belong to 'hansed ledger'");
    if (whole && strcmp(word, "serve") == 0)
        return serve(s, arena, err);
    if (whole && strcmp(word, "backup") == 0)
        return admin_backup(s, file, err);
    if (whole && strcmp(word, "restore") == 0)
        return admin_restore(s, file, line->replace, arena, err);
    if (whole && strcmp(word, "verify") == 0)
        return admin_verify(s, err);
    if (whole && strcmp(word, "link") == 0)
        return admin_link(s, arena, err);
    return err_set(err, RC_SYNTAX, "'%s%s' is no command of hansed: see hansed --help", word,
                   whole ? "" : " ...");
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct err err = {0};
    struct settings settings;
    struct command_line line;
    arena_init(&arena, MAIN_ARENA_BYTES);
    enum rc rc = settings_load(argc, argv, &arena, &settings, &line, &err);
    if (rc == RC_OK && line.help)
        fputs(usage, stdout);
    else if (rc == RC_OK && line.version)
        puts("hansed " HANSE_VERSION);
    else if (rc == RC_OK && line.config_help)
        settings_help(&arena, stdout);
    else if (rc == RC_OK)
        rc = run_command(&settings, &line, &arena, &err);
    if (rc != RC_OK)
        fprintf(stderr, "hansed: %.*s\n", STRF(err_text(&err)));
    arena_fini(&arena);
    return rc_exit(rc);
}
