#include "base/conf.h"

#include "base/schema_field.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 64 };

struct loader {
    const struct schema *s;
    struct arena *arena;
    void *value; /* a copy: the caller's is written at the end */
    struct err *err;
};

/* --- files --- */

static enum rc read_open_file(int fd, const char *path, size_t max, struct arena *arena,
                              struct str *ret, struct err *err)
{
    char *p = arena_bytes(arena, max + 1);
    size_t n = 0;
    while (n <= max) {
        ssize_t got = read(fd, p + n, max + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, RC_INVALID, "cannot read '%s': %s", path, strerror(errno));
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (n > max)
        return err_set(err, RC_INVALID, "'%s' is larger than %zu bytes", path, max);
    *ret = str_n(p, n);
    return RC_OK;
}

/* The whole of a regular file. private_only: nobody but its owner, who is this user or root, may
 * read it. */
static enum rc read_file(const char *path, bool private_only, size_t max, struct arena *arena,
                         struct str *ret, struct err *err)
{
    /* Not blocking: opening a pipe would wait for its other end. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, RC_INVALID, "cannot open '%s': %s", path, strerror(errno));
    struct stat st;
    enum rc rc = RC_OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        rc = err_set(err, RC_INVALID, "'%s' is not a regular file", path);
    else if (private_only && (st.st_mode & 0177) != 0)
        rc = err_set(err, RC_INVALID,
                     "'%s' holds a secret but others may use it (mode %04o): run chmod 600 '%s'",
                     path, (unsigned)(st.st_mode & 07777), path);
    else if (private_only && st.st_uid != geteuid() && st.st_uid != 0)
        rc = err_set(err, RC_INVALID,
                     "'%s' holds a secret but belongs to another user (%u): it must be yours or "
                     "root's",
                     path, (unsigned)st.st_uid);
    else
        rc = read_open_file(fd, path, max, arena, ret, err);
    (void)close(fd); /* it was only read */
    return rc;
}

enum rc conf_secret(const char *path, struct arena *arena, struct str *ret, struct err *err)
{
    struct str text = {NULL, 0};
    TRY(read_file(path, true, CONF_SECRET_MAX, arena, &text, err));
    struct str line = str_cut(&text, '\n');
    if (str_ends(line, STR("\r")))
        line.n--;
    if (line.n == 0)
        return err_set(err, RC_INVALID, "the first line of '%s' is empty: put the secret there",
                       path);
    if (str_find(line, '\0', 0) != line.n || !str_is_utf8(line))
        return err_set(err, RC_INVALID, "the first line of '%s' is not text", path);
    *ret = arena_str(arena, line);
    return RC_OK;
}

/* --- one setting --- */

/* Index of the setting, or s->count. */
static size_t find_setting(const struct schema *s, struct str name)
{
    int i = schema_find(s, name);
    return i >= 0 && field_is_taken(&s->fields[i]) ? (size_t)i : s->count;
}

/* where: "hansed.conf:3", "HANSED_HTTP_LISTEN", "--http-listen". */
static enum rc refuse_unknown(const struct loader *l, struct str name, const char *where)
{
    (void)field_refuse_unknown(l->s, "setting", name, l->err);
    err_add(l->err, "%s", where);
    err_at(l->err, name);
    return rc_failed(l->err->rc);
}

static enum rc take(const struct loader *l, size_t index, struct str text, const char *where)
{
    const struct field *f = &l->s->fields[index];
    const struct subject at = {"setting", f->name, 0};
    struct str copy = arena_str(l->arena, text);
    enum rc rc = field_take_typed(f, &at, copy, l->arena, field_of(f, l->value), l->err);
    if (rc != RC_OK) {
        err_add(l->err, "%s", where);
        err_at(l->err, str_c(f->name));
        return rc;
    }
    schema_set_bit(l->value, index);
    return RC_OK;
}

/* --- the file: "key = value" lines --- */

static enum rc take_line(const struct loader *l, struct str line, const char *where, uint64_t *seen)
{
    struct str value = line;
    if (str_find(line, '=', 0) == line.n)
        return err_set(l->err, RC_INVALID, "%s: expected 'key = value', found '%s'", where,
                       field_show(line).text);
    struct str name = str_trim(str_cut(&value, '='));
    size_t i = find_setting(l->s, name);
    if (i == l->s->count)
        return refuse_unknown(l, name, where);
    if ((*seen >> i & 1) != 0)
        return err_set_at(l->err, RC_INVALID, name, "%s: setting '%.*s' is there twice", where,
                          STRF(name));
    *seen |= UINT64_C(1) << i;
    return take(l, i, str_trim(value), where);
}

static enum rc take_file(const struct loader *l, const char *path, bool must_exist)
{
    if (!must_exist && access(path, F_OK) != 0 && errno == ENOENT)
        return RC_OK;
    struct str rest = {NULL, 0};
    TRY(read_file(path, false, CONF_FILE_MAX, l->arena, &rest, l->err));
    if (!str_is_utf8(rest) || str_find(rest, '\0', 0) != rest.n)
        return err_set(l->err, RC_INVALID, "'%s' is not UTF-8 text", path);
    uint64_t seen = 0;
    for (int number = 1; rest.n > 0; number++) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.n == 0 || line.p[0] == '#')
            continue;
        TRY(take_line(l, line, arena_fmt(l->arena, "%s:%d", path, number).p, &seen));
    }
    return RC_OK;
}

