-- Value added tax in the currency in which its seller accounts for it (EN 16931 BT-6, BT-111; Directive 2006/112
-- art. 91 and 230), where its invoices are in another one.

-- In which currency the party accounts for its tax; NULL: in that of each invoice.
ALTER TABLE party ADD COLUMN tax_currency TEXT;

-- Rates as they were published or agreed, never changed: denominator of from_currency are numerator of to_currency.
-- Of several of one day the one with the highest no holds. day: days since 1970.
CREATE TABLE exchange_rate (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    party TEXT NOT NULL,
    from_currency TEXT NOT NULL,
    to_currency TEXT NOT NULL,
    day BIGINT NOT NULL,
    numerator BIGINT NOT NULL,
    denominator BIGINT NOT NULL,
    source TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX exchange_rate_by_id ON exchange_rate (id);
CREATE INDEX exchange_rate_by_day ON exchange_rate (party, from_currency, to_currency, day, no);

-- The tax of a document in its seller's currency, and the rate: "EUR 3600 250 271 20454 2600,1000 source", NULL where it is
-- in that currency anyway.
ALTER TABLE document ADD COLUMN exchange TEXT;
