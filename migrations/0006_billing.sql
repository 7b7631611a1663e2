-- Documents: invoices, credit notes, self-billed ones. A document is one narrow row, as a close writes
-- a million of them: its taxes (BG-23) and how its net is spread over accounts are short texts in the
-- row (billing/document_text.c), never searched for. Final ones never change but for what was paid and
-- credited.

-- code: UNTDID 1001. series: of the number; several codes share one. number: NULL while a draft, so
-- that the unique index holds numbers alone. issued_day, due_day: days since 1970 in the issuer's time
-- zone, 0 while a draft. close_no, refers_to: 0 where there is none. line_count: -1 for an upstream
-- document of a close, whose lines are all of the close that have its agreement in their path.
CREATE TABLE document (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    code BIGINT NOT NULL,
    state BIGINT NOT NULL,
    issuer TEXT NOT NULL,
    recipient TEXT NOT NULL,
    agreement TEXT,
    currency TEXT NOT NULL,
    settle BIGINT NOT NULL,
    tax_included BIGINT NOT NULL,
    tax_recoverable BIGINT NOT NULL,
    close_no BIGINT NOT NULL,
    first_line BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    series BIGINT NOT NULL,
    year BIGINT NOT NULL,
    number BIGINT,
    issued_day BIGINT NOT NULL,
    due_day BIGINT NOT NULL,
    payment_days BIGINT NOT NULL,
    period_begin BIGINT NOT NULL,
    period_end BIGINT NOT NULL,
    net BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    gross BIGINT NOT NULL,
    prepaid BIGINT NOT NULL,
    promo BIGINT NOT NULL,
    paid BIGINT NOT NULL,
    credited BIGINT NOT NULL,
    refers_to BIGINT NOT NULL,
    posted BIGINT NOT NULL,
    incomes TEXT NOT NULL,
    taxes TEXT NOT NULL,
    note TEXT,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX document_by_id ON document (id);
CREATE INDEX document_by_issuer ON document (issuer, id);
CREATE INDEX document_by_recipient ON document (recipient, id);
CREATE UNIQUE INDEX document_by_number ON document (issuer, series, year, number);
CREATE INDEX document_by_close ON document (close_no, no);
CREATE INDEX document_by_reference ON document (refers_to, no);

-- Lines of documents that no close made; those of a close are rated lines. credits: the line of the
-- document referred to that this one takes back, 0: none. deferred: recognised over from_at..until_at.
CREATE TABLE document_line (
    document BIGINT NOT NULL,
    line BIGINT NOT NULL,
    subscription TEXT,
    item TEXT,
    label TEXT NOT NULL,
    income TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    quantity_scale BIGINT NOT NULL,
    unit TEXT NOT NULL,
    price BIGINT NOT NULL,
    price_scale BIGINT NOT NULL,
    net BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    tax_class BIGINT NOT NULL,
    deferred BIGINT NOT NULL,
    credits BIGINT NOT NULL,
    PRIMARY KEY (document, line)
);

-- The last number given in a series of an issuer in a year: gapless, as it is raised in the unit of work
-- that writes the number.
CREATE TABLE document_number (
    issuer TEXT NOT NULL,
    series BIGINT NOT NULL,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (issuer, series, year)
);

-- Numbers that billing/ gives in order: of documents, of events.
CREATE TABLE billing_counter (
    name TEXT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);

-- Income that was invoiced in advance and is earned with time. party: in whose book it waits; another
-- one after a move. recognised: minor units so far, for the time up to reached. due: reached where
-- something is left, the largest number where nothing is: what the step function looks for.
CREATE TABLE deferral (
    no BIGINT NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    document BIGINT NOT NULL,
    line BIGINT NOT NULL,
    subscription TEXT,
    label TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    begins BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    reached BIGINT NOT NULL,
    recognised BIGINT NOT NULL,
    due BIGINT NOT NULL
);
CREATE INDEX deferral_by_due ON deferral (due, no);
CREATE INDEX deferral_by_subscription ON deferral (subscription, no);
CREATE INDEX deferral_by_line ON deferral (document, line, no);
