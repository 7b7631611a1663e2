-- Invoices that a draft step could not make (a tax is not known, ...): the next close tries again, or the same
-- one that is begun again. exception: of close_exception. close_no: whose lines they are. first_line: of a
-- client's lines; 0: an invoice between tiers, from the sums of close_upstream.
CREATE TABLE close_unbilled (
    exception TEXT NOT NULL PRIMARY KEY,
    close_no BIGINT NOT NULL,
    first_line BIGINT NOT NULL,
    agreement TEXT NOT NULL,
    tax_included BIGINT NOT NULL
);
INSERT INTO close_unbilled (exception, close_no, first_line, agreement, tax_included)
SELECT e.id, e.close_no, e.line, '', 0 FROM close_exception e JOIN close c ON c.no = e.close_no
WHERE c.dry = 0 AND e.step = 'draft' AND e.line > 0;
