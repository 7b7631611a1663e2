/* The programs in tests/krl: what KRL is, with the expectation beside each line
 * (programs_fixture.h). */
#include "krl/compile.h"
#include "krl/format.h"
#include "krl/programs_fixture.h"
#include "krl/sim.h"

/* --- expressions --- */

/* What the compiler says of a ruleset: its warnings, or "compiled" where it has none. */
static struct str warnings_of(struct arena *arena, const struct krl_code *code)
{
    struct buf b;
    buf_init(&b, arena, 4096);
    for (uint32_t i = 0; i < code->warnings_n; i++) {
        const struct krl_warning *w = &code->warnings[i];
        buf_fmt(&b, "%swarning %.*s [at line %u col %u]", i > 0 ? ", " : "", STRF(w->text),
                w->place.line, w->place.column);
    }
    return code->warnings_n == 0 ? STR("compiled") : buf_str(&b);
}

/* The value of a program as JSON, or its error without the place. */
static struct str value_of(struct arena *arena, struct str program)
{
    struct arena kept;
    struct buf out;
    struct err err = {0};
    struct krl_sim sim;
    const struct krl_code *code = NULL;
    struct krl_place where;
    arena_init(&kept, PROGRAMS_MEMORY);
    buf_init(&out, &kept, KRL_SIM_OUT_MAX);
    krl_sim_init(&sim, &kept, &out);
    enum rc rc = krl_compile(program, arena, &code, &err);
    if (rc == RC_OK)
        rc = krl_sim_evaluate(&sim, code, &where, &err);
    struct str got = str_trim(buf_str(&out));
    while (str_find(got, '\n', 0) < got.n)
        (void)str_cut(&got, '\n'); /* what was logged stands in front */
    if (rc != RC_OK)
        got = str_trim(programs_before(err_text(&err), STR(" [at line")));
    got = arena_str(arena, got);
    arena_fini(&kept);
    return got;
}

static struct str compiler_says(struct arena *arena, struct str program)
{
    struct err err = {0};
    const struct krl_code *code = NULL;
    return krl_compile(program, arena, &code, &err) == RC_OK ? warnings_of(arena, code)
                                                             : arena_str(arena, err_text(&err));
}

/* False, with what differs on standard error. */
static bool check_line(const char *path, int number, struct str prelude, struct str line)
{
    struct arena arena;
    arena_init(&arena, PROGRAMS_MEMORY);
    struct str want = programs_behind(line, STR("//="));
    struct str program = programs_of_line(&arena, prelude, line);
    bool alone = str_starts(program, STR("ruleset "));
    struct str got = alone ? compiler_says(&arena, program) : value_of(&arena, program);
    bool same = str_eq(got, want);
    if (!same)
        (void)fprintf(stderr, "%s:%d: %.*s\nwant %.*s\ngot  %.*s\n", path, number,
                      STRF(str_trim(line)), STRF(want), STRF(got));
    arena_fini(&arena);
    return same;
}

struct checked {
    int all;
    int failed;
};

static void check_expressions(const char *path, struct arena *arena, struct str text,
                              struct checked *c)
{
    struct str prelude = programs_prelude(arena, text);
    for (int number = 1; text.n > 0; number++) {
        struct str line = str_cut(&text, '\n');
        if (programs_behind(line, STR("//=")).p == NULL)
            continue;
        c->failed += !check_line(path, number, prelude, line);
        c->all++;
    }
}

/* --- rulesets --- */

static void play_event(struct krl_sim *sim, struct str event, struct err *err)
{
    struct str name = str_cut(&event, ' ');
    struct str domain = str_cut(&name, ':');
    sim->out->n = 0;
    sim->now += 1000;
    enum rc rc = krl_sim_event(sim, domain, name, event, err);
    (void)rc; /* an error is a line of what happened */
}

static void play_query(struct krl_sim *sim, struct str query, struct err *err)
{
    struct str name = str_cut(&query, ' ');
    struct str rid = str_find(name, '/', 0) < name.n ? str_cut(&name, '/') : STR("");
    sim->out->n = 0;
    enum rc rc = krl_sim_query(sim, rid, name, query, err);
    (void)rc; /* the same */
}

