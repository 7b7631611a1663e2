#include "catalog/code.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

enum rc code_check(struct str code, const char *pointer, struct err *err)
{
    bool good = code.n > 0 && is_plain(code.p[0]);
    for (size_t i = 0; i < code.n && good; i++)
        good = is_plain(code.p[i]) || code.p[i] == '-' || code.p[i] == '.';
    if (!good)
        return err_set_at(err, RC_INVALID, str_c(pointer),
                          "'%.*s' is no short name: small letters, digits, '-' and '.', such as "
                          "vm-4",
                          STRF(code));
    return RC_OK;
}

int64_t code_word(const char *const *words, struct str text)
{
    for (int64_t i = 0; words[i] != NULL; i++)
        if (str_eq(text, str_c(words[i])))
            return i;
    NEVER("a word in the store that is not in its table");
}
