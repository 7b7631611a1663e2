-- Rated lines many in a row: a close of a million subscriptions writes and reads a tenth of the rows, and a
-- fifth of the bytes. Lines that follow one another on the same path, a client's; body: billing/rated_run.h.
-- What closes wrote before stays in rated_line, and is read from there.
CREATE TABLE rated_run (
    close_no BIGINT NOT NULL,
    last_line BIGINT NOT NULL,
    first_line BIGINT NOT NULL,
    path BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (close_no, last_line)
);
CREATE INDEX rated_run_by_path ON rated_run (close_no, path, last_line);

-- When the month of a close begins and ends in each time zone that has subscriptions; the operator's is
-- seq 0. A close without rows began before this table: the operator's instants were everybody's.
CREATE TABLE close_zone (
    close_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    zone TEXT NOT NULL,
    since BIGINT NOT NULL,
    begin_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    PRIMARY KEY (close_no, seq)
);

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
