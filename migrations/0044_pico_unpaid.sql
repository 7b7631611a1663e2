-- Who suspended an account: who runs the engine, by hand, or the control plane, whose bill is not
-- paid. It is suspended where one of both did so; each takes back what it did.
ALTER TABLE pico_account ADD COLUMN by_hand BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pico_account ADD COLUMN unpaid BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pico_account ADD COLUMN why TEXT;
UPDATE pico_account SET by_hand = suspended;
CREATE INDEX pico_account_by_subscription ON pico_account (subscription, pico);
CREATE INDEX pico_account_by_unpaid ON pico_account (unpaid, pico);
