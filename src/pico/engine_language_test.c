/*
 * The programs in tests/krl/engine: rulesets on the root pico of an engine, and what happens, with
 * the expectation beside each step (programs_fixture.h). Beside directives and errors, what leaves
 * the engine is a line:
 *
 *     directive NAME {"option":1}
 *     error TypeError: ...
 *     asked METHOD URL BODY              over HTTP, by http: and webhook:
 *     mailed TO SUBJECT: TEXT
 *
 * Identifiers are chance and shown as "*"; an expectation that ends with "..." is the beginning of
 * a line. Further steps:
 *
 *     // set: name rid/query {"argument":1}     its result stands for $name in later steps
 *     // restart                                the engine ends and begins again
 *
 * Each function of the engine's modules is in one of the programs,
 * and each query and each event of the rulesets that come with the engine is in a step.
 */
#include "base/json.h"
#include "krl/compile.h"
#include "krl/programs_fixture.h"
#include "pico/activation.h"
#include "pico/bundled.h"
#include "pico/engine_fixture.h"

enum { LINES_MAX = 256 * 1024, MEMBERS_MAX = 128, SET_MAX = 16, ID_UNITS = 25 };

struct stage {
    struct world w;
    struct wire_sim wire;
    struct buf out;
    const char *path;
    int number; /* of the line in the file */
    struct {
        struct str name; /* with the dollar */
        struct str json;
    } set[SET_MAX];
    size_t set_n;
};

/* --- the outside --- */

/* Says what it was asked. */
static enum rc serve(void *arg, const struct wire_request *r, struct arena *arena,
                     struct wire_reply *ret, struct err *err)
{
    struct stage *s = arg;
    struct buf b;
    struct json_writer w;
    buf_fmt(&s->out, "asked %.*s %.*s %.*s\n", STRF(r->method), STRF(r->url), STRF(r->body));
    if (str_has(r->url, STR("nobody")))
        return err_set(err, RC_UNAVAILABLE, "nobody is there");
    buf_init(&b, arena, 64 * 1024);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("method"));
    json_put_str(&w, r->method);
    json_put_key(&w, STR("body"));
    json_put_str(&w, r->body);
    json_put_key(&w, STR("follow"));
    json_put_bool(&w, r->follow);
    for (size_t i = 0; i < r->header_count; i++) {
        json_put_key(&w, r->headers[i].name);
        json_put_str(&w, r->headers[i].value);
    }
    json_end_object(&w);
    ret->status = str_has(r->url, STR("missing")) ? 404 : 200;
    ret->header_count = 1;
    ret->headers = NEW_N(arena, struct pair, 1);
    ret->headers[0] = (struct pair){STR("content-type"), STR("application/json")};
    ret->body = buf_str(&b);
    return RC_OK;
}

static enum rc take_mail(void *arg, const struct wire_mail *mail, struct err *err)
{
    struct stage *s = arg;
    (void)err;
    buf_fmt(&s->out, "mailed %.*s %.*s: %.*s\n", STRF(mail->to), STRF(mail->subject),
            STRF(mail->text));
    return RC_OK;
}

static void stage_open(struct stage *s)
{
    *s = (struct stage){.number = 0};
    world_start(&s->w);
    wire_sim_init(&s->wire, &s->w.sim);
    s->wire.fn = serve;
    s->wire.mail_fn = take_mail;
    s->wire.arg = s;
    s->w.o.wire = &s->wire.wire;
    s->w.o.mail = (struct pico_mail_options){.url = STR("smtp://mail.test:25"),
                                             .from = STR("Picos <no-reply@picos.test>")};
    world_restart(&s->w);
    buf_init(&s->out, &s->w.arena, LINES_MAX);
}

/* --- the steps --- */

