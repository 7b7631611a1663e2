-- Services that move with all that they keep, and nodes that are emptied.
--
-- backup.disk: it is all that a service keeps, as it lay on the disk, and no output of a command. backup.moves: it was
-- made for a move, is held by nobody else, and goes with the end of the move. backup_plan.disk: what the plan makes.
ALTER TABLE backup ADD COLUMN disk BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup ADD COLUMN moves BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup_plan ADD COLUMN disk BIGINT NOT NULL DEFAULT 0;

-- keeps: the node stops it, and keeps what it has until the service keeps its promises elsewhere.
ALTER TABLE service_left ADD COLUMN keeps BIGINT NOT NULL DEFAULT 0;

-- drain: 0 it takes services, 1 it takes none, 2 and what it has goes elsewhere. Kept while it is lost, too.
ALTER TABLE node ADD COLUMN drain BIGINT NOT NULL DEFAULT 0;
UPDATE node SET drain = 1 WHERE state = 'draining';
CREATE INDEX node_by_drain ON node (drain, id);

-- A move in hand. source: the node that it leaves; wanted: as the service was before; kept: so many of its promises
-- were kept then.
CREATE TABLE service_move (
    service TEXT NOT NULL PRIMARY KEY,
    step TEXT NOT NULL,
    source TEXT NOT NULL,
    wanted TEXT NOT NULL,
    kept BIGINT NOT NULL,
    backup TEXT,
    changed BIGINT NOT NULL
);
CREATE INDEX service_move_by_step ON service_move (step, changed);
CREATE INDEX service_move_by_source ON service_move (source, service);
CREATE INDEX service_move_by_backup ON service_move (backup);
