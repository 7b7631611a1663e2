-- Picos of more than one engine: events to picos elsewhere, events that come twice, and picos that
-- move. All of it stays small: an engine without neighbours has no row here.

-- Events on their way to a pico of another engine (host: its address). key is what the receiver
-- knows a repeat by; the row goes when the receiver has the event, or refused it.
CREATE TABLE pico_remote (
    no BIGINT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    key TEXT NOT NULL,
    eci TEXT NOT NULL,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    attrs TEXT NOT NULL,
    hops BIGINT NOT NULL,
    made BIGINT NOT NULL
);
CREATE INDEX pico_remote_by_host ON pico_remote (host, no);

-- Keys of events that a pico has had: another one with the same key is answered and not handled.
-- They are forgotten long after every sender has given up.
CREATE TABLE pico_seen (
    pico BIGINT NOT NULL,
    key TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (pico, key)
);
CREATE INDEX pico_seen_by_at ON pico_seen (at, pico);

-- Moves under way from here: the pico, and all below it, does nothing until it is over.
CREATE TABLE pico_move (
    id TEXT NOT NULL PRIMARY KEY,
    pico BIGINT NOT NULL,
    begun BIGINT NOT NULL
);
CREATE UNIQUE INDEX pico_move_by_pico ON pico_move (pico);

-- Moves that arrived here, with the answer that a repeat gets; where answer is NULL the move was
-- called off before it arrived, and never may.
CREATE TABLE pico_arrival (
    move TEXT NOT NULL PRIMARY KEY,
    answer TEXT,
    at BIGINT NOT NULL
);

-- Where the channels of picos lead that have moved away.
CREATE TABLE pico_moved (
    eci TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    move TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX pico_moved_by_move ON pico_moved (move, eci);

-- The newest entries of the log of each pico, JSON; no rises with the time.
CREATE TABLE pico_log (
    pico BIGINT NOT NULL,
    no BIGINT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (pico, no)
);
CREATE INDEX pico_log_by_no ON pico_log (no);
