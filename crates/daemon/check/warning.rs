//! What is allowed, and probably not meant.
//!
//! One warning a kind, however many peers it is about: it points at the first and names some of the others.

use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_policy::{Bogons, Mode, Reason, Role, Snapshot};

use crate::config::{Config, Fault, Peer, Problem};
use crate::judging;

/// Peers that a warning names.
const NAMED: usize = 5;

/// Everything that there is to warn of, the most important first. `tables` is what the files hold, where they were read.
pub(super) fn warnings(config: &Config, tables: Option<&Snapshot>) -> Vec<Problem> {
    let bogons = tables.map(|tables| Arc::clone(&tables.bogons)).unwrap_or_default();
    let all = [
        no_peers(config),
        without_role(config),
        never_reached(config),
        own_bogon_asn(config, &bogons),
        bogon_asn(config, &bogons),
        without_rpki(config),
        without_irr(config),
        without_as_set(config),
        unknown_to_peeringdb(config).filter(|_| tables.is_some()),
        as_set_unused(config),
        without_hold_time(config),
    ];
    all.into_iter().flatten().collect()
}

fn no_peers(config: &Config) -> Option<Problem> {
    let fault = Fault::new("there is no peer", "").help("begin each with `[[peer]]`");
    let none = config.peers.is_empty() && config.members.is_none() && config.ranges.is_empty();
    none.then(|| Problem::general_warning(&config.source, fault))
}

fn without_role(config: &Config) -> Option<Problem> {
    let help = "write what it is to us, `role = \"customer\"`, `\"peer\"`, `\"provider\"`, `\"rs\"` or `\"internal\"`";
    about(
        config,
        |peer| peer.role.is_none(),
        |names, plural| {
            let have = if plural { "have" } else { "has" };
            Fault::new(
                format!("{names} {have} no role, so nothing is exchanged (RFC 8212)"),
                "no `role` here",
            )
            .help(help)
        },
    )
}

fn never_reached(config: &Config) -> Option<Problem> {
    let deaf = config.router.listen.is_empty();
    about(
        config,
        |peer| deaf && peer.passive,
        |names, _| {
            let fault = Fault::new(
                format!("nobody ever connects: we wait for {names}, and `listen` is empty"),
                "`passive` here",
            );
            fault.help("write `passive = false`, or addresses to `listen` on under [router]")
        },
    )
}

fn own_bogon_asn(config: &Config, bogons: &Bogons) -> Option<Problem> {
    let Asn(asn) = config.router.asn;
    let fault = Fault::new(
        format!("AS{asn}, our own, is {}", kind(config.router.asn)),
        "other networks refuse its routes",
    );
    let fault = fault.help("write the AS number that a registry assigned; in a lab, this is fine");
    let place = config.router.asn_span.clone();
    bogons.has_asn(config.router.asn).then(|| Problem::warning(&config.source, place, fault))
}

/// Peers whose every path is refused for their own AS number.
fn bogon_asn(config: &Config, bogons: &Bogons) -> Option<Problem> {
    let refused = |peer: &Peer| {
        let enforced = |role| mode(config, peer, role, Reason::BogonAsn) == Mode::Enforce;
        bogons.has_asn(peer.asn) && peer.role.is_some_and(enforced)
    };
    about(config, refused, |names, plural| {
        let fault = if plural {
            Fault::new(
                format!("all routes of {names} are refused: their AS numbers are private or reserved"),
                "the first",
            )
        } else {
            Fault::new(
                format!("all routes of {names} are refused: its AS number is private or reserved"),
                "this one",
            )
        };
        fault.help("if they are meant, write `checks = { bogon-asn = \"off\" }`: then bogon ASNs of others pass there, too")
    })
}

fn without_rpki(config: &Config) -> Option<Problem> {
    let fault = Fault::new("there is no [rpki]: the origin of no route is validated", "");
    let fault = fault.help("write\n[rpki]\nrtr = [\"192.0.2.10:323\"]\n\nor `files = [\"vrps.json\"]`");
    (!config.rpki.has_source()).then(|| Problem::general_warning(&config.source, fault))
}

