#include "cli/demo.h"

#include "cli/peek.h"

#define CLOSE_PAUSE_US (20 * US_PER_MS)

enum { CLOSE_POLLS_MAX = 15000 }; /* five minutes */

/* --- what is made --- */

static enum rc post_once(struct demo *d, const struct demo_step *s, int64_t n)
{
    const struct json *answer = NULL;
    struct str path = STR("");
    struct str body = STR("");
    struct str name = STR("");
    TRY(demo_text(d, s->what, n, &path));
    TRY(demo_text(d, s->with, n, &body));
    TRY(demo_text(d, s->name, n, &name));
    TRY(demo_ask(d, s->who, HTTP_POST, path, arena_fmt(d->run->arena, "{%.*s}", STRF(body)),
                 &answer));
    if (name.n > 0)
        (void)demo_keep(d, name, peek_text(answer, "id"));
    return RC_OK;
}

/* Each side does its part; where the other side has nobody yet, its sponsor signs for it. */
static enum rc agree_once(struct demo *d, const struct demo_step *s, int64_t n)
{
    struct arena *arena = d->run->arena;
    const struct json *answer = NULL;
    struct str name = STR("");
    struct str to = STR("");
    struct str terms = STR("");
    TRY(demo_text(d, s->name, n, &name));
    TRY(demo_text(d, s->to, n, &to)); /* a name; {n} in it */
    TRY(demo_text(d, s->with, n, &terms));
    const struct demo_name *from = demo_find(d, str_c(s->who));
    const struct demo_name *other = demo_find(d, to);
    ASSERT(from != NULL && other != NULL);
    struct str path = arena_fmt(arena, "/v1/parties/%.*s/agreements", STRF(from->id));
    struct str body = arena_fmt(arena, "{\"kind\":\"%s\",\"to\":\"%.*s\",\"terms\":{%.*s}}",
                                s->what, STRF(other->id), STRF(terms));
    TRY(demo_call(d, from->token, HTTP_POST, path, body, &answer));
    struct str id = demo_keep(d, name, peek_text(answer, "id"))->id;
    path = arena_fmt(arena, "/v1/agreements/%.*s/actions/offer", STRF(id));
    TRY(demo_call(d, from->token, HTTP_POST, path, STR(""), &answer));
    bool there = other->token.n > 0;
    path =
        arena_fmt(arena, "/v1/agreements/%.*s/actions/%s", STRF(id), there ? "sign" : "sign-for");
    return demo_call(d, there ? other->token : from->token, HTTP_POST, path, STR(""), &answer);
}

static enum rc repeat(struct demo *d, const struct demo_step *s,
                      enum rc (*fn)(struct demo *d, const struct demo_step *s, int64_t n))
{
    for (int64_t n = 1; n <= max_i64(1, s->times); n++)
        TRY(fn(d, s, n));
    return RC_OK;
}

/* --- what is found --- */

static enum rc latest(struct demo *d, const struct json *item, void *arg)
{
    struct str *found = arg;
    struct str id = peek_text(item, "id"); /* ids ascend with time */
    if (str_cmp(id, *found) > 0)
        *found = arena_str(d->run->arena, id);
    return RC_OK;
}

static enum rc find(struct demo *d, const struct demo_step *s)
{
    struct str path = STR("");
    struct str id = STR("");
    TRY(demo_text(d, s->what, 0, &path));
    TRY(demo_each(d, demo_find(d, str_c(s->who))->token, path, latest, &id));
    if (id.n == 0)
        return err_set(d->run->err, RC_NOT_FOUND, "'%.*s' is empty", STRF(path));
    (void)demo_keep(d, str_c(s->name), id);
    return RC_OK;
}

/* --- time --- */

static enum rc move_clock(struct demo *d, struct str to)
{
    const struct json *answer = NULL;
    struct str body = arena_fmt(d->run->arena, "{\"now\":\"%.*s\"}", STRF(to));
    return demo_call(d, d->names[0].token, HTTP_POST, STR("/v1/test-clock/actions/move"), body,
                     &answer);
}

