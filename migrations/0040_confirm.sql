-- Whoever an alert is mailed to has said yes. code: the hash of what was mailed to the address, until it is said
-- here; NULL: the address is confirmed (those from before are), or it is a webhook.
ALTER TABLE alert ADD COLUMN code TEXT;
