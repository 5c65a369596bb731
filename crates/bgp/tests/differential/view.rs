//! What a decoder makes of an UPDATE, in words that all decoders share; and what differs between two of them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use palisade_bgp::attributes::NextHop;
use palisade_bgp::fault::{Fault, Outcome};
use palisade_bgp::{Address, Context, Decoder, Family, Update, attribute_table};

/// A path as a message names it: its family (4 or 6), path identifier, address from the high bit on, length.
pub(crate) type Path = (u8, u32, u128, u8);

/// What a message comes to, weakest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It is believed, perhaps without some of its attributes.
    Believed,
    /// What it announces is withdrawn.
    Withdrawn,
    /// It ends the session, with this code and subcode.
    Reset(u8, u8),
}

/// What a decoder makes of an UPDATE.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) verdict: Verdict,
    /// Why, where it is not plainly believed: for the signature of a difference.
    pub(crate) reason: String,
    pub(crate) withdrawn: Vec<Path>,
    pub(crate) announced: Vec<Path>,
    /// Attributes by type: their values with AS numbers of four octets. NEXT_HOP and MP_REACH_NLRI stand for the next hops alone.
    pub(crate) attributes: BTreeMap<u8, Vec<u8>>,
}

impl View {
    /// A message that ends the session.
    pub(crate) fn reset(code: u8, subcode: u8, reason: String) -> Self {
        let (withdrawn, announced, attributes) = Default::default();
        View { verdict: Verdict::Reset(code, subcode), reason, withdrawn, announced, attributes }
    }

    /// Sorts what has no order of its own; withdraws what is announced where that is the verdict.
    pub(crate) fn settled(mut self) -> Self {
        if self.verdict == Verdict::Withdrawn {
            self.withdrawn.append(&mut self.announced);
        }
        if self.announced.is_empty() {
            self.attributes.clear();
        }
        self.withdrawn.sort_unstable();
        self.announced.sort_unstable();
        self
    }

    /// What we make of it.
    pub(crate) fn ours(decoder: &mut Decoder, body: &[u8], context: &Context) -> Self {
        match decoder.update(body, context) {
            Err(told) => {
                let quoted = told.data.get(1).map(|code| name(*code)).unwrap_or_default();
                let quoted = if quoted.starts_with("type ") { "unknown attribute".into() } else { quoted };
                View::reset(told.code, told.subcode, quoted)
            }
            Ok(update) => View::of(&update),
        }
    }

    fn of(update: &Update<'_>) -> Self {
        let worst = update.faults().iter().max_by_key(|fault| fault.outcome);
        let withdraws = worst.is_some_and(|fault| fault.outcome == Outcome::TreatAsWithdraw);
        let mut view = View {
            verdict: if withdraws { Verdict::Withdrawn } else { Verdict::Believed },
            reason: worst.map(reason).unwrap_or_default(),
            withdrawn: Vec::new(),
            announced: Vec::new(),
            attributes: BTreeMap::new(),
        };
        view.add::<u32>(update);
        view.add::<u128>(update);
        view.settled()
    }

    fn add<A: Address>(&mut self, update: &Update<'_>) {
        let path = |path: palisade_bgp::Path<A>| {
            (if A::FAMILY == Family::Ipv4 { 4 } else { 6 }, path.path_id, high(path.net), path.net.len())
        };
        self.withdrawn.extend(update.withdrawn::<A>().map(path));
        let Some((attributes, nlri)) = update.announced::<A>() else { return };
        self.announced.extend(nlri.map(path));
        self.attributes.extend(attributes.iter().map(|one| (one.code, one.value.to_vec())));
        match attributes.next_hop {
            NextHop::V4(hop) => self.attributes.insert(3, hop.octets().to_vec()),
            NextHop::V6 { global, link_local } => {
                let link_local = link_local.map(|address| address.octets()).into_iter().flatten();
                self.attributes.insert(14, global.octets().into_iter().chain(link_local).collect())
            }
        };
    }

    /// The difference to what another decoder makes of the same octets, as a signature; `None` where there is none. Of two verdicts the
    /// stronger has a reason to give. Of attributes, those are compared that the other `says` anything of.
    pub(crate) fn difference(&self, other: &View, says: fn(u8) -> bool) -> Option<String> {
        if self.verdict != other.verdict {
            let both = |fits: fn(&View) -> bool| fits(self) && fits(other);
            let reset = both(|view| matches!(view.verdict, Verdict::Reset(..)));
            if reset && self.reason != other.reason && both(|view| !view.reason.is_empty()) {
                return Some("reset for one fault | reset for another".into());
            }
            let ours = self.said(reset || self.verdict > other.verdict);
            return Some(format!("{ours} | {}", other.said(reset || other.verdict > self.verdict)));
        }
        if self.withdrawn != other.withdrawn || self.announced != other.announced {
            return Some(format!("{} | other prefixes", self.said(true)));
        }
        let mut codes = self.attributes.keys().chain(other.attributes.keys()).filter(|code| says(**code));
        let code = *codes.find(|code| self.attributes.get(code) != other.attributes.get(code))?;
        let (ours, theirs) = (self.attributes.contains_key(&code), other.attributes.contains_key(&code));
        let has = |has: bool| if has { "another" } else { "none" };
        Some(format!("{} {} | {}", name(code), has(ours), has(theirs)))
    }

    fn said(&self, with_reason: bool) -> String {
        let reason =
            if with_reason && !self.reason.is_empty() { format!(": {}", self.reason) } else { String::new() };
        match self.verdict {
            Verdict::Believed => "believed".into(),
            Verdict::Withdrawn => format!("withdrawn{reason}"),
            Verdict::Reset(code, subcode) => format!("reset {code}/{subcode}{reason}"),
        }
    }
}

/// An attribute's name, where we have one.
pub(crate) fn name(code: u8) -> String {
    match attribute_table::name(code) {
        "unknown attribute" => format!("type {code}"),
        name => name.into(),
    }
}

fn reason(fault: &Fault) -> String {
    match fault.attribute {
        code if attribute_table::name(code) == "unknown attribute" => {
            format!("unknown attribute {}", fault.wrong)
        }
        code => format!("{} {}", name(code), fault.wrong),
    }
}

/// The address of a prefix, from the high bit of 128 on.
fn high<A: Address>(net: palisade_bgp::Net<A>) -> u128 {
    match net.address().to_ip() {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => address.into(),
    }
}
