/*
 * programs_fixture.h - the programs of the source tree (*.krl), for the tests that read them. Only
 * for tests: everything here asserts.
 *
 * A file that begins with "ruleset" has one ruleset or several, each at the beginning of a line,
 * and its comments play with them:
 *
 *     // event: domain:name {"attribute": 1}
 *     // query: name {"argument": 1}     of the first ruleset; "rid/name" of another
 *     // wait: so many milliseconds
 *     // expect: one line of what happened (sim.h), or the query's result
 *
 * In any other file each line with "//=" is a program of its own, behind what stands in the file
 * without one; what follows "//=" is its value as JSON, or its error. A line that begins with
 * "ruleset" stands alone: what follows is what the compiler says.
 */
#ifndef KRL_PROGRAMS_FIXTURE_H
#define KRL_PROGRAMS_FIXTURE_H

#include "base/buf.h"

#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROGRAMS_FILE_MAX = 256 * 1024, PROGRAMS_MEMORY = 64 * 1024 * 1024 };

/* A folder of the source tree, which lies above the build folder that this program is in. */
static inline void programs_folder(char path[4096], const char *inside)
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

static inline struct str programs_read(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "re");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    char *bytes = arena_bytes(arena, PROGRAMS_FILE_MAX);
    size_t n = fread(bytes, 1, PROGRAMS_FILE_MAX, file);
    ck_assert_uint_lt(n, PROGRAMS_FILE_MAX);
    (void)fclose(file);
    return str_n(bytes, n);
}

/* What stands behind the mark; p is NULL where the line has none. */
static inline struct str programs_behind(struct str line, struct str mark)
{
    for (size_t i = 0; i + mark.n <= line.n; i++)
        if (str_starts(str_sub(line, i, line.n), mark))
            return str_trim(str_sub(line, i + mark.n, line.n));
    return (struct str){NULL, 0};
}

static inline struct str programs_before(struct str line, struct str mark)
{
    for (size_t i = 0; i + mark.n <= line.n; i++)
        if (str_starts(str_sub(line, i, line.n), mark))
            return str_sub(line, 0, i);
    return line;
}

/* The rest of a line that begins with the mark. */
static inline struct str programs_said(struct str line, struct str mark)
{
    return str_starts(line, mark) ? str_trim(str_sub(line, mark.n, line.n)) : (struct str){NULL, 0};
}

/* Cut the next ruleset of a file off: up to the line that begins the one behind it. */
static inline struct str programs_cut(struct str *rest)
{
    size_t end = 1;
    while (end < rest->n &&
           !(rest->p[end - 1] == '\n' && str_starts(str_sub(*rest, end, rest->n), STR("ruleset "))))
        end++;
    struct str one = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end, rest->n);
    return one;
}

/* What stands in a file of expressions without "//=", and the program of one of its lines. */
static inline struct str programs_prelude(struct arena *arena, struct str text)
{
    struct buf b;
    buf_init(&b, arena, PROGRAMS_FILE_MAX);
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (programs_behind(line, STR("//=")).p != NULL)
            continue;
        buf_add(&b, line);
        buf_add_char(&b, '\n');
    }
    return buf_str(&b);
}

static inline struct str programs_of_line(struct arena *arena, struct str prelude, struct str line)
{
    struct str program = programs_before(line, STR("//="));
    bool alone = str_starts(program, STR("ruleset "));
    return arena_fmt(arena, "%.*s%.*s", STRF(alone ? STR("") : prelude), STRF(program));
}

typedef void programs_visit(const char *path, struct arena *arena, struct str text, void *user);

/* Do something with every KRL file of a folder; how many there are. */
static inline int programs_each(const char *inside, programs_visit *visit, void *user)
{
    char path[4096];
    programs_folder(path, inside);
    DIR *dir = opendir(path);
    ck_assert_msg(dir != NULL, "%s is not there", path);
    int files = 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct arena arena;
        char file[4600];
        if (!str_ends(str_c(e->d_name), STR(".krl")))
            continue;
        arena_init(&arena, PROGRAMS_MEMORY);
        (void)snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        visit(file, &arena, programs_read(&arena, file), user);
        arena_fini(&arena);
        files++;
    }
    (void)closedir(dir);
    ck_assert_int_ge(files, 1);
    return files;
}

/* Do something with every program of one file: each ruleset, each line with "//=". */
static inline void programs_in(struct arena *arena, struct str text,
                               void (*visit)(struct arena *arena, struct str program, void *user),
                               void *user)
{
    if (str_starts(text, STR("ruleset"))) {
        while (text.n > 0)
            visit(arena, programs_cut(&text), user);
        return;
    }
    struct str prelude = programs_prelude(arena, text);
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (programs_behind(line, STR("//=")).p == NULL)
            continue;
        struct arena own;
        arena_init(&own, PROGRAMS_MEMORY);
        visit(&own, programs_of_line(&own, prelude, line), user);
        arena_fini(&own);
    }
}

#endif
