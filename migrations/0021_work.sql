-- Hardware work that a local company does on a server: until now nobody was told of it here, and nobody was paid.
-- work_kind.promise: the name of a node's promise that opens such an order when it fails; '' none.
CREATE TABLE work_kind (
    code TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    promise TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- owner: the node's, who pays; manager NULL: nobody was asked yet. fee: decimal text in the agreement's currency;
-- '' nothing is paid. terms: of the agreement, by number, that the fee was accepted under. opened_for: node and promise while an order that a promise opened is not ended, so that there
-- is one of them; NULL afterwards, and for what was opened by hand.
CREATE TABLE work_order (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    node TEXT NOT NULL,
    owner TEXT NOT NULL,
    manager TEXT,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    cause TEXT NOT NULL,
    opened_for TEXT,
    state TEXT NOT NULL,
    agreement TEXT,
    terms BIGINT NOT NULL,
    fee TEXT NOT NULL,
    due BIGINT NOT NULL,
    steps BIGINT NOT NULL,
    photos BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    ended BIGINT NOT NULL
);
CREATE INDEX work_order_by_owner ON work_order (owner, id);
CREATE INDEX work_order_by_manager ON work_order (manager, id);
CREATE INDEX work_order_by_node ON work_order (node, id);
CREATE UNIQUE INDEX work_order_by_cause ON work_order (opened_for);

-- What was done and seen, in order. party '': the installation itself. type '': no photo.
CREATE TABLE work_step (
    id TEXT NOT NULL PRIMARY KEY,
    work_order TEXT NOT NULL,
    number BIGINT NOT NULL,
    party TEXT NOT NULL,
    text TEXT NOT NULL,
    type TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX work_step_by_order ON work_step (work_order, number);
CREATE TABLE work_photo (
    step TEXT NOT NULL PRIMARY KEY,
    content BYTEA NOT NULL
);

-- What one party owes another once, under a cost or fee agreement from the one to the other, for what was done: the
-- next close takes it over as a share. amount: minor units. close_no NULL: it waits.
CREATE TABLE owed (
    reference TEXT NOT NULL PRIMARY KEY,
    agreement TEXT NOT NULL,
    terms BIGINT NOT NULL,
    label TEXT NOT NULL,
    note TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    at BIGINT NOT NULL,
    close_no BIGINT,
    taken BIGINT
);
CREATE INDEX owed_by_close ON owed (close_no, at, reference);
