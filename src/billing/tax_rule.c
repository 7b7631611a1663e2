#include "billing/tax_rule.h"

#include "base/clock.h"
#include "money/country.h"
#include "money/decimal.h"

/* Rates by country, class and the date from which they hold, the newest first within one country
 * and class; a rate holds until the next one. Before the oldest row nothing is known. Standard
 * rates of the Union: European Commission, Taxes in Europe Database (TEDB), "VAT rates applied in
 * the Member States". Reduced rates are told only where a country has a single one that could apply
 * to a service sold here; several are no table's business but the item's, and stay unknown. */
#define TEDB "European Commission, Taxes in Europe Database"

static const struct rate {
    char country[3];
    enum tax_class class;
    int64_t ppm;
    int year, month, day;
    const char *source;
} rates[] = {
    {"AT", TAX_CLASS_STANDARD, 200000, 1984, 1, 1, TEDB},
    {"BE", TAX_CLASS_STANDARD, 210000, 1996, 1, 1, TEDB},
    {"BG", TAX_CLASS_STANDARD, 200000, 1999, 1, 1, TEDB},
    {"CH", TAX_CLASS_STANDARD, 81000, 2024, 1, 1, "Switzerland, MWSTG art. 25"},
    {"CH", TAX_CLASS_STANDARD, 77000, 2018, 1, 1, "Switzerland, MWSTG art. 25"},
    {"CH", TAX_CLASS_REDUCED, 26000, 2024, 1, 1, "Switzerland, MWSTG art. 25"},
    {"CH", TAX_CLASS_REDUCED, 25000, 2018, 1, 1, "Switzerland, MWSTG art. 25"},
    {"CN", TAX_CLASS_STANDARD, 60000, 2016, 5, 1,
     "China, Cai Shui [2016] 36; VAT law in force 2026-01-01 (services)"},
    {"CY", TAX_CLASS_STANDARD, 190000, 2014, 1, 13, TEDB},
    {"CZ", TAX_CLASS_STANDARD, 210000, 2013, 1, 1, TEDB},
    {"CZ", TAX_CLASS_REDUCED, 120000, 2024, 1, 1, TEDB},
    {"DE", TAX_CLASS_STANDARD, 190000, 2021, 1, 1, TEDB},
    {"DE", TAX_CLASS_STANDARD, 160000, 2020, 7, 1, TEDB},
    {"DE", TAX_CLASS_STANDARD, 190000, 2007, 1, 1, TEDB},
    {"DE", TAX_CLASS_REDUCED, 70000, 2021, 1, 1, TEDB},
    {"DE", TAX_CLASS_REDUCED, 50000, 2020, 7, 1, TEDB},
    {"DE", TAX_CLASS_REDUCED, 70000, 1983, 7, 1, TEDB},
    {"DK", TAX_CLASS_STANDARD, 250000, 1992, 1, 1, TEDB},
    {"EE", TAX_CLASS_STANDARD, 240000, 2025, 7, 1, TEDB},
    {"EE", TAX_CLASS_STANDARD, 220000, 2024, 1, 1, TEDB},
    {"EE", TAX_CLASS_STANDARD, 200000, 2009, 7, 1, TEDB},
    {"ES", TAX_CLASS_STANDARD, 210000, 2012, 9, 1, TEDB},
    {"FI", TAX_CLASS_STANDARD, 255000, 2024, 9, 1, TEDB},
    {"FI", TAX_CLASS_STANDARD, 240000, 2013, 1, 1, TEDB},
    {"FR", TAX_CLASS_STANDARD, 200000, 2014, 1, 1, TEDB},
    {"GB", TAX_CLASS_STANDARD, 200000, 2011, 1, 4, "United Kingdom, VAT Act 1994 s. 2"},
    {"GB", TAX_CLASS_REDUCED, 50000, 1997, 9, 1, "United Kingdom, VAT Act 1994 s. 29A"},
    {"GR", TAX_CLASS_STANDARD, 240000, 2016, 6, 1, TEDB},
    {"HR", TAX_CLASS_STANDARD, 250000, 2012, 3, 1, TEDB},
    {"HU", TAX_CLASS_STANDARD, 270000, 2012, 1, 1, TEDB},
    {"IE", TAX_CLASS_STANDARD, 230000, 2021, 3, 1, TEDB},
    {"IE", TAX_CLASS_STANDARD, 210000, 2020, 9, 1, TEDB},
    {"IE", TAX_CLASS_STANDARD, 230000, 2012, 1, 1, TEDB},
    {"IT", TAX_CLASS_STANDARD, 220000, 2013, 10, 1, TEDB},
    {"LT", TAX_CLASS_STANDARD, 210000, 2009, 9, 1, TEDB},
    {"LU", TAX_CLASS_STANDARD, 170000, 2024, 1, 1, TEDB},
    {"LU", TAX_CLASS_STANDARD, 160000, 2023, 1, 1, TEDB},
    {"LU", TAX_CLASS_STANDARD, 170000, 2015, 1, 1, TEDB},
    {"LV", TAX_CLASS_STANDARD, 210000, 2012, 7, 1, TEDB},
    {"MT", TAX_CLASS_STANDARD, 180000, 2004, 1, 1, TEDB},
    {"NL", TAX_CLASS_STANDARD, 210000, 2012, 10, 1, TEDB},
    {"NL", TAX_CLASS_REDUCED, 90000, 2019, 1, 1, TEDB},
    {"NO", TAX_CLASS_STANDARD, 250000, 2005, 1, 1, "Norway, Stortinget, merverdiavgift par. 2"},
    {"PL", TAX_CLASS_STANDARD, 230000, 2011, 1, 1, TEDB},
    {"PT", TAX_CLASS_STANDARD, 230000, 2011, 1, 1, TEDB},
    {"RO", TAX_CLASS_STANDARD, 210000, 2025, 8, 1, TEDB},
    {"RO", TAX_CLASS_STANDARD, 190000, 2017, 1, 1, TEDB},
    {"SE", TAX_CLASS_STANDARD, 250000, 1990, 7, 1, TEDB},
    {"SI", TAX_CLASS_STANDARD, 220000, 2013, 7, 1, TEDB},
    {"SK", TAX_CLASS_STANDARD, 230000, 2025, 1, 1, TEDB},
    {"SK", TAX_CLASS_STANDARD, 200000, 2011, 1, 1, TEDB},
};

