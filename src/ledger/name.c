#include "ledger/name.h"

#include "base/id.h"

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return is_capital(c) || (c >= 'a' && c <= 'z');
}

static bool is_any_id(struct str s)
{
    char prefix[ID_PREFIX_MAX + 1] = {0};
    size_t n = str_find(s, '_', 0);
    if (n < 2 || n > ID_PREFIX_MAX || n == s.n)
        return false;
    memcpy(prefix, s.p, n);
    for (size_t i = 0; i < n; i++)
        if (prefix[i] < 'a' || prefix[i] > 'z')
            return false;
    return id_is(s, prefix);
}

static bool is_part(struct str s)
{
    if (s.n == 0 || !(is_capital(s.p[0]) || is_digit(s.p[0])))
        return is_any_id(s);
    for (size_t i = 1; i < s.n; i++)
        if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

bool name_is_party(struct str s)
{
    return s.n <= NAME_PARTY_MAX && is_part(s);
}

bool name_is_code(struct str s)
{
    if (s.n == 0 || s.n > NAME_CODE_MAX || !is_capital(s.p[0]) || s.p[s.n - 1] == ':')
        return false;
    for (struct str rest = s; rest.n > 0;)
        if (!is_part(str_cut(&rest, ':')))
            return false;
    return true;
}

bool name_is_source(struct str s)
{
    if (s.n == 0 || s.n > NAME_SOURCE_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && str_find(STR("._/:@+-"), s.p[i], 0) == 7)
            return false;
    return true;
}
