-- Snapshots of machines, kept inside their disks on the node where they are.
--
-- state: wanted, kept, failed, removing, gone. node: whose disk has it; NULL: that of a node which the service left.
-- room_bytes: so much of the node's disk is counted as taken for it. reverts: number of the last time that the service
-- went back to it; 0: never. The number grows over all snapshots of the service.
CREATE TABLE snapshot (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    client TEXT NOT NULL,
    node TEXT,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    room_bytes BIGINT NOT NULL,
    reverts BIGINT NOT NULL,
    reason TEXT NOT NULL,
    asked BIGINT NOT NULL,
    taken BIGINT NOT NULL
);
CREATE INDEX snapshot_by_service ON snapshot (service, id);
