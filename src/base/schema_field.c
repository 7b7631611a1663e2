#include "base/schema_field.h"

#include "base/clock.h"
#include "base/id.h"

#include <stdarg.h>

enum { SENTENCE_MAX = 400, GUESS_NAME_MAX = 40, GUESS_DISTANCE_MAX = 2, WORDS_SHOWN_MAX = 300 };

/* --- sentences --- */

struct field_shown field_show(struct str s)
{
    struct field_shown shown;
    size_t n = min_size(s.n, FIELD_SHOWN_MAX);
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--; /* not in the middle of a character */
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        shown.text[i] = c < 0x20 || c == 0x7F ? '?' : s.p[i];
    }
    memcpy(shown.text + n, n < s.n ? "..." : "", n < s.n ? 4 : 1);
    return shown;
}

enum rc field_refuse(const struct subject *at, struct err *err, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    ASSERT(n >= 0);
    if (at->entry > 0)
        return err_set(err, RC_INVALID, "entry %zu of %s '%s' %s", at->entry, at->noun, at->name,
                       sentence);
    return err_set(err, RC_INVALID, "%s '%s' %s", at->noun, at->name, sentence);
}

/* Levenshtein: how many letters to put in, take out or change. Names are short, see the caller. */
static size_t distance(struct str a, struct str b)
{
    size_t row[GUESS_NAME_MAX + 1];
    for (size_t k = 0; k <= b.n; k++)
        row[k] = k;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b.n; k++) {
            size_t change = diagonal + (a.p[i - 1] != b.p[k - 1]);
            diagonal = row[k];
            row[k] = min_size(change, min_size(row[k], row[k - 1]) + 1);
        }
    }
    return row[b.n];
}

enum rc field_refuse_unknown(const struct schema *s, const char *noun, struct str name,
                             struct err *err)
{
    const char *guess = NULL;
    /* In a short name two changed letters make another word. */
    size_t best = name.n <= 3 ? 1 : GUESS_DISTANCE_MAX;
    for (size_t i = 0; i < s->count && name.n <= GUESS_NAME_MAX; i++) {
        struct str other = str_c(s->fields[i].name);
        if (other.n > GUESS_NAME_MAX || !field_is_taken(&s->fields[i]))
            continue;
        size_t d = distance(name, other);
        if (d < best || (d == best && guess == NULL)) {
            best = d;
            guess = s->fields[i].name;
        }
    }
    struct field_shown shown = field_show(name);
    if (guess != NULL)
        return err_set(err, RC_INVALID, "there is no %s '%s'; did you mean '%s'?", noun, shown.text,
                       guess);
    return err_set(err, RC_INVALID, "there is no %s '%s'", noun, shown.text);
}

static enum rc refuse_words(const struct field *f, const struct subject *at, struct err *err)
{
    char list[WORDS_SHOWN_MAX];
    size_t n = 0;
    list[0] = '\0';
    for (size_t i = 0; f->words[i] != NULL; i++) {
        size_t word_n = strlen(f->words[i]);
        if (n + word_n + sizeof ", ..." > sizeof list) {
            memcpy(list + n, ", ...", sizeof ", ...");
            break;
        }
        int put = snprintf(list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", f->words[i]);
        ASSERT(put >= 0);
        n += (size_t)put;
    }
    return field_refuse(at, err, "must be one of %s", list);
}

/* what: "characters", "entries". */
static enum rc refuse_count(const struct field *f, const struct subject *at, size_t count,
                            const char *what, struct err *err)
{
    long long min = f->min;
    long long max = field_max(f);
    if (min == max)
        return field_refuse(at, err, "must have %lld %s, this has %zu", min, what, count);
    if (min <= 0)
        return field_refuse(at, err, "must have at most %lld %s, this has %zu", max, what, count);
    return field_refuse(at, err, "must have %lld to %lld %s, this has %zu", min, max, what, count);
}

/* --- the field itself --- */

int64_t field_max(const struct field *f)
{
    if (f->max > 0)
        return f->max;
    return f->type == FIELD_LIST ? SCHEMA_LIST_MAX : FIELD_TEXT_MAX;
}

bool field_takes_empty(const struct field *f)
{
    return f->type == FIELD_TEXT && f->min <= 0 && f->prefix == NULL && f->words == NULL;
}

bool field_is_taken(const struct field *f)
{
    return (f->flags & FIELD_READ_ONLY) == 0 && f->type != FIELD_RAW;
}

/* --- texts --- */

static int64_t find_word(const char *const *words, struct str text)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (str_eq(text, str_c(words[i])))
            return (int64_t)i;
    return -1;
}

