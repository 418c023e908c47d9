-- Headers of issued documents in the order of the log, so that a page of a list is one short read. `invoice` is ordered by number
-- and holds the documents themselves. A header is written before its document.
CREATE TABLE IF NOT EXISTS invoice_header
(
    decision          UInt64,                             -- offset of the record that issued it
    version           UInt64,                             -- count of the decisions that name it
    number            String,
    document_type     LowCardinality(String),
    state             LowCardinality(String),             -- issued, partly_credited, credited
    seller            LowCardinality(String),
    buyer             String,
    provider          LowCardinality(String),
    contract          LowCardinality(String),
    customer          String,
    label             LowCardinality(String),             -- year and month
    issued_at         DateTime64(3, 'UTC'),               -- append time of the record that issued it
    issue_date        Date,
    due_date          Date,
    currency          LowCardinality(String),
    total             Decimal(38, 9),
    corrects          Array(String),
    erp               String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY decision
SETTINGS index_granularity = 1024;

-- A close issues the documents of a provider's period one after the other, so they lie together.
ALTER TABLE invoice_header ADD INDEX IF NOT EXISTS of_seller seller TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE invoice_header ADD INDEX IF NOT EXISTS of_buyer buyer TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE invoice_header ADD INDEX IF NOT EXISTS of_provider provider TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE invoice_header ADD INDEX IF NOT EXISTS of_label label TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE invoice_header ADD INDEX IF NOT EXISTS of_state state TYPE set(4) GRANULARITY 1;
ALTER TABLE invoice_header ADD INDEX IF NOT EXISTS of_issued issued_at TYPE minmax GRANULARITY 1;

-- What was issued before there was this table; written twice it collapses.
INSERT INTO invoice_header (decision, version, number, document_type, state, seller, buyer, provider, contract, customer, label,
                            issued_at, issue_date, due_date, currency, total, corrects, erp)
SELECT decision, version, number, document_type, state, seller, buyer, provider, contract, customer, label,
       issued_at, issue_date, due_date, currency, total, corrects, erp
FROM invoice FINAL;