static void install(struct stage *s, struct str url, struct str source)
{
    struct str reply;
    enum rc rc = pico_flush(s->w.e, url, source, &s->w.arena, &reply, &s->w.f.err);
    ck_assert_msg(rc == RC_OK, "%s: %s", s->path, s->w.f.err.text);
    struct pico_request r = world_ask(
        &s->w, (struct pico_request){
                   .ask = PICO_INSTALL, .eci = pico_root(s->w.e), .name = url, .inside = true});
    ck_assert_msg(r.rc == RC_OK, "%s: %.*s", s->path, STRF(world_text(&s->w, &r)));
}

/* What comes with the engine, as at its start; then what the file has. */
static void install_all(struct stage *s, struct str text)
{
    for (size_t i = 0; i < pico_bundled_n; i++)
        install(s, pico_bundled[i].url, pico_bundled[i].source);
    (void)world_event(&s->w, pico_root(s->w.e), "engine_ui", "setup", "");
    (void)world_event(&s->w, pico_root(s->w.e), "engine", "started", "");
    while (text.n > 0) {
        struct str source = programs_cut(&text);
        struct str rest = str_sub(source, strlen("ruleset "), source.n);
        struct str rid = str_trim(str_cut(&rest, '{'));
        install(s, arena_fmt(&s->w.arena, "hanse:///files/%.*s.krl", STRF(rid)), source);
    }
}

static void put_directives(struct stage *s, struct str answer)
{
    const struct json *root = NULL;
    struct err err = {0};
    struct json_writer w;
    ck_assert_int_eq(json_parse(answer, &s->w.arena, &root, &err), RC_OK);
    const struct json *all = json_get(root, STR("directives"));
    for (const struct json *d = json_first(all); d != NULL; d = json_next(all, d)) {
        buf_fmt(&s->out, "directive %.*s ", STRF(json_text(json_get(d, STR("name")))));
        json_writer_init(&w, &s->out);
        json_put_node(&w, json_get(d, STR("options")));
        buf_add_char(&s->out, '\n');
    }
}

static bool is_id_unit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* With a star for each identifier. */
static struct str masked(struct arena *arena, struct str s)
{
    struct buf b;
    buf_init(&b, arena, s.n + 64);
    for (size_t i = 0; i < s.n;) {
        size_t n = 0;
        while (i + n < s.n && is_id_unit(s.p[i + n]))
            n++;
        buf_add(&b, n == ID_UNITS && s.p[i] == 'c' ? STR("*") : str_sub(s, i, i + max_size(n, 1)));
        i += max_size(n, 1);
    }
    return buf_str(&b);
}

/* With what was set in the place of the names. */
static struct str filled(struct stage *s, struct str step)
{
    struct buf b;
    buf_init(&b, &s->w.arena, LINES_MAX);
    while (step.n > 0) {
        size_t k = 0;
        while (k < s->set_n && !str_starts(step, s->set[k].name))
            k++;
        size_t n = k < s->set_n ? s->set[k].name.n : 1;
        buf_add(&b, k < s->set_n ? s->set[k].json : str_sub(step, 0, 1));
        step = str_sub(step, n, step.n);
    }
    return buf_str(&b);
}

static void play_event(struct stage *s, struct str event)
{
    struct str name = str_cut(&event, ' ');
    struct str domain = str_cut(&name, ':');
    struct arena *arena = &s->w.arena;
    clock_sim_advance(&s->w.sim, US_PER_SECOND);
    struct str said = world_event(&s->w, pico_root(s->w.e), arena_cstr(arena, domain),
                                  arena_cstr(arena, name), arena_cstr(arena, event));
    world_run(&s->w);
    if (str_starts(said, STR("{\"eid\"")))
        put_directives(s, said);
    else
        buf_fmt(&s->out, "error %.*s\n", STRF(said));
}

static struct str ask(struct stage *s, struct str query)
{
    struct str name = str_cut(&query, ' ');
    struct str rid = str_cut(&name, '/');
    struct arena *arena = &s->w.arena;
    return world_query(&s->w, pico_root(s->w.e), arena_cstr(arena, rid), arena_cstr(arena, name),
                       arena_cstr(arena, query));
}

