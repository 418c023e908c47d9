//! Who may ask, and with which token.

use sha2::{Digest as _, Sha256};

use crate::worker::Parts;

/// Gives each principal a token, which is its own name: the configuration holds the hash only.
pub fn give_tokens(parts: &Parts, principals: &[&str]) {
    let credential = |principal: &&str| {
        let hash = Sha256::digest(principal);
        format!("\n[[credential]]\nid = \"{principal}\"\ntoken_sha256 = \"{hash:x}\"\nprincipal = \"{principal}\"\n")
    };
    let text = std::fs::read_to_string(&parts.config).unwrap();
    std::fs::write(&parts.config, text + &principals.iter().map(credential).collect::<String>()).unwrap();
}
