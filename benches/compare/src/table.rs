//! What is sent: a list of distinct prefixes, and for each sender which of them it announces with which attributes.
//!
//! The last [`PROBES`] prefixes are the probe's. Sessions' holdings are bits by the place of a prefix in the list.

use crate::attributes::Attributes;
use crate::prefix::Prefix;

/// Prefixes that the probe announces, one after the other: 198.18.0.0/16, the benchmark's own network (RFC 2544).
pub(crate) const PROBES: usize = 65_536;

/// The routes of one sender.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    /// Its sets of attributes: numbers in [`Table::sets`].
    pub(crate) sets: Vec<Run>,
}

/// Routes that share a set of attributes.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Which set.
    pub(crate) set: u32,
    /// Which prefixes.
    pub(crate) places: Vec<u32>,
}

/// All that is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Every prefix once, the probe's last.
    pub(crate) prefixes: Vec<Prefix>,
    /// Every set of attributes.
    pub(crate) sets: Vec<Attributes>,
    /// What each sender announces.
    pub(crate) feeds: Vec<Feed>,
}

impl Table {
    /// The place of the probe's first prefix.
    pub(crate) fn first_probe(&self) -> usize {
        self.prefixes.len() - PROBES
    }

    /// Numbers the prefixes in the order in which they are sent, and puts the probe's behind them. Daemons send in the order
    /// in which they hear, more or less, so that what is heard after each other is then near each other in memory.
    pub(crate) fn finish(&mut self) {
        let mut prefixes = Vec::with_capacity(self.prefixes.len() + PROBES);
        let mut numbers = vec![u32::MAX; self.prefixes.len()];
        for place in self.feeds.iter_mut().flat_map(|feed| &mut feed.sets).flat_map(|run| &mut run.places) {
            let number = &mut numbers[*place as usize];
            if *number == u32::MAX {
                *number = prefixes.len() as u32;
                prefixes.push(self.prefixes[*place as usize]);
            }
            *place = *number;
        }
        self.prefixes = prefixes;
        self.prefixes.extend((0..PROBES as u32).map(|n| Prefix::v4(0xc612_0000 + n, 32)));
    }

    /// The routes that all senders announce together.
    pub(crate) fn routes(&self) -> usize {
        self.feeds.iter().flat_map(|feed| &feed.sets).map(|run| run.places.len()).sum()
    }
}