static void play_query(struct stage *s, struct str query)
{
    struct str said = ask(s, query);
    buf_fmt(&s->out, "%.*s\n", STRF(said));
}

static void keep(struct stage *s, struct str query)
{
    struct str name = str_cut(&query, ' ');
    ck_assert_uint_lt(s->set_n, SET_MAX);
    s->set[s->set_n].name = arena_fmt(&s->w.arena, "$%.*s", STRF(name));
    s->set[s->set_n++].json = ask(s, query);
}

/* True: the line is a step, and was played. */
static bool play(struct stage *s, struct str line)
{
    struct str event = programs_said(line, STR("// event:"));
    struct str query = programs_said(line, STR("// query:"));
    struct str wait = programs_said(line, STR("// wait:"));
    struct str set = programs_said(line, STR("// set:"));
    int64_t ms = 0;
    if (event.p != NULL)
        play_event(s, filled(s, event));
    else if (query.p != NULL)
        play_query(s, filled(s, query));
    else if (set.p != NULL)
        keep(s, set);
    else if (wait.p != NULL && str_to_i64(wait, 0, INT32_MAX, &ms))
        world_advance(&s->w, ms * US_PER_MS);
    else if (str_eq(str_trim(line), STR("// restart")))
        world_restart(&s->w);
    else
        return false;
    return true;
}

/* What ends with "..." is the beginning of a longer line. */
static bool is_wanted(struct str got, struct str want)
{
    if (str_ends(want, STR("...")))
        return str_starts(got, str_sub(want, 0, want.n - 3));
    return str_eq(got, want);
}

struct checked {
    int all;
    int failed;
};

static void check_steps(struct stage *s, struct str text, struct checked *c)
{
    struct str out = STR("");
    for (s->number = 1; text.n > 0; s->number++) {
        struct str line = str_cut(&text, '\n');
        struct str want = programs_said(line, STR("// expect:"));
        if (want.p != NULL) {
            struct str got = str_trim(str_cut(&out, '\n'));
            bool same = is_wanted(got, want);
            if (!same)
                (void)fprintf(stderr, "%s:%d:\nwant %.*s\ngot  %.*s\n", s->path, s->number,
                              STRF(want), STRF(got));
            c->failed += !same;
            c->all++;
            continue;
        }
        size_t from = s->out.n;
        if (!play(s, line))
            continue;
        if (out.n > 0)
            (void)fprintf(stderr, "%s:%d: not expected before: %.*s\n", s->path, s->number,
                          STRF(out));
        c->failed += out.n > 0;
        out = masked(&s->w.arena, str_sub(buf_str(&s->out), from, s->out.n));
    }
    ck_assert_msg(out.n == 0, "%s: at the end, not expected: %.*s", s->path, STRF(out));
}

static void check_file(const char *path, struct arena *arena, struct str text, void *user)
{
    struct stage s;
    (void)arena;
    stage_open(&s);
    s.path = path;
    install_all(&s, text);
    check_steps(&s, text, user);
    world_stop(&s.w);
}

START_TEST(programs_do_on_an_engine_what_stands_beside_them)
{
    struct checked c = {.all = 0};
    int files = programs_each("/tests/krl/engine", check_file, &c);
    ck_assert_int_ge(c.all, 8 * files);
    ck_assert_msg(c.failed == 0, "%d of %d differ", c.failed, c.all);
}
END_TEST

/* --- no hole --- */

static bool word_is(const struct lex *lex, size_t i, const char *text)
{
    const struct lex_word *w = &lex->words[i];
    return i < lex->count && str_eq(str_sub(lex->source, w->start, w->end), str_c(text));
}

