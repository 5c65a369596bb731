//! VRPs and ASPAs from a file, as the validators write them.
//!
//! | format | written by |
//! |---|---|
//! | JSON with a list `roas` of `{"prefix", "maxLength", "asn"}` | rpki-client, Routinator, OctoRPKI, StayRTR's caches |
//! | .. and a list `aspas` of `{"customer_asid", "providers"}` or `{"customer", "providers"}` | rpki-client, Routinator |
//! | CSV with a header that names ASN, prefix and max length | Routinator, rpki-client, the RIRs' exports |
//!
//! Which it is shows in the first characters. Input comes decompressed. It is read as a stream: what is held is the
//! VRPs.
//!
//! What can't be trusted must not loosen the judge, and fewer VRPs loosen it (invalid becomes not-found). So a file
//! that breaks off, or has no list of VRPs, is refused whole, and so is a set without a single VRP unless the
//! caller says that it expects one. A list that is empty is a claim, one that is not there is none: JSON with `aspas`
//! and without `roas` is a file of ASPAs, as an operator may write for his own customers; no validator writes one. No
//! ASPA at all is nothing unusual. An entry that means nothing (RFC 6482 s3.3: a maxLength out of its range; host
//! bits) is left out and named.

mod aspa_json;
mod csv;
mod json;
mod scalar;

use std::io::{self, BufRead, BufReader, Read};

use palisade_bgp::{Asn, Prefix};

use crate::aspa::Aspa;
use crate::malformed::{Malformed, quoted};
use crate::vrp::Vrp;

/// The most VRPs that a file may hold: twenty times the Internet's of 2025.
pub const MAX_VRPS: usize = 16_000_000;
/// The most ASPAs that a file may hold: eight times the Internet's ASes of 2025.
pub const MAX_ASPAS: usize = 1_000_000;
/// The most providers that a file's ASPAs may name, all together.
pub const MAX_PROVIDERS: usize = 16_000_000;
/// The most octets that a file may have, decompressed.
pub const MAX_OCTETS: u64 = 2 << 30;

/// The form of a file of VRPs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VrpFormat {
    /// An object with a list `roas`.
    Json,
    /// A header and a line for each VRP.
    Csv,
}

/// What to make of a file that holds no VRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptySet {
    /// It is a fault: a validator that lost its repositories writes such a file.
    Refuse,
    /// It is meant.
    Accept,
}

/// What a file holds.
#[derive(Debug)]
pub struct VrpFile {
    /// The VRPs, in the file's order.
    pub vrps: Vec<Vrp>,
    /// The ASPAs, in the file's order; several of one customer are one, with the providers of all.
    pub aspas: Vec<Aspa>,
    /// The file's form.
    pub format: VrpFormat,
    /// What was left out: elements of `roas` or `aspas`, or lines.
    pub malformed: Malformed,
}

/// Why a file of VRPs is refused. What was loaded before stays good.
#[derive(Debug, thiserror::Error)]
pub enum VrpFileError {
    /// It can't be read.
    #[error("can't read the VRPs")]
    Io(#[from] io::Error),
    /// It is no file of VRPs.
    #[error(
        "this is no list of VRPs: expected JSON with a list `roas`, or CSV with a header that names ASN, IP Prefix and Max Length"
    )]
    NotVrps,
    /// It is JSON that is broken or breaks off.
    #[error("the JSON of the VRPs is broken: {0}")]
    Json(serde_json::Error),
    /// It holds more VRPs than [`MAX_VRPS`].
    #[error("more than {MAX_VRPS} VRPs")]
    TooMany,
    /// It holds more ASPAs than [`MAX_ASPAS`], or more providers than [`MAX_PROVIDERS`].
    #[error("more than {MAX_ASPAS} ASPAs, or {MAX_PROVIDERS} providers")]
    TooManyAspas,
    /// It holds no VRP.
    #[error("not a single VRP ({0}): refused, because without VRPs nothing is invalid")]
    Empty(Malformed),
}

impl VrpFile {
    /// Reads a file of VRPs.
    pub fn read(input: impl Read, empty: EmptySet) -> Result<VrpFile, VrpFileError> {
        let mut input = BufReader::with_capacity(1 << 16, Bounded { input, left: MAX_OCTETS });
        let mut collector = Collector::default();
        let format = match first_octet(&mut input)? {
            Some(b'{') => json::read(input, &mut collector).map(|()| VrpFormat::Json)?,
            Some(_) => csv::read(input, &mut collector).map(|()| VrpFormat::Csv)?,
            None => return Err(VrpFileError::NotVrps),
        };
        let Collector { vrps, aspas, claims_vrps, malformed, .. } = collector;
        let is_empty = vrps.is_empty() && (claims_vrps || aspas.is_empty());
        if is_empty && empty == EmptySet::Refuse {
            return Err(VrpFileError::Empty(malformed));
        }
        Ok(VrpFile { vrps, aspas, format, malformed })
    }
}

/// Passes over a byte order mark and white space.
fn first_octet(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        match input.fill_buf()? {
            [] => return Ok(None),
            [0xef | 0xbb | 0xbf | b' ' | b'\t' | b'\r' | b'\n', ..] => input.consume(1),
            [first, ..] => return Ok(Some(*first)),
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Collector {
    vrps: Vec<Vrp>,
    aspas: Vec<Aspa>,
    /// Providers in all ASPAs.
    providers: usize,
    /// Whether the file has a list of VRPs, be it empty.
    claims_vrps: bool,
    malformed: Malformed,
}

impl Collector {
    fn take_aspa(&mut self, position: u64, entry: Result<Aspa, String>) -> Result<(), VrpFileError> {
        match entry {
            Ok(aspa) => {
                self.providers += aspa.providers.len();
                if self.aspas.len() == MAX_ASPAS || self.providers > MAX_PROVIDERS {
                    return Err(VrpFileError::TooManyAspas);
                }
                self.aspas.push(aspa);
            }
            Err(fault) => self.malformed.note(position, format_args!("ASPA: {fault}")),
        }
        Ok(())
    }

    fn take(&mut self, position: u64, entry: Result<Vrp, String>) -> Result<(), VrpFileError> {
        match entry {
            Ok(_) if self.vrps.len() == MAX_VRPS => return Err(VrpFileError::TooMany),
            Ok(vrp) => self.vrps.push(vrp),
            Err(fault) => self.malformed.note(position, fault),
        }
        Ok(())
    }
}

/// The VRP that three texts spell. Without a max length it is the prefix's own (RFC 6482 s3.3).
fn vrp(prefix: &str, max_length: Option<u64>, asn: Asn) -> Result<Vrp, String> {
    let prefix: Prefix = prefix.parse().map_err(|_| format!("no prefix: {}", quoted(prefix)))?;
    let max_length = max_length.unwrap_or_else(|| prefix.len().into());
    let max_length = u8::try_from(max_length).map_err(|_| format!("maxLength {max_length} of {prefix}"))?;
    Vrp::new(prefix, max_length, asn).map_err(|error| error.to_string())
}

/// A reader that fails where the input is longer than it may be, rather than end as if the input did.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {MAX_OCTETS} octets"))
        })?;
        Ok(read)
    }
}