/* The control characters of Unicode: C0, DEL and C1, which is 0xC2 0x80..0x9F in UTF-8. */
static bool has_control(struct str s, bool multiline)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c < 0x7F)
            continue;
        if (multiline && (c == '\n' || c == '\r' || c == '\t'))
            continue;
        if (c < 0x20 || c == 0x7F)
            return true;
        if (c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] <= 0x9F)
            return true;
    }
    return false;
}

/* min..max of f bound the characters of a text field, and the items of a list: those are bounded
 * by FIELD_TEXT_MAX. */
static enum rc check_text(const struct field *f, const struct subject *at, struct str text,
                          struct err *err)
{
    if (f->words != NULL)
        return find_word(f->words, text) >= 0 ? RC_OK : refuse_words(f, at, err);
    if (f->prefix != NULL)
        return id_is(text, f->prefix)
                   ? RC_OK
                   : field_refuse(at, err, "must be an id such as '%s_01jd8v3q7w4k2m9x6c5b1n0h8z'",
                                  f->prefix);
    bool multiline = (f->flags & FIELD_MULTILINE) != 0;
    if (has_control(text, multiline))
        return field_refuse(at, err,
                            multiline ? "must not have control characters other than line ends"
                                      : "must not have line ends or control characters");
    size_t count = str_count_utf8(text);
    bool item = f->type == FIELD_LIST;
    if (item && count > FIELD_TEXT_MAX)
        return field_refuse(at, err, "must have at most %d characters, this has %zu",
                            FIELD_TEXT_MAX, count);
    if (!item && ((int64_t)count < f->min || (int64_t)count > field_max(f)))
        return refuse_count(f, at, count, "characters", err);
    return RC_OK;
}

static bool is_date(struct str s)
{
    int64_t ignored = 0;
    return day_parse(s, &ignored);
}

static size_t count_digits(struct str s, size_t from)
{
    size_t i = from;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i - from;
}

/* -?(0|[1-9][0-9]{0,18})(\.[0-9]{1,12})? */
static bool is_decimal(struct str s)
{
    size_t at = s.n > 0 && s.p[0] == '-' ? 1 : 0;
    size_t before = count_digits(s, at);
    if (before == 0 || before > FIELD_DIGITS_BEFORE || (before > 1 && s.p[at] == '0'))
        return false;
    at += before;
    if (at == s.n)
        return true;
    size_t behind = count_digits(s, at + 1);
    return s.p[at] == '.' && behind > 0 && behind <= FIELD_DIGITS_BEHIND && at + 1 + behind == s.n;
}

