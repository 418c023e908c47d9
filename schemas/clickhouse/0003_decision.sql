-- The mirror of billing-control, one row a record, chained: hash = SHA-256(hash before || record).
CREATE TABLE IF NOT EXISTS decision
(
    offset            UInt64,
    append_time       DateTime64(3, 'UTC'),
    kind              LowCardinality(String),             -- StreamOpened, PriceBookPublished, ...
    provider          LowCardinality(String),             -- whom it concerns; '' = all
    actor             String,
    body              String,                             -- the record's JSON
    hash              String                              -- hex
)
ENGINE = ReplacingMergeTree
ORDER BY offset;
