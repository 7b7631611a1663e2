-- Who pays for picos. A pico that was sold has an account, and so have all below it that were not sold
-- by themselves; pico.account is the number of the pico that was sold, so that nothing is looked for
-- upwards when a pico is read.
--
-- events, queries and steps are what was used since begun, day is until when descendants and bytes
-- were told. An account without a subscription is only there because it is suspended.

ALTER TABLE pico ADD COLUMN account BIGINT;
CREATE INDEX pico_by_account ON pico (account, no);

CREATE TABLE pico_account (
    pico BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    subscription TEXT,
    suspended BIGINT NOT NULL,
    begun BIGINT NOT NULL,
    day BIGINT NOT NULL,
    events BIGINT NOT NULL,
    queries BIGINT NOT NULL,
    steps BIGINT NOT NULL
);
CREATE INDEX pico_account_by_begun ON pico_account (begun, pico);

-- What leaves the engine and is no event of another engine: usage for the control plane, mail and
-- calls of webhooks that rulesets asked for. The row is written with what it is about, and goes when
-- the other side has it: sent at least once, always with the same id. host is who gets it: one at a
-- time, and none while it is left alone after a failure.
CREATE TABLE pico_outbox (
    no BIGINT NOT NULL PRIMARY KEY,
    kind BIGINT NOT NULL,
    pico BIGINT NOT NULL,
    id TEXT NOT NULL,
    host TEXT NOT NULL,
    target TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    made BIGINT NOT NULL,
    due BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
CREATE INDEX pico_outbox_by_due ON pico_outbox (due, no);
CREATE INDEX pico_outbox_by_host ON pico_outbox (host, no);
CREATE INDEX pico_outbox_by_pico ON pico_outbox (pico, no);
