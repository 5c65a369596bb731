//! The sample: a little Internet made from a seed, for `palisade lab` and for tests.
//!
//! It is made to look like real routing: lengths of prefixes and paths, prepends, communities, a few prefixes with two
//! origins, peers of every role. Among its routes are some that must be refused, for every reason that the judge has and that needs no more than VRPs and an IRR, and
//! the sample knows which: [`Truth`] is what replay and the router must come to. The same seed gives the same octets.
//!
//! ```text
//!   Random --> Internet --> registries: VRPs (rpki-client's JSON), RPSL
//!                   `-----> peers: tables, trouble, changes --> archive: MRT, one file a peer --> Truth
//! ```

mod archive;
mod internet;
mod peers;
mod random;
mod registries;
mod route;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use palisade_bgp::{Asn, Prefix};
use palisade_policy::{Reason, Role, RovState};

use internet::Internet;
use random::Random;

/// The router's own prefixes, which nobody may announce to it.
pub(crate) const OWN_PREFIXES: [&str; 2] = ["30.200.0.0/20", "2e00:fff1::/32"];

/// The LAN of the exchange that the router is at.
pub(crate) const PEERING_LAN: &str = "30.255.252.0/22";

/// A network that the router hears from itself alone.
pub(crate) const PROTECTED_ASN: Asn = Asn(599_600);

/// Everything that a lab needs.
pub(crate) struct Sample {
    /// The AS of the router that the peers speak to.
    pub(crate) local_asn: Asn,
    /// The VRPs, as rpki-client exports them.
    pub(crate) vrps_json: Vec<u8>,
    /// Route objects and as-sets.
    pub(crate) rpsl: Vec<u8>,
    /// Who announces what.
    pub(crate) peers: Vec<SamplePeer>,
}

/// A peer of the router.
pub(crate) struct SamplePeer {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its AS.
    pub(crate) asn: Asn,
    /// What it is to the router.
    pub(crate) role: Role,
    /// Its as-set, where it has one.
    pub(crate) as_set: Option<String>,
    /// The address that it announces from, which is the next hop of its IPv4 routes.
    pub(crate) address: IpAddr,
    /// Its table and then its updates, in MRT.
    pub(crate) mrt: Vec<u8>,
    /// What must come of it.
    pub(crate) truth: Truth,
}

/// What the judge must come to, by roles' defaults, with [`OWN_PREFIXES`], [`PEERING_LAN`] and [`PROTECTED_ASN`] configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Truth {
    /// Routes announced, in the dump and after it.
    pub(crate) announcements: u64,
    /// Routes withdrawn.
    pub(crate) withdrawals: u64,
    /// How many of the announcements are refused, by reason.
    pub(crate) refused: BTreeMap<Reason, u64>,
    /// The announcements by what the RPKI says of them, in the order of [`RovState::ALL`].
    pub(crate) rov: [u64; 4],
    /// Paths that are held in the end.
    pub(crate) held: u64,
    /// The prefixes of those that are accepted.
    pub(crate) held_accepted: BTreeSet<Prefix>,
}

impl Truth {
    /// Counts an announcement.
    fn announce(&mut self, reason: Option<Reason>, rov: RovState) {
        self.announcements += 1;
        if let Some(reason) = reason {
            *self.refused.entry(reason).or_default() += 1;
        }
        self.rov[rov as usize] += 1;
    }
}

impl Sample {
    /// The sample of a seed.
    pub(crate) fn generate(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let internet = Internet::generate(&mut random);
        let (peers, cyclic) = peers::all(&internet, &mut random);
        Sample {
            local_asn: peers::LOCAL_ASN,
            vrps_json: registries::vrps_json(&internet).into_bytes(),
            rpsl: registries::rpsl(&internet, cyclic).into_bytes(),
            peers: peers.into_iter().map(archive::write).collect(),
        }
    }

    /// The prefixes that are accepted from anybody in the end: what the router has routes to.
    pub(crate) fn reachable(&self) -> BTreeSet<Prefix> {
        self.peers.iter().flat_map(|peer| &peer.truth.held_accepted).copied().collect()
    }

    /// A configuration for the router, with the names that [`Sample::write_to`] gives its files.
    pub(crate) fn config(&self) -> String {
        let quoted = OWN_PREFIXES.map(|prefix| format!("\"{prefix}\"")).join(", ");
        let mut out = format!(
            "[router]\nasn = {}\nid = \"192.0.2.1\"\nown_prefixes = [{quoted}]\npeering_lans = [\"{PEERING_LAN}\"]\n\n\
             [rpki]\nfiles = [\"vrps.json\"]\n\n[irr]\ndumps = [\"irr.rpsl\"]\n\n[[peerlock]]\nasn = {}\n",
            self.local_asn.0, PROTECTED_ASN.0
        );
        for peer in &self.peers {
            let SamplePeer { name, asn, role, address, .. } = peer;
            // Writing to a String can't fail.
            let _ = write!(
                out,
                "\n[[peer]]\nname = \"{name}\"\naddress = \"{address}\"\nasn = {}\nrole = \"{role}\"\n",
                asn.0
            );
            if let Some(as_set) = &peer.as_set {
                let _ = writeln!(out, "as_set = \"{as_set}\"");
            }
        }
        out
    }

    /// Writes it all into a folder that is there: `vrps.json`, `irr.rpsl`, an MRT file for each peer under its name, and
    /// `palisade.toml`.
    pub(crate) fn write_to(&self, folder: &Path) -> io::Result<()> {
        std::fs::write(folder.join("vrps.json"), &self.vrps_json)?;
        std::fs::write(folder.join("irr.rpsl"), &self.rpsl)?;
        std::fs::write(folder.join("palisade.toml"), self.config())?;
        for peer in &self.peers {
            std::fs::write(folder.join(peer.name).with_extension("mrt"), &peer.mrt)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
