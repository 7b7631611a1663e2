-- Backups of services: asked for (by the plan or by a person), made by the service's node, kept, and held by a
-- node of another site. here: the control plane's folder holds it, or may hold a part; holder: the node that is to
-- hold it, held: it does. The files are encrypted: who holds one reads nothing of it.
CREATE TABLE backup (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    client TEXT NOT NULL,
    node TEXT NOT NULL,
    state TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    here BIGINT NOT NULL,
    holder TEXT,
    held BIGINT NOT NULL,
    reason TEXT NOT NULL,
    asked BIGINT NOT NULL,
    kept BIGINT NOT NULL
);
CREATE INDEX backup_by_service ON backup (service, id);
CREATE INDEX backup_by_node ON backup (node, state, id);
CREATE INDEX backup_by_holder ON backup (holder, state, id);
CREATE INDEX backup_by_here ON backup (here, state, id);

-- When a service is backed up next: those whose profile says how.
CREATE TABLE backup_plan (
    service TEXT NOT NULL PRIMARY KEY,
    every_s BIGINT NOT NULL,
    next BIGINT NOT NULL
);
CREATE INDEX backup_plan_by_next ON backup_plan (next, service);

-- What a service begins with, or went back to: number grows each time, and its node does each number once.
-- backup NULL: it was placed anew, and there was none.
CREATE TABLE service_restore (
    service TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    backup TEXT
);
CREATE INDEX service_restore_by_backup ON service_restore (backup, service);
