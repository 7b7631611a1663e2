-- Clearing: what the platform collected for a seller under CHAIN pays what that seller owes up the path
-- (settle/clearing.h). How much of it is left is not kept here: it is the balance of AP:<seller> in the
-- book of "Clearing".

-- So much of an invoice (document, by no) was paid by its recipient (payer) to its issuer (payee) within
-- Clearing, in minor units; below 0: taken back. settlement: the run that did it, empty where money that
-- had come in went back to the bank.
CREATE TABLE clearing_part (
    no BIGINT NOT NULL PRIMARY KEY,
    settlement TEXT,
    payer TEXT NOT NULL,
    payee TEXT NOT NULL,
    document BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX clearing_part_by_payer ON clearing_part (payer, currency, no);
CREATE INDEX clearing_part_by_payee ON clearing_part (payee, currency, no);
CREATE INDEX clearing_part_by_document ON clearing_part (document, no);

-- What is open of an invoice is looked for by its recipient.
CREATE INDEX document_by_debtor ON document (recipient, currency, due_day, no);
-- What Clearing owes a payee and has not sent yet.
CREATE INDEX payout_by_book ON payout (book, payee, currency, state);
