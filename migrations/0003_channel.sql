-- Who sells to whom and on what terms (channel/). Times are microseconds since 1970 UTC; ids are text;
-- amounts and percentages are the decimal text that was written; '' is never stored: NULL is.

-- ended: the instant from which it is not in force; it may lie ahead, state stays 'active' until then.
CREATE TABLE agreement (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    from_party TEXT NOT NULL,
    to_party TEXT NOT NULL,
    state TEXT NOT NULL,
    ended BIGINT,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX agreement_by_from ON agreement (from_party, id);
CREATE INDEX agreement_by_to ON agreement (to_party, id);
CREATE INDEX agreement_by_kind ON agreement (kind, id);

-- What was agreed, row by row. A signed row is never changed: rated lines name (agreement, number). At most
-- one row of an agreement is not signed (signed_at NULL): a draft or an offer, whose valid_from is what was
-- asked for, 0 for "from the signature on". rules: JSON. residual: whether a rule takes what is left, so
-- that a second one for the same thing is found without reading rules. counts: of a referral, the party
-- whose place on a supply path makes it pay: scope_party, or the payer where it is about all that it sells.
CREATE TABLE agreement_terms (
    agreement TEXT NOT NULL,
    number BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    currency TEXT NOT NULL,
    upstream TEXT,
    book TEXT,
    settle TEXT NOT NULL,
    tax TEXT NOT NULL,
    earn TEXT NOT NULL,
    scope_party TEXT,
    scope_subtree BIGINT NOT NULL,
    scope_item TEXT,
    scope_category TEXT,
    scope_asset TEXT,
    rules TEXT,
    residual BIGINT NOT NULL,
    min_payout TEXT,
    maturity_days BIGINT NOT NULL,
    clawback_days BIGINT NOT NULL,
    payment_days BIGINT NOT NULL,
    self_billing BIGINT NOT NULL,
    document_hash TEXT,
    offered BIGINT,
    signed_at BIGINT,
    counts TEXT,
    PRIMARY KEY (agreement, number)
);
CREATE INDEX agreement_terms_by_time ON agreement_terms (agreement, valid_from, number);
CREATE INDEX agreement_terms_by_upstream ON agreement_terms (upstream, agreement);
CREATE INDEX agreement_terms_by_counts ON agreement_terms (counts, agreement);
CREATE INDEX agreement_terms_by_book ON agreement_terms (book, agreement);

-- A supply path under a number, for ever: what rated lines refer to. edges: "AGREEMENT:TERMS/..." from the
-- operator down, so that the same path is found again. seq 0 is the edge at which the operator sells.
CREATE TABLE supply_path (
    number BIGINT NOT NULL PRIMARY KEY,
    edges TEXT NOT NULL,
    currency TEXT NOT NULL
);
CREATE UNIQUE INDEX supply_path_by_edges ON supply_path (edges);
CREATE TABLE supply_path_edge (
    path BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    agreement TEXT NOT NULL,
    terms BIGINT NOT NULL,
    PRIMARY KEY (path, seq)
);
CREATE INDEX supply_path_edge_by_agreement ON supply_path_edge (agreement, path);

CREATE TABLE price_book (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    party TEXT NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX price_book_by_party ON price_book (party, name);

-- Guard rails and entries hold from an instant on and are never changed: the past is priced as it was.
-- Of several with the same instant the higher number holds.
CREATE TABLE price_guard (
    book TEXT NOT NULL,
    number BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    floor_percent TEXT,
    max_discount_percent TEXT,
    PRIMARY KEY (book, number)
);
CREATE INDEX price_guard_by_time ON price_guard (book, valid_from, number);

-- target: "item:CODE", "category:NAME", or "all".
CREATE TABLE price_entry (
    id TEXT NOT NULL PRIMARY KEY,
    book TEXT NOT NULL,
    number BIGINT NOT NULL,
    target TEXT NOT NULL,
    op TEXT NOT NULL,
    value TEXT,
    msrp TEXT,
    valid_from BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX price_entry_by_number ON price_entry (book, number);
CREATE INDEX price_entry_by_target ON price_entry (book, target, valid_from, number);
CREATE INDEX price_entry_by_time ON price_entry (book, valid_from);

-- What a party promises for an invitation, from an instant on; never changed. Of several with the same
-- instant the higher number holds.
CREATE TABLE reward (
    id TEXT NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    number BIGINT NOT NULL,
    inviter_amount TEXT NOT NULL,
    invitee_amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    expires_days BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX reward_by_number ON reward (party, number);
CREATE INDEX reward_by_party ON reward (party, valid_from, number);
