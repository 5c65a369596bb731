//! Who speaks in archives, and how much: a first reading, before the one in which they are played.

use std::path::PathBuf;

use hashbrown::HashMap;
use palisade_bgp::{Address, Asn, Attributes, Path};

use super::LabError;
use crate::input::Input;
use crate::mrt::{Damage, Fault, PeerKey, Reader, Source, Visitor};

/// The peers in archives, those that announce most first. Left out is who can't have a session with us: it has no AS
/// (RFC 7607), or ours.
pub(super) fn speakers(files: &[PathBuf], ours: Asn) -> Result<Vec<PeerKey>, LabError> {
    let mut survey = Survey::default();
    let mut reader = Reader::new();
    for file in files {
        let input = Input::open(file)?;
        let name = input.name().to_owned();
        survey.last_fault = None;
        let records = reader.read(input, &mut survey);
        match survey.last_fault.take() {
            Some(Fault::Unreadable(why)) if records == 0 => return Err(LabError::Unreadable(why)),
            Some(_) if records == 0 => return Err(LabError::NotMrt(name)),
            _ => {}
        }
    }
    let mut speakers: Vec<(PeerKey, u64)> = survey.announced.into_iter().collect();
    speakers.retain(|(key, announced)| *announced > 0 && key.asn != ours && key.asn != Asn(0));
    speakers.sort_unstable_by_key(|(key, announced)| (std::cmp::Reverse(*announced), *key));
    match speakers.is_empty() {
        true => Err(LabError::NobodySpeaks),
        false => Ok(speakers.into_iter().map(|(key, _)| key).collect()),
    }
}

#[derive(Default)]
struct Survey {
    announced: HashMap<PeerKey, u64, foldhash::fast::RandomState>,
    /// What was wrong with the last record that can't be read.
    last_fault: Option<Fault>,
}

impl Visitor for Survey {
    fn announced<A: Address>(
        &mut self,
        from: Source,
        _: Attributes<'_>,
        paths: impl Iterator<Item = Path<A>>,
    ) {
        *self.announced.entry(from.key).or_default() += paths.count() as u64;
    }

    fn withdrawn<A: Address>(&mut self, _: Source, _: impl Iterator<Item = Path<A>>) {}

    fn unusable<A: Address>(&mut self, _: Source, _: impl Iterator<Item = Path<A>>) {}

    fn damaged(&mut self, damage: Damage) {
        self.last_fault = Some(damage.fault);
    }
}
