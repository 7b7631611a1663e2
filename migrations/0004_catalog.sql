-- What can be bought and how it is sold, and who has bought what. The operator's list prices stand in
-- plan_version.charges (JSON); every other price is computed down the path (channel/price_book.h).

CREATE TABLE item (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    owner TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    unit TEXT NOT NULL,
    tax_class TEXT NOT NULL,
    income TEXT NOT NULL,
    author TEXT,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX item_by_code ON item (code);

-- number: small, in order, for binary usage records.
CREATE TABLE meter (
    number BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    scale BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX meter_by_code ON meter (code);
CREATE UNIQUE INDEX meter_by_id ON meter (id);

CREATE TABLE plan (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    number BIGINT NOT NULL,
    item TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    period TEXT NOT NULL,
    currency TEXT NOT NULL,
    tax_included BIGINT NOT NULL,
    member_free BIGINT NOT NULL,
    retired BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX plan_by_code ON plan (code);
CREATE INDEX plan_by_item ON plan (item, id);

-- Never changed: a subscription is rated by the version that its terms name.
CREATE TABLE plan_version (
    plan TEXT NOT NULL,
    number BIGINT NOT NULL,
    charges TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (plan, number)
);

-- agreement, with its seller, plan, plan_number, quantity, producer and asset are those of the latest terms,
-- and terms says how many there are: of most, one, which is then read here. A close walks in the order of
-- (agreement, client, id), so that the invoice of a client is one run of subscriptions; the index has all that
-- it reads, so that a million of them is one run through it. zone and period: the calendar, kept from the
-- beginning, so that a seller that moves does not cut windows anew that were billed. ends: the largest number
-- where it is open.
CREATE TABLE subscription (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    seller TEXT NOT NULL,
    client TEXT NOT NULL,
    agreement TEXT NOT NULL,
    plan TEXT NOT NULL,
    plan_number BIGINT NOT NULL,
    quantity TEXT NOT NULL,
    producer TEXT,
    asset TEXT,
    terms BIGINT NOT NULL,
    parent TEXT,
    name TEXT,
    zone TEXT NOT NULL,
    period TEXT NOT NULL,
    anchored BIGINT NOT NULL,
    start BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX subscription_by_walk ON subscription (agreement, client, id, start, ends, parent, zone, period,
    anchored, plan, plan_number, quantity, producer, asset, terms);
CREATE INDEX subscription_by_client ON subscription (client, id);
CREATE INDEX subscription_by_seller ON subscription (seller, id);
CREATE INDEX subscription_by_parent ON subscription (parent, id);

-- What holds from an instant on. Rows behind the present are never changed.
CREATE TABLE subscription_term (
    subscription TEXT NOT NULL,
    since BIGINT NOT NULL,
    agreement TEXT NOT NULL,
    plan TEXT NOT NULL,
    plan_number BIGINT NOT NULL,
    quantity TEXT NOT NULL,
    producer TEXT,
    asset TEXT,
    PRIMARY KEY (subscription, since)
);
CREATE INDEX subscription_term_by_agreement ON subscription_term (agreement, subscription);

-- How much may be bought through an edge at once, set by its seller. target: "item:CODE", most: units; or
-- "credit", most: major units of the path's currency. Every edge of a path binds.
CREATE TABLE path_limit (
    agreement TEXT NOT NULL,
    target TEXT NOT NULL,
    most TEXT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (agreement, target)
);
