//! What is held back of one column until its row group is full.

use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;

use super::column::{Column, Field, Kind};

/// The values of a column, and where there are none.
pub(super) struct Values {
    held: Held,
    /// For each row whether it has a value, 1 or 0; of an optional column only.
    levels: Option<Vec<i16>>,
}

enum Held {
    Text(Vec<ByteArray>),
    Decimal(Vec<FixedLenByteArray>),
    Whole(Vec<i64>),
    Day(Vec<i32>),
    Truth(Vec<bool>),
}

impl Values {
    /// None yet.
    pub(super) fn of((_, kind, is_required): &Column) -> Self {
        let held = match kind {
            Kind::Text => Held::Text(Vec::new()),
            Kind::Decimal(_) => Held::Decimal(Vec::new()),
            Kind::Instant | Kind::Whole => Held::Whole(Vec::new()),
            Kind::Day => Held::Day(Vec::new()),
            Kind::Truth => Held::Truth(Vec::new()),
        };
        Self { held, levels: (!is_required).then(Vec::new) }
    }

    /// Takes the next row's field. One of another type counts as none, which the writer refuses where each row must have one.
    pub(super) fn push(&mut self, field: Field) {
        let is_there = match (&mut self.held, field) {
            (Held::Text(held), Field::Text(text)) => {
                held.push(ByteArray::from(text.into_bytes()));
                true
            }
            (Held::Decimal(held), Field::Decimal(number)) => {
                held.push(FixedLenByteArray::from(number.to_be_bytes().to_vec()));
                true
            }
            (Held::Whole(held), Field::Whole(number)) => {
                held.push(number);
                true
            }
            (Held::Day(held), Field::Day(day)) => {
                held.push(day);
                true
            }
            (Held::Truth(held), Field::Truth(truth)) => {
                held.push(truth);
                true
            }
            _ => false,
        };
        if let Some(levels) = &mut self.levels {
            levels.push(i16::from(is_there));
        }
    }

    /// Writes them and holds none.
    pub(super) fn write(&mut self, to: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = self.levels.as_deref();
        match &mut self.held {
            Held::Text(held) => {
                to.typed::<ByteArrayType>().write_batch(held, levels, None)?;
                held.clear();
            }
            Held::Decimal(held) => {
                to.typed::<FixedLenByteArrayType>().write_batch(held, levels, None)?;
                held.clear();
            }
            Held::Whole(held) => {
                to.typed::<Int64Type>().write_batch(held, levels, None)?;
                held.clear();
            }
            Held::Day(held) => {
                to.typed::<Int32Type>().write_batch(held, levels, None)?;
                held.clear();
            }
            Held::Truth(held) => {
                to.typed::<BoolType>().write_batch(held, levels, None)?;
                held.clear();
            }
        }
        if let Some(levels) = &mut self.levels {
            levels.clear();
        }
        Ok(())
    }
}