/* The United States have no value added tax, and no sales tax is computed here. */
#define NO_TAX_COUNTRY STR("US")

static bool find_rate(struct str country, enum tax_class class, int64_t day, int64_t *ret)
{
    for (size_t i = 0; i < COUNT(rates); i++) {
        const struct rate *r = &rates[i];
        if (r->class != class || !str_eq(country, str_n(r->country, 2)))
            continue;
        if (days_from_civil(r->year, r->month, r->day) > day)
            continue;
        *ret = r->ppm;
        return true;
    }
    return false;
}

static bool in_union(struct str country)
{
    const struct country *c = country_find(country);
    return c != NULL && c->eu;
}

static bool in_table(struct str country)
{
    int64_t ignored = 0;
    return find_rate(country, TAX_CLASS_STANDARD, INT64_MAX, &ignored);
}

static bool has_vat_id(const struct party *p)
{
    const struct tax_id *ids = p->tax_ids.items;
    for (size_t i = 0; i < p->tax_ids.count; i++)
        if (str_eq(ids[i].scheme, STR("vat")) && ids[i].value.n > 0)
            return true;
    return false;
}

static struct tax_decision outside(struct str country)
{
    return (struct tax_decision){
        .category = TAX_OUTSIDE, .country = country, .reason = "VATEX-EU-O", .known = true};
}

static struct tax_decision unknown(struct str country)
{
    return (struct tax_decision){
        .category = TAX_OUTSIDE, .country = country, .reason = "VATEX-EU-O", .known = false};
}

