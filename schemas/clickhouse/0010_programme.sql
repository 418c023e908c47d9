-- Where arrays were heard of: put together of the ledger by `plimsoll bill`, for every partition as far as `array_mark` says. Least and
-- greatest only, so what is put together twice, or by two of them, is the same.
CREATE TABLE IF NOT EXISTS array_seen
(
    provider          LowCardinality(String),
    array             LowCardinality(String),
    first             SimpleAggregateFunction(min, DateTime64(3, 'UTC')),   -- the first accepted time
    newest            SimpleAggregateFunction(max, DateTime64(3, 'UTC')),   -- the newest
    label             SimpleAggregateFunction(max, Tuple(DateTime64(3, 'UTC'), String, String))   -- the newest with its name and site
)
ENGINE = AggregatingMergeTree
ORDER BY (provider, array);

-- What accepted readings of arrays look like, and until when they did.
CREATE TABLE IF NOT EXISTS array_shape
(
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
ORDER BY (provider, array, kind, meter, tier, site, tagged);

-- How far the two are put together: below this offset. Written after them; what lies above is read of the ledger.
CREATE TABLE IF NOT EXISTS array_mark
(
    stream            LowCardinality(String),
    partition         UInt32,
    next_offset       UInt64,
    log_time          DateTime64(3, 'UTC')                -- greatest append time below it
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (stream, partition);

-- What was measured of a provider in the 24 hours before a whole hour, as `plimsoll bill` counted it every quarter of an hour.
CREATE TABLE IF NOT EXISTS provider_activity
(
    provider          LowCardinality(String),
    hour              DateTime('UTC'),
    book              UInt64,                             -- the record that published the price book by which it was counted
    meter             LowCardinality(String),             -- of the capacity; '' = no line prices one
    kind              LowCardinality(String),
    integral          Int128,                             -- base unit * ms, demonstration arrays left out
    customers         UInt64,
    new_customers     UInt64,                             -- without usage on the day 90 days before
    counted_at        DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(counted_at)
ORDER BY (provider, hour);

-- Arrays for people: what needs no price book. Whether one is billed to anybody is said by `plimsoll health`.
CREATE VIEW IF NOT EXISTS array_health AS
SELECT x.provider AS provider, x.array AS array, tupleElement(max(x.label), 2) AS name, tupleElement(max(x.label), 3) AS site,
       min(x.first) AS first_reading, max(x.newest) AS last_reading,
       max(x.newest) < now64(3, 'UTC') - INTERVAL 1 DAY AS silent
FROM array_seen AS x
GROUP BY provider, array;

-- Providers for people: the newest count of each, in TiB of a day's mean where the meter counts bytes.
CREATE VIEW IF NOT EXISTS provider_scorecard AS
SELECT a.provider AS provider, s.arrays AS arrays, s.newest AS last_reading,
       s.newest < now64(3, 'UTC') - INTERVAL 30 DAY AS dormant, a.hour AS counted_until, a.meter AS meter,
       toDecimal128(a.integral / 86400000 / 1099511627776, 6) AS tib, a.customers AS customers, a.new_customers AS new_customers
FROM (SELECT * FROM provider_activity FINAL ORDER BY hour DESC LIMIT 1 BY provider) AS a
LEFT JOIN
(
    SELECT provider, countIf(h.last_reading >= now64(3, 'UTC') - INTERVAL 30 DAY) AS arrays, max(h.last_reading) AS newest
    FROM array_health AS h
    GROUP BY provider
) AS s ON s.provider = a.provider;

-- Sales credits of issued wholesale documents, one for each row, holder, team and role; `plimsoll bill` makes them, again and again the same.
CREATE TABLE IF NOT EXISTS sales_credit
(
    number            String,                             -- the document
    no                UInt32,                             -- its row
    provider          LowCardinality(String),
    holder            LowCardinality(String),             -- customer, undisclosed, unallocated
    customer          String,                             -- '' where it is not disclosed
    team              LowCardinality(String),
    role              LowCardinality(String),
    route             LowCardinality(String),             -- as_a_service, resale
    deal              String,                             -- '' = none is registered
    month             LowCardinality(String),             -- in which it counts
    currency          LowCardinality(String),
    basis             Decimal(38, 15),                    -- what it is a percentage of
    credit            Decimal(38, 15)                     -- negative where a correction takes it back
)
ENGINE = ReplacingMergeTree
ORDER BY (number, no, holder, customer, team, role);

-- How far they are made: of all documents that records below this offset of billing-control issued.
CREATE TABLE IF NOT EXISTS sales_credit_mark
(
    one               UInt8,                              -- 0: there is one row
    next_offset       UInt64
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY one;
