//! A registry's dumps: RPSL files that somebody fetches, read again when they have changed.
//!
//! All dumps of a source together are its data. One that is broken or gone keeps all of them from being read: what was
//! read before stays, whole, and is not mixed with half of something newer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use palisade_policy::{IrrBuilder, IrrIndex, Malformed};
use tracing::warn;

use super::source::{News, Outbox};
use crate::feeds::watch::Watch;
use crate::judging::tables::{TableError, read_dump};

/// What dumps hold.
#[derive(Debug)]
pub(super) struct Read {
    /// Their objects.
    pub(super) index: IrrIndex,
    /// What was left out.
    pub(super) malformed: u64,
    /// When the oldest of them was written.
    pub(super) as_of: SystemTime,
}

/// Reads dumps. Takes as long as it takes: not for a thread that others wait for.
pub(super) fn read(dumps: &[PathBuf], order: &[String]) -> Result<Read, TableError> {
    let mut builder = IrrBuilder::with_order(order);
    let (mut malformed, mut as_of) = (0, SystemTime::now());
    for dump in dumps {
        let written = std::fs::metadata(dump).and_then(|metadata| metadata.modified());
        as_of = as_of.min(written.unwrap_or(as_of));
        let report = read_dump(&mut builder, dump)?;
        malformed += report.malformed.count;
        tell(dump, &report.malformed);
    }
    Ok(Read { index: builder.build(), malformed, as_of })
}

fn tell(dump: &std::path::Path, malformed: &Malformed) {
    if malformed.count > 0 {
        warn!(dump = %dump.display(), %malformed, "objects of an IRR dump are left out");
    }
}

/// What of a dump's objects that were left out is to be told with its status.
pub(super) fn note(malformed: u64) -> Option<String> {
    (malformed > 0).then(|| format!("{malformed} malformed objects or members are left out"))
}

/// Reads dumps whenever they change, for as long as anybody listens.
pub(super) async fn run(dumps: Vec<PathBuf>, order: Arc<[String]>, outbox: Outbox) {
    let mut watch = Watch::new(dumps.iter().cloned());
    loop {
        watch.changed().await;
        let (dumps, order) = (dumps.clone(), Arc::clone(&order));
        let listened = match tokio::task::spawn_blocking(move || read(&dumps, &order)).await {
            Ok(Ok(Read { index, malformed, as_of })) => {
                let (index, note) = (Arc::new(index), note(malformed));
                outbox.tell(News::Data { index, serial: None, as_of, note, next_try: None }).await
            }
            Ok(Err(error)) => outbox.fail(error, None).await,
            Err(error) => outbox.fail(error, None).await,
        };
        if !listened {
            return;
        }
    }
}