/* The rate of one country. */
static struct tax_decision at_rate(struct str country, enum tax_class class, int64_t day)
{
    struct tax_decision d = {.category = TAX_STANDARD, .country = country, .known = true};
    return find_rate(country, class, day, &d.rate_ppm) ? d : unknown(country);
}

/* To a taxable buyer in another member state: Directive 2006/112 art. 44 and 196. */
static struct tax_decision reverse_charge(const struct party *seller, const struct party *buyer,
                                          enum tax_class class, int64_t day)
{
    struct tax_decision d = {.category = TAX_REVERSE_CHARGE,
                             .country = buyer->address.country,
                             .reason = "VATEX-EU-AE",
                             .known = true};
    /* BR-AE-02, BR-AE-03: without both numbers it is no reverse charge, and no guess either. */
    if (!has_vat_id(seller) || !has_vat_id(buyer))
        return unknown(buyer->address.country);
    if (!find_rate(d.country, class, day, &d.buyer_rate_ppm))
        return unknown(d.country);
    return d;
}

/* Seller and buyer in different countries. */
static struct tax_decision across(const struct party *seller, const struct party *buyer,
                                  enum tax_class class, int64_t day)
{
    struct str to = buyer->address.country;
    bool from_union = in_union(seller->address.country);
    if (!from_union && !in_table(seller->address.country) &&
        !str_eq(seller->address.country, NO_TAX_COUNTRY))
        return unknown(to);
    if (!in_union(to))
        return outside(to);
    if (from_union)
        return buyer->taxable ? reverse_charge(seller, buyer, class, day) : at_rate(to, class, day);
    /* From outside the Union: a taxable buyer accounts for the tax itself (art. 196); a consumer
     * needs the seller's registration under the non-Union scheme, of which nothing is known. */
    struct tax_decision d = outside(to);
    if (!buyer->taxable || !find_rate(to, class, day, &d.buyer_rate_ppm))
        return unknown(to);
    return d;
}

struct tax_decision tax_decide(const struct party *seller, const struct party *buyer,
                               enum tax_class class, int64_t day)
{
    struct str from = seller->address.country;
    struct str to = buyer->address.country;
    if (class == TAX_CLASS_OUTSIDE)
        return outside(from);
    if (class == TAX_CLASS_EXEMPT)
        return (struct tax_decision){
            .category = TAX_EXEMPT, .country = from, .reason = "exempt", .known = true};
    /* Who is not registered may not charge VAT, nor has a number for the reverse charge. */
    if (!seller->taxable)
        return outside(from);
    if (!str_eq(from, to))
        return across(seller, buyer, class, day);
    return str_eq(from, NO_TAX_COUNTRY) ? outside(from) : at_rate(from, class, day);
}

/* --- for people --- */

enum rc tax_rates(struct arena *arena, struct list *ret)
{
    struct tax_rate_row *rows = NEW_N(arena, struct tax_rate_row, COUNT(rates));
    for (size_t i = 0; i < COUNT(rates); i++) {
        const struct rate *r = &rates[i];
        rows[i] = (struct tax_rate_row){
            .set = schema_all(&tax_rate_row_schema),
            .country = str_n(r->country, 2),
            .tax_class = str_c(tax_classes[r->class]),
            .rate = tax_percent(r->ppm, arena),
            .valid_from = arena_fmt(arena, "%04d-%02d-%02d", r->year, r->month, r->day),
            .source = str_c(r->source)};
    }
    *ret = (struct list){rows, COUNT(rates)};
    return RC_OK;
}

struct str tax_percent(int64_t ppm, struct arena *arena)
{
    char text[DECIMAL_TEXT_MAX];
    int scale = 4; /* 200,000 ppm is 20.0000 % */
    while (scale > 0 && ppm % 10 == 0) {
        ppm /= 10;
        scale--;
    }
    size_t n = decimal_format(ppm, scale, text);
    return arena_str(arena, str_n(text, n));
}
