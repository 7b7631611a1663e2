-- What is not paid for does not run on (billing/dunning.h, catalog/suspension.h).

-- How many days behind its due date an invoice of the party may be open before what its client buys from it is
-- suspended; 0: it suspends nothing.
ALTER TABLE party ADD COLUMN suspend_days BIGINT NOT NULL DEFAULT 0;
CREATE INDEX party_that_suspends ON party (id) WHERE suspend_days > 0;

-- Final invoices (380, 384) that are not paid, or in part: states 2 and 3.
CREATE INDEX document_open ON document (issuer, due_day) WHERE code IN (380, 384) AND state IN (2, 3);

-- Subscriptions that are suspended now. seller: who suspended it; due_day: of the oldest invoice that is overdue.
CREATE TABLE suspension (
    subscription TEXT NOT NULL PRIMARY KEY,
    seller TEXT NOT NULL,
    client TEXT NOT NULL,
    due_day BIGINT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX suspension_by_client ON suspension (client, seller);
