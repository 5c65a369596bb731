//! What the router is set up with: a configuration, written as an operator would write it and read as an operator's is
//! read, and the tables to judge by.

use std::fmt::{self, Write};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_policy::{EmptySet, IrrBuilder, Role, RovIndex, Snapshot, Vrp, VrpFile};

use super::LabError;
use super::cast::{Cast, Material, Part};
use super::ground::{Ground, Seat};
use crate::config::{Config, Source};
use crate::judging::tables::{self, read_dump, read_vrps};
use crate::sample::{OWN_PREFIXES, PEERING_LAN, PROTECTED_ASN, Sample};

/// What the configuration is called in messages.
const NAME: &str = "the lab's configuration";

/// Prefixes of a listener, which announces none.
const FEW: u32 = 1;

/// How the router is set up.
pub(super) struct Setting {
    /// As it is written.
    pub(super) config: Arc<Config>,
    /// What it judges by.
    pub(super) tables: Arc<Snapshot>,
    /// Where its peers sit, in the order of [`Cast::everybody`].
    pub(super) seats: Vec<Seat>,
    /// What whoever started the lab should know.
    pub(super) notes: Vec<String>,
}

impl Setting {
    /// The setting for a cast. Files named replace what the sample brings.
    pub(super) fn new(
        cast: &Cast,
        ground: &Ground,
        vrps: &[PathBuf],
        irr: &[PathBuf],
    ) -> Result<Self, LabError> {
        let listen = ground.listen().map_err(LabError::Loopback)?;
        let seats: Vec<Seat> =
            cast.everybody().map(|part| ground.seat(part.address, cast.lan, listen)).collect();
        let text = Text { cast, ground, seats: &seats, listen, vrps, irr }.to_string();
        let config = Config::parse(Source::new(NAME.into(), text), Path::new(""))?;
        let mut notes = Vec::new();
        let mut tables = tables::own(&config);
        tables.rov = Arc::new(RovIndex::build(all_vrps(cast, vrps, &mut notes)?));
        tables.irr = Arc::new(all_irr(cast, irr, &mut notes)?.build());
        if tables.rov.is_empty() {
            notes.push("No VRPs were given (--vrps), so that the RPKI says nothing of any route.".into());
        }
        Ok(Setting { config: Arc::new(config), tables: Arc::new(tables), seats, notes })
    }

    /// The configuration's text.
    pub(super) fn text(&self) -> &str {
        self.config.source.text()
    }
}

fn all_vrps(cast: &Cast, files: &[PathBuf], notes: &mut Vec<String>) -> Result<Vec<Vrp>, LabError> {
    let mut vrps = Vec::new();
    if let (true, Some(sample)) = (files.is_empty(), sample(cast)) {
        let read = VrpFile::read(sample.vrps_json.as_slice(), EmptySet::Refuse);
        vrps = read.map_err(|error| LabError::Sample(io::Error::other(error)))?.vrps;
    }
    for file in files {
        let read = read_vrps(file)?;
        note_left_out(file, read.malformed.count, notes);
        vrps.extend(read.vrps);
    }
    Ok(vrps)
}

fn all_irr(cast: &Cast, files: &[PathBuf], notes: &mut Vec<String>) -> Result<IrrBuilder, LabError> {
    let mut irr = IrrBuilder::default();
    if let (true, Some(sample)) = (files.is_empty(), sample(cast)) {
        irr.read(sample.rpsl.as_slice(), "SAMPLE")
            .map_err(|error| LabError::Sample(io::Error::other(error)))?;
    }
    for file in files {
        let report = read_dump(&mut irr, file)?;
        note_left_out(file, report.malformed.count, notes);
    }
    Ok(irr)
}

fn note_left_out(file: &Path, count: u64, notes: &mut Vec<String>) {
    if count > 0 {
        notes.push(format!("{}: {count} entries can't be used, and are left out.", file.display()));
    }
}

fn sample(cast: &Cast) -> Option<&Sample> {
    match &cast.material {
        Material::Sample(sample, _) => Some(sample),
        Material::Archives(..) => None,
    }
}

