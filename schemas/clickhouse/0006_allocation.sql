-- What of each row of a closed wholesale rating falls on whom: Σ amounts of a row = its amount. Written before the rating's header.
CREATE TABLE IF NOT EXISTS allocation
(
    rating_id         String,
    contract          LowCardinality(String),
    no                UInt32,                             -- the row of the document
    line              LowCardinality(String),             -- '' = a row of the whole contract
    kind              LowCardinality(String),             -- commitment, overage, usage, ...
    customer          String,                             -- id, or a tag that no customer claims; '' = unallocated
    quantity          Nullable(Decimal(38, 9)),           -- of the row's quantity, in its unit
    unit              LowCardinality(String),
    weight            Int128,                             -- by what the row was split: usage, or amounts of other rows
    amount            Decimal(38, 9),
    currency          LowCardinality(String),
    over_attributed   Decimal(38, 9)                      -- tagged usage above the line's own, in its unit; once a line, so it adds up
)
ENGINE = ReplacingMergeTree
ORDER BY (rating_id, contract, no, customer);
