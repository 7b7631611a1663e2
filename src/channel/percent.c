#include "channel/percent.h"

#include "money/decimal.h"

enum { PERCENT_SCALE = 4 }; /* a part per million is 0.0001 % */

enum rc percent_parse(struct str text, int64_t max_ppm, int64_t *ret_ppm, struct err *err)
{
    struct decimal d;
    TRY(decimal_parse(text, PERCENT_SCALE, "a percentage", &d, err));
    /* Compared before it is multiplied: nothing here can overflow. */
    if (d.mantissa < 0 || decimal_compare(d.mantissa, d.scale, max_ppm, PERCENT_SCALE) > 0)
        return err_set(err, RC_INVALID, "'%.*s' is outside 0 to %lld percent", STRF(text),
                       (long long)(max_ppm / (PERCENT_HUNDRED_PPM / 100)));
    *ret_ppm = (int64_t)(d.mantissa * decimal_power(PERCENT_SCALE - d.scale));
    return RC_OK;
}
