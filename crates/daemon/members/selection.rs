//! Which addresses of an export become sessions.
//!
//! The text is read twice. The first time shows which exchanges and VLANs there are, the second takes the members of the
//! one that is meant: what is wrong with another exchange's members is nobody's business here, and `ixp_list` need not
//! stand before `member_list`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use palisade_bgp::{Asn, Family};

use super::json::{self, Address, Connection, Exchange, KEPT, List, Member, Object, Scalar, Vlan};
use super::{Choice, Export, ExportError, Session, Skipped, entry};
use crate::config::quoted;

/// Exchanges, or VLANs, that a message names.
const NAMED: usize = 20;

/// Reads an export and takes the sessions of the exchange that is meant.
pub(super) fn select(octets: &[u8], choice: &Choice) -> Result<Export, ExportError> {
    let survey = Survey::of(octets)?;
    let exchange = survey.exchange(choice.ixp_id)?;
    let vlan = survey.vlan(exchange, choice.vlan_id)?;
    let mut selection = Selection {
        choice,
        exchange,
        vlan,
        export: Export { version: survey.version(), ..Export::default() },
        sessions: BTreeMap::new(),
    };
    json::read(octets, |place, member| selection.member(place, member))?;
    let mut export = selection.end()?;
    export.exchange = exchange.id.map(|id| survey.exchange_name(id));
    Ok(export)
}

/// What is meant, of several with numbers: `id`, or those without a number if there is but one.
#[derive(Clone, Copy)]
struct Meant {
    /// `None` where nothing has a number.
    id: Option<u64>,
    /// Whether it is the only one.
    only: bool,
}

impl Meant {
    fn takes(self, said: Option<u64>) -> bool {
        match said {
            Some(said) => self.id.is_none_or(|id| id == said),
            None => self.only,
        }
    }
}

/// The exchanges of an export, and the VLANs that members are in at each.
struct Survey {
    head: json::Head,
    vlans: BTreeMap<Option<u64>, BTreeSet<u64>>,
}

impl Survey {
    fn of(octets: &[u8]) -> Result<Self, ExportError> {
        let mut vlans: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        let head = json::read(octets, |_, member| {
            let connections = objects(member).flat_map(|member| member.connection_list.objects);
            for connection in connections.flat_map(objects) {
                let exchange = entry::number(&connection.ixp_id).unwrap_or_default();
                if vlans.len() >= KEPT && !vlans.contains_key(&exchange) {
                    continue;
                }
                let there = vlans.entry(exchange).or_default();
                let numbers = connection.vlan_list.objects.into_iter().flat_map(objects);
                let numbers = numbers.filter_map(|vlan| entry::number(&vlan.vlan_id).ok().flatten());
                there.extend(numbers.take(KEPT.saturating_sub(there.len())));
            }
        })?;
        if head.has_members { Ok(Survey { head, vlans }) } else { Err(ExportError::NoMembers) }
    }

    fn version(&self) -> String {
        match &self.head.version {
            Scalar::Text(version) => version.chars().filter(|letter| !letter.is_control()).take(16).collect(),
            _ => String::new(),
        }
    }

    /// The numbers of the exchanges: those that the export lists, else those that its members name.
    fn exchanges(&self) -> BTreeSet<u64> {
        let listed: BTreeSet<u64> = self.listed().filter_map(id).collect();
        if listed.is_empty() { self.vlans.keys().flatten().copied().collect() } else { listed }
    }

    fn listed(&self) -> impl Iterator<Item = &Exchange> {
        self.head.exchanges.objects.iter().filter_map(is)
    }

    fn exchange(&self, chosen: Option<u32>) -> Result<Meant, ExportError> {
        let exchanges = self.exchanges();
        let named = || named(&exchanges, |id| self.exchange_name(id));
        let only = exchanges.len() <= 1;
        match chosen {
            Some(chosen) if exchanges.contains(&chosen.into()) => Ok(Meant { id: Some(chosen.into()), only }),
            Some(chosen) => Err(ExportError::NoSuchExchange(chosen, named())),
            None if only => Ok(Meant { id: exchanges.first().copied(), only }),
            None => Err(ExportError::WhichExchange(named())),
        }
    }

    fn exchange_name(&self, id: u64) -> String {
        let exchange = self.listed().find(|exchange| self::id(exchange) == Some(id));
        with_name(id, exchange.map(|exchange| &exchange.shortname))
    }

    fn vlan(&self, exchange: Meant, chosen: Option<u32>) -> Result<Meant, ExportError> {
        let there = self.vlans.iter().filter(|(said, _)| exchange.takes(**said));
        let vlans: BTreeSet<u64> = there.flat_map(|(_, vlans)| vlans).copied().collect();
        let named = || named(&vlans, |vlan| self.vlan_name(exchange, vlan));
        let only = vlans.len() <= 1;
        match chosen {
            Some(chosen) if vlans.contains(&chosen.into()) => Ok(Meant { id: Some(chosen.into()), only }),
            Some(chosen) => Err(ExportError::NoSuchVlan(chosen, named())),
            None if only => Ok(Meant { id: vlans.first().copied(), only }),
            None => Err(ExportError::WhichVlan(named())),
        }
    }

