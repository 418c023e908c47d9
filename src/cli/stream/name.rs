//! Which stream a person means.

use std::sync::Arc;

use crate::cli::refusal::refuse;
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::word::StreamId;

/// The open generation of this id, topic or first name.
pub(super) fn open<'a>(register: &'a StreamRegister, name: &str) -> anyhow::Result<&'a Arc<Generation>> {
    match register.named(name) {
        Some(open) => Ok(open),
        None => unknown(name, "open", register.open()),
    }
}

/// The generation of this id, open or closed; or of this topic or first name, if no other has it.
pub(super) fn any<'a>(register: &'a StreamRegister, name: &str) -> anyhow::Result<&'a Arc<Generation>> {
    if let Some(generation) = register.get(&StreamId(name.to_owned())) {
        return Ok(generation);
    }
    let is_meant = |generation: &&Arc<Generation>| generation.rules.topic == name || generation.base() == name;
    let meant: Vec<&Arc<Generation>> = register.all().filter(is_meant).collect();
    match meant.as_slice() {
        [one] => Ok(one),
        [] => unknown(name, "known", register.all()),
        several => refuse(format!("{name} has several generations: name one of {}", ids(several.iter().copied()))),
    }
}

fn unknown<'a, T>(name: &str, how: &str, generations: impl Iterator<Item = &'a Arc<Generation>>) -> anyhow::Result<T> {
    let known = ids(generations);
    match known.is_empty() {
        true => refuse(format!(
            "no stream is {how}: open one with `plimsoll stream open {name} --provider ID --partitions N`"
        )),
        false => refuse(format!("no stream {name} is {how}: name one of {known}")),
    }
}

fn ids<'a>(generations: impl Iterator<Item = &'a Arc<Generation>>) -> String {
    generations.map(|generation| generation.rules.stream.0.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::decision::Decision;
    use crate::core::decision::stream::Closes;
    use crate::core::ledger::rules::StreamRules;
    use crate::core::ledger::sample;
    use crate::core::word::Offset;

    fn opened(stream: &str, topic: &str, generation: u32, closes: Option<&str>) -> Decision {
        let rules = StreamRules { stream: StreamId(stream.to_owned()), generation, ..sample::rules(topic) };
        let closes = closes.map(|stream| Closes {
            stream: StreamId(stream.to_owned()),
            ends: vec![Offset(0)],
            reason: "r".to_owned(),
        });
        Decision::StreamOpened { rules, closes, actor: "a".to_owned() }
    }

    #[test]
    fn a_name_is_taken_if_it_means_one_generation() {
        let register = StreamRegister::of(&[
            opened("usage-1", "usage", 1, None),
            opened("usage-2", "usage-2", 2, Some("usage-1")),
            opened("other-1", "other", 1, None),
        ]);
        let meant = |name: &str| any(&register, name).map(|one| one.rules.stream.0.clone()).map_err(|e| e.to_string());
        assert_eq!(meant("usage-1").unwrap(), "usage-1");
        assert_eq!(meant("other").unwrap(), "other-1");
        assert!(meant("usage").unwrap_err().ends_with("name one of usage-1, usage-2"));
        assert!(meant("usagee").unwrap_err().ends_with("name one of usage-1, usage-2, other-1"));
        assert!(open(&register, "usage-1").unwrap_err().to_string().ends_with("name one of usage-2, other-1"));
        assert!(open(&StreamRegister::default(), "x").unwrap_err().to_string().contains("plimsoll stream open x"));
    }
}
