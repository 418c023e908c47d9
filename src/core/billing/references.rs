//! What a document refers to.

use serde::{Deserialize, Serialize};

/// An open list of names: what a document refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// Numbers of the documents that it corrects, by age: the first is the one whose rows its own rows name.
    pub corrects: Vec<String>,
    /// The document that it replaces.
    pub replaces: Option<String>,
    /// The ERP's id of it.
    pub erp: Option<String>,
}
