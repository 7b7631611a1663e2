#include "krl/format.h"

#include "krl/parse.h"

enum { OPEN_MAX = 4096, INDENT = 2 };

struct formatter {
    struct lex lex;
    struct buf *out;
    uint32_t lines[OPEN_MAX]; /* of the output, on which each open bracket stands */
    size_t open;
    uint32_t line;
    size_t chevrons; /* within a chevron everything stays */
};

static struct str text_of(const struct formatter *f, size_t i)
{
    const struct lex_word *w = &f->lex.words[i];
    return str_sub(f->lex.source, w->start, w->end);
}

static bool is_raw(const struct formatter *f, size_t i, const char *raw)
{
    return f->lex.words[i].kind == LEX_RAW && str_eq(text_of(f, i), str_c(raw));
}

static bool opens(const struct formatter *f, size_t i)
{
    return is_raw(f, i, "{") || is_raw(f, i, "(") || is_raw(f, i, "[");
}

static bool closes(const struct formatter *f, size_t i)
{
    return is_raw(f, i, "}") || is_raw(f, i, ")") || is_raw(f, i, "]");
}

static size_t line_ends(struct str gap)
{
    size_t n = 0;
    for (size_t i = 0; i < gap.n; i++)
        n += gap.p[i] == '\n' || (gap.p[i] == '\r' && (i + 1 == gap.n || gap.p[i + 1] != '\n'));
    return n;
}

/* What stands between the word before and this one. */
static struct str gap_before(const struct formatter *f, size_t i)
{
    return str_sub(f->lex.source, f->lex.words[i - 1].end, f->lex.words[i].start);
}

/* For each line with an open bracket, but for those that the line's first words close. */
static size_t indentation(const struct formatter *f, size_t i)
{
    size_t open = f->open;
    for (size_t first = i; open > 0 && i < f->lex.count && closes(f, i); i++) {
        if (i > first && line_ends(gap_before(f, i)) > 0)
            break;
        open--;
    }
    size_t levels = 0;
    for (size_t k = 0; k < open; k++)
        levels += k == 0 || f->lines[k] != f->lines[k - 1];
    return levels * INDENT;
}

static bool wants_space(const struct formatter *f, size_t i, bool had)
{
    if (is_raw(f, i, ",") || is_raw(f, i, ";"))
        return false;
    return had || is_raw(f, i - 1, ",") || f->lex.words[i].kind == LEX_COMMENT;
}

static void put_gap(struct formatter *f, size_t i)
{
    struct str gap = gap_before(f, i);
    size_t breaks = line_ends(gap);
    if (f->chevrons > 0) {
        buf_add(f->out, gap);
    } else if (breaks > 0) {
        buf_add(f->out, breaks > 1 ? STR("\n\n") : STR("\n"));
        f->line++;
        for (size_t n = indentation(f, i); n > 0; n--)
            buf_add_char(f->out, ' ');
    } else if (wants_space(f, i, gap.n > 0)) {
        buf_add_char(f->out, ' ');
    }
}

static enum rc put_word(struct formatter *f, size_t i, struct err *err)
{
    const struct lex_word *w = &f->lex.words[i];
    if (w->kind == LEX_ILLEGAL)
        return krl_refuse(err, f->lex.source, w->start, "ParseError: Unsupported characters");
    if (w->kind == LEX_UNCLOSED)
        return krl_refuse(err, f->lex.source, w->start, "ParseError: Missing close %s",
                          w->close == '"'   ? "\""
                          : w->close == '#' ? "#"
                                            : "*/");
    struct str text = text_of(f, i);
    bool comment = w->kind == LEX_COMMENT && str_starts(text, STR("//"));
    buf_add(f->out, comment ? str_trim(text) : text);
    f->chevrons += w->kind == LEX_CHEVRON_OPEN;
    f->chevrons -= w->kind == LEX_CHEVRON_CLOSE && f->chevrons > 0;
    if (f->chevrons > 0)
        return RC_OK;
    if (opens(f, i) && f->open < OPEN_MAX)
        f->lines[f->open++] = f->line;
    else if (closes(f, i) && f->open > 0)
        f->open--;
    return RC_OK;
}

enum rc krl_format(struct str source, struct arena *arena, struct buf *out, struct err *err)
{
    struct formatter f = {.out = out};
    TRY(krl_lex(source, true, arena, &f.lex, err));
    for (size_t i = 0; i < f.lex.count; i++) {
        if (i > 0)
            put_gap(&f, i);
        TRY(put_word(&f, i, err));
    }
    /* A chevron that is not closed may end with one, which would grow. */
    if (f.lex.count > 0 && !str_ends(buf_str(out), STR("\n")))
        buf_add_char(out, '\n');
    if (out->full)
        return err_set(err, RC_TOO_LARGE, "the formatted source is too large");
    return RC_OK;
}
