-- Lists that are read by the page, and runs that read what is open, cost what they show, not what there ever was.

CREATE INDEX share_by_payee_no ON share (payee, no);
CREATE INDEX share_open ON share (payer, payee, currency, no) WHERE earned <> settled;
CREATE INDEX statement_by_payout ON statement (payout);
CREATE INDEX statement_unpaid ON statement (payer, payee, currency) WHERE payout IS NULL;
CREATE INDEX wallet_of_client ON wallet (client, id);
