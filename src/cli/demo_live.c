#include "cli/demo_live.h"

#include "cli/builtin.h"
#include "cli/peek.h"
#include "cli/text.h"

enum { SUFFIX_BYTES = 3, MONTH_TEXT = 7, SCRATCH_BYTES = 64 * 1024 * 1024 };

static const struct demo_case live_case = {
    .name = "live",
    .title = "From an invitation to the payout, with services that really ran",
    .source = "played on this server with its own nodes",
    .note = "the month was closed on a copy of its books",
};

void live_say(struct live *l, struct str text)
{
    struct run *run = l->d->run;
    int64_t ms = (clock_now(run->cli->clock) - l->began) / US_PER_MS;
    fprintf(run->cli->err, "  %4lld.%lld s  %.*s\n", (long long)(ms / 1000),
            (long long)(ms % 1000 / 100), STRF(text_plain(run->arena, text)));
    (void)fflush(run->cli->err); /* looked at again at the end */
}

static void chapter(struct live *l, const char *text)
{
    fprintf(l->d->run->cli->err, "%s\n", text);
}

void live_check(struct live *l, const char *what, bool done, bool good, struct str text)
{
    struct demo *d = l->d;
    ASSERT(d->check_count < DEMO_CHECKS_MAX);
    d->checks[d->check_count++] =
        (struct demo_check){.what = what, .done = done, .good = done && good, .text = text};
    live_say(l, arena_fmt(d->run->arena, "%s %s: %.*s",
                          !done  ? "not looked at:"
                          : good ? "yes:"
                                 : "NO:",
                          what, STRF(text)));
}

/* --- the operator --- */

static enum rc note_operator(struct demo *d, const struct json *party)
{
    struct demo_case *story = NEW(d->run->arena, struct demo_case);
    struct str currency = peek_text(party, "currency");
    struct str country = peek_text(peek(party, "address"), "country");
    *story = live_case;
    story->currency = arena_cstr(d->run->arena, currency);
    story->country = arena_cstr(d->run->arena, country);
    d->currency = currency_find(str_c(story->currency));
    if (d->currency == NULL || country.n == 0)
        return err_set(d->run->err, RC_INVALID,
                       "the operator has no %s yet: see hanse party change",
                       d->currency == NULL ? "currency" : "country");
    d->story = story;
    d->names[0].title = arena_str(d->run->arena, peek_text(party, "name"));
    (void)demo_keep(d, STR("currency"), str_c(story->currency));
    (void)demo_keep(d, STR("country"), str_c(story->country));
    return RC_OK;
}

/* Who asks, where the server keeps its things and what its time is. */
static enum rc note_status(struct live *l, const struct json *status, struct str token)
{
    struct demo *d = l->d;
    const struct json *list = peek_array(status, "memberships");
    const struct json *first = list != NULL ? json_first(list) : NULL;
    struct str now = peek_text(status, "now");
    l->store = arena_str(d->run->arena, peek_text(status, "store"));
    if (l->store.n == 0 || first == NULL)
        return err_set(d->run->err, RC_FORBIDDEN,
                       "log in as an owner of the operator: the story begins with it");
    struct demo_name *op = demo_keep(d, STR("op"), peek_text(first, "party"));
    op->token = token;
    op->busy = true;
    struct str period = str_sub(now, 0, MONTH_TEXT);
    (void)demo_keep(d, STR("period"), period);
    (void)demo_keep(d, STR("payday"),
                    arena_fmt(d->run->arena, "%.*s-01", STRF(demo_month(d, period, 1))));
    return RC_OK;
}

static enum rc find_operator(struct live *l)
{
    struct demo *d = l->d;
    const struct json *answer = NULL;
    struct str token = l->cloud.token;
    if (token.n == 0)
        return err_set(d->run->err, RC_UNAUTHENTICATED,
                       "log in as an owner of the operator first: hanse setup LINK, with the link "
                       "that make run prints, or hanse login");
    TRY(demo_call(d, token, HTTP_GET, STR("/v1/status"), STR(""), &answer));
    TRY(note_status(l, answer, token));
    TRY(demo_ask(d, "op", HTTP_GET,
                 arena_fmt(d->run->arena, "/v1/parties/%.*s", STRF(d->names[0].id)), STR(""),
                 &answer));
    return note_operator(d, answer);
}

/* --- the month --- */

/* A payout goes to an account; the operator's own settings stay as they are. */
static enum rc give_bank(struct demo *d)
{
    const struct json *answer = NULL;
    struct str path = arena_fmt(d->run->arena, "/v1/parties/%.*s", STRF(d->names[0].id));
    TRY(demo_ask(d, "op", HTTP_GET, path, STR(""), &answer));
    if (peek_text(peek(answer, "bank"), "iban").n > 0)
        return RC_OK;
    return demo_change(d, "op", path, STR("{\"bank\":{\"iban\":\"GB29NWBK60161331926819\"}}"));
}