static void see_file(const char *path, struct arena *arena, struct str text, void *user)
{
    bool *seen = user;
    struct lex lex;
    struct err err = {0};
    (void)path;
    ck_assert_int_eq(krl_lex(text, false, arena, &lex, &err), RC_OK);
    for (size_t i = 0; i < lex.count; i++) {
        size_t number = 0;
        for (size_t k = 0; activation_modules[k] != NULL; k++) {
            const struct module *module = activation_modules[k];
            bool domain = word_is(&lex, i, module->domain) && word_is(&lex, i + 1, ":");
            for (const struct member *m = module->members; m->name != NULL; m++, number++)
                seen[number] = seen[number] || (domain && word_is(&lex, i + 2, m->name));
        }
        ck_assert_uint_le(number, MEMBERS_MAX);
    }
}

START_TEST(every_function_of_the_engine_is_in_a_program)
{
    bool seen[MEMBERS_MAX] = {false};
    size_t number = 0;
    int missing = 0;
    (void)programs_each("/tests/krl/engine", see_file, seen);
    for (size_t k = 0; activation_modules[k] != NULL; k++)
        for (const struct member *m = activation_modules[k]->members; m->name != NULL; m++) {
            if (seen[number++])
                continue;
            (void)fprintf(stderr, "no program of tests/krl/engine has %s:%s\n",
                          activation_modules[k]->domain, m->name);
            missing++;
        }
    ck_assert_int_eq(missing, 0);
}
END_TEST

/* Whether a line of text is a step that asks for what is named. */
static bool has_step(struct str text, struct str what)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        struct str event = programs_said(line, STR("// event:"));
        struct str step = event.p != NULL ? event : programs_said(line, STR("// query:"));
        if (step.p != NULL && str_eq(str_cut(&step, ' '), what))
            return true;
    }
    return false;
}

static void keep_text(const char *path, struct arena *arena, struct str text, void *user)
{
    (void)path;
    (void)arena;
    buf_add(user, text);
    buf_add_char(user, '\n');
}

static int missing_step(struct str all, struct str what)
{
    if (has_step(all, what))
        return 0;
    (void)fprintf(stderr, "no step of tests/krl/engine has %.*s\n", STRF(what));
    return 1;
}

START_TEST(every_query_and_event_of_what_comes_with_the_engine_is_in_a_step)
{
    struct arena arena;
    struct buf all;
    int missing = 0;
    arena_init(&arena, PROGRAMS_MEMORY);
    buf_init(&all, &arena, 4 * LINES_MAX);
    (void)programs_each("/tests/krl/engine", keep_text, &all);
    for (size_t i = 0; i < pico_bundled_n; i++) {
        const struct krl_code *code = NULL;
        struct err err = {0};
        ck_assert_int_eq(krl_compile(pico_bundled[i].source, &arena, &code, &err), RC_OK);
        for (uint32_t k = 0; k < code->shares_n; k++)
            missing += missing_step(buf_str(&all), arena_fmt(&arena, "%.*s/%.*s", STRF(code->rid),
                                                             STRF(code->shares[k].name)));
        for (uint32_t k = 0; k < code->rules_n; k++)
            for (uint32_t j = 0; j < code->rules[k].select.wanted_n; j++) {
                const struct krl_wanted *w = &code->rules[k].select.wanted[j];
                missing += missing_step(
                    buf_str(&all), arena_fmt(&arena, "%.*s:%.*s", STRF(w->domain), STRF(w->type)));
            }
    }
    arena_fini(&arena);
    ck_assert_int_eq(missing, 0);
}
END_TEST

Suite *engine_language_suite(void);
Suite *engine_language_suite(void)
{
    Suite *s = suite_create("engine_language");
    TCase *t = tcase_create("programs");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, programs_do_on_an_engine_what_stands_beside_them);
    tcase_add_test(t, every_function_of_the_engine_is_in_a_program);
    tcase_add_test(t, every_query_and_event_of_what_comes_with_the_engine_is_in_a_step);
    suite_add_tcase(s, t);
    return s;
}
