#include "money/zone.h"

#include "money/ascii.h"

static bool part_is_good(struct str part)
{
    for (size_t i = 0; i < part.n; i++) {
        char c = part.p[i];
        if (!ascii_letter(c) && !ascii_digit(c) && c != '_' && c != '+' && c != '-')
            return false;
    }
    return part.n > 0;
}

static bool name_is_good(struct str name)
{
    if (name.n == 0 || name.n > ZONE_NAME_MAX || name.p[name.n - 1] == '/')
        return false;
    while (name.n > 0)
        if (!part_is_good(str_cut(&name, '/')))
            return false;
    return true;
}

enum rc zone_name_check(struct str name, struct err *err)
{
    if (!name_is_good(name))
        return err_set(err, RC_INVALID,
                       "'%.*s' is not a time zone: a name such as Europe/Paris or UTC was wanted",
                       STRF(ascii_shown(name)));
    return RC_OK;
}
