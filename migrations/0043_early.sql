-- Subscriptions of which more was counted than time had passed, as the clock of a source is ahead: until then their
-- windows may still be cut by an end or by other terms, and what was counted beyond is to be counted anew
-- (meter/early.c). version: the subscription's when it was counted; until: the end of the latest such record.
CREATE TABLE usage_early (
    subscription TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    until BIGINT NOT NULL
);