struct str demo_month(struct demo *d, struct str s, int64_t more)
{
    int64_t year = 0;
    int64_t month = 0;
    bool good = str_to_i64(str_sub(s, 0, 4), 1, 9000, &year) && str_has(s, STR("-")) &&
                s.n == STR("2026-01").n;
    /* the second digit alone where the first is 0 */
    size_t at = good && s.p[5] == '0' ? 6 : 5;
    good = good && str_to_i64(str_sub(s, at, 7), 1, 12, &month);
    ASSERT(good);
    int64_t all = year * 12 + month - 1 + more;
    return arena_fmt(d->run->arena, "%04lld-%02lld", (long long)(all / 12),
                     (long long)(all % 12 + 1));
}

/* Noon of the day behind the month: it has ended in every time zone. */
static struct str behind(struct demo *d, struct str period)
{
    return arena_fmt(d->run->arena, "%.*s-01T12:00:00Z", STRF(demo_month(d, period, 1)));
}

static enum rc first_exception(struct demo *d, const struct json *item, void *arg)
{
    (void)arg;
    return err_set(d->run->err, RC_CONFLICT, "the close could not do all: %.*s",
                   STRF(peek_text(item, "text")));
}

static enum rc close_month(struct demo *d, const struct demo_step *s, int64_t n)
{
    const struct json *answer = NULL;
    struct arena *arena = d->run->arena;
    struct str period = STR("");
    int64_t exceptions = 0;
    TRY(demo_text(d, s->what, 0, &period));
    period = demo_month(d, period, n - 1);
    TRY(move_clock(d, behind(d, period)));
    TRY(demo_ask(d, s->who, HTTP_POST, STR("/v1/closes"),
                 arena_fmt(arena, "{\"period\":\"%.*s\"}", STRF(period)), &answer));
    struct str path =
        arena_fmt(arena, "/v1/closes/%.*s", STRF(arena_str(arena, peek_text(answer, "id"))));
    for (int i = 0; !str_eq(peek_text(answer, "step"), STR("done")); i++) {
        if (i == CLOSE_POLLS_MAX)
            return err_set(d->run->err, RC_TIMEOUT, "the close of %.*s does not end", STRF(period));
        d->run->cli->pause(d->run->cli, CLOSE_PAUSE_US);
        TRY(demo_ask(d, s->who, HTTP_GET, path, STR(""), &answer));
    }
    const struct json *count = peek(answer, "exceptions");
    if (count != NULL && json_i64(count, &exceptions) && exceptions > 0)
        return demo_each(d, demo_find(d, str_c(s->who))->token,
                         arena_fmt(arena, "%.*s/exceptions", STRF(path)), first_exception, NULL);
    return RC_OK;
}

/* --- money that goes out --- */

static enum rc settle(struct demo *d, const struct demo_step *s)
{
    const struct json *answer = NULL;
    const struct demo_name *party = demo_find(d, str_c(s->who));
    struct str path = arena_fmt(d->run->arena, "/v1/parties/%.*s/settlements", STRF(party->id));
    struct str id = STR("");
    TRY(demo_text(d, s->what, 0, &id));
    return demo_ask(d, s->who, HTTP_POST, path,
                    arena_fmt(d->run->arena, "{\"id\":\"%.*s\"}", STRF(id)), &answer);
}

struct waiting {
    struct str ids[DEMO_PARTIES_MAX];
    size_t count;
};

static enum rc note_waiting(struct demo *d, const struct json *item, void *arg)
{
    struct waiting *w = arg;
    if (!str_eq(peek_text(item, "state"), STR("pending")))
        return RC_OK;
    if (w->count == DEMO_PARTIES_MAX)
        return err_set(d->run->err, RC_TOO_LARGE, "too many payouts");
    w->ids[w->count++] = arena_str(d->run->arena, peek_text(item, "id"));
    return RC_OK;
}

