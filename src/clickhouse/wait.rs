//! Waiting for a database that is away.

use std::time::Duration;

use super::{Client, Error, check};

const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The pause after the next failure: twice as long, and never longer than `longest`.
#[must_use]
pub fn longer(pause: Duration, longest: Duration) -> Duration {
    pause.saturating_mul(2).min(longest)
}

/// One question that touches no table.
///
/// # Errors
/// What the server or the network says.
pub async fn ping(client: &Client) -> Result<(), Error> {
    client.fetch_all::<u8>(client.select("SELECT 1")).await.map(|_| ())
}

/// Returns once the server answers; until then says so and tries again, with pauses that double up to `longest`.
///
/// # Errors
/// What waiting does not mend: wrong credentials, a missing database.
pub async fn until_ready(client: &Client, longest: Duration) -> Result<(), Error> {
    until(longest, async || ping(client).await).await
}

/// Returns once the server answers and its tables are the ones that this build writes and reads. A server that dies between the two
/// questions is one that is away: a worker that ended for it would have to be started by hand.
///
/// # Errors
/// What waiting does not mend: wrong credentials, a missing database, other tables.
pub async fn until_checked(client: &Client, longest: Duration) -> Result<(), Error> {
    until(longest, async || check::tables(client).await).await
}

async fn until(longest: Duration, ask: impl AsyncFn() -> Result<(), Error>) -> Result<(), Error> {
    let mut pause = FIRST_PAUSE;
    loop {
        match ask().await {
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, again_in_ms = pause.as_millis(), "ClickHouse is away, waiting");
                tokio::time::sleep(pause).await;
                pause = longer(pause, longest);
            }
            answered => return answered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let longest = Duration::from_secs(15);
        let mut pause = FIRST_PAUSE;
        let pauses: Vec<u128> = (0..9)
            .map(|_| {
                let now = pause.as_millis();
                pause = longer(pause, longest);
                now
            })
            .collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000]);
        assert_eq!(longer(longest, longest), longest);
    }

    #[tokio::test]
    async fn what_goes_away_between_two_questions_is_waited_for() {
        let asked = std::cell::Cell::new(0);
        let ask = async || {
            asked.set(asked.get() + 1);
            if asked.get() < 3 { Err(Error::timed_out(1)) } else { Ok(()) }
        };
        until(Duration::from_millis(1), ask).await.unwrap();
        assert_eq!(asked.get(), 3);
        let refused = until(Duration::from_millis(1), async || Err(Error::refusal("no", "mend it"))).await;
        assert!(!refused.unwrap_err().is_retryable());
    }
}
