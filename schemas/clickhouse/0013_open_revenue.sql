-- What wholesale periods of which no invoice is issued come to, of contracts with much usage: `plimsoll bill` rates one after another, so that
-- nobody who looks at a list of levels waits for all of them. Nothing is billed by it.
CREATE TABLE IF NOT EXISTS open_revenue
(
    contract          String,
    label             LowCardinality(String),             -- the month in which the period begins
    book              LowCardinality(String),             -- hash of the price book it was rated by: by any other it is not told
    currency          LowCardinality(String),             -- '' = the contract is not in force in it
    amount            String,                             -- before tax and credits, to the currency's last place; '' = cannot be rated
    rated_at          DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(rated_at)
ORDER BY (contract, label);
