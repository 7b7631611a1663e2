/*
 * The programs in tests/krl: what KRL is, with the expectation beside each line.
 *
 * A file that begins with "ruleset" is installed, and its comments play with it:
 *
 *     // event: domain:name {"attribute": 1}
 *     // query: name {"argument": 1}
 *     // expect: one line of what happened (sim.h), or the query's result
 *     // refused: what the compiler says
 *
 * In any other file each line with "//=" is a program of its own, behind what stands in the file
 * without one; what follows "//=" is its value as JSON, or its error.
 */
#include "krl/compile.h"
#include "krl/format.h"
#include "krl/sim.h"

#include <check.h>
#include <dirent.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 * 1024, MEMORY = 64 * 1024 * 1024, FILES_MAX = 200 };

/* A folder of the source tree, which lies above the build folder that this program is in. */
static void folder(char path[4096], const char *inside)
{
    ssize_t n = readlink("/proc/self/exe", path, 4096 - 64);
    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
        (void)snprintf(slash, 64, "/CHANGELOG.md");
        bool root = access(path, R_OK) == 0;
        (void)snprintf(slash, 64, "%s", root ? inside : "");
        if (root)
            return;
    }
}

static struct str read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "re");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    char *bytes = arena_bytes(arena, FILE_BYTES_MAX);
    size_t n = fread(bytes, 1, FILE_BYTES_MAX, file);
    ck_assert_uint_lt(n, FILE_BYTES_MAX);
    (void)fclose(file);
    return str_n(bytes, n);
}

static struct str behind(struct str line, struct str mark)
{
    for (size_t i = 0; i + mark.n <= line.n; i++)
        if (str_starts(str_sub(line, i, line.n), mark))
            return str_trim(str_sub(line, i + mark.n, line.n));
    return (struct str){NULL, 0};
}

static struct str before(struct str line, struct str mark)
{
    for (size_t i = 0; i + mark.n <= line.n; i++)
        if (str_starts(str_sub(line, i, line.n), mark))
            return str_sub(line, 0, i);
    return line;
}

/* --- expressions --- */

/* False, with what differs on standard error. */
static bool check_line(const char *path, int number, struct str prelude, struct str line)
{
    struct arena arena;
    struct arena kept;
    struct buf out;
    struct krl_sim sim;
    struct err err = {0};
    const struct krl_code *code = NULL;
    struct krl_place where;
    arena_init(&arena, MEMORY);
    arena_init(&kept, MEMORY);
    buf_init(&out, &kept, KRL_SIM_OUT_MAX);
    struct str want = behind(line, STR("//="));
    struct str program =
        arena_fmt(&arena, "%.*s%.*s", STRF(prelude), STRF(before(line, STR("//="))));
    krl_sim_init(&sim, &kept, &out);
    enum rc rc = krl_compile(program, &arena, &code, &err);
    if (rc == RC_OK)
        rc = krl_sim_evaluate(&sim, code, &where, &err);
    struct str got = str_trim(buf_str(&out));
    while (str_find(got, '\n', 0) < got.n)
        (void)str_cut(&got, '\n'); /* what was logged stands in front */
    if (rc != RC_OK)
        got = before(err_text(&err), STR(" [at line"));
    bool same = str_eq(got, want);
    if (!same)
        (void)fprintf(stderr, "%s:%d: %.*s\nwant %.*s\ngot  %.*s\n", path, number,
                      STRF(str_trim(line)), STRF(want), STRF(got));
    arena_fini(&kept);
    arena_fini(&arena);
    return same;
}

static int check_expressions(const char *path, struct arena *arena, struct str text)
{
    struct buf prelude;
    int checked = 0;
    int failed = 0;
    buf_init(&prelude, arena, FILE_BYTES_MAX);
    struct str rest = text;
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        if (behind(line, STR("//=")).p == NULL) {
            buf_add(&prelude, line);
            buf_add_char(&prelude, '\n');
        }
    }
    rest = text;
    for (int number = 1; rest.n > 0; number++) {
        struct str line = str_cut(&rest, '\n');
        if (behind(line, STR("//=")).p == NULL)
            continue;
        failed += !check_line(path, number, buf_str(&prelude), line);
        checked++;
    }
    ck_assert_msg(failed == 0, "%s: %d of %d lines differ", path, failed, checked);
    return checked;
}

/* --- rulesets --- */

static void play(struct krl_sim *sim, struct str line, struct err *err)
{
    struct str event = behind(line, STR("// event:"));
    struct str query = behind(line, STR("// query:"));
    enum rc rc = RC_OK;
    sim->out->n = 0;
    if (event.p != NULL) {
        struct str name = str_cut(&event, ' ');
        struct str domain = str_cut(&name, ':');
        sim->now += 1000;
        rc = krl_sim_event(sim, domain, name, event, err);
    } else {
        struct str name = str_cut(&query, ' ');
        rc = krl_sim_query(sim, STR(""), name, query, err);
    }
    (void)rc; /* an error is a line of what happened */
}

