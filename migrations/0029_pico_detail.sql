-- A million picos have the same few policies on their channels, of nearly a thousand bytes each: what
-- is not short is kept once, here, and channels name it by its number. hash: of the detail, for
-- finding it (32 bytes; the detail may be too long for an index). A row goes with the last channel
-- that names it. Channels from before keep theirs in pico_channel.detail.
CREATE TABLE pico_detail (
    no BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,
    detail BYTEA NOT NULL
);
CREATE UNIQUE INDEX pico_detail_by_hash ON pico_detail (hash);
ALTER TABLE pico_channel ADD COLUMN shared BIGINT;
CREATE INDEX pico_channel_by_shared ON pico_channel (shared);
