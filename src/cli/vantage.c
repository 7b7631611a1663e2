/*
 * vantage.c - a service, or a site, as other sites see it: how it is now, a table by day and city,
 * and for each city a curve of what was good and of how long it took.
 */
#include "cli/builtin.h"
#include "cli/chart.h"
#include "cli/errand.h"
#include "cli/peek.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/text.h"

enum {
    DAYS_SHOWN_MAX = 1000,
    CITIES_SHOWN_MAX = 16,
    BAR_WIDTH = 20,
    CHART_BYTES_MAX = 64 * 1024,
    CHART_HEIGHT = 4,
    MILLI = 1000
};

static struct str plain(struct run *run, const struct json *object, const char *key)
{
    return text_plain(run->arena, peek_text(object, key));
}

/* 1234567 as "1234.6 ms"; nothing where it is not known. */
static struct str milliseconds(struct run *run, int64_t us)
{
    return us > 0 ? arena_fmt(run->arena, "%lld.%lld ms", (long long)(us / MILLI),
                              (long long)(us % MILLI / (MILLI / 10)))
                  : STR("");
}

static void print_table(struct run *run, struct table *t)
{
    (void)table_fit(t, 0); /* as wide as it is */
    table_print(t, run->arena, run->cli->out, show_colours(run->cli));
}

/* --- a service now --- */

static void show_now(struct run *run, const struct json *answer)
{
    FILE *out = run->cli->out;
    struct str state = plain(run, answer, "state"), text = plain(run, answer, "text");
    if (!peek_true(answer, "watched")) {
        fprintf(out, "nobody looks at it: hanse service watch\n");
        return;
    }
    fprintf(out, "%s",
            str_eq(state, STR("kept"))      ? "up"
            : str_eq(state, STR("failing")) ? "down"
                                            : "not known");
    if (peek_number(answer, "every_s") > 0)
        fprintf(out, ", looked at by %.*s at its port %.*s from %lld places each %lld s",
                STRF(plain(run, answer, "kind")), STRF(plain(run, answer, "port")),
                (long long)peek_number(answer, "places"),
                (long long)peek_number(answer, "every_s"));
    fprintf(out, "\n");
    if (text.n > 0)
        fprintf(out, "%.*s\n", STRF(text));
}

static void show_places(struct run *run, const struct json *places)
{
    struct table t = {.columns = {{.head = STR("from")},
                                  {.head = STR("holds it")},
                                  {.head = STR("took"), .right = true},
                                  {.head = STR("looked")},
                                  {.head = STR("why")}},
                      .column_count = 5};
    if (places == NULL || places->n == 0)
        return;
    t.cells = NEW_N(run->arena, struct str, places->n * t.column_count);
    for (const struct json *p = json_first(places); p != NULL; p = json_next(places, p)) {
        struct str *cells = &t.cells[t.row_count++ * t.column_count];
        cells[0] = arena_fmt(run->arena, "%.*s %.*s", STRF(plain(run, p, "country")),
                             STRF(plain(run, p, "city")));
        cells[1] = peek_true(p, "late") ? STR("not heard") : plain(run, p, "seen");
        cells[2] = milliseconds(run, peek_number(p, "total_us"));
        cells[3] = show_time(run->arena, peek_text(p, "looked"));
        cells[4] = plain(run, p, "text");
    }
    fprintf(run->cli->out, "\n");
    print_table(run, &t);
}

/* --- days --- */

