#include "cli/problem.h"

#include "cli/peek.h"
#include "cli/text.h"

enum { MORE_MAX = 16 * 1024 };

/* A member's text, safe to print; empty where there is none. */
static struct str text_of(struct arena *arena, const struct json *object, const char *key)
{
    return text_plain(arena, peek_text(object, key));
}

/* A field of the body, mostly as the fragment of an address ("#/bank/iban"), or the name of a
 * parameter. */
static struct str pointer_of(struct arena *arena, const struct json *error)
{
    struct str pointer = text_of(arena, error, "pointer");
    if (pointer.n == 0)
        pointer = text_of(arena, error, "parameter");
    return str_starts(pointer, STR("#")) ? str_sub(pointer, 1, pointer.n) : pointer;
}

static void add_errors(struct run *run, const struct json *errors, struct buf *more)
{
    const struct json *first = json_first(errors);
    if (first == NULL)
        return;
    if (errors->n == 1) {
        err_at(run->err, pointer_of(run->arena, first));
        return;
    }
    size_t shown = 0;
    for (const struct json *e = first; e != NULL && shown < PROBLEM_ERRORS_MAX; shown++) {
        struct str detail = text_of(run->arena, e, "detail");
        struct str pointer = pointer_of(run->arena, e);
        buf_fmt(more, "  %.*s: %.*s\n", STRF(pointer), STRF(detail));
        e = json_next(errors, e);
    }
}

/* What to do about it, where that is known. */
static void add_advice(struct run *run, enum rc rc, const struct wire_reply *reply,
                       const struct json *problem, bool by_token, struct buf *more)
{
    struct str permission = text_of(run->arena, problem, "missing_permission");
    struct str after = wire_header(reply, "retry-after");
    int64_t seconds = 0;
    if (by_token && rc == RC_UNAUTHENTICATED)
        buf_add(more, STR("  log in with: hanse login\n"));
    if (rc == RC_FORBIDDEN && permission.n > 0)
        buf_fmt(more, "  the permission %.*s is needed; an owner of the party can give it\n",
                STRF(permission));
    if (str_to_i64(after, 0, INT32_MAX, &seconds))
        buf_fmt(more, "  try again in %lld seconds\n", (long long)seconds);
}

enum rc problem_take(struct run *run, const struct wire_reply *reply, bool by_token)
{
    ASSERT(reply->status >= 400);
    enum rc rc = rc_from_http(reply->status);
    const struct json *problem = NULL;
    struct err ignored = {0};
    if (json_parse(reply->body, run->arena, &problem, &ignored) != RC_OK)
        problem = NULL;

    struct str sentence = text_of(run->arena, problem, "detail");
    if (sentence.n == 0)
        sentence = text_of(run->arena, problem, "title");
    if (sentence.n > 0)
        err_write(run->err, rc, "%.*s", STRF(sentence));
    else
        err_write(run->err, rc, "%s (the server answered %d)", rc_title(rc), reply->status);

    struct buf more;
    buf_init(&more, run->arena, MORE_MAX);
    const struct json *errors = peek_array(problem, "errors");
    if (errors != NULL)
        add_errors(run, errors, &more);
    add_advice(run, rc, reply, problem, by_token, &more);
    struct str id = text_of(run->arena, problem, "request_id");
    if (id.n == 0)
        id = text_plain(run->arena, wire_header(reply, "x-request-id"));
    if (id.n > 0)
        buf_fmt(&more, "  request id: %.*s\n", STRF(id));
    run->more = buf_str(&more);
    return rc_failed(rc);
}
