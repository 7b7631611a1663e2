#include "party/colour.h"

/* Linear light of each sRGB value, in 10^-7: value / 12.92 up to 0.04045, ((value + 0.055) /
 * 1.055) ^
 * 2.4 above (IEC 61966-2-1). */
static const int32_t linear[256] = {
    0,       3035,    6071,    9106,    12141,   15176,    18212,   21247,   24282,   27317,
    30353,   33465,   36765,   40247,   43914,   47770,    51815,   56054,   60488,   65121,
    69954,   74990,   80232,   85681,   91341,   97212,    103298,  109601,  116122,  122865,
    129830,  137021,  144438,  152085,  159963,  168074,   176420,  185002,  193824,  202886,
    212190,  221739,  231534,  241576,  251869,  262412,   273209,  284260,  295568,  307134,
    318960,  331048,  343398,  356013,  368895,  382044,   395462,  409152,  423114,  437350,
    451862,  466651,  481718,  497066,  512695,  528606,   544803,  561285,  578054,  595112,
    612461,  630100,  648033,  666259,  684782,  703601,   722719,  742136,  761854,  781874,
    802198,  822827,  843762,  865005,  886556,  908417,   930590,  953075,  975873,  998987,
    1022417, 1046165, 1070231, 1094617, 1119324, 1144354,  1169707, 1195384, 1221388, 1247718,
    1274377, 1301365, 1328683, 1356333, 1384316, 1412633,  1441285, 1470273, 1499598, 1529262,
    1559265, 1589608, 1620294, 1651322, 1682694, 1714411,  1746474, 1778884, 1811642, 1844750,
    1878208, 1912017, 1946178, 1980693, 2015563, 2050787,  2086369, 2122308, 2158605, 2195262,
    2232280, 2269659, 2307400, 2345506, 2383976, 2422811,  2462013, 2501583, 2541521, 2581829,
    2622507, 2663556, 2704978, 2746773, 2788943, 2831487,  2874408, 2917706, 2961383, 3005438,
    3049873, 3094689, 3139887, 3185468, 3231432, 3277781,  3324515, 3371636, 3419144, 3467041,
    3515326, 3564001, 3613068, 3662526, 3712377, 3762621,  3813260, 3864294, 3915725, 3967552,
    4019778, 4072402, 4125426, 4178851, 4232677, 4286905,  4341536, 4396572, 4452012, 4507858,
    4564110, 4620770, 4677838, 4735315, 4793202, 4851499,  4910208, 4969330, 5028865, 5088813,
    5149177, 5209956, 5271151, 5332764, 5394795, 5457245,  5520114, 5583404, 5647115, 5711248,
    5775804, 5840784, 5906188, 5972018, 6038273, 6104956,  6172066, 6239604, 6307571, 6375969,
    6444797, 6514056, 6583748, 6653873, 6724432, 6795425,  6866853, 6938718, 7011019, 7083758,
    7156935, 7230551, 7304607, 7379104, 7454042, 7529422,  7605245, 7681511, 7758222, 7835378,
    7912979, 7991027, 8069523, 8148466, 8227858, 8307699,  8387990, 8468732, 8549926, 8631572,
    8713671, 8796224, 8879231, 8962694, 9046612, 9130987,  9215819, 9301109, 9386857, 9473065,
    9559734, 9646862, 9734453, 9822506, 9911021, 10000000,
};

enum {
    LINEAR_ONE = 10000000,
    FLARE = 500, /* WCAG adds 0.05 to each luminance; here in 10^-4 of LINEAR_ONE */
    STEPS = 255,
};

static const struct colour white = {255, 255, 255};
static const struct colour near_black = {0x11, 0x11, 0x11};

/* Relative luminance plus 0.05, in 10^-11. */
static int64_t lightness(struct colour c)
{
    return 2126 * (int64_t)linear[c.red] + 7152 * (int64_t)linear[c.green] +
           722 * (int64_t)linear[c.blue] + (int64_t)FLARE * LINEAR_ONE;
}

int64_t colour_contrast(struct colour a, struct colour b)
{
    int64_t one = lightness(a);
    int64_t other = lightness(b);
    return max_i64(one, other) * 1000 / min_i64(one, other);
}

enum rc colour_parse(struct str text, struct colour *ret, struct err *err)
{
    uint8_t parts[3] = {0};
    bool good = text.n == COLOUR_TEXT_N && text.p[0] == '#';
    for (size_t i = 1; good && i < COLOUR_TEXT_N; i++) {
        int digit = hex_value(text.p[i]);
        good = digit >= 0;
        parts[(i - 1) / 2] = (uint8_t)(parts[(i - 1) / 2] * 16 + digit);
    }
    if (!good)
        return err_set(err, RC_INVALID, "'%.*s' is no colour: wanted is one such as #2747d8",
                       STRF(text));
    *ret = (struct colour){parts[0], parts[1], parts[2]};
    return RC_OK;
}

void colour_format(struct colour c, char ret[COLOUR_TEXT_N + 1])
{
    (void)snprintf(ret, COLOUR_TEXT_N + 1, "#%02x%02x%02x", c.red, c.green, c.blue);
}

static const char *readable_ink(struct colour c)
{
    if (colour_contrast(c, white) >= CONTRAST_MIN)
        return "#ffffff";
    return colour_contrast(c, near_black) >= CONTRAST_MIN ? "#111111" : NULL;
}

/* A part of the way from one value to another. */
static uint8_t between(uint8_t from, int to, int step)
{
    return (uint8_t)(from + (to - from) * step / STEPS);
}

static struct colour mix(struct colour c, int to, int step)
{
    return (struct colour){between(c.red, to, step), between(c.green, to, step),
                           between(c.blue, to, step)};
}

/* Towards black and towards white at the same pace; black itself ends it. */
static struct colour nearest_readable(struct colour c)
{
    for (int step = 1; step <= STEPS; step++) {
        struct colour darker = mix(c, 0, step);
        struct colour lighter = mix(c, 255, step);
        if (readable_ink(darker) != NULL)
            return darker;
        if (readable_ink(lighter) != NULL)
            return lighter;
    }
    NEVER("white text that cannot be read on black");
}

enum rc colour_ink(struct colour c, const char **ret, struct err *err)
{
    const char *ink = readable_ink(c);
    if (ink == NULL) {
        char text[COLOUR_TEXT_N + 1];
        char better[COLOUR_TEXT_N + 1];
        colour_format(c, text);
        colour_format(nearest_readable(c), better);
        int64_t contrast = max_i64(colour_contrast(c, white), colour_contrast(c, near_black));
        return err_set(err, RC_INVALID,
                       "on %s neither white nor near-black text is readable (contrast %lld.%02lld, "
                       "wanted is 4.5); %s is the nearest that will do",
                       text, (long long)(contrast / 1000), (long long)(contrast % 1000 / 10),
                       better);
    }
    *ret = ink;
    return RC_OK;
}
