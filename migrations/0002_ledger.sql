-- The ledger. ledger_batch is the journal and the only truth: all other tables can be made from it
-- again, and `hansed ledger verify` compares them. Entries are never changed or deleted.

-- One row of about a mebibyte, or one commit where that is less. hash: BLAKE2b-256 over the hash of
-- the row before, the numbers of this one, and the body. seq has no gaps, and keeps two processes from
-- going on from the same state: the second one finds its number taken.
CREATE TABLE ledger_batch (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    records BIGINT NOT NULL,
    first_record BIGINT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX ledger_batch_by_time ON ledger_batch (at, seq);

-- opened: the row of the journal that defined it.
CREATE TABLE ledger_book (
    id BIGINT NOT NULL PRIMARY KEY,
    party TEXT NOT NULL,
    currency TEXT NOT NULL,
    opened BIGINT NOT NULL
);
CREATE UNIQUE INDEX ledger_book_by_party ON ledger_book (party, currency);

CREATE TABLE ledger_account (
    id BIGINT NOT NULL PRIMARY KEY,
    book BIGINT NOT NULL,
    code TEXT NOT NULL,
    flags BIGINT NOT NULL,
    mirror BIGINT,
    closed BIGINT NOT NULL,
    opened BIGINT NOT NULL
);
CREATE UNIQUE INDEX ledger_account_by_code ON ledger_account (book, code);

CREATE TABLE ledger_source (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    opened BIGINT NOT NULL
);
CREATE UNIQUE INDEX ledger_source_by_name ON ledger_source (name);

-- The first number of a source in each row of the journal that has any: where a repeat is looked up.
CREATE TABLE ledger_source_range (
    source BIGINT NOT NULL,
    first_number BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    PRIMARY KEY (source, first_number)
);

-- The balance of an account at the end of a row of the journal: at checkpoints for what has changed,
-- and for accounts with history at the end of every commit that touched them.
CREATE TABLE ledger_balance (
    account BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    debits BIGINT NOT NULL,
    credits BIGINT NOT NULL,
    debits_pending BIGINT NOT NULL,
    credits_pending BIGINT NOT NULL,
    PRIMARY KEY (account, batch)
);
CREATE INDEX ledger_balance_by_batch ON ledger_balance (batch, account);

-- At these rows of the journal all balances were kept. state: of the latest one, what no other table
-- shows (open reservations, last numbers of sources); NULL in older ones.
CREATE TABLE ledger_checkpoint (
    batch BIGINT NOT NULL PRIMARY KEY,
    state BYTEA
);
