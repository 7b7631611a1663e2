-- How the promises of services and nodes changed: the store had only what was said last, and who wants to know
-- how a month went needs what was said before. subject: the service's id, or the node's of its own promises.
CREATE TABLE promise_change (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    node TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    text TEXT NOT NULL,
    since BIGINT NOT NULL,
    heard BIGINT NOT NULL
);
CREATE INDEX promise_change_by_subject ON promise_change (subject, id);
