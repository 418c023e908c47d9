//! A worker's rows of the ledger as blocks: `usage_event`, and `quarantine` beside it.

use super::native::{Block, DATE_TIME_MS, KIND};
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::column::DictionaryColumn;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Partition;

const DISPOSITION: &str = "Enum8('accepted' = 1, 'duplicate' = 2, 'late' = 3, 'quarantined' = 4)";

/// The block of `usage_event` rows.
#[must_use]
pub fn usage_event(rules: &StreamRules, partition: Partition, batch: &LedgerBatch) -> Block {
    let mut block = Block::new(batch.len(), batch.bytes());
    block.constant("stream", &rules.stream.0);
    block.numbers("partition", "UInt32", batch.offsets.iter().map(|_| partition.0.to_le_bytes()));
    block.numbers("offset", "UInt64", batch.offsets.iter().map(|offset| offset.to_le_bytes()));
    block.numbers("append_time", DATE_TIME_MS, batch.append_times.iter().map(|ms| ms.to_le_bytes()));
    block.bytes("disposition", DISPOSITION, &batch.dispositions);
    block.dictionary("reason", &batch.reasons);
    block.dictionary("provider", &batch.providers);
    block.dictionary("array", &batch.arrays);
    block.dictionary("array_name", &batch.array_names);
    block.dictionary("site", &batch.sites);
    block.dictionary("source", &batch.sources);
    block.texts("id", batch.ids.iter());
    block.maybe_instants("time", &batch.times);
    block.maybe_instants("recorded_time", &batch.recorded_times);
    block.numbers("identity", "UInt128", batch.identities.iter().map(|identity| identity.to_le_bytes()));
    block.numbers("content", "UInt64", batch.contents.iter().map(|content| content.to_le_bytes()));
    block.numbers("decision", "Int64", batch.decisions.iter().map(|decision| decision.to_le_bytes()));
    block.numbers("readings", "UInt32", batch.reading_counts.iter().map(|count| count.to_le_bytes()));
    let readings = &batch.readings;
    block.number_arrays("reading_kind", KIND, &readings.ends, readings.kinds.iter().map(|kind| [*kind]));
    block.dictionary_arrays("reading_resource", &readings.ends, &readings.resources);
    block.dictionary_arrays("reading_name", &readings.ends, &readings.names);
    block.dictionary_arrays("reading_customer", &readings.ends, &readings.customers);
    block.dictionary_arrays("reading_tier", &readings.ends, &readings.tiers);
    block.dictionary_arrays("reading_meter", &readings.ends, &readings.meters);
    block.number_arrays(
        "reading_value",
        "UInt64",
        &readings.ends,
        readings.values.iter().map(|value| value.to_le_bytes()),
    );
    block
}

/// The block of `quarantine` rows; none if there are none.
#[must_use]
pub fn quarantine(rules: &StreamRules, partition: Partition, batch: &LedgerBatch) -> Option<Block> {
    let rows = &batch.quarantine;
    if rows.is_empty() {
        return None;
    }
    let mut block = Block::new(rows.len(), rows.iter().map(|row| row.raw.len() + 300).sum());
    let of_event = |column: &DictionaryColumn| {
        let mut picked = DictionaryColumn::default();
        rows.iter().for_each(|row| picked.push(column.get(row.row)));
        picked
    };
    block.constant("stream", &rules.stream.0);
    block.numbers("partition", "UInt32", rows.iter().map(|_| partition.0.to_le_bytes()));
    block.numbers("offset", "UInt64", rows.iter().map(|row| batch.offsets[row.row].to_le_bytes()));
    block.numbers("append_time", DATE_TIME_MS, rows.iter().map(|row| batch.append_times[row.row].to_le_bytes()));
    let dispositions: Vec<u8> = rows.iter().map(|row| batch.dispositions[row.row]).collect();
    block.bytes("disposition", DISPOSITION, &dispositions);
    block.dictionary("reason", &of_event(&batch.reasons));
    block.texts("detail", rows.iter().map(|row| row.detail.as_bytes()));
    // what a record says of its owner is not believed: a bound stream's records are its provider's
    match &rules.provider {
        Some(own) => block.constant("provider", own),
        None => block.dictionary("provider", &of_event(&batch.providers)),
    }
    block.texts("array", rows.iter().map(|row| row.array.as_bytes()));
    block.texts("key", rows.iter().map(|row| &*row.key));
    let mut count = 0;
    let ends: Vec<u64> = rows
        .iter()
        .map(|row| {
            count += row.headers.len() as u64;
            count
        })
        .collect();
    let headers = || rows.iter().flat_map(|row| &row.headers);
    block.text_arrays("header_name", &ends, headers().map(|(name, _)| name.as_bytes()));
    block.text_arrays("header_value", &ends, headers().map(|(_, value)| &**value));
    block.texts("raw", rows.iter().map(|row| &*row.raw));
    block.numbers("raw_hash", "UInt128", rows.iter().map(|row| row.raw_hash.to_le_bytes()));
    Some(block)
}
