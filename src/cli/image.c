/*
 * image.c - send an image in pieces, go on where it was cut off, and register it.
 *
 * Its hash is its name on the way: the server keeps what it was sent under it, and takes the whole
 * only where the hash is right.
 */
#include "cli/image.h"

#include "cli/body.h"
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/peek.h"
#include "cli/text.h"

#include <sodium.h>

enum {
    PIECE_BYTES = 4 * 1024 * 1024,
    CALL_ARENA_BYTES = 32 * 1024 * 1024,
    HEX_BYTES = 2 * crypto_hash_sha256_BYTES + 1,
    PERCENT = 100,
};

struct upload {
    struct server server;
    const struct image_send *what;
    struct arena call; /* emptied after each call */
    FILE *file;
    char *piece;
    char hash[HEX_BYTES];
    int64_t bytes;
    bool live;
};

static enum rc cannot_read(const struct upload *u)
{
    struct run *run = u->server.run;
    return err_set(run->err, RC_INVALID, "the file '%.*s' cannot be read",
                   STRF(text_plain(run->arena, u->what->file)));
}

static enum rc hash_file(struct upload *u)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    size_t n;
    crypto_hash_sha256_init(&state);
    while ((n = fread(u->piece, 1, PIECE_BYTES, u->file)) > 0) {
        crypto_hash_sha256_update(&state, (const unsigned char *)u->piece, n);
        u->bytes += (int64_t)n;
    }
    if (ferror(u->file) != 0 || u->bytes == 0)
        return cannot_read(u);
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(u->hash, sizeof u->hash, hash, sizeof hash);
    return RC_OK;
}

static void tell_progress(const struct upload *u, int64_t there)
{
    FILE *to = u->server.run->cli->err;
    if (!u->live)
        return;
    fprintf(to, "\r\033[K%3lld %% of %lld MB sent", (long long)(there * PERCENT / u->bytes),
            (long long)(u->bytes / 1000000));
    (void)fflush(to); /* looked at again at the end */
}

/* Send what belongs there (nothing: only ask); *ret: how much the server has. */
static enum rc send_piece(struct upload *u, int64_t at, struct str piece, int64_t *ret)
{
    struct run *run = u->server.run;
    struct arena *kept = run->arena;
    const struct json *answer = NULL;
    struct ask ask = {.method = HTTP_POST,
                      .path = arena_fmt(&u->call, "/v1/parties/%.*s/image-pieces/%s?at=%lld",
                                        STRF(u->what->party), u->hash, (long long)at),
                      .body = piece,
                      .type = routes[ROUTE_image_piece].takes[0]};
    run->arena = &u->call;
    enum rc rc = server_json(&u->server, &ask, &answer);
    run->arena = kept;
    const struct json *bytes = rc == RC_OK ? peek(answer, "bytes") : NULL;
    if (rc == RC_OK && (bytes == NULL || !json_i64(bytes, ret)))
        rc = err_set(run->err, RC_REMOTE, "the server does not say how much it has");
    arena_reset(&u->call);
    return rc;
}

static enum rc send_all(struct upload *u)
{
    struct run *run = u->server.run;
    int64_t there = 0;
    TRY(send_piece(u, 0, STR(""), &there));
    while (there < u->bytes) {
        int64_t before = there;
        tell_progress(u, there);
        if (fseeko(u->file, there, SEEK_SET) != 0)
            return cannot_read(u);
        size_t n = fread(u->piece, 1, PIECE_BYTES, u->file);
        if (n == 0)
            return cannot_read(u); /* it became shorter meanwhile */
        TRY(send_piece(u, there, str_n(u->piece, n), &there));
        if (there <= before)
            return err_set(run->err, RC_REMOTE, "the server takes nothing of the image");
    }
    tell_progress(u, there);
    if (u->live)
        fprintf(run->cli->err, "\n");
    return RC_OK;
}

static enum rc register_it(struct upload *u, struct str *ret)
{
    struct run *run = u->server.run;
    const struct route *r = &routes[ROUTE_image_create];
    struct buf b;
    struct json_writer w;
    struct ask ask = {.method = HTTP_POST,
                      .path =
                          arena_fmt(run->arena, "/v1/parties/%.*s/images", STRF(u->what->party))};
    struct wire_reply reply = {0};
    buf_init(&b, run->arena, BODY_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    body_put(&w, "name", u->what->name);
    body_put(&w, "sha256", str_c(u->hash));
    body_put(&w, "format", u->what->format);
    json_end_object(&w);
    ask.body = buf_str(&b);
    TRY(body_check(r->body, false, ask.body, run->arena, run->err));
    TRY(server_call(&u->server, &ask, &reply));
    *ret = reply.body;
    return RC_OK;
}

enum rc image_send(const struct server *s, const struct image_send *what, struct str *ret)
{
    struct arena *arena = s->run->arena;
    struct upload u = {.server = *s, .what = what, .live = s->run->cli->err_terminal};
    u.file = fopen(arena_cstr(arena, what->file), "rbe");
    if (u.file == NULL)
        return cannot_read(&u);
    u.piece = arena_bytes(arena, PIECE_BYTES);
    arena_init(&u.call, CALL_ARENA_BYTES);
    enum rc rc = hash_file(&u);
    if (rc == RC_OK)
        rc = send_all(&u);
    if (rc == RC_OK)
        rc = register_it(&u, ret);
    arena_fini(&u.call);
    (void)fclose(u.file); /* only read */
    return rc;
}

enum rc builtin_image_add(struct run *run)
{
    struct server s = {0};
    struct str unused = STR("");
    struct str answer = STR("");
    struct str format = args_get(&run->args, "format");
    if (run->args.word_count != 2 || args_get(&run->args, "name").n == 0)
        return err_set(run->err, RC_SYNTAX,
                       "say whose, which file and its name: hanse image add "
                       "PARTY FILE --name NAME");
    TRY(server_open(run, &s));
    if (s.token.n == 0)
        return err_set(run->err, RC_UNAUTHENTICATED,
                       "you are not logged in to %.*s: hanse login %.*s", STRF(s.url), STRF(s.url));
    TRY(errand_path(run, run->command->route, &unused)); /* the party is an id */
    const struct image_send what = {.party = run->args.words[0],
                                    .file = run->args.words[1],
                                    .name = args_get(&run->args, "name"),
                                    .format = format.n > 0 ? format : STR("squashfs")};
    TRY(image_send(&s, &what, &answer));
    return errand_show(run, run->command->route, answer);
}
