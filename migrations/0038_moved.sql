-- What is paid in advance moves to another seller: so much of what the old one gave back (given, a credit note) paid
-- what the new one bills (taken), and the old one owes it to the new one. A row for each pair that a close looked at;
-- amount 0: they have nothing to do with each other.
CREATE TABLE moved (
    given BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (given, taken)
);
CREATE INDEX moved_by_taken ON moved (taken);

-- The credit notes of a close, among its many invoices.
CREATE INDEX document_given_back ON document (close_no, no) WHERE code = 381;
