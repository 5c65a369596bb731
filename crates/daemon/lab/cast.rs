//! Who plays: the peers of the sample, or those that have the most to say in real archives.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::Ipv4Net;
use palisade_bgp::Asn;
use palisade_policy::Role;

use super::LabError;
use super::ground::{FIRST_HOST, on_link};
use super::survey;
use crate::mrt::PeerKey;
use crate::sample::{PEERING_LAN, Sample};

/// Peers of real archives that are played, at most.
pub(super) const MAX_PARTS: usize = 16;

/// The router's AS where no sample names one.
const LOCAL_ASN: Asn = Asn(64_500);

/// The peer that says nothing and is told everything.
const LISTENER: (&str, Asn, u8) = ("listener", Asn(64_510), 250);

/// All who play, and what they play.
pub(super) struct Cast {
    /// The router's AS.
    pub(super) local_asn: Asn,
    /// The LAN of an exchange, where one is played.
    pub(super) lan: Option<Ipv4Net>,
    /// Who announces.
    pub(super) parts: Vec<Part>,
    /// Who is told.
    pub(super) listener: Part,
    /// What is announced.
    pub(super) material: Material,
}

/// A peer of the router.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its name.
    pub(super) name: String,
    /// Its AS.
    pub(super) asn: Asn,
    /// What it is to the router.
    pub(super) role: Role,
    /// Its as-set, where it has one.
    pub(super) as_set: Option<String>,
    /// Its address, where it has a network to have it in.
    pub(super) address: Ipv4Addr,
}

/// What is announced.
pub(super) enum Material {
    /// The sample, and the seed that it is made from.
    Sample(Arc<Sample>, u64),
    /// Archives, and who of them plays each part.
    Archives(Vec<PathBuf>, Vec<PeerKey>),
}

impl Cast {
    /// The peers of the sample of a seed.
    pub(super) fn of_sample(seed: u64) -> Self {
        let sample = Sample::generate(seed);
        let parts = sample.peers.iter().map(|peer| Part {
            name: peer.name.into(),
            asn: peer.asn,
            role: peer.role,
            as_set: peer.as_set.clone(),
            address: match peer.address {
                IpAddr::V4(address) => address,
                IpAddr::V6(_) => unreachable!("the sample's peers have IPv4 addresses"),
            },
        });
        Cast {
            local_asn: sample.local_asn,
            lan: PEERING_LAN.parse().ok(),
            parts: parts.collect(),
            listener: listener(),
            material: Material::Sample(Arc::new(sample), seed),
        }
    }

    /// The peers of archives, those with the most routes first. All are providers: they may announce everything, but nothing
    /// that is wrong.
    pub(super) fn of_archives(files: &[PathBuf]) -> Result<Self, LabError> {
        if files.iter().any(|file| file == Path::new("-")) {
            return Err(LabError::ReadTwice);
        }
        let mut keys = survey::speakers(files, LOCAL_ASN)?;
        keys.truncate(MAX_PARTS);
        let parts = (0..).zip(&keys).map(|(at, key)| Part {
            // A name has no colons.
            name: key.address.to_string().replace(':', "-"),
            asn: key.asn,
            role: Role::Provider,
            as_set: None,
            address: on_link(FIRST_HOST + at),
        });
        Ok(Cast {
            local_asn: LOCAL_ASN,
            lan: None,
            parts: parts.collect(),
            listener: listener(),
            material: Material::Archives(files.to_vec(), keys),
        })
    }

    /// All who have a session with the router, the listener last.
    pub(super) fn everybody(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().chain([&self.listener])
    }
}

fn listener() -> Part {
    let (name, asn, host) = LISTENER;
    Part { name: name.into(), asn, role: Role::Customer, as_set: None, address: on_link(host) }
}
