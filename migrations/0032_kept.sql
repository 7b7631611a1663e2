-- Fees that a producer leaves with the operator shorten its share line by line, and are no share themselves. Where a
-- rule has a cap or a floor for a period, this is what it left in a close so far, in minor units of its agreement.
-- terms: the newest row of terms that did.
CREATE TABLE fee_kept (
    close_no BIGINT NOT NULL,
    agreement TEXT NOT NULL,
    rule BIGINT NOT NULL,
    terms BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (close_no, agreement, rule)
);

-- What waits for its statement: what a party has of its own under CHAIN is asked in every run, and settled shares
-- are nearly all there ever were (settle/clearing.c).
CREATE INDEX share_unsettled ON share (payer, payee, currency) WHERE amount - voided <> settled;