/* One user approves, another releases, the bank confirms. */
static enum rc pay_out(struct demo *d, const struct demo_step *s)
{
    struct waiting *w = NEW(d->run->arena, struct waiting);
    const struct demo_name *party = demo_find(d, str_c(s->who));
    struct str list = arena_fmt(d->run->arena, "/v1/parties/%.*s/payouts", STRF(party->id));
    static const char *const actions[] = {"approve", "release", "confirm"};
    TRY(demo_each(d, party->token, list, note_waiting, w));
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < COUNT(actions); k++) {
            const struct json *answer = NULL;
            struct str path = arena_fmt(d->run->arena, "/v1/payouts/%.*s/actions/%s",
                                        STRF(w->ids[i]), actions[k]);
            TRY(demo_call(d, k == 1 ? party->colleague : party->token, HTTP_POST, path,
                          k == 2 ? STR("{}") : STR(""), &answer));
        }
    return RC_OK;
}

/* --- figures --- */

void demo_forget(struct demo *d)
{
    d->account_count = 0;
}

static enum rc note_account(struct demo *d, const struct json *item, void *arg)
{
    const size_t *party = arg;
    if (d->account_count == DEMO_ACCOUNTS_MAX)
        return err_set(d->run->err, RC_TOO_LARGE, "too many accounts");
    struct arena *arena = d->run->arena;
    d->accounts[d->account_count++] =
        (struct demo_account){.party = *party,
                              .code = arena_str(arena, peek_text(item, "account")),
                              .currency = arena_str(arena, peek_text(item, "currency")),
                              .balance = arena_str(arena, peek_text(item, "balance"))};
    return RC_OK;
}

enum rc demo_books(struct demo *d, size_t party)
{
    for (size_t i = 0; i < d->account_count; i++)
        if (d->accounts[i].party == party)
            return RC_OK;
    struct str path = arena_fmt(d->run->arena, "/v1/parties/%.*s/books", STRF(d->names[party].id));
    return demo_each(d, d->names[party].token, path, note_account, &party);
}

static enum rc balance_of(struct demo *d, struct str party, struct str code, int64_t *ret)
{
    const struct demo_name *known = demo_find(d, party);
    ASSERT(known != NULL);
    size_t index = (size_t)(known - d->names);
    *ret = 0;
    TRY(demo_books(d, index));
    for (size_t i = 0; i < d->account_count; i++) {
        const struct demo_account *a = &d->accounts[i];
        bool whole = str_eq(a->code, code);
        bool begins = str_ends(code, STR("*")) && str_starts(a->code, str_sub(code, 0, code.n - 1));
        int64_t one = 0;
        if (a->party != index || (!whole && !begins) ||
            !str_eq(a->currency, str_c(d->story->currency)))
            continue;
        TRY(amount_parse(a->balance, d->currency, &one, d->run->err));
        TRY(amount_add(*ret, one, ret, d->run->err));
    }
    return RC_OK;
}

/* A field of a document, as one of its sides sees it: "client#bill.gross". */
static enum rc document_of(struct demo *d, struct str party, struct str what, int64_t *ret)
{
    const struct json *answer = NULL;
    struct str name = str_cut(&what, '.');
    const struct demo_name *side = demo_find(d, party);
    const struct demo_name *known = demo_find(d, name);
    ASSERT(side != NULL && known != NULL);
    TRY(demo_call(d, side->token, HTTP_GET,
                  arena_fmt(d->run->arena, "/v1/documents/%.*s", STRF(known->id)), STR(""),
                  &answer));
    struct str text = peek_text(answer, arena_cstr(d->run->arena, what));
    return amount_parse(text, d->currency, ret, d->run->err);
}

/* Terms with a space between: "op/Income:VPS" or "-op/Income:VPS" (debits less credits, all that
 * begin so with a '*' at the end), "op#bill.tax", "-150.00". */
