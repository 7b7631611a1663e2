-- What a user did, or somebody tried, with the account itself: found by user where no party is concerned.
CREATE INDEX audit_by_own ON audit (user_id, id) WHERE party IS NULL;
