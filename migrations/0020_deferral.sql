-- Where the platform collects, each tier's part of what was paid in advance waits in its own book: which one of them
-- (from the operator, 0) a row is. NULL: income of the issuer alone, as every row was before.
ALTER TABLE deferral ADD COLUMN tier BIGINT;

-- Shares of prices that hold the tax are taken net of it: of a tier's prices with the rate of the invoice that the
-- close made between it and the next, one for each agreement.
CREATE INDEX document_between ON document (agreement, close_no) WHERE line_count < 0;

-- A credit note on an invoice that is financed: so much less was put in. NULL: nothing.
ALTER TABLE financing ADD COLUMN credited BIGINT;