/* As the copy was made, the services had ended: what they used is all that there is. */
static enum rc close_copy(struct live *l)
{
    struct demo *d = l->d;
    const struct json *answer = NULL;
    size_t count = 0;
    const struct demo_step *steps = demo_live_close(&count);
    TRY(demo_call(d, d->names[0].token, HTTP_GET, STR("/v1/status"), STR(""), &answer));
    struct str now = arena_str(d->run->arena, peek_text(answer, "now"));
    enum rc rc = demo_start_copy(d, l->store, now);
    if (rc != RC_OK) {
        live_check(l, "the month is closed", false, false,
                   arena_str(d->run->arena, err_text(d->run->err)));
        err_clear(d->run->err);
        d->server = l->cloud;
        return demo_stop(d);
    }
    TRY(give_bank(d));
    TRY(demo_steps(d, steps, count));
    TRY(demo_collect(d));
    TRY(live_collect(l));
    l->closed = true;
    live_balance(l);
    TRY(demo_stop(d));
    return demo_prove(d);
}

static bool ran_any(const struct live *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->services[i].ran)
            return true;
    return false;
}

static enum rc play_all(struct live *l)
{
    struct demo *d = l->d;
    size_t count = 0;
    const struct demo_step *steps = demo_live_begin(&count);
    TRY(find_operator(l));
    TRY(demo_steps(d, steps, count));
    chapter(l, "what the machines can run, and what is made of it");
    TRY(live_find_nodes(l));
    TRY(live_prepare(l));
    for (size_t i = 0; i < l->count; i++)
        if (l->services[i].lacks.n > 0)
            live_say(l, arena_fmt(d->run->arena, "without %s: %.*s", l->services[i].part->title,
                                  STRF(l->services[i].lacks)));
    live_look_before(l);
    chapter(l, "the client orders, and it comes up");
    TRY(live_order(l));
    TRY(live_watch(l));
    TRY(live_reach(l));
    TRY(live_use(l));
    chapter(l, "all is cancelled, and the machine is looked at");
    TRY(live_cancel(l));
    live_look_after(l);
    if (!ran_any(l))
        return RC_OK;
    chapter(l, "the month is closed, on a copy of the books whose clock goes to its end");
    return close_copy(l);
}

static void start_live(struct live *l, struct run *run)
{
    size_t count = 0;
    const struct live_part *parts = live_parts(&count);
    struct str home = cli_env(run->cli, "HANSE_NODE_HOME");
    struct str bridge = cli_env(run->cli, "HANSE_NODE_BRIDGE");
    struct str folder = args_get(&run->args, "profiles");
    unsigned char bytes[SUFFIX_BYTES];
    clock_chance(run->cli->clock, bytes, sizeof bytes);
    l->began = clock_now(run->cli->clock);
    l->d->suffix = arena_fmt(run->arena, "%02x%02x%02x", bytes[0], bytes[1], bytes[2]);
    l->node_home = home.n > 0 ? home : STR("/var/lib/hanse-node");
    l->bridge = bridge.n > 0 ? bridge : STR("hanse0");
    l->profiles = folder.n > 0 ? folder : STR("profiles");
    l->machine = args_get(&run->args, "machine");
    for (size_t i = 0; i < count; i++)
        l->services[l->count++].part = &parts[i];
    (void)demo_keep(l->d, STR("op"), STR("")); /* the first, so that it moves the clock */
    (void)demo_keep(l->d, STR("x"), l->d->suffix);
}

static enum rc read_seconds(struct live *l, struct run *run)
{
    struct str text = args_get(&run->args, "seconds");
    l->seconds = LIVE_SECONDS_DEFAULT;
    if (text.n > 0 && !str_to_i64(text, 1, LIVE_SECONDS_MAX, &l->seconds))
        return err_set(run->err, RC_SYNTAX, "--seconds wants 1 to %d", LIVE_SECONDS_MAX);
    return RC_OK;
}

/* Whatever happened: what was ordered ends. What went wrong before stays the error. */
static void clear_away(struct live *l)
{
    struct run *run = l->d->run;
    struct err before = *run->err;
    l->d->ending = true;
    l->d->server = l->cloud;
    if (live_cancel(l) != RC_OK)
        live_say(l, arena_fmt(run->arena, "NOT ALL IS CANCELLED: %.*s", STRF(err_text(run->err))));
    *run->err = before;
}

static enum rc run_live(struct live *l)
{
    struct run *run = l->d->run;
    enum rc rc = play_all(l);
    if (rc != RC_OK) {
        clear_away(l);
        return rc;
    }
    live_show(l);
    for (size_t i = 0; i < l->d->check_count; i++)
        if (l->d->checks[i].done && !l->d->checks[i].good)
            return err_set(run->err, RC_INTERNAL, "%s: %.*s", l->d->checks[i].what,
                           STRF(l->d->checks[i].text));
    return RC_OK;
}

enum rc builtin_demo_live(struct run *run)
{
    struct live *l = NEW(run->arena, struct live);
    l->d = NEW(run->arena, struct demo);
    demo_init(l->d, run);
    TRY(read_seconds(l, run));
    TRY(server_open(run, &l->cloud));
    l->d->server = l->cloud;
    TRY(demo_open(l->d));
    arena_init(&l->scratch, SCRATCH_BYTES);
    start_live(l, run);
    enum rc rc = run_live(l);
    arena_fini(&l->scratch);
    demo_close(l->d);
    return rc;
}
