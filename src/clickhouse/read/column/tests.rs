//! What a block says is read, or refused, whatever it says.

use super::*;
use crate::clickhouse::native::Block;
use crate::core::ledger::column::DictionaryColumn;

/// Three rows, of which the second is empty, with so many distinct texts besides.
fn block(distinct: usize) -> (Vec<u8>, Vec<u64>, DictionaryColumn) {
    let mut texts = DictionaryColumn::default();
    (0..distinct).for_each(|number| texts.push(format!("vol-{}", number * number).as_bytes()));
    let ends = vec![1, 1, distinct as u64];
    let mut block = Block::new(3, 1_000);
    block.numbers("n", "UInt64", [7u64, 8, u64::MAX].iter().map(|number| number.to_le_bytes()));
    block.constant("c", "northwind");
    block.dictionary_arrays("t", &ends, &texts);
    block.number_arrays("v", "UInt64", &ends, (0..distinct as u64).map(u64::to_le_bytes));
    (block.finish(), ends, texts)
}

type Read = (Vec<u64>, Vec<String>, Vec<usize>, Vec<String>, Vec<u64>);

fn read(columns: &mut Column<'_>) -> Result<Read, Lack> {
    columns.begin()?;
    let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let numbers = columns.numbers("UInt64")?.iter().map(number).collect();
    let constant = columns.dictionary()?;
    let constant = (0..constant.rows.len()).map(|row| constant.get(row).to_owned()).collect();
    let (ends, texts) = columns.dictionary_arrays()?;
    let texts = (0..texts.rows.len()).map(|row| texts.get(row).to_owned()).collect();
    let (_, values) = columns.number_arrays("UInt64")?;
    Ok((numbers, constant, ends, texts, values.iter().map(number).collect()))
}

#[test]
fn what_was_written_is_read_whatever_the_width_of_its_numbers() {
    for distinct in [1, 0x100, 0x101, 0x1_0000, 0x1_0001] {
        let (bytes, ends, texts) = block(distinct);
        let mut columns = Column::of_block(&bytes);
        let (numbers, constant, own, found, values) = read(&mut columns).unwrap();
        assert_eq!((numbers, constant), (vec![7, 8, u64::MAX], vec!["northwind".to_owned(); 3]));
        assert_eq!(own.iter().map(|end| *end as u64).collect::<Vec<_>>(), ends);
        assert!(found.iter().enumerate().all(|(row, text)| text.as_bytes() == texts.get(row)), "{distinct}");
        assert_eq!((found.len(), values), (distinct, (0..distinct as u64).collect::<Vec<_>>()));
        assert_eq!((columns.used(), columns.rows()), (bytes.len(), 3));
    }
}

#[test]
fn a_part_of_a_block_says_that_it_goes_on() {
    let (bytes, ..) = block(300);
    for length in 0..bytes.len() {
        match read(&mut Column::of_block(&bytes[..length])) {
            Err(Lack::More(more)) => assert!(more > length && more <= bytes.len(), "{length}"),
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn whatever_a_block_says_nothing_panics() {
    let (bytes, ..) = block(20);
    for place in 0..bytes.len() {
        for value in [0, 1, 2, 3, 0x7f, 0x80, 0xff] {
            let mut other = bytes.clone();
            other[place] = value;
            let _ = read(&mut Column::of_block(&other));
        }
    }
    let other = read(&mut Column::of_block(&[1, 0, 1, b'n', 5, b'I', b'n', b't', b'6', b'4']));
    assert_eq!(other, Err(Lack::Wrong("n is Int64 and must be UInt64".to_owned())));
}