fn without_irr(config: &Config) -> Option<Problem> {
    let registered = |peer: &Peer| {
        peer.role
            .is_some_and(|role| mode(config, peer, role, Reason::IrrPrefixNotRegistered) == Mode::Enforce)
    };
    about(
        config,
        |peer| !config.irr.has_sources() && registered(peer),
        |names, _| {
            let fault = Fault::new(
                format!("there is no [irr]: of {names}, only routes that are RPKI-valid are accepted"),
                "`irr-prefix-not-registered` is enforced here",
            );
            fault.help(
                "write\n[irr]\ndumps = [\"ripe.db.route.gz\", \"ripe.db.route6.gz\", \"ripe.db.as-set.gz\"]",
            )
        },
    )
}

fn without_as_set(config: &Config) -> Option<Problem> {
    let bound = |peer: &Peer| {
        matches!(peer.role, Some(Role::Customer | Role::RsClient)) && !peer.is_bound_by_as_set()
    };
    about(config, bound, |names, plural| {
        let (have, whose) = if plural { ("have", "their") } else { ("has", "its") };
        let fault = Fault::new(
            format!("{names} {have} no as-set, so only routes of {whose} own AS are accepted"),
            "no `as_set` here",
        );
        fault.help("if others are behind it, write `as_set = \"AS-EXAMPLE\"`")
    })
}

/// Peers whose as-set is to come from PeeringDB, which says none.
fn unknown_to_peeringdb(config: &Config) -> Option<Problem> {
    let asked = |peer: &Peer, role| mode(config, peer, role, Reason::IrrOriginNotInAsSet) == Mode::Enforce;
    let unknown = |peer: &Peer| {
        let awaited = peer.peeringdb.as_set && peer.as_set.is_none();
        awaited && peer.role.is_some_and(|role| asked(peer, role))
    };
    about(config, unknown, |names, plural| {
        let whose = if plural { "their" } else { "its" };
        let fault = Fault::new(
            format!("PeeringDB says no as-set of {names}, so only routes of {whose} own AS are accepted"),
            "the as-set of this one is to come from there",
        );
        fault
            .help("if PeeringDB's API was never asked, it will be; otherwise write `as_set = \"AS-EXAMPLE\"`")
    })
}

fn as_set_unused(config: &Config) -> Option<Problem> {
    let asked = |peer: &Peer, role| mode(config, peer, role, Reason::IrrOriginNotInAsSet) != Mode::Off;
    let unused = |peer: &Peer| peer.as_set.is_some() && peer.role.is_some_and(|role| !asked(peer, role));
    about(config, unused, |names, _| {
        let fault =
            Fault::new(format!("what {names} may announce is not bound by `as_set`"), "`as_set` here");
        fault.help("remove it, or write `checks = { irr-origin-not-in-as-set = \"enforce\" }`")
    })
}

fn without_hold_time(config: &Config) -> Option<Problem> {
    about(
        config,
        |peer| peer.hold_time_s.value == 0,
        |names, _| {
            let fault =
                Fault::new(format!("that {names} is gone is only noticed when TCP does"), "hold time 0");
            fault.help("write `hold_time = 90`")
        },
    )
}

fn mode(config: &Config, peer: &Peer, role: Role, reason: Reason) -> Mode {
    let modes = judging::check_modes(config, peer, role);
    modes.iter().find(|check| check.reason == reason).map_or(Mode::Enforce, |check| check.mode)
}

/// The one warning about all peers that `concerned` picks out.
fn about(
    config: &Config,
    concerned: impl Fn(&Peer) -> bool,
    fault: impl FnOnce(&str, bool) -> Fault,
) -> Option<Problem> {
    let peers: Vec<&Peer> = config.peers.iter().filter(|peer| concerned(peer)).collect();
    let first = peers.first()?;
    let mut names = peers.iter().take(NAMED).map(|peer| peer.name.as_str()).collect::<Vec<_>>().join(", ");
    if peers.len() > NAMED {
        names += &format!(" and {} more", peers.len() - NAMED);
    }
    Some(Problem::warning(&config.source, first.span.clone(), fault(&names, peers.len() > 1)))
}

fn kind(Asn(asn): Asn) -> &'static str {
    match asn {
        64496..=64511 | 65536..=65551 => "for documentation (RFC 5398)",
        64512..=65534 | 4_200_000_000..=4_294_967_294 => "private (RFC 6996)",
        _ => "reserved",
    }
}
