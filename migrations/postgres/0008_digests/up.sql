-- What was handed over, as a hash: a receipt for the proof that it was what was approved.
ALTER TABLE attempts ADD COLUMN digest bytea;
