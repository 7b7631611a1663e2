-- Alerts: until now nobody was told of a promise that failed unless they looked. A row of alert is a rule of a party:
-- which promises of which services, nodes and sites (both: words with spaces; '' all), and where to tell it.
-- way: mail or webhook. secret: of a webhook, sealed; NULL for mail. hour: when the hour began in which `told` messages
-- were made; held: what was kept for a summary, which is due at `summary`. due: when the next message may leave;
-- resting: not before then, as the receiver failed `tries` times in a row.
CREATE TABLE alert (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    party TEXT NOT NULL,
    name TEXT NOT NULL,
    subjects TEXT NOT NULL,
    promises TEXT NOT NULL,
    way TEXT NOT NULL,
    target TEXT NOT NULL,
    secret BYTEA,
    delay_s BIGINT NOT NULL,
    hourly BIGINT NOT NULL,
    paused BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    told BIGINT NOT NULL,
    held BIGINT NOT NULL,
    summary BIGINT NOT NULL,
    due BIGINT NOT NULL,
    resting BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    error TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX alert_by_party ON alert (party, id);
CREATE INDEX alert_by_due ON alert (due, id);
CREATE INDEX alert_by_summary ON alert (summary, id);

-- A promise that fails, as a rule sees it. due: when it is told, unless it is kept again before; told: it was.
CREATE TABLE alert_watch (
    alert TEXT NOT NULL,
    subject TEXT NOT NULL,
    promise TEXT NOT NULL,
    text TEXT NOT NULL,
    since BIGINT NOT NULL,
    due BIGINT NOT NULL,
    told BIGINT NOT NULL,
    PRIMARY KEY (alert, subject, promise)
);
CREATE INDEX alert_watch_by_subject ON alert_watch (subject, promise, alert);
CREATE INDEX alert_watch_by_due ON alert_watch (told, due, alert);

-- What was told, and what is on its way: one outbox for each rule, as a receiver that is slow or gone must hold up
-- nobody but itself. state: waiting, sent or dead. ended: when it became one of the latter.
CREATE TABLE alert_delivery (
    id TEXT NOT NULL PRIMARY KEY,
    alert TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    title TEXT NOT NULL,
    promise TEXT NOT NULL,
    text TEXT NOT NULL,
    since BIGINT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    error TEXT NOT NULL,
    created BIGINT NOT NULL,
    ended BIGINT NOT NULL
);
CREATE INDEX alert_delivery_by_alert ON alert_delivery (alert, state, id);
