-- What was used. usage_batch is the truth: records as they came, many in a row, never changed. All other
-- tables follow from it, and `total_recount` makes them again.

-- Who reports ("urn:pop:par1:node7"), for which party; last_number: of its records, which ascend.
CREATE TABLE usage_source (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    party TEXT NOT NULL,
    last_number BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX usage_source_by_name ON usage_source (name);

-- body: packed records (meter/record.h).
CREATE TABLE usage_batch (
    no BIGINT NOT NULL PRIMARY KEY,
    source BIGINT NOT NULL,
    first_number BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    records BIGINT NOT NULL,
    received BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE UNIQUE INDEX usage_batch_by_number ON usage_batch (source, first_number);

-- Events whose ids are text: key is a hash of 128 bits of the id; number is what they got.
CREATE TABLE usage_event (
    source BIGINT NOT NULL,
    key BYTEA NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (source, key)
);

-- Records that a later one corrects.
CREATE TABLE usage_superseded (
    source BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (source, number)
);

-- The same id with another body: refused, and raised until somebody has looked.
CREATE TABLE usage_conflict (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    party TEXT NOT NULL,
    event TEXT NOT NULL,
    text TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- What could not be added up (a quantity that does not fit, a time outside the life).
CREATE TABLE usage_problem (
    batch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    subscription TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (batch, number)
);

-- One row. folded: all batches up to this no are in the totals. billed: windows that end up to this
-- instant were billed as they were.
CREATE TABLE usage_fold (
    one BIGINT NOT NULL PRIMARY KEY,
    folded BIGINT NOT NULL,
    billed BIGINT NOT NULL
);

-- quantity: an integer at the meter's scale.
CREATE TABLE usage_total (
    subscription TEXT NOT NULL,
    meter BIGINT NOT NULL,
    window_from BIGINT NOT NULL,
    window_until BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (subscription, meter, window_from)
);

-- What kinds that are no sum must remember: readings of a counter, samples, distinct keys. part: a day
-- of a counter or of samples, else 0; window_from 0 for counters, whose readings know no windows.
CREATE TABLE usage_part (
    subscription TEXT NOT NULL,
    meter BIGINT NOT NULL,
    window_from BIGINT NOT NULL,
    part BIGINT NOT NULL,
    state BYTEA NOT NULL,
    PRIMARY KEY (subscription, meter, window_from, part)
);

-- Totals that changed after they were billed, and what was billed.
CREATE TABLE usage_late (
    subscription TEXT NOT NULL,
    meter BIGINT NOT NULL,
    window_from BIGINT NOT NULL,
    billed BIGINT NOT NULL,
    PRIMARY KEY (subscription, meter, window_from)
);