static void show_days(struct run *run, const struct json *const *days, size_t count, bool site)
{
    struct table t = {
        .columns = {{.head = STR("day")},
                    {.head = STR("from")},
                    {.head = STR("looks"), .right = true},
                    {.head = STR("good"), .right = true},
                    {.head = STR("")},
                    {.head = site ? STR("services") : STR("half within"), .right = true},
                    {.head = STR("95 of 100"), .right = true}},
        .column_count = 7};
    t.cells = NEW_N(run->arena, struct str, count * t.column_count);
    for (size_t i = 0; i < count; i++) {
        struct buf bar;
        int64_t probes = max_i64(peek_number(days[i], "probes"), 0);
        int64_t good = max_i64(probes - max_i64(peek_number(days[i], "failures"), 0), 0);
        buf_init(&bar, run->arena, CHART_BYTES_MAX);
        chart_bar(&bar, good, max_i64(probes, 1), BAR_WIDTH);
        struct str *cells = &t.cells[t.row_count++ * t.column_count];
        cells[0] = plain(run, days[i], "day");
        cells[1] = arena_fmt(run->arena, "%.*s %.*s", STRF(plain(run, days[i], "country")),
                             STRF(plain(run, days[i], "city")));
        cells[2] = arena_fmt(run->arena, "%lld", (long long)probes);
        cells[3] = arena_fmt(run->arena, "%.*s %%", STRF(plain(run, days[i], "percent")));
        cells[4] = buf_str(&bar);
        cells[5] = site ? arena_fmt(run->arena, "%lld", (long long)peek_number(days[i], "services"))
                        : milliseconds(run, peek_number(days[i], "p50_us"));
        cells[6] = milliseconds(run, peek_number(days[i], "p95_us"));
    }
    fprintf(run->cli->out, "\n");
    print_table(run, &t);
}

static bool same_city(const struct json *a, const struct json *b)
{
    return str_eq(peek_text(a, "country"), peek_text(b, "country")) &&
           str_eq(peek_text(a, "city"), peek_text(b, "city"));
}

/* How long looks took from one city, the oldest day first. */
static void show_curve(struct run *run, const struct json *const *days, size_t count, size_t of)
{
    struct buf b;
    int64_t *values = NEW_N(run->arena, int64_t, count), most = 0;
    size_t n = 0;
    for (size_t i = count; i-- > 0;)
        if (same_city(days[i], days[of]) && peek_number(days[i], "p95_us") > 0) {
            values[n++] = peek_number(days[i], "p95_us");
            most = max_i64(most, values[n - 1]);
        }
    if (n < 2) /* a point is no curve */
        return;
    const struct chart chart = {.values = values,
                                .count = n,
                                .height = CHART_HEIGHT,
                                .width = CHART_WIDTH_MAX / 4,
                                .tick = n,
                                .top = milliseconds(run, most)};
    buf_init(&b, run->arena, CHART_BYTES_MAX);
    chart_curve(&b, &chart);
    fprintf(run->cli->out, "\n%.*s %.*s, 95 of 100 looks by day:\n%.*s",
            STRF(plain(run, days[of], "country")), STRF(plain(run, days[of], "city")),
            STRF(buf_str(&b)));
}

static void show_curves(struct run *run, const struct json *const *days, size_t count)
{
    size_t shown = 0;
    for (size_t i = 0; i < count && shown < CITIES_SHOWN_MAX; i++) {
        size_t first = 0;
        while (!same_city(days[first], days[i]))
            first++;
        if (first != i)
            continue;
        show_curve(run, days, count, i);
        shown++;
    }
}

static void show_all(struct run *run, const struct json *answer, bool site)
{
    const struct json *list = peek_array(answer, "seen_daily");
    const struct json **days = NEW_N(run->arena, const struct json *, DAYS_SHOWN_MAX);
    size_t count = 0;
    if (!site) {
        show_now(run, answer);
        show_places(run, peek_array(answer, "seen_from"));
    }
    for (const struct json *d = list != NULL ? json_first(list) : NULL;
         d != NULL && count < DAYS_SHOWN_MAX; d = json_next(list, d))
        days[count++] = d;
    if (count == 0) {
        fprintf(run->cli->out, "no looks in these days\n");
        return;
    }
    show_days(run, days, count, site);
    show_curves(run, days, count);
}

enum rc builtin_vantage(struct run *run)
{
    struct server s = {0};
    struct wire_reply reply = {0};
    struct ask ask = {.method = HTTP_GET};
    const struct json *answer = NULL;
    TRY(errand_path(run, run->command->route, &ask.path));
    TRY(errand_open(run, run->command->route, &s));
    TRY(server_call(&s, &ask, &reply));
    if (args_has(&run->args, "json") || args_has(&run->args, "wide"))
        return errand_show(run, run->command->route, reply.body);
    TRY(json_parse(reply.body, run->arena, &answer, run->err));
    show_all(run, answer, run->command->route == &routes[ROUTE_vantage_site]);
    return RC_OK;
}
