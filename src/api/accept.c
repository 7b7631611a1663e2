#include "api/accept.h"

enum { QUALITY_MAX = 1000, RANGES_MAX = 64 };

/* "0.75" in thousandths; 1000 for what is no q-value. */
static int parse_quality(struct str s)
{
    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1'))
        return QUALITY_MAX;
    int value = (s.p[0] - '0') * QUALITY_MAX;
    int place = 100;
    for (size_t i = 2; i < s.n; i++, place /= 10) {
        if (s.p[1] != '.' || s.p[i] < '0' || s.p[i] > '9')
            return QUALITY_MAX;
        value += (s.p[i] - '0') * place;
    }
    return value < QUALITY_MAX ? value : QUALITY_MAX;
}

/* How closely a media range names the type: 0 not at all, 1 by star, 2 by half, 3 exactly. */
static int closeness(struct str range, struct str type)
{
    if (str_eq(range, STR("*/*")))
        return 1;
    if (str_eq_nocase(range, type))
        return 3;
    size_t slash = str_find(type, '/', 0);
    return str_ends(range, STR("/*")) && range.n == slash + 2 &&
                   str_eq_nocase(str_sub(range, 0, slash), str_sub(type, 0, slash))
               ? 2
               : 0;
}

int accept_quality(struct str accept, struct str type)
{
    if (str_trim(accept).n == 0)
        return QUALITY_MAX;
    int best = 0;
    int quality = 0;
    struct str rest = accept;
    for (int i = 0; rest.n > 0 && i < RANGES_MAX; i++) {
        struct str parameters = str_cut(&rest, ',');
        struct str range = str_trim(str_cut(&parameters, ';'));
        int close = closeness(range, type);
        if (close <= best)
            continue;
        best = close;
        quality = QUALITY_MAX;
        while (parameters.n > 0) {
            struct str p = str_trim(str_cut(&parameters, ';'));
            if (p.n >= 2 && (p.p[0] == 'q' || p.p[0] == 'Q') && p.p[1] == '=')
                quality = parse_quality(str_sub(p, 2, p.n));
        }
    }
    return quality;
}

enum accept_form accept_choose(struct str accept, bool with_csv)
{
    if (accept.n == 0 || str_eq(accept, STR("*/*")) || str_eq(accept, STR("application/json")))
        return ACCEPT_JSON;
    int json = accept_quality(accept, STR("application/json"));
    int csv = with_csv ? accept_quality(accept, STR("text/csv")) : 0;
    if (json == 0 && csv == 0)
        return ACCEPT_NOTHING;
    return csv > json ? ACCEPT_CSV : ACCEPT_JSON;
}
