-- What a settlement run could not pay out of Clearing, as less was on its account: a client's credit paid, a client's
-- bank took money back, or a debt was written off, and who owes Clearing for that has not paid it yet. Made anew by
-- each run.
CREATE TABLE clearing_wait (
    no BIGINT NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    settlement TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX clearing_wait_by_party ON clearing_wait (party, currency);
