#include "party/party_check.h"

#include "money/country.h"
#include "money/currency.h"
#include "money/iban.h"
#include "money/vat_id.h"
#include "money/zone.h"
#include "party/email.h"

enum { NAME_MAX_CHARACTERS = 200, SCHEME_MAX = 16, TAX_ID_MAX = 40, SIREN_N = 9, SIRET_N = 14 };

/* U+202A to U+202E and U+2066 to U+2069: with them a name can look like another's on a screen. */
static bool turns_text_around(struct str s)
{
    for (size_t i = 0; i + 2 < s.n; i++) {
        const unsigned char *c = (const unsigned char *)s.p + i;
        if (c[0] == 0xE2 && ((c[1] == 0x80 && c[2] >= 0xAA && c[2] <= 0xAE) ||
                             (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9)))
            return true;
    }
    return false;
}

enum rc name_check(struct str name, const char *pointer, struct err *err)
{
    if (str_trim(name).n == 0)
        return err_set_at(err, RC_INVALID, str_c(pointer), "a name is required");
    if (!str_is_utf8(name) || str_count_utf8(name) > NAME_MAX_CHARACTERS)
        return err_set_at(err, RC_INVALID, str_c(pointer), "a name has at most %d characters",
                          NAME_MAX_CHARACTERS);
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7F)
            return err_set_at(err, RC_INVALID, str_c(pointer),
                              "a name has no line ends or other control characters");
    if (turns_text_around(name))
        return err_set_at(err, RC_INVALID, str_c(pointer),
                          "a name has no signs that turn the direction of text around");
    return RC_OK;
}

/* --- language and time zone --- */

static bool all_between(struct str s, char low, char high)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < low || s.p[i] > high)
            return false;
    return true;
}

static bool is_script(struct str s)
{
    return s.n == 4 && all_between(str_sub(s, 0, 1), 'A', 'Z') &&
           all_between(str_sub(s, 1, 4), 'a', 'z');
}

enum rc language_check(struct str language, struct err *err)
{
    struct str rest = language;
    struct str part = str_cut(&rest, '-');
    bool good = (part.n == 2 || part.n == 3) && all_between(part, 'a', 'z');
    if (rest.n > 0) {
        part = str_cut(&rest, '-');
        if (is_script(part) && rest.n > 0)
            part = str_cut(&rest, '-');
        good = good && (is_script(part) || (part.n == 2 && all_between(part, 'A', 'Z')));
    }
    if (!good || rest.n > 0 || str_ends(language, STR("-")))
        return err_set_at(err, RC_INVALID, STR("/language"),
                          "'%.*s' is no language: wanted is one such as en, fr or zh-CN",
                          STRF(language));
    return RC_OK;
}

enum rc time_zone_check(struct str zone, struct arena *arena, struct err *err)
{
    const struct zone *ignored;
    return err_blame(zone_load(zone, arena, &ignored, err), "/time_zone", err);
}

/* --- tax ids --- */

/* ISO/IEC 7812: every second digit from the right counts double; the sum ends in 0. */
static bool luhn_holds(struct str digits)
{
    int sum = 0;
    for (size_t i = 0; i < digits.n; i++) {
        int digit = digits.p[digits.n - 1 - i] - '0';
        if (i % 2 == 1)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0;
}

/* SIRETs of La Poste (SIREN 356000000) but its seat have a sum of digits that 5 divides instead. */
static bool is_la_poste(struct str siret)
{
    int sum = 0;
    for (size_t i = 0; i < siret.n; i++)
        sum += siret.p[i] - '0';
    return str_starts(siret, STR("356000000")) && sum % 5 == 0;
}

/* GB 32100-2015: 17 characters with weights 3^i modulo 31 and the one that makes it 31. */
static bool uscc_holds(struct str s)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    enum { USCC_N = 18, USCC_MOD = 31 };
    if (s.n != USCC_N)
        return false;
    int sum = 0;
    int weight = 1;
    int value = 0;
    for (size_t i = 0; i < USCC_N; i++) {
        const char *at = s.p[i] != '\0' ? strchr(alphabet, s.p[i]) : NULL;
        if (at == NULL)
            return false;
        value = (int)(at - alphabet);
        if (i + 1 < USCC_N)
            sum += value * weight;
        weight = weight * 3 % USCC_MOD;
    }
    return (sum + value) % USCC_MOD == 0;
}

static bool is_scheme(struct str s)
{
    if (s.n < 2 || s.n > SCHEME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 'a' || s.p[i] > 'z') && (s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '_')
            return false;
    return true;
}

/* Printable ASCII, not empty: what every country's numbers are written with. */
static bool is_plain(struct str s, size_t max)
{
    return s.n > 0 && s.n <= max && all_between(s, ' ', '~');
}