/* --- the environment --- */

/* name with every byte between first and last moved to another alphabet, at most NAME_MAX_BYTES. */
static struct str translate(struct str name, char out[NAME_MAX_BYTES], char first, char last,
                            int distance)
{
    size_t n = min_size(name.n, NAME_MAX_BYTES);
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(name.p[i] >= first && name.p[i] <= last ? name.p[i] + distance : name.p[i]);
    return str_n(out, n);
}

static bool has_lower(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'a' && s.p[i] <= 'z')
            return true;
    return false;
}

/* entry: "NAME=value". */
static enum rc take_variable(const struct loader *l, const char *prefix, struct str entry)
{
    char lower[NAME_MAX_BYTES];
    struct str value = entry;
    struct str variable = str_cut(&value, '=');
    struct str name = str_sub(variable, strlen(prefix) + 1, variable.n);
    struct str key = translate(name, lower, 'A', 'Z', 'a' - 'A');
    const char *where = arena_fmt(l->arena, "environment: %s", field_show(variable).text).p;
    if (has_lower(name))
        return err_set_at(l->err, RC_INVALID, key, "%s: write variables in upper case", where);
    size_t i = find_setting(l->s, key);
    return i == l->s->count ? refuse_unknown(l, key, where) : take(l, i, value, where);
}

static enum rc take_environment(const struct loader *l, const char *prefix,
                                char *const *environment)
{
    struct str start = arena_fmt(l->arena, "%s_", prefix);
    for (; *environment != NULL; environment++)
        if (str_starts(str_c(*environment), start))
            TRY(take_variable(l, prefix, str_c(*environment)));
    return RC_OK;
}

/* --- flags --- */

struct flag {
    struct str key;   /* with underscores */
    struct str value; /* behind '=' */
    bool has_value;
    const char *where;
};

static enum rc parse_flag(const struct loader *l, const char *text, char key[NAME_MAX_BYTES],
                          struct flag *ret)
{
    struct str s = str_c(text);
    if (!str_starts(s, STR("--")) || s.n == 2)
        return err_set(l->err, RC_INVALID, "'%s' is no flag: settings are given as --key value",
                       field_show(s).text);
    struct str value = str_sub(s, 2, s.n);
    struct flag flag = {.has_value = str_find(value, '=', 0) < value.n};
    struct str name = str_cut(&value, '=');
    flag.value = value;
    flag.where = arena_fmt(l->arena, "--%s", field_show(name).text).p;
    flag.key = translate(name, key, '-', '-', '_' - '-');
    if (str_find(name, '_', 0) < name.n) /* one way to write each */
        return err_set_at(l->err, RC_INVALID, flag.key, "%s: write flags with '-' and not '_'",
                          flag.where);
    *ret = flag;
    return RC_OK;
}

/* "--no-key", where key is a bool. */
static size_t find_negated(const struct schema *s, const struct flag *flag)
{
    if (!str_starts(flag->key, STR("no_")) || flag->has_value)
        return s->count;
    size_t i = find_setting(s, str_sub(flag->key, 3, flag->key.n));
    return i < s->count && s->fields[i].type == FIELD_BOOL ? i : s->count;
}

/* flags[*at] begins a flag; *at moves behind it and its value. */
static enum rc take_flag(const struct loader *l, const char *const *flags, int count, int *at)
{
    char key[NAME_MAX_BYTES];
    struct flag flag = {0};
    TRY(parse_flag(l, flags[(*at)++], key, &flag));
    size_t i = find_setting(l->s, flag.key);
    if (i == l->s->count) {
        i = find_negated(l->s, &flag);
        return i == l->s->count ? refuse_unknown(l, flag.key, flag.where)
                                : take(l, i, STR("false"), flag.where);
    }
    if (flag.has_value)
        return take(l, i, flag.value, flag.where);
    bool next_is_value = *at < count && !str_starts(str_c(flags[*at]), STR("--"));
    if (next_is_value)
        return take(l, i, str_c(flags[(*at)++]), flag.where);
    if (l->s->fields[i].type == FIELD_BOOL)
        return take(l, i, STR("true"), flag.where);
    return err_set_at(l->err, RC_INVALID, flag.key, "%s: a value must follow", flag.where);
}

