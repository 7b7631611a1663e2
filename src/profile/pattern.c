#include "profile/pattern.h"

enum { ASCII = 128 };

struct part {
    bool takes[ASCII];
    int64_t min;
    int64_t max;
};

static enum rc refuse(struct err *err, const char *why)
{
    return err_set(err, RC_INVALID, "a pattern is a row of classes such as [a-z][a-z0-9]{0,30}: %s",
                   why);
}

static bool is_visible(char c)
{
    return c >= ' ' && c < 127;
}

/* "[a-z0-9_-]" behind the bracket. */
static enum rc read_class(struct str p, size_t *at, struct part *ret, struct err *err)
{
    bool any = false;
    for (; *at < p.n && p.p[*at] != ']'; (*at)++) {
        char from = p.p[*at];
        char to = from;
        if (*at + 2 < p.n && p.p[*at + 1] == '-' && p.p[*at + 2] != ']') {
            to = p.p[*at + 2];
            *at += 2;
        }
        if (!is_visible(from) || !is_visible(to) || from > to || from == '[' || from == '\\' ||
            (from == '^' && !any))
            return refuse(err, "a class has visible ASCII characters and ranges of them");
        for (char c = from; c <= to; c++) /* visible: never the last of its type */
            ret->takes[(unsigned char)c] = true;
        any = true;
    }
    if (*at == p.n || !any)
        return refuse(err, "a class is empty or has no end");
    (*at)++;
    return RC_OK;
}

/* "{2}", "{0,62}" behind the bracket. */
static enum rc read_times(struct str p, size_t *at, struct part *ret, struct err *err)
{
    size_t end = str_find(p, '}', *at);
    if (end == p.n)
        return refuse(err, "'{' has no end");
    struct str max = str_sub(p, *at, end);
    struct str min = str_cut(&max, ',');
    if (max.n == 0)
        max = min;
    *at = end + 1;
    if (str_to_i64(min, 0, PATTERN_TIMES_MAX, &ret->min) &&
        str_to_i64(max, ret->min, PATTERN_TIMES_MAX, &ret->max))
        return RC_OK;
    return refuse(err, "'{' wants one or two numbers, the smaller first");
}

static enum rc read_part(struct str p, size_t *at, struct part *ret, struct err *err)
{
    static const char special[] = "\\^$.|?*+(){}]";
    *ret = (struct part){.min = 1, .max = 1};
    char c = p.p[(*at)++];
    if (c == '[')
        TRY(read_class(p, at, ret, err));
    else if (is_visible(c) && strchr(special, c) == NULL)
        ret->takes[(unsigned char)c] = true;
    else
        return refuse(err, "this character stands in a class only");
    if (*at == p.n)
        return RC_OK;
    char times = p.p[*at];
    if (times != '?' && times != '*' && times != '+' && times != '{')
        return RC_OK;
    (*at)++;
    if (times == '{')
        return read_times(p, at, ret, err);
    ret->min = times == '+';
    ret->max = times == '?' ? 1 : PATTERN_TIMES_MAX;
    return RC_OK;
}

enum rc pattern_check(struct str pattern, struct err *err)
{
    size_t parts = 0;
    for (size_t at = 0; at < pattern.n; parts++) {
        struct part part;
        if (parts == PATTERN_CLASSES_MAX)
            return refuse(err, "it has more than 16");
        TRY(read_part(pattern, &at, &part, err));
    }
    return parts > 0 ? RC_OK : refuse(err, "it is empty");
}

bool pattern_matches(struct str pattern, struct str text)
{
    struct err err;
    size_t done = 0;
    for (size_t at = 0; at < pattern.n;) {
        struct part part;
        if (read_part(pattern, &at, &part, &err) != RC_OK)
            NEVER("the pattern was checked");
        int64_t times = 0;
        for (; done < text.n && times < part.max; times++, done++) {
            unsigned char c = (unsigned char)text.p[done];
            if (c >= ASCII || !part.takes[c])
                break;
        }
        if (times < part.min)
            return false;
    }
    return done == text.n;
}

static bool is_plain(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

bool pattern_is_plain(struct str pattern)
{
    struct err err;
    for (size_t at = 0; at < pattern.n;) {
        struct part part;
        if (read_part(pattern, &at, &part, &err) != RC_OK)
            NEVER("the pattern was checked");
        for (int c = 0; c < ASCII; c++)
            if (part.takes[c] && !is_plain(c))
                return false;
    }
    return true;
}

bool text_is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_plain(text.p[i]))
            return false;
    return true;
}
