-- What was handed over, as a hash: a receipt for the proof that it was what was approved.
ALTER TABLE attempts ADD COLUMN digest BLOB;
-- As whom and by which edition of the program a mail was written, so that it can be made again.
CREATE TABLE letterheads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    edition INTEGER NOT NULL,
    sender TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    message_id_domain TEXT NOT NULL,
    public_url TEXT NOT NULL
);
-- No foreign key: none is ever deleted, and a look-up for each attempt would be all that it costs and brings.
ALTER TABLE attempts ADD COLUMN letterhead_id BIGINT;
-- Whatever is under way stays out of it: one index less to write at every step of a delivery.
DROP INDEX deliveries_to_forget;
CREATE INDEX deliveries_to_forget ON deliveries (settled_at) WHERE address IS NOT NULL AND settled_at IS NOT NULL;
