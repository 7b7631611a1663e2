#include "money/vat_id.h"

#include "money/ascii.h"

/* In forms: '#' a digit, '@' a letter, '*' a letter or digit, '?' a letter, digit, '+' or '*';
 * anything else stands for itself; '|' parts alternatives. The form is of what follows the
 * prefix. */
struct vat_form {
    char country[3];
    char prefix[3]; /* empty: the country has none */
    const char *forms;
};

static const struct vat_form table[] = {
    {"AT", "AT", "U########"},
    {"BE", "BE", "0#########|1#########"},
    {"BG", "BG", "#########|##########"},
    {"CH", "", "CHE#########|CHE#########MWST|CHE#########TVA|CHE#########IVA"},
    {"CY", "CY", "########@"},
    {"CZ", "CZ", "########|#########|##########"},
    {"DE", "DE", "#########"},
    {"DK", "DK", "########"},
    {"EE", "EE", "#########"},
    {"ES", "ES", "@########|@#######@|########@"},
    {"FI", "FI", "########"},
    {"FR", "FR", "**#########"},
    {"GB", "GB", "#########|############|GD###|HA###"},
    {"GB", "XI", "#########|############|GD###|HA###"},
    {"GR", "EL", "#########"},
    {"HR", "HR", "###########"},
    {"HU", "HU", "########"},
    {"IE", "IE", "#######@|#######@@|#?#####@"},
    {"IT", "IT", "###########"},
    {"LT", "LT", "#########|############"},
    {"LU", "LU", "########"},
    {"LV", "LV", "###########"},
    {"MC", "FR", "**#########"}, /* Monaco is in the French VAT territory */
    {"MT", "MT", "########"},
    {"NL", "NL", "?????????B??"},
    {"NO", "", "#########|#########MVA"},
    {"PL", "PL", "##########"},
    {"PT", "PT", "#########"},
    {"RO", "RO", "##|###|####|#####|######|#######|########|#########|##########"},
    {"SE", "SE", "############"},
    {"SI", "SI", "########"},
    {"SK", "SK", "##########"},
};

static bool char_fits(char form, char c)
{
    switch (form) {
    case '#':
        return ascii_digit(c);
    case '@':
        return ascii_upper(c);
    case '*':
        return ascii_digit(c) || ascii_upper(c);
    case '?':
        return ascii_digit(c) || ascii_upper(c) || c == '+' || c == '*';
    default:
        return form == c;
    }
}

static bool form_fits(struct str form, struct str id)
{
    if (form.n != id.n)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!char_fits(form.p[i], id.p[i]))
            return false;
    return true;
}

static bool any_form_fits(struct str forms, struct str id)
{
    while (forms.n > 0)
        if (form_fits(str_cut(&forms, '|'), id))
            return true;
    return false;
}

/* What follows the prefix; nothing where another prefix is there: two letters at the front are one,
 * or else a German id would be taken for a French one with the key "DE". */
static struct str without_prefix(struct str id, struct str prefix)
{
    if (str_starts(id, prefix))
        return str_sub(id, prefix.n, id.n);
    bool other = id.n > 1 && ascii_upper(id.p[0]) && ascii_upper(id.p[1]);
    return other ? (struct str){NULL, 0} : id;
}

static bool general_form_fits(struct str id)
{
    bool digit = false;
    for (size_t i = 0; i < id.n; i++) {
        if (!ascii_digit(id.p[i]) && !ascii_upper(id.p[i]))
            return false;
        digit = digit || ascii_digit(id.p[i]);
    }
    return digit && id.n >= 4;
}

enum rc vat_id_parse(struct str text, const struct country *country, char ret[VAT_ID_MAX + 1],
                     struct err *err)
{
    char compact[VAT_ID_MAX + 1];
    struct str id = str_n(compact, ascii_compact(text, " .-/", compact, VAT_ID_MAX));
    bool known = false;
    for (size_t i = 0; i < COUNT(table) && id.n > 0; i++) {
        const struct vat_form *f = &table[i];
        if (strcmp(f->country, country->code) != 0)
            continue;
        known = true;
        struct str rest = without_prefix(id, str_c(f->prefix));
        if (!any_form_fits(str_c(f->forms), rest))
            continue;
        (void)snprintf(ret, VAT_ID_MAX + 1, "%s%.*s", f->prefix, STRF(rest));
        return RC_OK;
    }
    if (!known && general_form_fits(id)) {
        memcpy(ret, compact, id.n + 1);
        return RC_OK;
    }
    return err_set(err, RC_INVALID, "'%.*s' is not written like a VAT id of %s",
                   STRF(ascii_shown(text)), country->name);
}
