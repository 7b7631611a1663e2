#include "krl/lex.h"

struct lexer {
    struct str s;
    size_t at;
    struct lex_word *words;
    size_t count;
    size_t capacity;
    bool comments;
    size_t depth;                      /* of beestings */
    uint32_t curlies[KRL_NESTING_MAX]; /* open in each */
};

static char peek(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->s.n ? l->s.p[l->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/* Bytes of the white space at at: JavaScript's \s; 0 where there is none. */
static size_t space_at(struct str s, size_t at)
{
    uint8_t c = (uint8_t)s.p[at];
    if (c == ' ' || (c >= 9 && c <= 13))
        return 1;
    if (c == 0xC2 && at + 1 < s.n && (uint8_t)s.p[at + 1] == 0xA0)
        return 2;
    if (at + 2 >= s.n || (c != 0xE1 && c != 0xE2 && c != 0xE3 && c != 0xEF))
        return 0;
    uint32_t code = (uint32_t)(c & 0x0F) << 12 | (uint32_t)((uint8_t)s.p[at + 1] & 0x3F) << 6 |
                    ((uint8_t)s.p[at + 2] & 0x3F);
    bool space = code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
                 code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000 ||
                 code == 0xFEFF;
    return space ? 3 : 0;
}

static void push(struct lexer *l, enum lex_kind kind, size_t start)
{
    ASSERT(l->count < l->capacity);
    l->words[l->count++] =
        (struct lex_word){.kind = (uint8_t)kind, .start = (uint32_t)start, .end = (uint32_t)l->at};
}

static void push_unclosed(struct lexer *l, char close, size_t start)
{
    push(l, LEX_UNCLOSED, start);
    l->words[l->count - 1].close = (uint8_t)close;
}

static void read_comment(struct lexer *l)
{
    size_t start = l->at;
    if (peek(l, 1) == '/') {
        while (l->at < l->s.n && peek(l, 0) != '\n' && peek(l, 0) != '\r')
            l->at++;
    } else {
        l->at += 2;
        while (l->at < l->s.n && !(peek(l, 0) == '*' && peek(l, 1) == '/'))
            l->at++;
        if (l->at >= l->s.n) {
            push_unclosed(l, 0, start);
            return;
        }
        l->at += 2;
    }
    if (l->comments)
        push(l, LEX_COMMENT, start);
}

static void read_number(struct lexer *l)
{
    size_t start = l->at;
    while (is_digit(peek(l, 0)))
        l->at++;
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        l->at++;
        while (is_digit(peek(l, 0)))
            l->at++;
    }
    push(l, LEX_NUMBER, start);
}

/* Up to the close that no backslash stands before. */
static bool skip_to(struct lexer *l, char close)
{
    while (l->at < l->s.n && peek(l, 0) != close)
        l->at += peek(l, 0) == '\\' ? 2 : 1;
    if (l->at < l->s.n) {
        l->at++;
        return true;
    }
    l->at = l->s.n;
    return false;
}

static void read_string(struct lexer *l)
{
    size_t start = l->at++;
    if (skip_to(l, '"'))
        push(l, LEX_STRING, start);
    else
        push_unclosed(l, '"', start);
}

static void read_regex(struct lexer *l)
{
    size_t start = l->at;
    l->at += 3;
    if (!skip_to(l, '#')) {
        push_unclosed(l, '#', start);
        return;
    }
    while (peek(l, 0) == 'g' || peek(l, 0) == 'i' || peek(l, 0) == 'm')
        l->at++;
    push(l, LEX_REGEX, start);
}

/* The text of a chevron up to a beesting or its end. */
static void read_chevron(struct lexer *l)
{
    size_t start = l->at;
    bool open = false;
    bool close = false;
    while (l->at < l->s.n) {
        open = peek(l, 0) == '#' && peek(l, 1) == '{';
        close = peek(l, 0) == '>' && peek(l, 1) == '>';
        if (open || close)
            break;
        l->at = min_size(l->s.n, l->at + (peek(l, 0) == '\\' ? 2 : 1));
    }
    if (l->at > start)
        push(l, LEX_CHEVRON_TEXT, start);
    start = l->at;
    if (open && l->depth == KRL_NESTING_MAX) {
        l->at = l->s.n;
        push(l, LEX_ILLEGAL, start);
    } else if (open) {
        l->curlies[l->depth++] = 0;
        l->at += 2;
        push(l, LEX_BEESTING_OPEN, start);
    } else if (close) {
        l->at += 2;
        push(l, LEX_CHEVRON_CLOSE, start);
    }
}

static void read_raw(struct lexer *l)
{
    static const char *const raws[] = {"<=>", "<=", "<", "||", "|",  "==", "=>", "=", ":=", ":",
                                       ">=",  "><", ">", "&&", "!=", "(",  ")",  "{", "}",  "[",
                                       "]",   ",",  "/", ".",  "-",  "%",  "+",  ";", "*"};
    size_t start = l->at;
    for (size_t i = 0; i < COUNT(raws); i++) {
        if (!str_starts(str_sub(l->s, start, start + 3), str_c(raws[i])))
            continue;
        l->at += strlen(raws[i]);
        push(l, LEX_RAW, start);
        return;
    }
    l->at += max_size(1, str_utf8_step(l->s, start));
    push(l, LEX_ILLEGAL, start);
}

/* Curly brackets within a beesting are counted; the one too many closes it. */
static bool closes_beesting(struct lexer *l)
{
    char c = peek(l, 0);
    if (l->depth == 0 || (c != '{' && c != '}'))
        return false;
    uint32_t *curlies = &l->curlies[l->depth - 1];
    if (c == '{')
        (*curlies)++;
    else if (*curlies > 0)
        (*curlies)--;
    else
        return true;
    return false;
}

static void read_word(struct lexer *l)
{
    char c = peek(l, 0);
    size_t start = l->at;
    size_t space = space_at(l->s, l->at);
    if (space > 0) {
        l->at += space;
    } else if (c == '/' && (peek(l, 1) == '/' || peek(l, 1) == '*')) {
        read_comment(l);
    } else if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
        read_number(l);
    } else if (c == '"') {
        read_string(l);
    } else if (c == 'r' && peek(l, 1) == 'e' && peek(l, 2) == '#') {
        read_regex(l);
    } else if (c == '<' && peek(l, 1) == '<') {
        l->at += 2;
        push(l, LEX_CHEVRON_OPEN, start);
        read_chevron(l);
    } else if (is_letter(c)) {
        while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
            l->at++;
        push(l, LEX_SYMBOL, start);
    } else if (closes_beesting(l)) {
        l->depth--;
        l->at++;
        push(l, LEX_BEESTING_CLOSE, start);
        read_chevron(l);
    } else {
        read_raw(l);
    }
}

