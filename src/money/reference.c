#include "money/reference.h"

#include "money/ascii.h"
#include "money/country.h"
#include "money/iban.h"

static bool is_alphanumeric(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_digit(s.p[i]) && !ascii_upper(s.p[i]))
            return false;
    return s.n > 0;
}

enum rc reference_make(struct str body, char ret[REFERENCE_MAX + 1], struct err *err)
{
    char compact[REFERENCE_BODY_MAX + 1];
    struct str good = str_n(compact, ascii_compact(body, " -", compact, REFERENCE_BODY_MAX));
    if (!is_alphanumeric(good))
        return err_set(err, RC_INVALID,
                       "no reference can be made of '%.*s': 1 to %d letters and digits were wanted",
                       STRF(ascii_shown(body)), REFERENCE_BODY_MAX);
    (void)snprintf(ret, REFERENCE_MAX + 1, "RF%02d%s", 98 - mod97(good, STR("RF00")), compact);
    return RC_OK;
}

enum rc reference_parse(struct str text, char ret[REFERENCE_MAX + 1], struct err *err)
{
    char compact[REFERENCE_MAX + 1];
    struct str ref = str_n(compact, ascii_compact(text, " ", compact, REFERENCE_MAX));
    if (ref.n < 5 || !is_alphanumeric(ref) || !str_starts(ref, STR("RF")) ||
        !ascii_digit(ref.p[2]) || !ascii_digit(ref.p[3]))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not a creditor reference: RF, two digits and 1 to %d letters and "
                       "digits were wanted",
                       STRF(ascii_shown(text)), REFERENCE_BODY_MAX);
    if (!mod97_checks(str_sub(ref, 0, 4), str_sub(ref, 4, ref.n)))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not a creditor reference: the check digits do not match, look "
                       "for a typing error",
                       STRF(ascii_shown(text)));
    memcpy(ret, compact, ref.n + 1);
    return RC_OK;
}

size_t reference_format(struct str reference, char text[REFERENCE_TEXT_MAX])
{
    ASSERT(reference.n <= REFERENCE_MAX);
    char grouped[IBAN_TEXT_MAX];
    size_t n = iban_format(reference, grouped);
    ASSERT(n < REFERENCE_TEXT_MAX);
    memcpy(text, grouped, n + 1);
    return n;
}

enum rc creditor_id_parse(struct str text, char ret[CREDITOR_ID_MAX + 1], struct err *err)
{
    enum { NATIONAL_AT = 7 }; /* behind country, check digits and business code */
    char compact[CREDITOR_ID_MAX + 1];
    struct str id = str_n(compact, ascii_compact(text, " ", compact, CREDITOR_ID_MAX));
    if (id.n <= NATIONAL_AT || !is_alphanumeric(id) || country_find(str_sub(id, 0, 2)) == NULL ||
        !ascii_digit(id.p[2]) || !ascii_digit(id.p[3]))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not a SEPA creditor identifier: one such as DE98ZZZ09999999999 "
                       "was wanted",
                       STRF(ascii_shown(text)));
    if (!mod97_checks(str_sub(id, 0, 4), str_sub(id, NATIONAL_AT, id.n)))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not a SEPA creditor identifier: the check digits do not match, "
                       "look for a typing error",
                       STRF(ascii_shown(text)));
    memcpy(ret, compact, id.n + 1);
    return RC_OK;
}