/// The configuration as it is written.
struct Text<'a> {
    cast: &'a Cast,
    ground: &'a Ground,
    seats: &'a [Seat],
    listen: SocketAddr,
    vrps: &'a [PathBuf],
    irr: &'a [PathBuf],
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text { cast, listen, .. } = self;
        writeln!(
            f,
            "# What `palisade lab` runs. Every peer connects from its own address, so the router only listens.\n"
        )?;
        writeln!(f, "[router]\nasn = {}\nid = \"192.0.2.1\"\nlisten = [\"{listen}\"]", cast.local_asn.0)?;
        if let Material::Sample(_, seed) = cast.material {
            writeln!(f, "own_prefixes = {}", list(OWN_PREFIXES))?;
            writeln!(f, "peering_lans = {}", list([PEERING_LAN]))?;
            writeln!(f, "\n# The sample's own, made from seed {seed}: `--sample-dir DIR` writes them out.")?;
        }
        self.feeds(f)?;
        if sample(cast).is_some() {
            writeln!(f, "\n[[peerlock]]\nasn = {}", PROTECTED_ASN.0)?;
        }
        match self.ground {
            Ground::Namespaces(_) => writeln!(f, "\n[fib]\ntable = \"main\"")?,
            Ground::Loopback { .. } => writeln!(f, "\n# No [fib]: routes go into a kernel in memory.")?,
        }
        for (part, seat) in cast.everybody().zip(self.seats) {
            self.peer(f, part, seat)?;
        }
        Ok(())
    }
}

impl Text<'_> {
    fn feeds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sample = sample(self.cast);
        let feeds = [("rpki", "files", self.vrps, "vrps.json"), ("irr", "dumps", self.irr, "irr.rpsl")];
        for (section, key, files, made) in feeds {
            if !files.is_empty() {
                writeln!(f, "\n[{section}]\n{key} = {}", list(files.iter().map(|file| file.display())))?;
            } else if sample.is_some() {
                writeln!(f, "\n[{section}]\n{key} = {}", list([made]))?;
            }
        }
        Ok(())
    }

    fn peer(&self, f: &mut fmt::Formatter<'_>, part: &Part, seat: &Seat) -> fmt::Result {
        let Part { name, asn, role, as_set, .. } = part;
        writeln!(f, "\n[[peer]]\nname = {}\naddress = \"{}\"", quoted(name), seat.player)?;
        writeln!(f, "asn = {}\nrole = \"{role}\"\npassive = true", asn.0)?;
        if let Some(as_set) = as_set {
            writeln!(f, "as_set = {}", quoted(as_set))?;
        }
        if part.name == self.cast.listener.name {
            return writeln!(f, "max_prefixes = {FEW}  # it listens");
        }
        if !self.ground.is_apart() && *role != Role::Rs {
            writeln!(f, "checks.next-hop-foreign = \"off\"  # nobody's address on the loopback is its own")?;
        }
        if sample(self.cast).is_none() && !self.irr.is_empty() {
            writeln!(f, "checks.irr-prefix-not-registered = \"enforce\"")?;
        }
        Ok(())
    }
}

/// A list of strings.
fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut out = String::from("[");
    for item in items {
        let comma = if out.len() == 1 { "" } else { ", " };
        // Writing to a String can't fail.
        let _ = write!(out, "{comma}{}", quoted(&item.to_string()));
    }
    out + "]"
}

/// A TOML string, whatever is in it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judging;
    use palisade_fib::namespace::Entered;
    use palisade_policy::{Mode, Reason};

    fn setting(cast: &Cast, ground: &Ground) -> Setting {
        Setting::new(cast, ground, &[], &[]).unwrap()
    }

    #[test]
    fn with_networks_of_its_own_the_router_judges_by_its_roles_defaults() {
        let cast = Cast::of_sample(1);
        let Setting { config, tables, .. } = setting(&cast, &Ground::Namespaces(Entered::Network));
        assert_eq!(config.peers.len(), cast.parts.len() + 1);
        assert!(config.fib.is_some() && !tables.rov.is_empty() && !tables.irr.is_empty());
        for peer in &config.peers {
            let judged = judging::peer(&config, peer, &tables);
            let defaults = palisade_policy::Checks::for_role(peer.role.unwrap(), peer.as_set.is_some());
            assert_eq!(format!("{:?}", judged.checks), format!("{defaults:?}"), "{}", peer.name);
        }
    }

    #[test]
    fn on_the_loopback_next_hops_are_nobodys_own_and_the_configuration_says_so() {
        let cast = Cast::of_sample(1);
        let ground = Ground::Loopback { because: "a test".into() };
        let Setting { config, tables, .. } = setting(&cast, &ground);
        assert!(config.fib.is_none());
        for peer in config.peers.iter().filter(|peer| peer.name != "listener" && peer.role != Some(Role::Rs))
        {
            let judged = judging::peer(&config, peer, &tables);
            assert_eq!(judged.checks.mode(Reason::NextHopForeign), Mode::Off, "{}", peer.name);
        }
        let told =
            setting(&cast, &ground).text().lines().filter(|line| line.contains("nobody's address")).count();
        assert_eq!(told, 5);
    }

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        assert_eq!(
            list(["a\"b", "c\\d"]).parse::<toml::Value>().unwrap().as_array().unwrap()[0].as_str(),
            Some("a\"b")
        );
        assert_eq!(list::<&str>([]), "[]");
    }
}
