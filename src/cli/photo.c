/*
 * photo.c - show what was done on a server: a picture from a file. What it is, the server looks at.
 */
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/prompt.h"

enum rc builtin_workorder_photo(struct run *run)
{
    struct server server = {0};
    struct wire_reply reply = {0};
    struct ask ask = {.method = HTTP_POST, .type = "application/octet-stream"};
    if (run->args.word_count != 2)
        return err_set(run->err, RC_SYNTAX,
                       "say which order and which file: hanse workorder photo ID FILE");
    TRY(prompt_file(run->cli, run->args.words[1], ROUTE_RAW_BYTES_MAX, run->arena, &ask.body,
                    run->err));
    TRY(errand_path(run, run->command->route, &ask.path));
    TRY(server_open(run, &server));
    TRY(server_call(&server, &ask, &reply));
    return errand_show(run, run->command->route, reply.body);
}
