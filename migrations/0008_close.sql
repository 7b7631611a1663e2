-- The close of a month, rated lines, wallets and coupons: see billing/close.h, billing/rate.h and
-- billing/wallet.h. A close writes millions of rated lines in the order of their keys: rows are narrow,
-- and what can be looked up through plan and path is not in them.

-- One close of a period, and any number of dry ones. step: index in close_steps. at_*: how far the step
-- is: behind which subscription (agreement, client, id), which line, which document. lines: the last
-- number given. first_document: the number before the first draft. seen: when it last went on.
CREATE TABLE close (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    party TEXT NOT NULL,
    period TEXT NOT NULL,
    since BIGINT NOT NULL,
    begin_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    step BIGINT NOT NULL,
    review BIGINT NOT NULL,
    dry BIGINT NOT NULL,
    at_agreement TEXT NOT NULL,
    at_client TEXT NOT NULL,
    at_id TEXT NOT NULL,
    at_number BIGINT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    documents BIGINT NOT NULL,
    first_document BIGINT NOT NULL,
    last_document BIGINT NOT NULL,
    exceptions BIGINT NOT NULL,
    started BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    finished BIGINT NOT NULL
);
CREATE UNIQUE INDEX close_by_id ON close (id);
CREATE INDEX close_by_period ON close (dry, begin_at, no);
CREATE INDEX close_by_step ON close (step, no);

-- What could not be rated or billed. line: the first rated line of a draft that could not be made, 0: none.
CREATE TABLE close_exception (
    id TEXT NOT NULL PRIMARY KEY,
    close_no BIGINT NOT NULL,
    subscription TEXT,
    step TEXT NOT NULL,
    text TEXT NOT NULL,
    line BIGINT NOT NULL
);
CREATE INDEX close_exception_by_close ON close_exception (close_no, id);

-- Subscriptions that a close could not rate: the next one takes their windows from there on.
CREATE TABLE close_missed (
    subscription TEXT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL
);

-- Net of the clients' drafts, or of a dry run, by currency: minor units, before tax unless prices hold it.
CREATE TABLE close_net (
    close_no BIGINT NOT NULL,
    currency TEXT NOT NULL,
    net BIGINT NOT NULL,
    PRIMARY KEY (close_no, currency)
);

-- What the tiers above the last owe one another, added up while lines are rated, so that their invoices
-- need no second look at the lines. path, edge: where the agreement was last met on a path.
CREATE TABLE close_upstream (
    close_no BIGINT NOT NULL,
    agreement TEXT NOT NULL,
    tax_included BIGINT NOT NULL,
    tax_class BIGINT NOT NULL,
    income TEXT NOT NULL,
    deferred BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    path BIGINT NOT NULL,
    edge BIGINT NOT NULL,
    PRIMARY KEY (close_no, agreement, tax_included, tax_class, income, deferred)
);

-- The numbers that an issuer's drafts get in the block that is in hand, and their date.
CREATE TABLE close_number (
    close_no BIGINT NOT NULL,
    issuer TEXT NOT NULL,
    code BIGINT NOT NULL,
    first BIGINT NOT NULL,
    year BIGINT NOT NULL,
    day BIGINT NOT NULL,
    PRIMARY KEY (close_no, issuer, code)
);

-- Drafts that somebody held when the others became final: a later close takes those that were let go.
CREATE TABLE close_held (
    document BIGINT NOT NULL PRIMARY KEY
);

-- Rated lines (billing/rate.h), each with the amount of every tier. line: 1.. in the close, a client's
-- together. prices: 9 bytes an edge, mantissa (little-endian) and scale; amounts: 8 bytes an edge, minor
-- units, little-endian. flags: of enum rated_flag. Never changed once the draft is final.
CREATE TABLE rated_line (
    close_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    subscription TEXT NOT NULL,
    path BIGINT NOT NULL,
    charge BIGINT NOT NULL,
    plan TEXT NOT NULL,
    plan_number BIGINT NOT NULL,
    period_begin BIGINT NOT NULL,
    period_end BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    quantity_scale BIGINT NOT NULL,
    units BIGINT NOT NULL,
    units_scale BIGINT NOT NULL,
    prices BYTEA NOT NULL,
    amounts BYTEA NOT NULL,
    list_amount BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    flags BIGINT NOT NULL,
    tax_class BIGINT NOT NULL,
    producer TEXT,
    asset TEXT,
    PRIMARY KEY (close_no, line)
);
CREATE INDEX rated_line_by_path ON rated_line (close_no, path, line);

-- How far windows were billed before their time: when a change of terms or an end cuts one short, what
-- lies behind is given back.
CREATE TABLE billed_ahead (
    subscription TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (subscription, from_at)
);

-- Credit that a client has with its seller. kind: prepaid money, or promotional credit that expires
-- worthless. used grows when drafts are made. expires: 0 never. broken: what had expired unused.
CREATE TABLE wallet (
    id TEXT NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    client TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    currency TEXT NOT NULL,
    priority BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    used BIGINT NOT NULL,
    broken BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX wallet_by_client ON wallet (party, client, priority, id);
CREATE INDEX wallet_by_party ON wallet (party, id);
CREATE INDEX wallet_by_expiry ON wallet (expires, id);

-- A discount that a seller gives. client, item: empty for all. times_left: closes it still counts for,
-- -1: any number. A percentage in parts per million, or an amount in minor units a close.
CREATE TABLE coupon (
    id TEXT NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    code TEXT NOT NULL,
    client TEXT NOT NULL,
    item TEXT NOT NULL,
    currency TEXT NOT NULL,
    percent_ppm BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    times BIGINT NOT NULL,
    times_left BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX coupon_by_code ON coupon (party, code);
CREATE INDEX coupon_by_client ON coupon (party, client, id);