enum rc krl_lex(struct str source, bool comments, struct arena *arena, struct lex *ret,
                struct err *err)
{
    if (source.n > KRL_SOURCE_MAX)
        return err_set(err, RC_TOO_LARGE, "a ruleset has at most %d bytes", KRL_SOURCE_MAX);
    if (!str_is_utf8(source))
        return err_set(err, RC_SYNTAX, "ParseError: the source is not UTF-8");
    /* Every word takes a byte, a chevron's end and text come from different bytes. */
    size_t capacity = source.n + 2;
    if (arena_room(arena) / sizeof(struct lex_word) <= capacity)
        return err_set(err, RC_TOO_LARGE, "the source is too large");
    struct lexer l = {.s = source,
                      .words = NEW_N(arena, struct lex_word, capacity),
                      .capacity = capacity,
                      .comments = comments};
    while (l.at < source.n)
        read_word(&l);
    *ret = (struct lex){.source = source, .words = l.words, .count = l.count};
    push(&l, LEX_END, l.at);
    return RC_OK;
}

struct krl_place krl_place(struct str source, size_t at)
{
    struct krl_place place = {.line = 1, .column = 1};
    if (source.n > 0)
        at = min_size(at, source.n - 1);
    for (size_t i = 0; i < at && i < source.n; i++) {
        uint8_t c = (uint8_t)source.p[i];
        if (c == '\n')
            place = (struct krl_place){.line = place.line + 1, .column = 1};
        else if ((c & 0xC0) != 0x80) /* a code point begins; four bytes are two units */
            place.column += c >= 0xF0 ? 2 : 1;
    }
    return place;
}
