//! The stream that takes a provider's events.

use std::sync::Arc;

use super::error::Refusal;
use crate::core::decision::stream::StreamRegister;
use crate::core::ledger::rules::StreamRules;

/// The open stream of a provider: the one that is bound to it, else the shared one (`shared` names it where there are several).
///
/// # Errors
/// None or several.
pub(super) fn of(register: &StreamRegister, provider: &str, shared: Option<&str>) -> Result<Arc<StreamRules>, Refusal> {
    let bound = register.open().find(|open| open.rules.provider.as_deref() == Some(provider));
    if let Some(open) = bound {
        return Ok(Arc::clone(&open.rules));
    }
    let mut candidates: Vec<_> = match shared {
        Some(name) => register.named(name).into_iter().collect(),
        None => register.open().collect(),
    };
    candidates.retain(|open| open.rules.provider.is_none());
    match candidates.as_slice() {
        [one] => Ok(Arc::clone(&one.rules)),
        [] => Err(Refusal::Stream(format!(
            "no stream takes events of {provider}: open one with `plimsoll stream open TOPIC --provider {provider} --partitions N`"
        ))),
        _ => Err(Refusal::Stream(format!(
            "several shared streams are open and none is bound to {provider}: whoever runs the gateway sets gateway.shared_stream"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::decision::Decision;
    use crate::core::ledger::sample::rules;

    fn register(streams: &[(&str, Option<&str>)]) -> StreamRegister {
        let opened = |(topic, provider): &(&str, Option<&str>)| Decision::StreamOpened {
            rules: StreamRules { provider: provider.map(str::to_owned), ..rules(topic) },
            closes: None,
            actor: "a".to_owned(),
        };
        StreamRegister::of(&streams.iter().map(opened).collect::<Vec<_>>())
    }

    #[test]
    fn a_providers_own_stream_goes_before_the_shared_one() {
        let streams = register(&[("all", None), ("p", Some("p"))]);
        let topic = |streams: &StreamRegister, provider: &str, shared: Option<&str>| {
            of(streams, provider, shared).map(|rules| rules.topic.clone()).map_err(|refusal| refusal.to_string())
        };
        assert_eq!(topic(&streams, "p", None).unwrap(), "p");
        assert_eq!(topic(&streams, "q", None).unwrap(), "all");
        assert!(topic(&streams, "q", Some("p")).unwrap_err().contains("stream open"), "another's is not shared");
        let two = register(&[("all", None), ("more", None)]);
        assert!(topic(&two, "q", None).unwrap_err().contains("gateway.shared_stream"));
        assert_eq!(topic(&two, "q", Some("more")).unwrap(), "more");
        assert!(topic(&register(&[]), "q", None).unwrap_err().contains("stream open"));
    }
}