/* The next line of what happened, but for those of the log at debug. */
static struct str next_line(struct str *out)
{
    return str_cut(out, '\n');
}

static int check_steps(const char *path, struct krl_sim *sim, struct str text)
{
    struct str out = STR("");
    struct err err = {0};
    int checked = 0;
    for (int number = 1; text.n > 0; number++) {
        struct str line = str_cut(&text, '\n');
        struct str want = behind(line, STR("// expect:"));
        bool plays =
            behind(line, STR("// event:")).p != NULL || behind(line, STR("// query:")).p != NULL;
        struct str wait = behind(line, STR("// wait:"));
        int64_t ms = 0;
        if (wait.p != NULL && str_to_i64(wait, 0, INT32_MAX, &ms))
            sim->now += (double)ms;
        if (plays) {
            ck_assert_msg(out.n == 0, "%s:%d: not expected: %.*s", path, number, STRF(out));
            play(sim, line, &err);
            out = buf_str(sim->out);
        }
        if (want.p == NULL)
            continue;
        struct str got = str_trim(next_line(&out));
        ck_assert_msg(str_eq(got, want), "%s:%d:\nwant %.*s\ngot  %.*s", path, number, STRF(want),
                      STRF(got));
        checked++;
    }
    ck_assert_msg(out.n == 0, "%s: at the end, not expected: %.*s", path, STRF(out));
    return checked;
}

static int check_ruleset(const char *path, struct arena *arena, struct str text)
{
    struct err err = {0};
    const struct krl_code *code = NULL;
    struct buf out;
    struct krl_sim *sim = NEW(arena, struct krl_sim);
    struct arena kept;
    struct str refused = behind(before(behind(text, STR("// refused:")), STR("\n")), STR(""));
    enum rc rc = krl_compile(text, arena, &code, &err);
    if (refused.p != NULL) {
        ck_assert_msg(rc != RC_OK, "%s: compiled, but should be refused", path);
        ck_assert_msg(str_eq(err_text(&err), refused), "%s:\nwant %.*s\ngot  %.*s", path,
                      STRF(refused), STRF(err_text(&err)));
        return 1;
    }
    ck_assert_msg(rc == RC_OK, "%s: %.*s", path, STRF(err_text(&err)));
    arena_init(&kept, MEMORY);
    buf_init(&out, &kept, KRL_SIM_OUT_MAX);
    krl_sim_init(sim, &kept, &out);
    ck_assert_int_eq(krl_sim_add(sim, code, &err), RC_OK);
    int checked = check_steps(path, sim, text);
    arena_fini(&kept);
    return checked;
}

/* Do something with every KRL file of a folder; how many there are. */
static int each_file(const char *inside,
                     void (*visit)(const char *path, struct arena *arena, struct str text,
                                   int *count),
                     int *count)
{
    char path[4096];
    folder(path, inside);
    DIR *dir = opendir(path);
    ck_assert_msg(dir != NULL, "%s is not there", path);
    int files = 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct arena arena;
        char file[4600];
        if (!str_ends(str_c(e->d_name), STR(".krl")))
            continue;
        arena_init(&arena, MEMORY);
        (void)snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        visit(file, &arena, read_file(&arena, file), count);
        arena_fini(&arena);
        files++;
    }
    (void)closedir(dir);
    ck_assert_int_ge(files, 1);
    return files;
}

static void check_file(const char *path, struct arena *arena, struct str text, int *count)
{
    *count += str_starts(text, STR("ruleset")) ? check_ruleset(path, arena, text)
                                               : check_expressions(path, arena, text);
}

START_TEST(programs_do_what_stands_beside_them)
{
    int checked = 0;
    int files = each_file("/tests/krl", check_file, &checked);
    ck_assert_int_ge(checked, files);
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
        ck_assert(
            str_eq(before(err_text(&err[0]), STR(" [at")), before(err_text(&err[1]), STR(" [at"))));
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

static void check_layouts(const char *path, struct arena *arena, struct str text, int *count)
{
    struct arena own;
    struct lex lex;
    struct err err = {0};
    if (krl_lex(text, true, arena, &lex, &err) != RC_OK)
        return;
    for (size_t i = 0; i < lex.count; i++)
        if (lex.words[i].kind == LEX_ILLEGAL || lex.words[i].kind == LEX_UNCLOSED)
            return; /* it is there to be refused */
    for (int round = 0; round < 4; round++) {
        arena_init(&own, MEMORY);
        check_layout(path, &own, round == 0 ? text : laid_out_anew(arena, &lex));
        arena_fini(&own);
        (*count)++;
    }
}

START_TEST(formatting_changes_no_program)
{
    int checked = 0;
    int files = each_file("/tests/krl", check_layouts, &checked);
    files += each_file("/src/pico/rulesets", check_layouts, &checked);
    ck_assert_int_ge(checked, files);
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
