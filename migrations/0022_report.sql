-- The order of the newest report that was heard of a node; NULL: none had one. A report that was held up on its
-- way and came after a newer one was believed, and stayed so: agents tell changes alone.
ALTER TABLE node ADD COLUMN told BIGINT;