static void check_steps(const char *path, struct krl_sim *sim, struct str text, struct checked *c)
{
    struct str out = STR("");
    struct err err = {0};
    for (int number = 1; text.n > 0; number++) {
        struct str line = str_cut(&text, '\n');
        struct str want = programs_said(line, STR("// expect:"));
        struct str event = programs_said(line, STR("// event:"));
        struct str query = programs_said(line, STR("// query:"));
        struct str wait = programs_said(line, STR("// wait:"));
        int64_t ms = 0;
        if (wait.p != NULL) {
            ck_assert_msg(str_to_i64(wait, 0, INT32_MAX, &ms), "%s:%d", path, number);
            sim->now += (double)ms;
        } else if (event.p != NULL || query.p != NULL) {
            ck_assert_msg(out.n == 0, "%s:%d: not expected: %.*s", path, number, STRF(out));
            if (event.p != NULL)
                play_event(sim, event, &err);
            else
                play_query(sim, query, &err);
            out = buf_str(sim->out);
        } else if (want.p != NULL) {
            struct str got = str_trim(str_cut(&out, '\n'));
            bool same = str_eq(got, want);
            if (!same)
                (void)fprintf(stderr, "%s:%d:\nwant %.*s\ngot  %.*s\n", path, number, STRF(want),
                              STRF(got));
            c->failed += !same;
            c->all++;
        }
    }
    ck_assert_msg(out.n == 0, "%s: at the end, not expected: %.*s", path, STRF(out));
}

static void check_rulesets(const char *path, struct arena *arena, struct str text,
                           struct checked *c)
{
    struct err err = {0};
    struct buf out;
    struct krl_sim *sim = NEW(arena, struct krl_sim);
    struct arena kept;
    arena_init(&kept, PROGRAMS_MEMORY);
    buf_init(&out, &kept, KRL_SIM_OUT_MAX);
    krl_sim_init(sim, &kept, &out);
    for (struct str rest = text; rest.n > 0;) {
        const struct krl_code *code = NULL;
        enum rc rc = krl_compile(programs_cut(&rest), arena, &code, &err);
        ck_assert_msg(rc == RC_OK, "%s: %.*s", path, STRF(err_text(&err)));
        ck_assert_int_eq(krl_sim_add(sim, code, &err), RC_OK);
    }
    check_steps(path, sim, text, c);
    arena_fini(&kept);
}

static void check_file(const char *path, struct arena *arena, struct str text, void *user)
{
    if (str_starts(text, STR("ruleset")))
        check_rulesets(path, arena, text, user);
    else
        check_expressions(path, arena, text, user);
}

START_TEST(programs_do_what_stands_beside_them)
{
    struct checked c = {.all = 0};
    int files = programs_each("/tests/krl", check_file, &c);
    ck_assert_int_ge(c.all, files);
    ck_assert_msg(c.failed == 0, "%d of %d differ", c.failed, c.all);
}
END_TEST

/* --- layout --- */

static uint64_t state = 20261126;

static size_t below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

static struct str word_of(const struct lex *lex, size_t i)
{
    const struct lex_word *w = &lex->words[i];
    return str_trim(str_sub(lex->source, w->start, w->end));
}

/* The same words with other blanks, tabs and line ends between them; what touched still does. */
static struct str laid_out_anew(struct arena *arena, const struct lex *lex)
{
    static const char *const gaps[] = {"\n", "\r\n", "\t", "    ", " ", "\n\n\n\t \n"};
    struct buf out;
    size_t end = 0;
    buf_init(&out, arena, 4 * lex->source.n + 64);
    for (size_t i = 0; i < lex->count; i++) {
        const struct lex_word *w = &lex->words[i];
        bool comment = i > 0 && lex->words[i - 1].kind == LEX_COMMENT;
        bool text =
            w->kind == LEX_CHEVRON_TEXT || (i > 0 && lex->words[i - 1].kind == LEX_CHEVRON_TEXT);
        if (w->start > end && !text)
            buf_add(&out, str_c(gaps[below(comment ? 2 : COUNT(gaps))]));
        else
            buf_add(&out, str_sub(lex->source, end, w->start));
        buf_add(&out, str_sub(lex->source, w->start, w->end));
        end = w->end;
    }
    return buf_str(&out);
}

