//! How arrays stand: when, and what is put together of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::try_join;

use crate::clickhouse::mark::Marks;
use crate::clickhouse::read::roll::{self, Part, Scope};
use crate::clickhouse::read::seen::{self, HeardRow};
use crate::clickhouse::{Client, Error};
use crate::core::programme::roll::Roll;
use crate::core::word::Instant;

/// As things stood when.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The instant.
    pub at: Instant,
    /// What was put together, which is how things stand now; it knows of no other instant, and then the ledger is read.
    pub(super) marks: Marks,
    /// What that came to, in memory, unless it is too much.
    pub(super) roll: Option<Arc<Roll>>,
}

impl Stand {
    /// As things stood at an instant, or stand at the log's own time; none before the first checkpoint.
    ///
    /// # Errors
    /// The server's.
    pub async fn read(client: &Client, at: Option<Instant>) -> Result<Option<Self>, Error> {
        match at {
            Some(at) => Ok(Some(Self { at, marks: Marks::default(), roll: None })),
            None => Self::read_again(client, None).await,
        }
    }

    /// As things stand at the log's own time. The roll of what is `known` is not read again as long as nothing more is put together.
    ///
    /// # Errors
    /// The server's.
    pub async fn read_again(client: &Client, known: Option<Self>) -> Result<Option<Self>, Error> {
        let marks = Marks::read(client).await?;
        let roll = async {
            match known.filter(|known| known.marks.are(&marks)) {
                Some(known) => Ok(known.roll),
                None if marks.is_kept => Ok(roll::roll(client, &marks).await?.map(Arc::new)),
                None => Ok(None),
            }
        };
        let (at, roll) = try_join(marks.log_time(client), roll).await?;
        Ok(at.map(|at| Self { at, marks, roll }))
    }

    /// Whether anything is put together.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.marks.is_kept
    }

    /// When providers were heard of, and how many arrays of each since an instant.
    ///
    /// # Errors
    /// The server's.
    pub async fn heard(&self, client: &Client, providers: &[String], from: Instant) -> Result<Vec<HeardRow>, Error> {
        let of_theirs = Part { providers: Some(providers.iter().map(String::as_str).collect()), ..Part::default() };
        let scope = Scope { part: Some(of_theirs), arrays: BTreeSet::new() };
        if let Some(roll) = &self.roll
            && let Some(since) = roll::since(client, &self.marks, &scope).await?
        {
            let found = roll.lately(&since, providers, from).into_iter();
            return Ok(found
                .map(|(provider, (arrays, newest))| HeardRow { provider, arrays, newest: newest.0 })
                .collect());
        }
        seen::heard(client, &self.marks, providers, from).await
    }

    /// Whether arrays are few enough to be kept in memory.
    #[must_use]
    pub fn has_roll(&self) -> bool {
        self.roll.is_some()
    }

    /// Whether both have the same roll.
    #[must_use]
    pub fn shares_roll(&self, other: &Self) -> bool {
        self.roll.iter().zip(&other.roll).any(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// The same without a roll, as where arrays are too many for one.
    #[must_use]
    pub fn without_roll(self) -> Self {
        Self { roll: None, ..self }
    }
}
