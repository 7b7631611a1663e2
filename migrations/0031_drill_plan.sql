-- Drills by plan: a backup that was never tried is a hope, and who must ask for each drill forgets it. next: when the
-- service is due.
CREATE TABLE drill_plan (
    service TEXT NOT NULL PRIMARY KEY,
    every_days BIGINT NOT NULL,
    next BIGINT NOT NULL
);
CREATE INDEX drill_plan_by_next ON drill_plan (next, service);
