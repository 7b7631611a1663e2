/*
 * Texts of amounts, prices, rates, codes and numbers: each reader refuses with a sentence and
 * leaves its result alone, or takes it, and then what it writes it reads again as the same. The
 * first byte chooses the currency and the country; the rest is the text.
 */
#include "fuzz.h"

#include "money/amount.h"
#include "money/exchange.h"
#include "money/iban.h"
#include "money/period.h"
#include "money/price.h"
#include "money/reference.h"
#include "money/tax.h"
#include "money/vat_id.h"
#include "money/zone_rule.h"

static void check_refusal(const struct err *err)
{
    ASSERT(err->rc == RC_INVALID);
    ASSERT(err->text_n > 0);
    ASSERT(str_is_utf8(err_text(err)));
}

static void check_amount(struct str text, const struct currency *c)
{
    struct err err = {0};
    int64_t amount;
    int64_t again;
    char written[AMOUNT_TEXT_MAX];
    if (amount_parse(text, c, &amount, &err) != RC_OK) {
        check_refusal(&err);
        return;
    }
    size_t n = amount_format(amount, c, written);
    ASSERT(amount_parse(str_n(written, n), c, &again, &err) == RC_OK);
    ASSERT(again == amount);
    int64_t rounded;
    ASSERT(rated_round(rated_from_amount(amount, c), c, &rounded, &err) == RC_OK);
    ASSERT(rounded == amount);
}

static void check_price(struct str text)
{
    struct err err = {0};
    struct price p;
    struct price again;
    char written[PRICE_TEXT_MAX];
    if (price_parse(text, &p, &err) != RC_OK) {
        check_refusal(&err);
        return;
    }
    size_t n = price_format(p, written);
    /* One number has one spelling, but for the sign of nothing. */
    ASSERT(str_eq(str_n(written, n), text) || p.mantissa == 0);
    ASSERT(price_parse(str_n(written, n), &again, &err) == RC_OK);
    ASSERT(again.mantissa == p.mantissa && again.scale == p.scale);
    rated r;
    if (price_rate(p, (struct quantity){p.mantissa, 9}, &r, &err) != RC_OK)
        check_refusal(&err);
    if (price_scale_ppm(p, p.mantissa, &again, &err) != RC_OK)
        check_refusal(&err);
}

static void check_rated_and_quantity(struct str text)
{
    struct err err = {0};
    rated r;
    rated r_again;
    char r_text[RATED_TEXT_MAX];
    if (rated_parse(text, &r, &err) == RC_OK) {
        size_t n = rated_format(r, r_text);
        /* Written with all nine digits, the largest have more than the reader takes. */
        ASSERT(rated_parse(str_n(r_text, n), &r_again, &err) != RC_OK || r_again == r);
    }
    struct quantity q;
    struct quantity q_again;
    char q_text[QUANTITY_TEXT_MAX];
    if (quantity_parse(text, &q, &err) == RC_OK) {
        size_t n = quantity_format(q, q_text);
        ASSERT(quantity_parse(str_n(q_text, n), &q_again, &err) == RC_OK);
        ASSERT(quantity_compare(q, q_again) == 0);
    }
}

static void check_exchange(struct str text, const struct currency *from)
{
    struct err err = {0};
    struct exchange x;
    struct exchange again;
    char written[EXCHANGE_RATE_TEXT_MAX];
    if (exchange_parse(text, from, currency_find(STR("EUR")), &x, &err) != RC_OK) {
        check_refusal(&err);
        return;
    }
    size_t n = exchange_format(&x, written);
    ASSERT(exchange_parse(str_n(written, n), x.from, x.to, &again, &err) == RC_OK);
    ASSERT(again.numerator == x.numerator);
    ASSERT(again.denominator == x.denominator);
    int64_t converted;
    if (exchange_convert(&x, x.denominator, EXCHANGE_PAYS, &converted, &err) != RC_OK)
        check_refusal(&err);
}

static void check_numbers_of_accounts(struct str text, const struct country *country)
{
    struct err err = {0};
    char iban[IBAN_MAX + 1];
    char again[IBAN_MAX + 1];
    char paper[IBAN_TEXT_MAX];
    if (iban_parse(text, iban, &err) == RC_OK) {
        size_t n = iban_format(str_c(iban), paper);
        ASSERT(iban_parse(str_n(paper, n), again, &err) == RC_OK);
        ASSERT(strcmp(iban, again) == 0);
    } else {
        check_refusal(&err);
    }
    char bic[BIC_MAX + 1];
    if (bic_parse(text, bic, &err) != RC_OK)
        check_refusal(&err);
    char creditor[CREDITOR_ID_MAX + 1];
    if (creditor_id_parse(text, creditor, &err) != RC_OK)
        check_refusal(&err);
    char vat[VAT_ID_MAX + 1];
    char vat_again[VAT_ID_MAX + 1];
    if (vat_id_parse(text, country, vat, &err) == RC_OK) {
        ASSERT(vat_id_parse(str_c(vat), country, vat_again, &err) == RC_OK);
        ASSERT(strcmp(vat, vat_again) == 0);
    } else {
        check_refusal(&err);
    }
}

static void check_reference(struct str text)
{
    struct err err = {0};
    char reference[REFERENCE_MAX + 1];
    char again[REFERENCE_MAX + 1];
    if (reference_make(text, reference, &err) == RC_OK) {
        ASSERT(reference_parse(str_c(reference), again, &err) == RC_OK);
        ASSERT(strcmp(reference, again) == 0);
    } else {
        check_refusal(&err);
    }
    if (reference_parse(text, reference, &err) == RC_OK) {
        ASSERT(reference_make(str_sub(str_c(reference), 4, REFERENCE_MAX), again, &err) == RC_OK);
        ASSERT(strcmp(reference, again) == 0);
    }
}

static void check_calendar(struct str text)
{
    struct err err = {0};
    struct zone zone = {0};
    zone.has_rule = zone_rule_parse(text, &zone.rule);
    for (int unit = PERIOD_DAY; unit <= PERIOD_YEAR; unit++) {
        struct calendar c = calendar_natural(&zone, (enum period_unit)unit);
        struct period p;
        char label[PERIOD_LABEL_MAX];
        if (period_parse(&c, text, &p, &err) != RC_OK)
            continue;
        size_t n = period_label(&c, &p, label);
        ASSERT(str_eq(str_n(label, n), text));
        struct period same = period_of(&c, p.begin);
        ASSERT(same.begin == p.begin);
        struct period next = period_next(&c, &p);
        ASSERT(next.begin == p.end);
        struct period previous = period_previous(&c, &p);
        ASSERT(previous.end == p.begin);
    }
    (void)!zone_name_check(text, &err);
    enum tax_category category;
    (void)!tax_category_parse(text, &category, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct currency *currency = currency_at(data[0] % currency_count());
    const struct country *country = country_at(data[0] % country_count());
    struct str text = str_n((const char *)data + 1, size - 1);
    check_amount(text, currency);
    check_price(text);
    check_rated_and_quantity(text);
    check_exchange(text, currency);
    check_numbers_of_accounts(text, country);
    check_reference(text);
    check_calendar(text);
    struct err err = {0};
    if (currency_parse(text, &currency, &err) != RC_OK)
        check_refusal(&err);
    if (country_parse(text, &country, &err) != RC_OK)
        check_refusal(&err);
    return 0;
}
