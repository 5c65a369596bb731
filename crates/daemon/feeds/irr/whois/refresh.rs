//! A whois server as a source: asked again and again for what peers need.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palisade_policy::as_set::Member;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::client::{self, Server};
use super::crawl::{Crawl, CrawlLimits, CrawlReport, Holdings};
use super::dialogue::Limits;
use super::question::Sources;
use crate::feeds::backoff::{Backoff, jittered};
use crate::feeds::irr::cache::Cached;
use crate::feeds::irr::source::{News, Outbox};

/// How long a crawl may take in all.
const WHOLE: Duration = Duration::from_secs(1800);
/// How soon after a crawl the next may begin, whatever peers come to need.
const PAUSE: Duration = Duration::from_secs(2);

/// What is asked of whom, and how often.
#[derive(Clone, Debug)]
pub(in crate::feeds::irr) struct Settings {
    /// The server.
    pub(in crate::feeds::irr) server: Server,
    /// Its sources.
    pub(in crate::feeds::irr) sources: Sources,
    /// How often.
    pub(in crate::feeds::irr) refresh: Duration,
    /// What registry its answers are taken to be from.
    pub(in crate::feeds::irr) label: String,
}

/// Asks a server for what is `wanted`, for as long as anybody listens.
pub(in crate::feeds::irr) async fn run(
    settings: Settings,
    known: Option<Cached>,
    mut wanted: watch::Receiver<Arc<[Member]>>,
    outbox: Outbox,
) {
    let mut last = known.map(|known| Holdings::of(&known.index, &settings.label)).unwrap_or_default();
    let mut backoff = Backoff::new(settings.refresh);
    let mut told = false;
    loop {
        let begun = Instant::now();
        let names = Arc::clone(&wanted.borrow_and_update());
        let (news, wait) = match crawl(&settings, &names, &last).await {
            Ok((found, report)) => {
                backoff.reset();
                let wait = jittered(settings.refresh);
                let news = if told && found == last {
                    News::Unchanged { serial: None, next_try: Some(wait) }
                } else {
                    data(&found, &report, &settings, wait)
                };
                told = !matches!(news, News::Failed { .. });
                last = found;
                (news, wait)
            }
            Err(error) => {
                let wait = backoff.next();
                (News::Failed { error, next_try: Some(wait) }, wait)
            }
        };
        if !outbox.tell(news).await {
            return;
        }
        let soonest = begun + PAUSE;
        tokio::select! {
            () = sleep_until(Instant::now() + wait) => {}
            changed = wanted.changed() => {
                // Nobody can want anything else any more.
                if changed.is_err() {
                    return;
                }
                sleep_until(soonest).await;
            }
        }
    }
}

async fn crawl(
    settings: &Settings,
    wanted: &[Member],
    last: &Holdings,
) -> Result<(Holdings, CrawlReport), String> {
    let mut crawl = Crawl::new(wanted, settings.sources.clone(), CrawlLimits::default(), last);
    let asked = client::ask(&settings.server, Limits::default(), WHOLE, &mut crawl).await;
    asked.map_err(|error| error.to_string())?;
    let (found, report) = crawl.finish();
    // A server that has lost its registries answers every question, and every answer is "nothing".
    match (found.has_routes(), found.has_sets() || last.has_routes()) {
        (false, _) if wanted.is_empty() => Ok((found, report)),
        (false, true) => Err(format!("{} has no route object for what peers need", settings.server)),
        (false, false) => Err(format!("{} has nothing of what peers need", settings.server)),
        (true, _) => Ok((found, report)),
    }
}

fn data(found: &Holdings, report: &CrawlReport, settings: &Settings, wait: Duration) -> News {
    match found.index(&settings.label) {
        Ok(index) => News::Data {
            index: Arc::new(index),
            serial: None,
            as_of: SystemTime::now(),
            note: report.note(),
            next_try: Some(wait),
        },
        Err(error) => News::Failed { error: error.to_string(), next_try: Some(wait) },
    }
}
