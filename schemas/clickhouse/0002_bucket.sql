-- One series in one UTC hour, written whole with all its cells: a corrected attribution leaves nothing behind.
CREATE TABLE IF NOT EXISTS usage_bucket
(
    provider          LowCardinality(String),
    array             LowCardinality(String),
    kind              Enum8('array' = 1, 'volume' = 2, 'pod' = 3, 'realm' = 4, 'file_system' = 5, 'object_bucket' = 6),
    resource          String,
    meter             LowCardinality(String),
    hour              DateTime('UTC'),
    version           UInt64,                             -- generation * 2^48 + as_of
    stream            LowCardinality(String),
    partition         UInt32,
    as_of             UInt64,                             -- counts every record below this offset
    meter_kind        Enum8('gauge' = 1, 'delta' = 2, 'counter' = 3),
    cell_minutes      UInt8,                              -- 15 or 5
    cell_index        Array(UInt8),                       -- start = hour + index * cell_minutes
    cell_customer     Array(LowCardinality(String)),      -- '' = none
    cell_tier         Array(LowCardinality(String)),
    cell_site         Array(LowCardinality(String)),
    cell_amount       Array(Int128),                      -- gauge: integral, base unit * ms; delta: sum; counter: increase
    cell_observed_ms  Array(UInt32),                      -- gauge; else 0
    cell_count        Array(UInt32),                      -- readings that opened area (gauge), were added (delta, counter)
    cell_min          Array(UInt64),                      -- gauge; else 0
    cell_max          Array(UInt64),
    cell_last         Array(UInt64)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (provider, array, meter, kind, resource, hour);

-- The cells, one row each, for SQL. Additive over time and resources.
CREATE VIEW IF NOT EXISTS usage_cell AS
SELECT provider, array, kind, resource, meter, meter_kind, stream, partition, as_of,
       toDateTime(toUnixTimestamp(hour) + index * cell_minutes * 60, 'UTC') AS start, cell_minutes * 60 AS seconds,
       customer, tier, site, amount, observed_ms, count, min, max, last
FROM usage_bucket FINAL
ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_site AS site, cell_amount AS amount,
           cell_observed_ms AS observed_ms, cell_count AS count, cell_min AS min, cell_max AS max, cell_last AS last
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- Sums by UTC day for dashboards.
CREATE VIEW IF NOT EXISTS usage_daily AS
SELECT provider, array, kind, resource, meter, meter_kind, toDate(start, 'UTC') AS day, customer, tier, site,
       sum(amount) AS amount, sum(observed_ms) AS observed_ms, min(min) AS min, max(max) AS max
FROM usage_cell
GROUP BY provider, array, kind, resource, meter, meter_kind, day, customer, tier, site;