static void check_same_code(const char *path, struct arena *arena, struct str one, struct str other)
{
    const struct krl_code *a = NULL;
    const struct krl_code *b = NULL;
    struct err err[2] = {{0}};
    enum rc rc = krl_compile(one, arena, &a, &err[0]);
    ck_assert_msg(krl_compile(other, arena, &b, &err[1]) == rc, "%s: %.*s", path,
                  STRF(err_text(&err[1])));
    if (rc != RC_OK) {
        ck_assert(str_eq(programs_before(err_text(&err[0]), STR(" [at")),
                         programs_before(err_text(&err[1]), STR(" [at"))));
        return;
    }
    ck_assert_uint_eq(a->protos_n, b->protos_n);
    ck_assert_uint_eq(a->constants_n, b->constants_n);
    for (uint32_t i = 0; i < a->protos_n; i++) {
        ck_assert_uint_eq(a->protos[i]->code_n, b->protos[i]->code_n);
        ck_assert_msg(memcmp(a->protos[i]->code, b->protos[i]->code,
                             a->protos[i]->code_n * sizeof(uint32_t)) == 0,
                      "%s: a function has other code", path);
    }
}

static void check_layout(const char *path, struct arena *arena, struct str text)
{
    struct err err = {0};
    struct lex was;
    struct lex is;
    struct buf once;
    struct buf twice;
    buf_init(&once, arena, 4 * text.n + 64);
    buf_init(&twice, arena, 4 * text.n + 64);
    ck_assert_int_eq(krl_format(text, arena, &once, &err), RC_OK);
    ck_assert_int_eq(krl_format(buf_str(&once), arena, &twice, &err), RC_OK);
    ck_assert_msg(str_eq(buf_str(&once), buf_str(&twice)), "%s: formatting twice differs", path);
    ck_assert_int_eq(krl_lex(text, true, arena, &was, &err), RC_OK);
    ck_assert_int_eq(krl_lex(buf_str(&once), true, arena, &is, &err), RC_OK);
    ck_assert_uint_eq(was.count, is.count);
    for (size_t i = 0; i < was.count; i++)
        ck_assert_msg(str_eq(word_of(&was, i), word_of(&is, i)), "%s: '%.*s' became '%.*s'", path,
                      STRF(word_of(&was, i)), STRF(word_of(&is, i)));
    check_same_code(path, arena, text, buf_str(&once));
}

/* One program as it is, and laid out anew. */
static void check_layouts(const char *path, struct str text)
{
    struct arena arena;
    struct arena own;
    struct lex lex;
    struct err err = {0};
    arena_init(&arena, PROGRAMS_MEMORY);
    bool whole = krl_lex(text, true, &arena, &lex, &err) == RC_OK;
    for (size_t i = 0; whole && i < lex.count; i++)
        whole = lex.words[i].kind != LEX_ILLEGAL && lex.words[i].kind != LEX_UNCLOSED;
    for (int round = 0; whole && round < 4; round++) { /* else it is there to be refused */
        arena_init(&own, PROGRAMS_MEMORY);
        check_layout(path, &own, round == 0 ? text : laid_out_anew(&arena, &lex));
        arena_fini(&own);
    }
    arena_fini(&arena);
}

struct layouts {
    const char *path;
    int count;
};

static void check_program_layout(struct arena *arena, struct str program, void *user)
{
    struct layouts *l = user;
    (void)arena;
    check_layouts(l->path, program);
    l->count++;
}

/* The whole as well: it has the comments. */
static void check_file_layouts(const char *path, struct arena *arena, struct str text, void *user)
{
    struct layouts *l = user;
    l->path = path;
    check_layouts(path, text);
    programs_in(arena, text, check_program_layout, l);
}

START_TEST(formatting_changes_no_program)
{
    static const char *const folders[] = {
        "/tests/krl",     "/tests/krl/engine",      "/src/pico/rulesets",
        "/docs/examples", "/fuzz/corpus/krl_parse", "/fuzz/corpus/krl_run"};
    struct layouts l = {.count = 0};
    for (size_t i = 0; i < COUNT(folders); i++)
        (void)programs_each(folders[i], check_file_layouts, &l);
    ck_assert_int_ge(l.count, 500);
}
END_TEST

Suite *language_suite(void);
Suite *language_suite(void)
{
    Suite *s = suite_create("language");
    TCase *t = tcase_create("programs");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, programs_do_what_stands_beside_them);
    tcase_add_test(t, formatting_changes_no_program);
    suite_add_tcase(s, t);
    return s;
}
