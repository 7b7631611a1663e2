-- The ground: who (parties, users, what they may do), how they prove it (sessions, tokens), what
-- happened (audit), what leaves (outbox), and replies kept for repeated requests (idempotency).
-- Times are microseconds since 1970 UTC; ids and hashes are text; '' is never stored where a value
-- may be missing: NULL is.

CREATE TABLE party (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    legal_name TEXT,
    registration TEXT,
    email TEXT,
    phone TEXT,
    street TEXT,
    street2 TEXT,
    postcode TEXT,
    city TEXT,
    region TEXT,
    country TEXT NOT NULL,
    taxable BIGINT NOT NULL,
    currency TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    iban TEXT,
    bic TEXT,
    account_holder TEXT,
    sponsor TEXT,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX party_by_sponsor ON party (sponsor, id);
CREATE INDEX party_by_name ON party (name, id);

CREATE TABLE party_tax_id (
    party TEXT NOT NULL,
    scheme TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (party, scheme)
);

-- email_key is the address in lower case: the same letters are the same user, whatever their case.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    password TEXT,
    totp_secret TEXT,
    totp_pending TEXT,
    totp_last BIGINT NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_by_email ON users (email_key);

CREATE TABLE role (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL
);
CREATE TABLE role_permission (
    role TEXT NOT NULL,
    permission TEXT NOT NULL,
    PRIMARY KEY (role, permission)
);
CREATE TABLE membership (
    user_id TEXT NOT NULL,
    party TEXT NOT NULL,
    role TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (user_id, party, role)
);
CREATE INDEX membership_by_party ON membership (party, user_id);

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    proved BIGINT NOT NULL,
    address TEXT,
    agent TEXT
);
CREATE UNIQUE INDEX session_by_hash ON session (hash);
CREATE INDEX session_by_user ON session (user_id, id);

CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    party TEXT,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created BIGINT NOT NULL,
    ends BIGINT,
    used BIGINT
);
CREATE UNIQUE INDEX token_by_hash ON token (hash);
CREATE INDEX token_by_user ON token (user_id, id);

CREATE TABLE invitation (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    party TEXT NOT NULL,
    inviter TEXT,
    joins BIGINT NOT NULL,
    role TEXT NOT NULL,
    email TEXT,
    prefill TEXT NOT NULL,
    message TEXT,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    used_by TEXT,
    used BIGINT
);
CREATE UNIQUE INDEX invitation_by_hash ON invitation (hash);
CREATE INDEX invitation_by_party ON invitation (party, id);

CREATE TABLE brand (
    party TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    logo TEXT,
    logo_dark TEXT,
    colour TEXT NOT NULL,
    host TEXT,
    mail_sender TEXT,
    legal_footer TEXT,
    changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX brand_by_host ON brand (host);

CREATE TABLE login_failure (
    subject TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last BIGINT NOT NULL
);
CREATE INDEX login_failure_by_age ON login_failure (last, subject);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    user_id TEXT,
    token TEXT,
    party TEXT,
    action TEXT NOT NULL,
    subject TEXT,
    before TEXT,
    after TEXT,
    address TEXT,
    request TEXT
);
CREATE INDEX audit_by_party ON audit (party, id);
CREATE INDEX audit_by_subject ON audit (subject, id);

CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    hash TEXT NOT NULL,
    status BIGINT NOT NULL,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created, caller, key);

CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    seq BIGINT,
    topic TEXT NOT NULL,
    party TEXT,
    body TEXT NOT NULL,
    state BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    created BIGINT NOT NULL,
    due BIGINT NOT NULL,
    error TEXT
);
CREATE UNIQUE INDEX outbox_by_seq ON outbox (seq);
CREATE INDEX outbox_by_due ON outbox (state, due, id);

CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    ends BIGINT NOT NULL
);

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