static enum rc sum_of(struct demo *d, const char *what, int64_t *ret)
{
    struct str rest = STR("");
    TRY(demo_text(d, what, 0, &rest));
    *ret = 0;
    while (rest.n > 0) {
        struct str term = str_cut(&rest, ' ');
        bool minus = str_starts(term, STR("-"));
        int64_t one = 0;
        term = str_sub(term, minus ? 1 : 0, term.n);
        struct str code = term;
        struct str party = str_has(term, STR("/")) ? str_cut(&code, '/') : STR("");
        if (party.n == 0 && str_has(term, STR("#"))) {
            party = str_cut(&code, '#');
            TRY(document_of(d, party, code, &one));
        } else if (party.n > 0) {
            TRY(balance_of(d, party, code, &one));
        } else {
            TRY(amount_parse(term, d->currency, &one, d->run->err));
        }
        TRY(minus ? amount_sub(*ret, one, ret, d->run->err)
                  : amount_add(*ret, one, ret, d->run->err));
    }
    return RC_OK;
}

static enum rc take_figure(struct demo *d, const struct demo_step *s)
{
    int64_t one = 0;
    int64_t all = 0;
    TRY(sum_of(d, s->what, &one));
    if (__builtin_mul_overflow(one, max_i64(1, s->times), &all))
        return err_set(d->run->err, RC_INVALID, "the figure '%s' does not fit", s->name);
    ASSERT(d->figure_count < DEMO_FIGURES_MAX);
    d->figures[d->figure_count++] = (struct demo_figure){.step = s, .amount = all};
    (void)demo_keep(d, arena_fmt(d->run->arena, "sum-%s", s->name),
                    amount_str(all, d->currency, d->run->arena));
    return RC_OK;
}

/* --- steps --- */

enum rc demo_play(struct demo *d, const struct demo_step *s)
{
    if (s->act != DEMO_FIGURE)
        demo_forget(d);
    switch (s->act) {
    case DEMO_CHAPTER:
        fprintf(d->run->cli->err, "%s\n", s->text);
        return RC_OK;
    case DEMO_OPERATOR: /* before all others: demo.c */
        return RC_OK;
    case DEMO_PARTY:
        return demo_party(d, s);
    case DEMO_COLLEAGUE:
        return demo_colleague(d, s);
    case DEMO_POST:
        return repeat(d, s, post_once);
    case DEMO_AGREE:
        return repeat(d, s, agree_once);
    case DEMO_FIND:
        return find(d, s);
    case DEMO_MOVE:
        return move_clock(d, str_c(s->what));
    case DEMO_CLOSE:
        return repeat(d, s, close_month);
    case DEMO_SETTLE:
        return settle(d, s);
    case DEMO_PAYOUTS:
        return pay_out(d, s);
    case DEMO_FIGURE:
        return take_figure(d, s);
    }
    NEVER("no such step");
}

enum rc demo_steps(struct demo *d, const struct demo_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum rc rc = demo_play(d, &steps[i]);
        if (rc != RC_OK) {
            err_add(d->run->err, "step %zu (%s)", i + 1,
                    steps[i].name != NULL ? steps[i].name : "");
            return rc;
        }
    }
    return RC_OK;
}

struct str demo_code(struct demo *d, struct str code, bool titles)
{
    for (size_t i = 0; i < d->name_count; i++) {
        const struct demo_name *n = &d->names[i];
        size_t at = code.n - min_size(code.n, n->id.n);
        if (at > 0 && n->id.n > 0 && str_eq(str_sub(code, at, code.n), n->id) &&
            code.p[at - 1] == ':')
            return arena_fmt(d->run->arena, "%.*s%.*s", STRF(str_sub(code, 0, at)),
                             STRF(titles && n->title.n > 0 ? n->title : n->name));
    }
    return code;
}
