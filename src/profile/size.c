#include "profile/size.h"

#define NUMBER_MAX INT64_C(1000000000)
#define BYTES_MAX  (INT64_C(1) << 50)
#define BITS_MAX   INT64_C(1000000000000)
#define CPU_MAX    INT64_C(1024000)

struct unit {
    const char *name;
    int64_t factor;
};

/* A whole number with one of the units behind it, at most max in all. */
static bool read_unit(struct str s, const struct unit *units, int64_t max, int64_t *ret)
{
    size_t digits = 0;
    int64_t number = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    if (!str_to_i64(str_sub(s, 0, digits), 0, NUMBER_MAX, &number))
        return false;
    struct str unit = str_trim(str_sub(s, digits, s.n));
    for (size_t i = 0; units[i].name != NULL; i++) {
        int64_t product = 0;
        if (!str_eq(unit, str_c(units[i].name)))
            continue;
        if (__builtin_mul_overflow(number, units[i].factor, &product) || product > max)
            return false;
        *ret = product;
        return true;
    }
    return false;
}

enum rc size_bytes(struct str s, int64_t *ret, struct err *err)
{
    static const struct unit units[] = {
        {"B", 1},
        {"kB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", INT64_C(1000000000000)},
        {"KiB", 1024},
        {"MiB", 1024 * 1024},
        {"GiB", 1024 * 1024 * 1024},
        {"TiB", INT64_C(1024) * 1024 * 1024 * 1024},
        {NULL, 0},
    };
    if (read_unit(s, units, BYTES_MAX, ret))
        return RC_OK;
    return err_set(err, RC_INVALID, "a size is a whole number and a unit: 512 MiB, 20 GB");
}

enum rc size_cpu(struct str s, int64_t *ret, struct err *err)
{
    static const struct unit units[] = {{"", 1000}, {"m", 1}, {NULL, 0}};
    if (read_unit(s, units, CPU_MAX, ret) && *ret > 0)
        return RC_OK;
    return err_set(err, RC_INVALID, "cores are a whole number, or thousandths: 2, 500m");
}

enum rc size_bits(struct str s, int64_t *ret, struct err *err)
{
    static const struct unit units[] = {
        {"kbit", 1000}, {"Mbit", 1000000}, {"Gbit", 1000000000}, {NULL, 0}};
    if (read_unit(s, units, BITS_MAX, ret))
        return RC_OK;
    return err_set(err, RC_INVALID, "a rate is a whole number and a unit: 100 Mbit");
}
