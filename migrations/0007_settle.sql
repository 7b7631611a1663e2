-- Settlement: what each party is owed for a share in what others sold, what came in, what goes out.
-- Amounts are minor units of the currency beside them.

-- A right to a part of one invoice: by the rule of an agreement (terms by number, rule by its place),
-- summed over the lines of the invoice. amount - voided is what it is worth now; earned follows the cash
-- (never above that, and below settled after a clawback); settled is what statements took over.
-- weight: what of the lines it comes from, by which credit notes take their part of it back.
-- booked: 1 where the debt stands in the books already (a tier's margin in COLLECT).
CREATE TABLE share (
    no BIGINT NOT NULL PRIMARY KEY,
    agreement TEXT,
    terms BIGINT NOT NULL,
    rule BIGINT NOT NULL,
    kind TEXT NOT NULL,
    payer TEXT NOT NULL,
    payee TEXT NOT NULL,
    document BIGINT NOT NULL,
    close_no BIGINT NOT NULL,
    client TEXT,
    subscription TEXT,
    item TEXT,
    label TEXT NOT NULL,
    note TEXT NOT NULL,
    currency TEXT NOT NULL,
    base BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    weight_credited BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    voided BIGINT NOT NULL,
    earned BIGINT NOT NULL,
    settled BIGINT NOT NULL,
    earn TEXT NOT NULL,
    maturity_days BIGINT NOT NULL,
    booked BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX share_by_document ON share (document, no);
CREATE INDEX share_by_agreement ON share (agreement, rule, close_no);
CREATE INDEX share_by_payee ON share (payer, payee, currency, no);

-- When how much of a share was earned (negative: taken back): maturity counts from here.
CREATE TABLE share_earning (
    share BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (share, seq)
);

-- Fees per unit, added up exactly over a close and rounded once at its end: rated is decimal text.
CREATE TABLE share_fee (
    close_no BIGINT NOT NULL,
    agreement TEXT NOT NULL,
    rule BIGINT NOT NULL,
    free BIGINT NOT NULL,
    rated TEXT NOT NULL,
    PRIMARY KEY (close_no, agreement, rule, free)
);

CREATE TABLE payment (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    party TEXT NOT NULL,
    payer TEXT,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reference TEXT NOT NULL,
    remittance TEXT,
    document TEXT,
    value_date TEXT NOT NULL,
    matched BIGINT NOT NULL,
    book TEXT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX payment_by_id ON payment (id);
CREATE UNIQUE INDEX payment_by_reference ON payment (party, reference);

CREATE TABLE payment_part (
    payment BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    document BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (payment, seq)
);
CREATE INDEX payment_part_by_document ON payment_part (document, payment);

CREATE TABLE statement (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    payee TEXT NOT NULL,
    payer TEXT NOT NULL,
    period TEXT NOT NULL,
    currency TEXT NOT NULL,
    accrued BIGINT NOT NULL,
    earned BIGINT NOT NULL,
    clawed_back BIGINT NOT NULL,
    waiting BIGINT NOT NULL,
    payable BIGINT NOT NULL,
    document TEXT,
    close TEXT,
    payout BIGINT,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX statement_by_id ON statement (id);
CREATE INDEX statement_by_payee ON statement (payee, id);
CREATE INDEX statement_by_payer ON statement (payer, payee, currency, no);

CREATE TABLE statement_share (
    statement BIGINT NOT NULL,
    share BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (statement, share)
);

CREATE TABLE settlement (
    party TEXT NOT NULL,
    id TEXT NOT NULL,
    cut_off BIGINT NOT NULL,
    payouts BIGINT NOT NULL,
    amount TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (party, id)
);

CREATE TABLE payout (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    payer TEXT NOT NULL,
    payee TEXT NOT NULL,
    book TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    iban TEXT,
    end_to_end TEXT NOT NULL,
    state TEXT NOT NULL,
    approved_by TEXT,
    released_by TEXT,
    settlement TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX payout_by_id ON payout (id);
CREATE INDEX payout_by_payer ON payout (payer, id);
CREATE INDEX payout_by_payee ON payout (payee, id);