enum rc field_take_text(const struct field *f, const struct subject *at, struct str text, void *ret,
                        struct err *err)
{
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_LIST: /* one item of it */
        TRY(check_text(f, at, text, err));
        *(struct str *)ret = text;
        return RC_OK;
    case FIELD_TIME:
        if (!time_parse(text, ret))
            return field_refuse(at, err, "must be a time such as 2026-11-22T01:57:28Z");
        return RC_OK;
    case FIELD_DATE:
        if (!is_date(text))
            return field_refuse(at, err, "must be a date such as 2026-11-22");
        *(struct str *)ret = text;
        return RC_OK;
    case FIELD_DECIMAL:
        if (!is_decimal(text))
            return field_refuse(at, err,
                                "must be a decimal such as 12.50, with at most %d digits before "
                                "and %d behind the point",
                                FIELD_DIGITS_BEFORE, FIELD_DIGITS_BEHIND);
        *(struct str *)ret = text;
        return RC_OK;
    case FIELD_WORD: {
        int64_t index = find_word(f->words, text);
        if (index < 0)
            return refuse_words(f, at, err);
        *(int64_t *)ret = index;
        return RC_OK;
    }
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_OBJECT:
    case FIELD_JSON:
    case FIELD_RAW:
        break;
    }
    NEVER("a field that is no text");
}

/* --- numbers, counts, what people type --- */

enum rc field_refuse_int(const struct field *f, const struct subject *at, struct str text,
                         struct err *err)
{
    bool unbounded = f->min == 0 && f->max == 0;
    return field_refuse(at, err, "must be from %lld to %lld, this is %s",
                        unbounded ? (long long)INT64_MIN : (long long)f->min,
                        unbounded ? (long long)INT64_MAX : (long long)f->max,
                        field_show(text).text);
}

enum rc field_take_int(const struct field *f, const struct subject *at, int64_t value, int64_t *ret,
                       struct err *err)
{
    bool unbounded = f->min == 0 && f->max == 0;
    if (!unbounded && (value < f->min || value > f->max)) {
        char text[24];
        int n = snprintf(text, sizeof text, "%lld", (long long)value);
        return field_refuse_int(f, at, str_n(text, (size_t)n), err);
    }
    *ret = value;
    return RC_OK;
}

enum rc field_take_count(const struct field *f, const struct subject *at, size_t count,
                         struct err *err)
{
    if ((int64_t)count < f->min || (int64_t)count > field_max(f))
        return refuse_count(f, at, count, "entries", err);
    return RC_OK;
}

static enum rc take_typed_bool(const struct subject *at, struct str text, bool *ret,
                               struct err *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1", NULL};
    int64_t index = find_word(words, text);
    if (index < 0)
        return field_refuse(at, err, "must be true or false");
    *ret = index % 2 == 1;
    return RC_OK;
}

static enum rc take_typed_list(const struct field *f, const struct subject *at, struct str text,
                               struct arena *arena, struct list *ret, struct err *err)
{
    size_t count = text.n > 0 ? 1 : 0;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == ',';
    TRY(field_take_count(f, at, count, err));
    struct str *items = NEW_N(arena, struct str, count);
    for (size_t i = 0; i < count; i++) {
        struct subject entry = {at->noun, at->name, i + 1};
        TRY(field_take_text(f, &entry, str_cut(&text, ','), &items[i], err));
    }
    *ret = (struct list){items, count};
    return RC_OK;
}

enum rc field_take_typed(const struct field *f, const struct subject *at, struct str text,
                         struct arena *arena, void *ret, struct err *err)
{
    if (!str_is_utf8(text))
        return field_refuse(at, err, "must be UTF-8 text");
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_TIME:
    case FIELD_DATE:
    case FIELD_DECIMAL:
    case FIELD_WORD:
        return field_take_text(f, at, text, ret, err);
    case FIELD_INT: {
        int64_t value = 0;
        if (!str_to_i64(text, INT64_MIN, INT64_MAX, &value))
            return field_refuse(at, err, "must be a whole number");
        return field_take_int(f, at, value, ret, err);
    }
    case FIELD_BOOL:
        return take_typed_bool(at, text, ret, err);
    case FIELD_LIST:
        if (f->schema == NULL)
            return take_typed_list(f, at, text, arena, ret, err);
        break;
    case FIELD_OBJECT:
    case FIELD_JSON:
    case FIELD_RAW:
        break;
    }
    return field_refuse(at, err, "cannot be given here");
}
