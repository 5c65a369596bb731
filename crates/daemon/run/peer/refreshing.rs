//! Telling a peer all of a family again, because it asked (RFC 2918, RFC 7313).

use palisade_bgp::Family;

use super::PeerTask;
use crate::run::coming_up::Up;
use crate::run::shard::ToShard;
use crate::run::telling::{self, End};

impl Up {
    /// A shard has sent all that it holds of a family; the mark that is due, where that is one that the peer knows.
    pub(super) fn walked(&mut self, family: Family) -> Option<End> {
        let end = self.telling[family.index()].walked()?;
        (end == End::FirstTable || self.marks_refreshes).then_some(end)
    }
}

impl PeerTask {
    /// Has all shards send the peer all of a family again, where it asked for that and its time has come.
    pub(super) fn begin_refreshes(&mut self) {
        let Some(up) = &mut self.up else { return };
        let Some(connection) = self.connections.of(up.connection) else { return };
        for family in Family::ALL {
            if up.telling[family.index()].begins() {
                if up.marks_refreshes {
                    connection.queue(telling::beginning(family).into());
                }
                if up.exports[family.index()] {
                    let (index, shards) = (self.setup.index, 0..self.around.shards.count());
                    self.to_shards.extend(shards.map(|shard| (shard, ToShard::Refresh(index, family))));
                } else if let Some(end) = up.walked(family) {
                    connection.queue(telling::end(end, family).into());
                }
            }
        }
    }
}
