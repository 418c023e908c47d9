-- One row of a closed rating. Lines first, the header in `rating` last: rows without their header are of a close that was not finished.
CREATE TABLE IF NOT EXISTS rated_line
(
    rating_id         String,
    contract          LowCardinality(String),
    customer          String,                             -- of a contract for each customer, else ''
    no                UInt32,
    line              LowCardinality(String),             -- '' = a row of the whole contract
    kind              LowCardinality(String),             -- commitment, overage, usage, ...
    description       String,
    meter             LowCardinality(String),
    statistic         LowCardinality(String),
    quantity          Nullable(Decimal(38, 9)),
    unit              LowCardinality(String),
    list_price        Nullable(Decimal(38, 9)),
    price             Nullable(Decimal(38, 9)),
    amount            Decimal(38, 9),                     -- in the document's currency
    body              String                              -- the row's JSON (INVOICE §3)
)
ENGINE = ReplacingMergeTree
ORDER BY (rating_id, contract, customer, no);

-- A closed rating of one contract and buyer: the header that makes its rows visible. A PeriodClosed that counts makes it true.
CREATE TABLE IF NOT EXISTS rating
(
    rating_id         String,
    contract          LowCardinality(String),
    customer          String,
    provider          LowCardinality(String),
    period_start      DateTime64(3, 'UTC'),
    period_end        DateTime64(3, 'UTC'),
    revision          UInt32,
    draft             String,                             -- the short id by which people name the draft
    document_type     LowCardinality(String),             -- invoice, adjustment, credit_note
    seller            LowCardinality(String),
    buyer             String,
    currency          LowCardinality(String),
    total             Decimal(38, 9),
    rows              UInt32,
    digest            String,                             -- of rows, cut and book (INVOICE §3)
    blocked           String,                             -- why it cannot be issued; '' = it can
    document          String,                             -- JSON, state closed
    detail            String                              -- JSON: what the printed page shows beside the document
)
ENGINE = ReplacingMergeTree
ORDER BY (rating_id, contract, customer);

-- Issued documents, made from billing-control by any process, repeatedly, and no other way. The document never changes; what later
-- decisions say of it (state, ERP reference) comes as a row with a greater version.
CREATE TABLE IF NOT EXISTS invoice
(
    number            String,
    version           UInt64,                             -- count of the decisions that name it
    document_type     LowCardinality(String),
    state             LowCardinality(String),             -- issued, partly_credited, credited
    seller            LowCardinality(String),
    buyer             String,
    provider          LowCardinality(String),
    contract          LowCardinality(String),
    customer          String,
    period_start      DateTime64(3, 'UTC'),
    period_end        DateTime64(3, 'UTC'),
    label             LowCardinality(String),             -- year and month
    revision          UInt32,
    decision          UInt64,                             -- offset of the record that issued it
    issued_at         DateTime64(3, 'UTC'),               -- its append time
    issue_date        Date,
    due_date          Date,
    currency          LowCardinality(String),
    total             Decimal(38, 9),
    net               Decimal(38, 9),
    corrects          Array(String),
    rating_id         String,
    digest            String,                             -- of the document (INVOICE §3)
    erp               String,
    document          String,                             -- JSON
    detail            String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY number;

-- Rows of issued documents, for SQL.
CREATE VIEW IF NOT EXISTS invoice_row AS
SELECT i.number AS number, i.document_type AS document_type, i.seller AS seller, i.buyer AS buyer, i.contract AS contract,
       i.label AS label, i.issue_date AS issue_date, i.currency AS currency,
       JSONExtractUInt(r, 'no') AS no, JSONExtractString(r, 'line') AS line, JSONExtractString(r, 'kind') AS kind,
       JSONExtractString(r, 'description') AS description,
       toDecimal128OrNull(JSONExtractString(r, 'quantity'), 9) AS quantity, JSONExtractString(r, 'unit') AS unit,
       toDecimal128OrNull(JSONExtractString(r, 'list_price'), 9) AS list_price,
       toDecimal128OrNull(JSONExtractString(r, 'price'), 9) AS price,
       toDecimal128(JSONExtractString(r, 'amount'), 9) AS amount
FROM (SELECT * FROM invoice FINAL) AS i ARRAY JOIN JSONExtractArrayRaw(document, 'rows') AS r;
