-- What a close could not write into the books, or make a statement of, and passed by so that all else went on.
-- step: as in close_exception, where the reason is. what: the number of a document, or what a statement is of.
-- close_no: the close that met it last; 0: it is tried again.
CREATE TABLE close_stuck (
    step TEXT NOT NULL,
    what TEXT NOT NULL,
    close_no BIGINT NOT NULL,
    exception TEXT NOT NULL,
    PRIMARY KEY (step, what)
);

-- The newest share that there was when a statement was made: what accrues behind it is of the next one's period.
ALTER TABLE statement ADD COLUMN last_share BIGINT NOT NULL DEFAULT 0;
UPDATE statement SET last_share = COALESCE((SELECT MAX(s.no) FROM share s WHERE s.payer = statement.payer
    AND s.payee = statement.payee AND s.currency = statement.currency AND s.created <= statement.created), 0);

-- What a run of settlement passed by, and why; NULL: nothing.
ALTER TABLE settlement ADD COLUMN passed TEXT;
