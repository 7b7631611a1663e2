-- The operator's own money that it lends to Clearing where somebody who owes it does not pay, so that others do not
-- wait (settle/fund.h). debtor: who owes. amount, recovered: minor units; recovered is the sum of its
-- clearing_recovery. asked_by, released_by: users, two different ones.
CREATE TABLE clearing_fund (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    party TEXT NOT NULL,
    debtor TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    recovered BIGINT NOT NULL,
    state TEXT NOT NULL,
    note TEXT,
    asked_by TEXT NOT NULL,
    released_by TEXT,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX clearing_fund_by_id ON clearing_fund (id);
CREATE INDEX clearing_fund_by_party ON clearing_fund (party, id);
CREATE INDEX clearing_fund_by_debtor ON clearing_fund (debtor, currency, no);

-- What came back of it, as the debtor paid: the operator has it in Clearing from then on, and a payout of it.
CREATE TABLE clearing_recovery (
    no BIGINT NOT NULL PRIMARY KEY,
    fund BIGINT NOT NULL,
    party TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    settlement TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX clearing_recovery_by_fund ON clearing_recovery (fund, no);
