-- What a server costs its owner: a sheet of its own, which nobody else reads. sheet: JSON, as the owner gave it.
CREATE TABLE node_cost (
    node TEXT NOT NULL PRIMARY KEY,
    sheet TEXT NOT NULL,
    changed BIGINT NOT NULL
);
