-- Who has looked at a conflict, and when: it is not raised any more. Beside usage_conflict and not in it, for
-- that table has shipped, and what was not counted does not change with who has seen it.
CREATE TABLE usage_conflict_seen (
    conflict TEXT NOT NULL PRIMARY KEY,
    seen BIGINT NOT NULL,
    seen_by TEXT NOT NULL
);

-- A party's sources, for its list of them.
CREATE INDEX usage_source_by_party ON usage_source (party, name);