    fn vlan_name(&self, exchange: Meant, vlan: u64) -> String {
        let exchange = self.listed().find(|listed| exchange.takes(id(listed)));
        let vlans = exchange.into_iter().flat_map(|exchange| &exchange.vlan.objects).filter_map(is);
        let mut vlans = vlans.filter(|listed| entry::number(&listed.id) == Ok(Some(vlan)));
        with_name(vlan, vlans.next().map(|listed| &listed.name))
    }
}

fn id(exchange: &Exchange) -> Option<u64> {
    entry::number(&exchange.ixp_id).ok().flatten()
}

fn with_name(id: u64, name: Option<&Scalar>) -> String {
    match name {
        Some(Scalar::Text(name)) => format!("{id} ({})", quoted(name)),
        _ => id.to_string(),
    }
}

fn named(ids: &BTreeSet<u64>, name: impl Fn(u64) -> String) -> String {
    let mut names: Vec<String> = ids.iter().take(NAMED).map(|id| name(*id)).collect();
    if ids.len() > NAMED {
        names.push(format!("{} more", ids.len() - NAMED));
    }
    if names.is_empty() { "none with a number".into() } else { names.join(", ") }
}

fn objects<T>(object: Object<T>) -> impl Iterator<Item = T> {
    match object {
        Object::Is(object) => Some(object),
        Object::Nothing | Object::Other(_) => None,
    }
    .into_iter()
}

fn is<T>(object: &Object<T>) -> Option<&T> {
    match object {
        Object::Is(object) => Some(object),
        Object::Nothing | Object::Other(_) => None,
    }
}

/// The second reading.
struct Selection<'c> {
    choice: &'c Choice,
    exchange: Meant,
    vlan: Meant,
    export: Export,
    sessions: BTreeMap<IpAddr, Session>,
}

/// The member that is being read.
struct Who {
    name: String,
    asn: Asn,
    /// As messages call it.
    shown: String,
    /// Whether all that it has are route servers.
    route_server: bool,
}

