-- Picos. A million of them share these tables, so what every pico has is kept small: a pico is
-- known inside by a number, a ruleset name by another, and only what is used has a row. The two
-- channels between a pico and its parent are columns of its own row: a parent of a million children
-- does not carry a million channels about.
--
-- parent_eci is the channel on the parent that only this pico may use, child_eci the one on this
-- pico that only the parent may use; the pico's id is its own channel. The root has no parent.

CREATE TABLE pico (
    no BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    parent BIGINT,
    parent_eci TEXT,
    child_eci TEXT,
    made BIGINT NOT NULL
);
CREATE UNIQUE INDEX pico_by_id ON pico (id);
CREATE UNIQUE INDEX pico_by_parent_eci ON pico (parent_eci);
CREATE UNIQUE INDEX pico_by_child_eci ON pico (child_eci);
CREATE INDEX pico_by_parent ON pico (parent, no);

-- detail: tags and policies, packed (krl/pack.h); NULL: no tags and everything is allowed.
CREATE TABLE pico_channel (
    eci TEXT NOT NULL PRIMARY KEY,
    pico BIGINT NOT NULL,
    place BIGINT NOT NULL,
    detail BYTEA
);
CREATE INDEX pico_channel_by_pico ON pico_channel (pico, place);

-- Names of rulesets, which entity variables and the state of rules belong to.
CREATE TABLE pico_rid (
    no BIGINT NOT NULL PRIMARY KEY,
    rid TEXT NOT NULL
);
CREATE UNIQUE INDEX pico_rid_by_rid ON pico_rid (rid);

-- The registry: what was last read from each URL. The source is kept, so that an engine starts
-- without the net.
CREATE TABLE pico_ruleset (
    no BIGINT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    rid BIGINT NOT NULL,
    hash TEXT NOT NULL,
    flushed BIGINT NOT NULL,
    source TEXT NOT NULL
);
CREATE UNIQUE INDEX pico_ruleset_by_url ON pico_ruleset (url);

-- What is installed on which pico, in the order of place.
CREATE TABLE pico_installed (
    pico BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    place BIGINT NOT NULL,
    ruleset BIGINT NOT NULL,
    config BYTEA,
    PRIMARY KEY (pico, rid)
);
CREATE INDEX pico_installed_by_ruleset ON pico_installed (ruleset, pico);

-- Entity variables, and where the rules of a ruleset stand between events; packed (krl/pack.h).
CREATE TABLE pico_entity (
    pico BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    name TEXT NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (pico, rid, name)
);
CREATE TABLE pico_waiting (
    pico BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    states BYTEA NOT NULL,
    PRIMARY KEY (pico, rid)
);

CREATE TABLE pico_schedule (
    pico BIGINT NOT NULL,
    id TEXT NOT NULL,
    rid BIGINT NOT NULL,
    due BIGINT NOT NULL,
    detail BYTEA NOT NULL,
    PRIMARY KEY (pico, id)
);
CREATE INDEX pico_schedule_by_due ON pico_schedule (due, pico, id);

-- Events that were accepted and are not handled yet: from another pico, or from outside while the
-- pico was busy. The row goes with what the event does.
CREATE TABLE pico_event (
    no BIGINT NOT NULL PRIMARY KEY,
    pico BIGINT NOT NULL,
    eci TEXT NOT NULL,
    eid TEXT NOT NULL,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    attrs TEXT NOT NULL,
    sender BIGINT,
    hops BIGINT NOT NULL
);
CREATE INDEX pico_event_by_pico ON pico_event (pico, no);

-- Facts of the whole engine: the key that signs exports, say.
CREATE TABLE pico_fact (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
