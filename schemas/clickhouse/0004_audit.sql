-- What audits found of an array's UTC days: one row a run, never changed. Of a day the newest counts. Whatever its cut, it has seen all
-- buckets of the day: one that counts more than the cut keeps a day from being audited.
CREATE TABLE IF NOT EXISTS audit
(
    provider          LowCardinality(String),
    array             LowCardinality(String),
    day               Date,
    cut_version       UInt64,                             -- generation * 2^48 + as_of: no bucket that was seen is newer
    audited_at        DateTime64(3, 'UTC'),
    stream            LowCardinality(String),             -- of the partition that owns the array
    partition         UInt32,
    as_of             UInt64,                             -- the ledger was read below this offset
    control           UInt64,                             -- the meters were those defined below this
    version           UInt64,                             -- the greatest version of a bucket of the day that was seen; 0 = no bucket
    buckets           UInt64,                             -- metered again
    findings          UInt64,
    green             UInt8,                              -- 1 = no finding
    digest            UInt128                             -- of all other columns
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (provider, array, day, audited_at, cut_version);
