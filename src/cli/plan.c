/*
 * plan.c - the planner on the command line: the plan from a ready one, a file, or flags; computed
 * here, with the library that the server has too, so that it works without one.
 */
#include "cli/body.h"
#include "cli/builtin.h"
#include "cli/plan_show.h"
#include "cli/prompt.h"
#include "cli/show.h"
#include "plan/example.h"

static enum rc find_example(struct run *run, struct str name, struct str *ret)
{
    const struct forecast_example *e = forecast_example_find(name);
    if (e != NULL) {
        *ret = str_c(e->json);
        return RC_OK;
    }
    struct buf names;
    buf_init(&names, run->arena, 1000);
    for (size_t i = 0; i < forecast_example_count; i++)
        buf_fmt(&names, "%s%s", i == 0 ? "" : ", ", forecast_examples[i].name);
    return err_set(run->err, RC_NOT_FOUND, "there is no ready plan '%.*s'; there are %.*s",
                   STRF(name), STRF(buf_str(&names)));
}

/* Members of one object that the other has not, then those of the other; objects in both are
 * merged the same way, once. */
static void merge(struct json_writer *w, const struct json *base, const struct json *over,
                  bool deep)
{
    json_begin_object(w);
    for (const struct json *c = json_first(base); c != NULL; c = json_next(base, c)) {
        const struct json *other = json_get(over, json_key(c));
        if (other != NULL && !(json_type(other) == JSON_OBJECT && json_type(c) == JSON_OBJECT))
            continue;
        json_put_key(w, json_key(c));
        if (other == NULL || !deep)
            json_put_node(w, other != NULL ? other : c);
        else
            merge(w, c, other, false);
    }
    for (const struct json *c = json_first(over); c != NULL; c = json_next(over, c)) {
        const struct json *other = json_get(base, json_key(c));
        if (other != NULL && json_type(other) == JSON_OBJECT && json_type(c) == JSON_OBJECT)
            continue;
        json_put_key(w, json_key(c));
        json_put_node(w, c);
    }
    json_end_object(w);
}

/* The base without what was declared of it: with other figures those reasons hold no more. */
static struct str without_declared(const struct json *base, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, FORECAST_TEXT_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    for (const struct json *c = json_first(base); c != NULL; c = json_next(base, c)) {
        if (str_eq(json_key(c), STR("declared")))
            continue;
        json_put_key(&w, json_key(c));
        json_put_node(&w, c);
    }
    json_end_object(&w);
    ASSERT(!b.full); /* the base was as large, and is written without spaces */
    return buf_str(&b);
}

static enum rc change_plan(struct run *run, const struct assigns *flags, struct str *text)
{
    const struct json *base = NULL;
    const struct json *over = NULL;
    struct str changes = STR("");
    TRY(json_parse(*text, run->arena, &base, run->err));
    if (json_type(base) != JSON_OBJECT)
        return err_set(run->err, RC_SYNTAX, "a plan is a JSON object");
    TRY(json_parse(without_declared(base, run->arena), run->arena, &base, run->err));
    TRY(body_write(&forecast_schema, flags, run->arena, &changes, run->err));
    TRY(json_parse(changes, run->arena, &over, run->err));
    struct buf b;
    buf_init(&b, run->arena, (size_t)2 * BODY_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    merge(&w, base, over, true);
    ASSERT(!b.full);
    *text = buf_str(&b);
    return RC_OK;
}

/* The JSON of the plan: of a ready one or a file, changed by the flags, or of the flags alone. */
static enum rc read_plan(struct run *run, struct str *ret)
{
    bool file = args_has(&run->args, "file");
    if (file && run->args.word_count > 0)
        return err_set(run->err, RC_SYNTAX, "choose one of a ready plan and --file");
    struct assigns flags = {0};
    TRY(body_collect(run, 0, &flags));
    if (file)
        TRY(prompt_file(run->cli, args_get(&run->args, "file"), FORECAST_TEXT_MAX, run->arena, ret,
                        run->err));
    else if (run->args.word_count > 0)
        TRY(find_example(run, run->args.words[0], ret));
    else if (flags.count == 0)
        return err_set(run->err, RC_SYNTAX,
                       "name a ready plan such as rapid-space or coworking-10, a --file, or at "
                       "least --currency and --price");
    else
        return body_write(&forecast_schema, &flags, run->arena, ret, run->err);
    return flags.count > 0 ? change_plan(run, &flags, ret) : RC_OK;
}

static void print_json(struct run *run, const struct forecast_answer *answer)
{
    struct buf b;
    buf_init(&b, run->arena, (size_t)8 * 1024 * 1024);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_encode(&forecast_answer_schema, answer, &w);
    ASSERT(!b.full); /* 120 months of 13 amounts */
    show_str(run->cli->out, buf_str(&b));
    show_str(run->cli->out, STR("\n"));
}

enum rc builtin_plan(struct run *run)
{
    struct str text = STR("");
    struct forecast plan;
    struct forecast_answer answer;
    TRY(read_plan(run, &text));
    TRY(forecast_parse(text, run->arena, &plan, run->err));
    TRY(forecast_compute(&plan, run->arena, &answer, run->err));
    if (args_has(&run->args, "print")) {
        text = str_trim(text);
        show_str(run->cli->out, text);
        show_str(run->cli->out, STR("\n"));
        return RC_OK;
    }
    if (args_has(&run->args, "json"))
        print_json(run, &answer);
    else
        plan_show(run, &answer);
    return RC_OK;
}
