#include "money/iban.h"

#include "money/ascii.h"
#include "money/country.h"

/* The SWIFT IBAN registry (ISO 13616), release 100: the form of what follows country and check
 * digits. n: digits, a: letters, c: letters or digits, each with its count. */
struct iban_form {
    char country[3];
    int length; /* of the whole IBAN */
    const char *form;
};

static const struct iban_form table[] = {
    {"AD", 24, "n8c12"},    {"AE", 23, "n19"},      {"AL", 28, "n8c16"},    {"AT", 20, "n16"},
    {"AZ", 28, "a4c20"},    {"BA", 20, "n16"},      {"BE", 16, "n12"},      {"BG", 22, "a4n6c8"},
    {"BH", 22, "a4c14"},    {"BI", 27, "n23"},      {"BR", 29, "n23a1c1"},  {"BY", 28, "c4n4c16"},
    {"CH", 21, "n5c12"},    {"CR", 22, "n18"},      {"CY", 28, "n8c16"},    {"CZ", 24, "n20"},
    {"DE", 22, "n18"},      {"DJ", 27, "n23"},      {"DK", 18, "n14"},      {"DO", 28, "c4n20"},
    {"EE", 20, "n16"},      {"EG", 29, "n25"},      {"ES", 24, "n20"},      {"FI", 18, "n14"},
    {"FK", 18, "a2n12"},    {"FO", 18, "n14"},      {"FR", 27, "n10c11n2"}, {"GB", 22, "a4n14"},
    {"GE", 22, "a2n16"},    {"GI", 23, "a4c15"},    {"GL", 18, "n14"},      {"GR", 27, "n7c16"},
    {"GT", 28, "c24"},      {"HN", 28, "a4n20"},    {"HR", 21, "n17"},      {"HU", 28, "n24"},
    {"IE", 22, "a4n14"},    {"IL", 23, "n19"},      {"IQ", 23, "a4n15"},    {"IS", 26, "n22"},
    {"IT", 27, "a1n10c12"}, {"JO", 30, "a4n4c18"},  {"KW", 30, "a4c22"},    {"KZ", 20, "n3c13"},
    {"LB", 28, "n4c20"},    {"LC", 32, "a4c24"},    {"LI", 21, "n5c12"},    {"LT", 20, "n16"},
    {"LU", 20, "n3c13"},    {"LV", 21, "a4c13"},    {"LY", 25, "n21"},      {"MC", 27, "n10c11n2"},
    {"MD", 24, "c20"},      {"ME", 22, "n18"},      {"MK", 19, "n3c10n2"},  {"MN", 20, "n16"},
    {"MR", 27, "n23"},      {"MT", 31, "a4n5c18"},  {"MU", 30, "a4n19a3"},  {"NI", 28, "a4n20"},
    {"NL", 18, "a4n10"},    {"NO", 15, "n11"},      {"OM", 23, "n3c16"},    {"PK", 24, "a4c16"},
    {"PL", 28, "n24"},      {"PS", 29, "a4c21"},    {"PT", 25, "n21"},      {"QA", 29, "a4c21"},
    {"RO", 24, "a4c16"},    {"RS", 22, "n18"},      {"RU", 33, "n14c15"},   {"SA", 24, "n2c18"},
    {"SC", 31, "a4n20a3"},  {"SD", 18, "n14"},      {"SE", 24, "n20"},      {"SI", 19, "n15"},
    {"SK", 24, "n20"},      {"SM", 27, "a1n10c12"}, {"SO", 23, "n19"},      {"ST", 25, "n21"},
    {"SV", 28, "a4n20"},    {"TL", 23, "n19"},      {"TN", 24, "n20"},      {"TR", 26, "n6c16"},
    {"UA", 29, "n6c19"},    {"VA", 22, "n18"},      {"VG", 24, "a4n16"},    {"XK", 20, "n16"},
    {"YE", 30, "a4n4c18"},
};

static const struct iban_form *form_find(struct str country)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (str_eq(country, str_n(table[i].country, 2)))
            return &table[i];
    return NULL;
}

