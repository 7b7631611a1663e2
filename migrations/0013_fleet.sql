-- Where services run, what they are, and how they should be. What a node has (capacity, address, features) is
-- what it said last; what its services take is kept beside it, so that placing reads one row a node. Specs and
-- secrets are sealed with the installation's key (fleet/seal.h): a copy of the store opens no service.

CREATE TABLE site (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    city TEXT NOT NULL,
    address TEXT NOT NULL,
    network TEXT NOT NULL,
    legal TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX site_by_owner ON site (owner, id);

-- revision grows with every change of what it should run, desired_at is when: agents wait for it.
-- left_revision: the one with which a service went elsewhere; who has not read it renews no lease.
-- token_hash: of the one-time token, NULL when it was used. public_key: NULL until then, and after revocation.
CREATE TABLE node (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    owner TEXT NOT NULL,
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    hardware TEXT NOT NULL,
    serial TEXT NOT NULL,
    asset TEXT NOT NULL,
    labels TEXT NOT NULL,
    price_class BIGINT NOT NULL,
    commitment_percent BIGINT NOT NULL,
    state TEXT NOT NULL,
    token_hash TEXT,
    token_ends BIGINT NOT NULL,
    public_key TEXT,
    revision BIGINT NOT NULL,
    desired_at BIGINT NOT NULL,
    left_revision BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    booted BIGINT NOT NULL,
    cpu_milli BIGINT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_bytes BIGINT NOT NULL,
    cpu_taken BIGINT NOT NULL,
    memory_taken BIGINT NOT NULL,
    disk_taken BIGINT NOT NULL,
    features TEXT NOT NULL,
    agent TEXT NOT NULL,
    hostname TEXT NOT NULL,
    address TEXT NOT NULL,
    promises TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX node_by_owner ON node (owner, id);
CREATE INDEX node_by_site ON node (site, id);
CREATE INDEX node_by_desired ON node (desired_at, id);
CREATE INDEX node_by_seen ON node (state, seen);
CREATE UNIQUE INDEX node_by_token ON node (token_hash);

CREATE TABLE image (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    format TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX image_by_owner ON image (owner, id);
CREATE INDEX image_by_name ON image (name, id);
CREATE INDEX image_by_hash ON image (sha256, id);

-- A version is never changed: services name the row that they were made of.
CREATE TABLE profile (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    runtime TEXT NOT NULL,
    text TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX profile_by_name ON profile (name, version);
CREATE INDEX profile_by_owner ON profile (owner, id);

-- How a plan sells a profile: the parameters that the plan fixes (JSON), and whether the seller is asked first.
CREATE TABLE offer (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    plan TEXT NOT NULL,
    profile TEXT NOT NULL,
    parameters TEXT NOT NULL,
    approval BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX offer_by_plan ON offer (plan);
CREATE INDEX offer_by_owner ON offer (owner, id);

-- state: what we know; wanted: what should be. node NULL: no place was taken yet, or it was given back.
CREATE TABLE service (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    client TEXT NOT NULL,
    seller TEXT NOT NULL,
    agreement TEXT NOT NULL,
    plan TEXT NOT NULL,
    subscription TEXT,
    profile TEXT NOT NULL,
    profile_name TEXT NOT NULL,
    parent TEXT,
    name TEXT NOT NULL,
    parameters TEXT NOT NULL,
    needs TEXT NOT NULL,
    wish TEXT NOT NULL,
    failover BIGINT NOT NULL,
    state TEXT NOT NULL,
    wanted TEXT NOT NULL,
    node TEXT,
    generation BIGINT NOT NULL,
    restart BIGINT NOT NULL,
    cpu_milli BIGINT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_bytes BIGINT NOT NULL,
    spec BYTEA NOT NULL,
    secrets BYTEA NOT NULL,
    seen_state TEXT NOT NULL,
    seen_generation BIGINT NOT NULL,
    step TEXT NOT NULL,
    reason TEXT NOT NULL,
    starts BIGINT NOT NULL,
    facts TEXT NOT NULL,
    promises TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX service_by_client ON service (client, id);
CREATE INDEX service_by_seller ON service (seller, id);
CREATE INDEX service_by_node ON service (node, id);
CREATE INDEX service_by_parent ON service (parent, id);
CREATE INDEX service_by_subscription ON service (subscription);

-- Which services use which: when what one publishes changes, the others are filled in anew.
CREATE TABLE service_need (
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    needed TEXT NOT NULL,
    PRIMARY KEY (service, name)
);
CREATE INDEX service_need_by_needed ON service_need (needed, service);

-- What a node has to remove that is no longer its own: the service went elsewhere.
CREATE TABLE service_left (
    node TEXT NOT NULL,
    service TEXT NOT NULL,
    generation BIGINT NOT NULL,
    runtime TEXT NOT NULL,
    cpu_milli BIGINT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_bytes BIGINT NOT NULL,
    PRIMARY KEY (node, service)
);

-- Where a service ever was: a node reports the usage of those alone.
CREATE TABLE service_place (
    service TEXT NOT NULL,
    node TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (service, node)
);

-- What somebody asked for and how far it is: steps as JSON.
CREATE TABLE operation (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    client TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    steps TEXT NOT NULL,
    reason TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX operation_by_service ON operation (service, id);
CREATE INDEX operation_by_open ON operation (service, state, id);
