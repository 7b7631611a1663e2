-- An event at which the engine died again and again is set aside, so that the pico goes on with the
-- next one; its owner sees it, and may have it tried again. tries: how often it was begun by an
-- engine that found it in its store when it started.
CREATE TABLE pico_aside (
    no BIGINT NOT NULL PRIMARY KEY,
    pico BIGINT NOT NULL,
    eci TEXT NOT NULL,
    eid TEXT NOT NULL,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    attrs TEXT NOT NULL,
    sender BIGINT,
    hops BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX pico_aside_by_pico ON pico_aside (pico, no);
ALTER TABLE pico_event ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pico_schedule ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
