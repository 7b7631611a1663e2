-- Drills: a backup of a service is restored into a copy that nobody reaches, pays or sees in a list, until its
-- promises are kept or its time is over; then the copy is removed. drill_of: of which service a service is the copy.
ALTER TABLE service ADD COLUMN drill_of TEXT;

CREATE TABLE drill (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    client TEXT NOT NULL,
    backup TEXT NOT NULL,
    copy TEXT NOT NULL,
    node TEXT NOT NULL,
    state TEXT NOT NULL,
    promises BIGINT NOT NULL,
    reason TEXT NOT NULL,
    began BIGINT NOT NULL,
    ended BIGINT NOT NULL
);
CREATE INDEX drill_by_service ON drill (service, id);
CREATE UNIQUE INDEX drill_by_copy ON drill (copy);
CREATE INDEX drill_by_state ON drill (state, began);
