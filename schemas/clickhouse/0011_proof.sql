-- What the newest proof of each close found: its documents computed again from the ledger, and held against what is stored. Written by
-- `plimsoll bill`, and by `plimsoll prove --all`, which proves whole closes as well.
CREATE TABLE IF NOT EXISTS proof
(
    rating_id         String,                             -- the close
    proved_at         DateTime64(3, 'UTC'),
    build             LowCardinality(String),             -- that proved it
    documents         UInt64,
    proven            UInt64,                             -- of them
    altered           UInt64                              -- rows of the ledger that are not what was accepted
)
ENGINE = ReplacingMergeTree(proved_at)
ORDER BY rating_id;
