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
