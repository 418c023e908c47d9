-- The ledger: what became of every record of the usage log, under its position. Nothing in it is ever updated.
-- A replay writes the same rows again; they collapse, because the sorting key is the position (append_time is a function of it
-- and stands in the key only so that the partition expression is a function of key columns, which keeps FINAL cheap).
CREATE TABLE IF NOT EXISTS usage_event
(
    stream            LowCardinality(String),
    partition         UInt32,
    offset            UInt64,
    append_time       DateTime64(3, 'UTC'),
    disposition       Enum8('accepted' = 1, 'duplicate' = 2, 'late' = 3, 'quarantined' = 4),
    reason            LowCardinality(String),             -- '' unless quarantined
    provider          LowCardinality(String),             -- '' where it cannot be known
    array             LowCardinality(String),             -- '' where it cannot be known
    array_name        LowCardinality(String),
    site              LowCardinality(String),             -- '' = none
    source            LowCardinality(String),
    id                String,
    time              Nullable(DateTime64(3, 'UTC')),     -- when measured
    recorded_time     Nullable(DateTime64(3, 'UTC')),
    identity          UInt128,                            -- of (provider, array, source, id); 0 where it cannot be known
    content           UInt64,                             -- of what is billed; 0 where it cannot be known
    decision          Int64,                              -- the billing-control offset its header names; -1 = none
    readings          UInt32,
    -- one element a reading, in the event's order; empty unless accepted
    reading_kind      Array(Enum8('array' = 1, 'volume' = 2, 'pod' = 3, 'realm' = 4, 'file_system' = 5, 'object_bucket' = 6)),
    reading_resource  Array(LowCardinality(String)),
    reading_name      Array(LowCardinality(String)),
    reading_customer  Array(LowCardinality(String)),      -- '' = none
    reading_tier      Array(LowCardinality(String)),      -- '' = none
    reading_meter     Array(LowCardinality(String)),
    reading_value     Array(UInt64)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(append_time)
PRIMARY KEY (stream, partition, offset)
ORDER BY (stream, partition, offset, append_time);

-- One row a reading of an accepted event, for SQL and audits.
CREATE VIEW IF NOT EXISTS usage_reading AS
SELECT stream, partition, offset, append_time, provider, array, site, time, recorded_time,
       index, kind, resource, name, customer, tier, meter, value
FROM usage_event FINAL
ARRAY JOIN arrayEnumerate(reading_kind) AS index, reading_kind AS kind, reading_resource AS resource, reading_name AS name,
           reading_customer AS customer, reading_tier AS tier, reading_meter AS meter, reading_value AS value
WHERE disposition = 'accepted'
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- Every record that was not accepted or dropped as a duplicate, byte for byte, so that it can be judged and sent again.
CREATE TABLE IF NOT EXISTS quarantine
(
    stream            LowCardinality(String),
    partition         UInt32,
    offset            UInt64,
    append_time       DateTime64(3, 'UTC'),
    disposition       Enum8('accepted' = 1, 'duplicate' = 2, 'late' = 3, 'quarantined' = 4),
    reason            LowCardinality(String),             -- '' = late
    detail            String,                             -- what a person should know
    provider          LowCardinality(String),             -- the stream's own, or the event's; '' = unattributed
    array             String,                             -- what the key names; '' = unattributed
    key               String,
    header_name       Array(String),
    header_value      Array(String),
    raw               String,
    raw_hash          UInt128
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(append_time)
PRIMARY KEY (stream, partition, offset)
ORDER BY (stream, partition, offset, append_time);

-- The manifest: ledger and buckets of a partition are durable below next_offset. Readers and recovery start here, never elsewhere.
CREATE TABLE IF NOT EXISTS checkpoint
(
    stream            LowCardinality(String),
    generation        UInt32,
    partition         UInt32,
    from_offset       UInt64,
    next_offset       UInt64,                             -- exclusive
    control           UInt64,                             -- every decision below it is reflected
    log_time          DateTime64(3, 'UTC'),               -- greatest append time below next_offset
    consumed          UInt64,                             -- records in [from_offset, next_offset); less than the span where the log has holes
    accepted          UInt64,
    duplicate         UInt64,
    late              UInt64,
    quarantined       UInt64,
    digest            UInt128,                            -- of the ledger rows in the span
    last_offset       UInt64,                             -- of the last record below next_offset
    last_hash         UInt128,                            -- of that record's append time, key and value
    first_append_time DateTime64(3, 'UTC')                -- of the first record in the span
)
ENGINE = ReplacingMergeTree(control)
ORDER BY (stream, partition, next_offset, from_offset);