static enum rc check_tax_value(struct tax_id *t, const struct country *country, struct arena *arena,
                               struct err *err)
{
    char vat[VAT_ID_MAX + 1];
    if (str_eq(t->scheme, STR("vat"))) {
        TRY(vat_id_parse(t->value, country, vat, err));
        t->value = arena_str(arena, str_c(vat));
        return RC_OK;
    }
    bool digits = all_between(t->value, '0', '9');
    if (str_eq(t->scheme, STR("siren")) &&
        !(digits && t->value.n == SIREN_N && luhn_holds(t->value)))
        return err_set(err, RC_INVALID, "'%.*s' is no SIREN: wanted are 9 digits that check",
                       STRF(t->value));
    if (str_eq(t->scheme, STR("siret")) &&
        !(digits && t->value.n == SIRET_N && (luhn_holds(t->value) || is_la_poste(t->value))))
        return err_set(err, RC_INVALID, "'%.*s' is no SIRET: wanted are 14 digits that check",
                       STRF(t->value));
    if (str_eq(t->scheme, STR("uscc")) && !uscc_holds(t->value))
        return err_set(err, RC_INVALID,
                       "'%.*s' is no unified social credit code: wanted are 18 characters that "
                       "check",
                       STRF(t->value));
    if (!is_plain(t->value, TAX_ID_MAX))
        return err_set(err, RC_INVALID, "a tax id is 1 to %d letters, digits and signs",
                       TAX_ID_MAX);
    return RC_OK;
}

static enum rc check_tax_id(struct tax_id *t, const struct country *country, struct arena *arena,
                            struct err *err)
{
    if (!is_scheme(t->scheme))
        return err_set_at(err, RC_INVALID, STR("/scheme"),
                          "a scheme is 2 to %d small letters and digits, such as vat or siren",
                          SCHEME_MAX);
    return err_blame(check_tax_value(t, country, arena, err), "/value", err);
}

/* By scheme, as the store gives them back. */
static void sort_tax_ids(struct tax_id *ids, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && str_cmp(ids[k].scheme, ids[k - 1].scheme) < 0; k--) {
            struct tax_id swap = ids[k];
            ids[k] = ids[k - 1];
            ids[k - 1] = swap;
        }
}

static enum rc check_tax_ids(struct party *p, const struct country *country, struct arena *arena,
                             struct err *err)
{
    if (p->tax_ids.count > PARTY_TAX_IDS_MAX)
        return err_set_at(err, RC_INVALID, STR("/tax_ids"), "a party has at most %d tax ids",
                          PARTY_TAX_IDS_MAX);
    struct tax_id *ids = NEW_N(arena, struct tax_id, p->tax_ids.count);
    for (size_t i = 0; i < p->tax_ids.count; i++) {
        char under[32];
        (void)snprintf(under, sizeof under, "/tax_ids/%zu", i);
        ids[i] = ((const struct tax_id *)p->tax_ids.items)[i];
        ids[i].set = schema_all(&tax_id_schema);
        enum rc rc = check_tax_id(&ids[i], country, arena, err);
        for (size_t k = 0; rc == RC_OK && k < i; k++)
            if (str_eq(ids[k].scheme, ids[i].scheme))
                rc = err_set_at(err, RC_INVALID, STR("/scheme"),
                                "there are two ids of scheme '%.*s'", STRF(ids[i].scheme));
        if (rc != RC_OK) {
            err_under(err, str_c(under));
            return rc;
        }
    }
    sort_tax_ids(ids, p->tax_ids.count);
    p->tax_ids.items = ids;
    return RC_OK;
}

/* --- the rest --- */

static enum rc check_bank(struct bank *b, struct arena *arena, struct err *err)
{
    char iban[IBAN_MAX + 1];
    char bic[BIC_MAX + 1];
    if (b->iban.n > 0) {
        TRY(err_blame(iban_parse(b->iban, iban, err), "/bank/iban", err));
        b->iban = arena_str(arena, str_c(iban));
    }
    if (b->bic.n > 0) {
        TRY(err_blame(bic_parse(b->bic, bic, err), "/bank/bic", err));
        b->bic = arena_str(arena, str_c(bic));
    }
    return RC_OK;
}

static enum rc check_phone(struct str phone, struct err *err)
{
    size_t digits = 0;
    for (size_t i = 0; i < phone.n; i++) {
        digits += phone.p[i] >= '0' && phone.p[i] <= '9' ? 1 : 0;
        if (phone.p[i] == '\0' || strchr("+0123456789 ()./-", phone.p[i]) == NULL)
            return err_set_at(err, RC_INVALID, STR("/phone"),
                              "a telephone number is digits, spaces and + ( ) . / -");
    }
    if (phone.n > 0 && digits < 3)
        return err_set_at(err, RC_INVALID, STR("/phone"),
                          "a telephone number has at least 3 digits");
    return RC_OK;
}

enum rc party_check(struct party *p, struct arena *arena, struct err *err)
{
    const struct country *country = NULL;
    const struct currency *currency = NULL;
    TRY(name_check(p->name, "/name", err));
    if (p->kind != PARTY_COMPANY && p->kind != PARTY_PERSON)
        return err_set_at(err, RC_INVALID, STR("/kind"), "a party is a company or a person");
    if (p->email.n > 0)
        TRY(err_blame(email_parse(p->email, arena, &p->email, err), "/email", err));
    TRY(check_phone(p->phone, err));
    if (p->address.country.n == 0)
        return err_set_at(err, RC_INVALID, STR("/address/country"),
                          "a country is required: it decides which taxes there are");
    TRY(err_blame(country_parse(p->address.country, &country, err), "/address/country", err));
    TRY(check_tax_ids(p, country, arena, err));
    TRY(check_bank(&p->bank, arena, err));
    TRY(err_blame(currency_parse(p->currency, &currency, err), "/currency", err));
    if (p->tax_currency.n > 0)
        TRY(err_blame(currency_parse(p->tax_currency, &currency, err), "/tax_currency", err));
    TRY(language_check(p->language, err));
    return time_zone_check(p->time_zone, arena, err);
}