/* --- all of it --- */

static enum rc check_required(const struct loader *l)
{
    for (size_t i = 0; i < l->s->count; i++) {
        const struct field *f = &l->s->fields[i];
        if ((f->flags & FIELD_REQUIRED) == 0 || (schema_bits(l->value) >> i & 1) != 0)
            continue;
        const struct subject at = {"setting", f->name, 0};
        (void)field_refuse(&at, l->err, "is required");
        err_at(l->err, str_c(f->name));
        return rc_failed(l->err->rc);
    }
    return RC_OK;
}

enum rc conf_load(const struct schema *s, const struct conf_sources *sources, struct arena *arena,
                  void *value, struct err *err)
{
    struct loader l = {s, arena, arena_alloc(arena, s->size), err};
    memcpy(l.value, value, s->size);
    if (sources->file != NULL)
        TRY(take_file(&l, sources->file, sources->file_must_exist));
    if (sources->environment != NULL)
        TRY(take_environment(&l, sources->env_prefix, sources->environment));
    for (int i = 0; i < sources->flag_count;)
        TRY(take_flag(&l, sources->flags, sources->flag_count, &i));
    TRY(check_required(&l));
    memcpy(value, l.value, s->size);
    return RC_OK;
}

/* --- help --- */

static void put_words(struct buf *out, const char *const *words)
{
    buf_add(out, STR("one of"));
    for (size_t i = 0; words[i] != NULL; i++)
        buf_fmt(out, "%s %s", i > 0 ? "," : "", words[i]);
}

static void put_text_kind(struct buf *out, const struct field *f)
{
    if (f->words != NULL)
        put_words(out, f->words);
    else if (f->prefix != NULL)
        buf_fmt(out, "an id such as %s_...", f->prefix);
    else if (f->min > 0)
        buf_fmt(out, "text, %lld to %lld characters", (long long)f->min, (long long)field_max(f));
    else
        buf_fmt(out, "text, at most %lld characters", (long long)field_max(f));
}

static void put_kind(struct buf *out, const struct field *f)
{
    switch (f->type) {
    case FIELD_TEXT:
        put_text_kind(out, f);
        return;
    case FIELD_INT:
        buf_add(out, STR("a whole number"));
        if (f->min != 0 || f->max != 0)
            buf_fmt(out, " from %lld to %lld", (long long)f->min, (long long)f->max);
        return;
    case FIELD_BOOL:
        buf_add(out, STR("true or false"));
        return;
    case FIELD_TIME:
        buf_add(out, STR("a time such as 2026-11-22T01:57:28Z"));
        return;
    case FIELD_DATE:
        buf_add(out, STR("a date such as 2026-11-22"));
        return;
    case FIELD_DECIMAL:
        buf_add(out, STR("a decimal such as 12.50"));
        return;
    case FIELD_WORD:
        put_words(out, f->words);
        return;
    case FIELD_LIST:
        buf_fmt(out, "a list with commas between, at most %lld entries", (long long)field_max(f));
        return;
    case FIELD_OBJECT:
    case FIELD_JSON:
    case FIELD_RAW:
        break;
    }
    NEVER("a setting that nobody can type");
}

void conf_help(const struct schema *s, const char *env_prefix, const void *defaults,
               struct arena *arena, struct buf *out)
{
    char text[NAME_MAX_BYTES];
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        struct str name = str_c(f->name);
        ASSERT(name.n < NAME_MAX_BYTES);
        struct str value = schema_text(s, i, defaults, arena);
        buf_fmt(out, "%s%s =%s%.*s\n", i > 0 ? "\n" : "", f->name, value.n > 0 ? " " : "",
                STRF(value));
        if (f->doc != NULL)
            buf_fmt(out, "    %s\n", f->doc);
        buf_add(out, STR("    "));
        put_kind(out, f);
        if ((f->flags & FIELD_REQUIRED) != 0 && value.n == 0)
            buf_add(out, STR("; required"));
        struct str variable = translate(name, text, 'a', 'z', 'A' - 'a');
        buf_fmt(out, "\n    %s_%.*s", env_prefix, STRF(variable));
        struct str flag = translate(name, text, '_', '_', '-' - '_');
        buf_fmt(out, ", --%.*s", STRF(flag));
        if (f->type == FIELD_BOOL)
            buf_fmt(out, ", --no-%.*s", STRF(flag));
        buf_add(out, STR("\n"));
    }
}