impl Selection<'_> {
    fn member(&mut self, place: usize, member: Object<Member>) {
        let member = match member {
            Object::Is(member) => member,
            Object::Nothing => return self.wrong(format!("member {place} is nothing")),
            Object::Other(what) => return self.wrong(format!("member {place} is {what}, not an object")),
        };
        let name = match &member.name {
            Scalar::Text(name) => name.trim().to_owned(),
            _ => String::new(),
        };
        let called = if name.is_empty() { format!("member {place}") } else { quoted(&name) };
        let asn = match entry::asn(&member.asnum) {
            Ok(asn) => asn,
            Err(fault) => return self.wrong(format!("{called}: {fault}")),
        };
        let route_server = [&member.member_type, &member.kind]
            .iter()
            .any(|kind| matches!(kind, Scalar::Text(text) if text.eq_ignore_ascii_case("routeserver")));
        let who = Who { name, asn, shown: format!("{called} ({asn})"), route_server };
        for connection in self.list(&who, "connection_list", member.connection_list) {
            self.connection(&who, connection);
        }
    }

    /// The objects of a list, with what is none of them told.
    fn list<T>(&mut self, who: &Who, key: &str, list: List<T>) -> Vec<T> {
        let mut taken = Vec::new();
        if let Some(what) = list.instead {
            self.wrong(format!("{}: {key} is {what}, not a list", who.shown));
        }
        if list.more > 0 {
            self.wrong(format!("{}: {key} has {} entries more than {KEPT}", who.shown, list.more));
        }
        for object in list.objects {
            match object {
                Object::Is(object) => taken.push(object),
                Object::Nothing => {}
                Object::Other(what) => self.wrong(format!("{}: {what} in {key}", who.shown)),
            }
        }
        taken
    }

    fn connection(&mut self, who: &Who, connection: Connection) {
        let at = match entry::number(&connection.ixp_id) {
            Ok(at) => at,
            Err(fault) => return self.wrong(format!("{}: ixp_id {fault}", who.shown)),
        };
        let here = self.exchange.takes(at);
        let active = match entry::is_active(&connection.state) {
            Err(fault) if here => return self.wrong(format!("{}: {fault}", who.shown)),
            active => active.unwrap_or(false),
        };
        for vlan in self.list(who, "vlan_list", connection.vlan_list) {
            self.vlan(who, vlan, here, active);
        }
    }

    fn vlan(&mut self, who: &Who, vlan: Vlan, here: bool, active: bool) {
        let number = match entry::number(&vlan.vlan_id) {
            Ok(number) => number,
            Err(fault) if here => return self.wrong(format!("{}: vlan_id {fault}", who.shown)),
            Err(_) => None,
        };
        let here = here && self.vlan.takes(number);
        for (family, address) in [(Family::Ipv4, vlan.ipv4), (Family::Ipv6, vlan.ipv6)] {
            match address {
                Object::Nothing => {}
                Object::Is(_) if !here => self.skip(Skipped::Elsewhere),
                Object::Other(_) if !here => {}
                Object::Is(address) => self.address(who, family, address, active),
                Object::Other(what) => {
                    self.wrong(format!("{}: {what} where {family} should be", who.shown));
                }
            }
        }
    }

    fn address(&mut self, who: &Who, family: Family, said: Address, active: bool) {
        let address = match entry::address(&said.address, family) {
            Ok(Some(address)) => address,
            Ok(None) => return,
            Err(fault) => return self.wrong(format!("{}: {fault}", who.shown)),
        };
        if let Some(skipped) = self.skipped(who, address, &said, active) {
            return self.skip(skipped);
        }
        match entry::is_client(&said.routeserver) {
            Ok(Some(false)) => return self.skip(Skipped::NotClient),
            Ok(Some(true)) => {}
            Ok(None) => self.export.unmarked.note(format!("{address} of {}", who.shown)),
            Err(fault) => return self.wrong(format!("{}: {fault} at {address}", who.shown)),
        }
        let as_set = self.as_set(who, &said.as_macro);
        let max_prefixes = self.max_prefixes(who, &said.max_prefix);
        let (member, asn) = (who.name.clone(), who.asn);
        self.claim(who, Session { name: String::new(), member, asn, address, as_set, max_prefixes });
    }

    fn skipped(&self, who: &Who, address: IpAddr, said: &Address, active: bool) -> Option<Skipped> {
        if who.asn == self.choice.own_asn {
            Some(Skipped::OwnAsn)
        } else if who.route_server || said.service_type.0 || said.services.0 {
            Some(Skipped::RouteServer)
        } else if self.choice.except_asns.contains(&who.asn)
            || self.choice.except_addresses.contains(&address)
        {
            Some(Skipped::Excepted)
        } else {
            (!active).then_some(Skipped::Inactive)
        }
    }

    fn as_set(&mut self, who: &Who, said: &Scalar) -> Option<String> {
        let (names, faults) = entry::as_sets("as_macro", said);
        faults.into_iter().for_each(|fault| self.export.ignored.note(format!("{}: {fault}", who.shown)));
        names
    }

    fn max_prefixes(&mut self, who: &Who, said: &Scalar) -> Option<u32> {
        entry::max_prefix(said).unwrap_or_else(|fault| {
            self.export.ignored.note(format!("{}: {fault}", who.shown));
            None
        })
    }

    /// The first that has an address keeps it: a session with the wrong AS is refused by its OPEN, and the member who
    /// was there is not lost by a later entry.
    fn claim(&mut self, who: &Who, session: Session) {
        match self.sessions.entry(session.address) {
            Entry::Vacant(free) => {
                free.insert(session);
            }
            Entry::Occupied(taken) if taken.get().asn == session.asn => self.skip(Skipped::Twice),
            Entry::Occupied(taken) => {
                let (address, first) = (session.address, taken.get().asn);
                self.wrong(format!("{}: {address} is {first}'s already", who.shown));
            }
        }
    }

    fn skip(&mut self, why: Skipped) {
        *self.export.skipped.entry(why).or_default() += 1;
    }

    fn wrong(&mut self, note: String) {
        self.skip(Skipped::Wrong);
        self.export.left_out.note(note);
    }

    fn end(self) -> Result<Export, ExportError> {
        let mut export = self.export;
        if self.sessions.is_empty() {
            let why: Vec<String> =
                export.skipped.iter().map(|(why, count)| format!("{count} {why}")).collect();
            let first = export.left_out.first.first();
            let first = first.map(|first| format!(" (the first: {first})")).unwrap_or_default();
            let why = if why.is_empty() { "no member has an address".into() } else { why.join(", ") };
            return Err(ExportError::Empty(why + &first));
        }
        export.sessions = self.sessions.into_values().collect();
        export.sessions.sort_by_key(|session| (session.asn, session.address));
        call(&mut export.sessions);
        Ok(export)
    }
}

/// Names sessions. Their order is that of addresses and not the export's, so that another order names nobody anew.
fn call(sessions: &mut [Session]) {
    let mut numbers: HashMap<(Asn, bool), usize> = HashMap::new();
    for session in sessions {
        let number = numbers.entry((session.asn, session.address.is_ipv4())).or_default();
        *number += 1;
        let slug = entry::slug(&session.member);
        let slug = if slug.is_empty() { slug } else { slug + "-" };
        let family = if session.address.is_ipv4() { "v4" } else { "v6" };
        let number = if *number == 1 { String::new() } else { format!("-{number}") };
        session.name = format!("{slug}as{}-{family}{number}", session.asn.0);
    }
}
