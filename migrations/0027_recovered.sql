-- An invoice that was written off may be paid after all: how much of a share's worth is void because of it comes back
-- with the money. NULL: nothing.
ALTER TABLE share ADD COLUMN lost BIGINT;

-- What a client's invoice that was written off would have given back of what was paid for it. NULL: nothing.
ALTER TABLE financing ADD COLUMN lost BIGINT;
