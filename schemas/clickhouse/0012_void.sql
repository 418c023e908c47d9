-- Where arrays were heard of, by stream: put together of the ledger by `plimsoll bill`, for every partition as far as `stream_mark` says.
-- Least and greatest only, so what is put together twice, or by two of them, is the same. What has become void since cannot be taken out of
-- that: a generation that was put together past the end at which it was closed is put together once more, up to the end (`closed` 1).
CREATE TABLE IF NOT EXISTS stream_array
(
    stream            LowCardinality(String),
    closed            UInt8,                              -- 1 = put together once more, up to the end of its generation
    provider          LowCardinality(String),
    array             LowCardinality(String),
    first             SimpleAggregateFunction(min, DateTime64(3, 'UTC')),   -- the first accepted time
    newest            SimpleAggregateFunction(max, DateTime64(3, 'UTC')),   -- the newest
    label             SimpleAggregateFunction(max, Tuple(DateTime64(3, 'UTC'), String, String))   -- the newest with its name and site
)
ENGINE = AggregatingMergeTree
ORDER BY (provider, array, stream, closed);

-- What accepted readings of arrays look like, and until when they did.
CREATE TABLE IF NOT EXISTS stream_shape
(
    stream            LowCardinality(String),
    closed            UInt8,
    provider          LowCardinality(String),
    array             LowCardinality(String),
    kind              Enum8('array' = 1, 'volume' = 2, 'pod' = 3, 'realm' = 4, 'file_system' = 5, 'object_bucket' = 6),
    meter             LowCardinality(String),
    tier              LowCardinality(String),             -- '' = none
    site              LowCardinality(String),             -- '' = none
    tagged            UInt8,                              -- 1 = with a customer
    newest            SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (provider, array, stream, closed, kind, meter, tier, site, tagged);

-- How far the two are put together. What lies above is read of the ledger.
CREATE TABLE IF NOT EXISTS stream_mark
(
    stream            LowCardinality(String),
    partition         UInt32,
    closed            UInt8,
    next_offset       SimpleAggregateFunction(max, UInt64),                 -- below it all is: written after the rows
    reached           SimpleAggregateFunction(max, UInt64),                 -- at or above it nothing is: written before them
    end_offset        SimpleAggregateFunction(max, UInt64),                 -- of the closed generation, 0 = it was open
    log_time          SimpleAggregateFunction(max, DateTime64(3, 'UTC'))    -- the log's when that was put together
)
ENGINE = AggregatingMergeTree
ORDER BY (stream, partition, closed);

-- Positions whose records are void, [from_offset, to_offset): past the end of a closed generation, or in a recorded hole. Written with the
-- decisions that say so.
CREATE TABLE IF NOT EXISTS void_span
(
    stream            LowCardinality(String),
    partition         UInt32,
    from_offset       UInt64,
    to_offset         UInt64                              -- past an end: the greatest number
)
ENGINE = ReplacingMergeTree
ORDER BY (stream, partition, from_offset, to_offset);

-- Arrays for people: what needs no price book. Whether one is billed to anybody is said by `plimsoll health`. Of a generation that is put
-- together once more the second counts once all of it is there.
CREATE OR REPLACE VIEW array_health AS
SELECT x.provider AS provider, x.array AS array, tupleElement(max(x.label), 2) AS name, tupleElement(max(x.label), 3) AS site,
       min(x.first) AS first_reading, max(x.newest) AS last_reading,
       max(x.newest) < now64(3, 'UTC') - INTERVAL 1 DAY AS silent
FROM stream_array AS x
WHERE x.closed = (x.stream IN
(
    SELECT p.stream
    FROM
    (
        SELECT m.stream AS stream, m.partition AS partition, max(m.next_offset) >= max(m.end_offset) AS whole
        FROM stream_mark AS m
        WHERE m.closed = 1
        GROUP BY stream, partition
    ) AS p
    GROUP BY p.stream
    HAVING min(p.whole) = 1
))
GROUP BY provider, array;

-- One row a reading of an accepted event that is not void, for SQL and audits.
CREATE OR REPLACE VIEW usage_reading AS
SELECT stream, partition, offset, append_time, provider, array, site, time, recorded_time,
       index, kind, resource, name, customer, tier, meter, value
FROM usage_event FINAL
ARRAY JOIN arrayEnumerate(reading_kind) AS index, reading_kind AS kind, reading_resource AS resource, reading_name AS name,
           reading_customer AS customer, reading_tier AS tier, reading_meter AS meter, reading_value AS value
WHERE disposition = 'accepted'
  AND NOT arrayExists(span -> tupleElement(span, 1) = toString(stream) AND tupleElement(span, 2) = partition
                      AND offset >= tupleElement(span, 3) AND offset < tupleElement(span, 4),
                      (SELECT groupArray((toString(v.stream), v.partition, v.from_offset, v.to_offset)) FROM void_span AS v))
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- The tables of migration 10 without a stream: what they held is put together anew.
DROP TABLE IF EXISTS array_mark;
DROP TABLE IF EXISTS array_seen;
DROP TABLE IF EXISTS array_shape;
