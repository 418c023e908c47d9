//! What is void, as a condition of statements: records past the end of a closed generation, and records in a recorded hole. They stay in
//! the ledger, are listed, and count for nothing.

use clickhouse::query::Query;

use crate::core::decision::stream::Generation;

/// What is void of some generations, as the parameters of [`counted`].
#[derive(Clone, Debug, Default)]
pub struct Void {
    closed: Vec<String>,
    ends: Vec<Vec<u64>>,
    hole_streams: Vec<String>,
    hole_partitions: Vec<u32>,
    hole_from: Vec<u64>,
    hole_to: Vec<u64>,
}

impl Void {
    /// What is void of these generations.
    #[must_use]
    pub fn of<'a>(generations: impl IntoIterator<Item = &'a Generation>) -> Self {
        let mut void = Self::default();
        for generation in generations {
            let stream = &generation.rules.stream.0;
            if let Some(ends) = &generation.ends {
                void.closed.push(stream.clone());
                void.ends.push(ends.iter().map(|end| end.0).collect());
            }
            for hole in generation.holes.iter().filter(|hole| hole.from < hole.to) {
                void.hole_streams.push(stream.clone());
                void.hole_partitions.push(hole.partition.0);
                void.hole_from.push(hole.from.0);
                void.hole_to.push(hole.to.0);
            }
        }
        void
    }

    /// Gives a statement that holds [`counted`] its parameters.
    pub fn bind(&self, query: Query) -> Query {
        let query = query.param("closed", &self.closed).param("ends", &self.ends);
        let query = query.param("hole_streams", &self.hole_streams).param("hole_partitions", &self.hole_partitions);
        query.param("hole_from", &self.hole_from).param("hole_to", &self.hole_to)
    }
}

/// The condition that a position is not void. `table` stands before its columns: empty, or a name and a point.
#[must_use]
pub fn counted(table: &str) -> String {
    format!(
        "(indexOf({{closed:Array(String)}}, toString({table}stream)) = 0 \
         OR {table}offset < {{ends:Array(Array(UInt64))}}[indexOf({{closed:Array(String)}}, toString({table}stream))][{table}partition + 1]) \
         AND NOT arrayExists((s, p, f, t) -> s = toString({table}stream) AND p = {table}partition AND {table}offset >= f \
         AND {table}offset < t, {{hole_streams:Array(String)}}, {{hole_partitions:Array(UInt32)}}, {{hole_from:Array(UInt64)}}, \
         {{hole_to:Array(UInt64)}})"
    )
}
