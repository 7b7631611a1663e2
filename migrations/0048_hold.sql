-- Services that were to run when what they are bought by was suspended, and are stopped until it is not any more.
-- why: as its client, its seller and its node read it.
CREATE TABLE service_hold (
    service TEXT NOT NULL PRIMARY KEY,
    why TEXT NOT NULL,
    since BIGINT NOT NULL
);
