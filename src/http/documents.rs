//! What was decided, kept between requests that prove or trace: each reads only what was mirrored since the one before.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::clickhouse::Client;
use crate::prove::ProveError;
use crate::prove::documents::Documents;

/// The decisions that were read last, and what follows from them.
#[derive(Default)]
pub struct KeptDocuments(Mutex<Option<Arc<Documents>>>);

impl KeptDocuments {
    /// Everything that is mirrored by now. A mirror that does not follow from what is kept is read anew.
    ///
    /// # Errors
    /// The server's, and a mirror that is not the log.
    pub async fn newest(&self, client: &Client) -> Result<Arc<Documents>, ProveError> {
        let mut kept = self.0.lock().await;
        // taken out: whatever goes wrong, what is left behind is nothing half done
        let mut documents = kept.take().unwrap_or_else(|| Arc::new(Documents::none(client)));
        match documents.news().await {
            Ok(news) if news.is_empty() => {}
            // copied only while another request still works with them
            Ok(news) => Arc::make_mut(&mut documents).take(news),
            Err(ProveError::Chain { .. }) => documents = Arc::new(Documents::read(client).await?),
            Err(error) => return Err(error),
        }
        *kept = Some(Arc::clone(&documents));
        Ok(documents)
    }
}
