-- What was used. usage_batch is the truth: records as they came, many in a row, never changed. All other
-- tables follow from it, and `total_recount` makes the totals again.

-- Who reports ("urn:pop:par1:node7"), for which party. numbered: it gives its records numbers itself; else
-- its events have ids, and get theirs here. last_number: the highest.
CREATE TABLE usage_source (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    party TEXT NOT NULL,
    numbered BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX usage_source_by_name ON usage_source (name);

-- body: packed records (meter/record.h), ascending by number. Batches that came late may lie between the
-- numbers of others. time_from, time_until: what its records span, so that counting a window anew passes over
-- the batches that have nothing of it. body is the last column: what only looks at the others reads little.
CREATE TABLE usage_batch (
    no BIGINT NOT NULL PRIMARY KEY,
    source BIGINT NOT NULL,
    first_number BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    time_from BIGINT NOT NULL,
    time_until BIGINT NOT NULL,
    records BIGINT NOT NULL,
    received BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX usage_batch_by_number ON usage_batch (source, last_number, first_number, no);

-- Events whose ids are text: key is the beginning of the id, so that ids that ascend are neighbours in
-- the tree, and a hash of all of it; number is what they got.
CREATE TABLE usage_event (
    source BIGINT NOT NULL,
    key BYTEA NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (source, key)
);

-- Records that a later one corrects; batch: no of the batch that has the later one.
CREATE TABLE usage_superseded (
    source BIGINT NOT NULL,
    number BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    PRIMARY KEY (source, number)
);

-- Which sources ever reported for a subscription: whose batches are read when it is counted anew.
CREATE TABLE usage_reporter (
    subscription TEXT NOT NULL,
    source BIGINT NOT NULL,
    PRIMARY KEY (subscription, source)
);

-- What was not counted and why, raised until somebody has looked: the same id with another body, a
-- correction of what was corrected before, a time that no window holds. The same is told once.
CREATE TABLE usage_conflict (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    party TEXT NOT NULL,
    event TEXT NOT NULL,
    text TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX usage_conflict_once ON usage_conflict (source, event, text);

-- One row. folded: all batches up to this no are in the totals. billed: windows that end up to this
-- instant were billed as they were.
CREATE TABLE usage_fold (
    one BIGINT NOT NULL PRIMARY KEY,
    folded BIGINT NOT NULL,
    billed BIGINT NOT NULL
);

-- The total is high x 10^18 + quantity, at 10^-scale: sums are exact whatever comes in what order, and one
-- that fits no quantity is an exception where it is read. latest: LAST, the time of what counts. P95 keeps its
-- samples in usage_part alone, and 0 here. kind and scale are the meter's, so that a close reads one table.
CREATE TABLE usage_total (
    subscription TEXT NOT NULL,
    meter BIGINT NOT NULL,
    window_from BIGINT NOT NULL,
    window_until BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    scale BIGINT NOT NULL,
    high BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    latest BIGINT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (subscription, meter, window_from)
);

-- What kinds that are no sum must remember (meter/state.h). series: which of several counters; else 0. part: a
-- day of readings or samples, a slice of the hashes of distinct keys.
CREATE TABLE usage_part (
    subscription TEXT NOT NULL,
    meter BIGINT NOT NULL,
    series BIGINT NOT NULL,
    window_from BIGINT NOT NULL,
    part BIGINT NOT NULL,
    state BYTEA NOT NULL,
    PRIMARY KEY (subscription, meter, series, window_from, part)
);

-- Totals that changed after they were billed, and what was billed.
CREATE TABLE usage_late (
    subscription TEXT NOT NULL,
    meter BIGINT NOT NULL,
    window_from BIGINT NOT NULL,
    high BIGINT NOT NULL,
    billed BIGINT NOT NULL,
    PRIMARY KEY (subscription, meter, window_from)
);
