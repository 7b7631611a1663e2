-- Financing: who put capital in, and how it comes back (settle/financing.h).

-- amount: the capital, in minor units of the currency. returns: what comes back for it in all, capital and
-- what it earns. received: how much of that statements have said so far; R(amount x received / returns) of it
-- is capital. document: the invoice whose cost it paid, by no; NULL: money that the debtor had. client: whose
-- name the account has.
CREATE TABLE financing (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    agreement TEXT NOT NULL,
    label TEXT NOT NULL,
    financier TEXT NOT NULL,
    debtor TEXT NOT NULL,
    client TEXT NOT NULL,
    document BIGINT,
    reference TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    returns BIGINT NOT NULL,
    received BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX financing_by_id ON financing (id);
CREATE UNIQUE INDEX financing_by_reference ON financing (agreement, reference);
CREATE UNIQUE INDEX financing_by_document ON financing (document);
CREATE INDEX financing_by_debtor ON financing (debtor, financier, currency, no);
CREATE INDEX financing_by_financier ON financing (financier, no);

-- Fees of a close, as share_fee had them, and by which row of terms: an agreement may have new rules in the
-- middle of a month, and what its old ones added up to is owed by those.
CREATE TABLE fee_sum (
    close_no BIGINT NOT NULL,
    agreement TEXT NOT NULL,
    terms BIGINT NOT NULL,
    rule BIGINT NOT NULL,
    free BIGINT NOT NULL,
    rated TEXT NOT NULL,
    PRIMARY KEY (close_no, agreement, terms, rule, free)
);
INSERT INTO fee_sum (close_no, agreement, terms, rule, free, rated)
    SELECT f.close_no, f.agreement,
        (SELECT MAX(t.number) FROM agreement_terms t
            WHERE t.agreement = f.agreement AND t.signed_at IS NOT NULL),
        f.rule, f.free, f.rated
    FROM share_fee f;
DROP TABLE share_fee;
