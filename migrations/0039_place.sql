-- Where a service goes, found without reading the whole fleet: nodes, of all sites and of one, by the memory
-- that they have left.
CREATE INDEX node_by_room ON node (state, (memory_bytes - memory_taken), site, id);
CREATE INDEX node_by_site_room ON node (site, state, (memory_bytes - memory_taken), id);

-- parsed: the profile as JSON, read and checked when it was registered. NULL: registered before, and kept here when it
-- is read next.
ALTER TABLE profile ADD COLUMN parsed TEXT;