static bool kind_fits(char kind, char c)
{
    return (kind != 'a' && ascii_digit(c)) || (kind != 'n' && ascii_upper(c));
}

/* bban has the length that form adds up to. */
static bool form_fits(const char *form, struct str bban)
{
    size_t at = 0;
    while (*form != '\0') {
        char kind = *form++;
        int count = 0;
        while (ascii_digit(*form))
            count = count * 10 + (*form++ - '0');
        for (; count > 0; count--)
            if (!kind_fits(kind, bban.p[at++]))
                return false;
    }
    ASSERT(at == bban.n);
    return true;
}

int mod97(struct str a, struct str b)
{
    int rest = 0;
    for (size_t i = 0; i < a.n + b.n; i++) {
        char c = i < a.n ? a.p[i] : b.p[i - a.n];
        ASSERT(ascii_digit(c) || ascii_upper(c));
        /* A letter counts as two digits, A = 10 .. Z = 35. */
        rest = ascii_digit(c) ? (rest * 10 + (c - '0')) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
    }
    return rest;
}

bool mod97_checks(struct str head, struct str body)
{
    struct str digits = str_sub(head, 2, 4);
    return str_cmp(digits, STR("02")) >= 0 && str_cmp(digits, STR("98")) <= 0 &&
           mod97(body, head) == 1;
}

enum rc iban_parse(struct str text, char ret[IBAN_MAX + 1], struct err *err)
{
    char compact[IBAN_MAX + 1];
    struct str iban = str_n(compact, ascii_compact(text, " ", compact, IBAN_MAX));
    struct str shown = ascii_shown(text);
    if (iban.n < 5)
        return err_set(err, RC_INVALID,
                       "'%.*s' is not an IBAN: 15 to 34 letters and digits were wanted",
                       STRF(shown));
    const struct iban_form *form = form_find(str_sub(iban, 0, 2));
    if (form == NULL)
        return err_set(err, RC_INVALID, "'%.*s' is not an IBAN: '%.*s' is no country with IBANs",
                       STRF(shown), STRF(ascii_shown(str_sub(iban, 0, 2))));
    if (iban.n != (size_t)form->length)
        return err_set(err, RC_INVALID,
                       "'%.*s' is not an IBAN: those of %s have %d characters, not %zu",
                       STRF(shown), form->country, form->length, iban.n);
    if (!ascii_digit(iban.p[2]) || !ascii_digit(iban.p[3]) ||
        !form_fits(form->form, str_sub(iban, 4, iban.n)))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not an IBAN: letters and digits are not where %s has them",
                       STRF(shown), form->country);
    if (!mod97_checks(str_sub(iban, 0, 4), str_sub(iban, 4, iban.n)))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not an IBAN: the check digits do not match, look for a typing "
                       "error",
                       STRF(shown));
    memcpy(ret, compact, iban.n + 1);
    return RC_OK;
}

size_t iban_format(struct str iban, char text[IBAN_TEXT_MAX])
{
    ASSERT(iban.n <= IBAN_MAX);
    size_t n = 0;
    for (size_t i = 0; i < iban.n; i++) {
        if (i > 0 && i % 4 == 0)
            text[n++] = ' ';
        text[n++] = iban.p[i];
    }
    text[n] = '\0';
    ASSERT(n < IBAN_TEXT_MAX);
    return n;
}

enum rc bic_parse(struct str text, char ret[BIC_MAX + 1], struct err *err)
{
    char compact[BIC_MAX + 1];
    struct str bic = str_n(compact, ascii_compact(text, " ", compact, BIC_MAX));
    struct str country = str_sub(bic, 4, 6);
    bool good = bic.n == 8 || bic.n == 11;
    for (size_t i = 0; i < bic.n; i++)
        good = good && kind_fits(i < 4 ? 'a' : 'c', bic.p[i]);
    if (!good || (country_find(country) == NULL && !str_eq(country, STR("XK"))))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not a BIC: 8 or 11 characters such as DEUTDEFF were wanted, four "
                       "letters of the bank first, then its country",
                       STRF(ascii_shown(text)));
    memcpy(ret, compact, bic.n + 1);
    return RC_OK;
}
