-- Services that go to another version of their profile: backed up first where they can be, watched for a while, and
-- taken back where the new version does not keep its promises. from_*: what it was made of before.
CREATE TABLE upgrade (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    client TEXT NOT NULL,
    from_profile TEXT NOT NULL,
    from_parameters TEXT NOT NULL,
    from_secrets BYTEA NOT NULL,
    to_profile TEXT NOT NULL,
    to_parameters TEXT NOT NULL,
    backup TEXT,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    began BIGINT NOT NULL,
    tried BIGINT NOT NULL,
    ended BIGINT NOT NULL
);
CREATE INDEX upgrade_by_service ON upgrade (service, id);
CREATE INDEX upgrade_by_state ON upgrade (state, tried, id);
