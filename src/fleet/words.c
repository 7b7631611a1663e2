#include "fleet/words.h"

static bool is_word(struct str s)
{
    bool good = s.n > 0 && s.n <= WORD_BYTES_MAX;
    for (size_t i = 0; i < s.n && good; i++) {
        char c = s.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("-.:_", c) != NULL);
    }
    return good;
}

enum rc words_join(const struct list *list, const char *pointer, struct arena *arena,
                   struct str *ret, struct err *err)
{
    const struct str *items = list->items;
    struct buf b;
    buf_init(&b, arena, (size_t)WORDS_MAX * (WORD_BYTES_MAX + 1));
    if (list->count > WORDS_MAX)
        return err_set_at(err, RC_INVALID, str_c(pointer), "at most %d words", WORDS_MAX);
    for (size_t i = 0; i < list->count; i++) {
        if (!is_word(items[i]))
            return err_set_at(err, RC_INVALID, arena_fmt(arena, "%s/%zu", pointer, i),
                              "small letters, digits, '-', '.', ':' and '_', at most %d",
                              WORD_BYTES_MAX);
        if (i > 0)
            buf_add_char(&b, ' ');
        buf_add(&b, items[i]);
    }
    *ret = buf_str(&b);
    return RC_OK;
}

struct list words_split(struct str words, struct arena *arena)
{
    size_t count = 0;
    struct str *items = NEW_N(arena, struct str, words.n / 2 + 1);
    while (words.n > 0)
        items[count++] = str_cut(&words, ' ');
    return (struct list){items, count};
}

bool words_have(struct str words, struct str word)
{
    while (words.n > 0)
        if (str_eq(str_cut(&words, ' '), word))
            return true;
    return false;
}

bool words_have_all(struct str words, struct str wanted)
{
    while (wanted.n > 0)
        if (!words_have(words, str_cut(&wanted, ' ')))
            return false;
    return true;
}
