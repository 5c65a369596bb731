//! Cases that have names: what a few members say of a prefix, and who then holds whose path, written out by hand. They are
//! played to the route server, and hold the oracle to what is meant.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::announcement::Announcement;
use crate::ask::Form::{self, Extended, Large, Standard};
use crate::ask::Whom::{All, Peer, Region};
use crate::ask::Wish::{Announce, NoExport, Prepend, Withhold};
use crate::community::{GRACEFUL_SHUTDOWN, NO_EXPORT};
use crate::member::{AMS, FRA};
use crate::oracle;
use crate::support::vrp::Vrp;
use crate::world::{RS, World};

/// An origin AS that VRPs name; any other is invalid where there are some.
const SIGNED: u32 = 20_100;
/// The numbers of the cases whose prefixes are signed for it, and for alpha.
const SIGNED_CASES: std::ops::Range<u8> = 200..210;
const ALPHAS_CASES: std::ops::Range<u8> = 210..220;

/// A case, of one prefix of each family.
pub(crate) struct Case {
    name: String,
    number: u8,
    host: bool,
    pub(crate) said: Vec<(&'static str, Announcement)>,
    /// What alpha, bravo, charlie (who takes all paths, the best first), delta-1, delta-2 and echo hold.
    held: [&'static str; 6],
}

impl Case {
    pub(crate) fn prefixes(&self) -> [IpNet; 2] {
        let [v4, v6] = networks(self.number);
        let long = |net: IpNet| IpNet::new_assert(net.addr(), net.max_prefix_len());
        if self.host { [long(v4), long(v6)] } else { [v4, v6] }
    }
}

/// That the oracle says of every case what is written here.
pub(crate) fn hold(cases: &[Case], world: &World) {
    for case in cases {
        for prefix in case.prefixes() {
            let held: Vec<String> = world.members.iter().map(|to| told(world, to.name, prefix)).collect();
            assert_eq!(held, case.held, "{}: {prefix}", case.name);
        }
    }
}

fn told(world: &World, to: &str, prefix: IpNet) -> String {
    let to = world.members.iter().find(|member| member.name == to).expect("a member");
    let told: Vec<String> = oracle::deliveries(world, to, prefix)
        .iter()
        .map(|delivery| {
            let mut words = delivery.from.name.to_owned();
            if delivery.prepended > 0 {
                words.push_str(&format!("+{}", delivery.prepended));
            }
            words.push_str(if delivery.no_export { " no-export" } else { "" });
            words.push_str(if delivery.announcement.is_blackhole() { " dropped" } else { "" });
            words
        })
        .collect();
    if told.is_empty() { "-".into() } else { told.join(", ") }
}

/// What the cases' prefixes are signed for.
pub(crate) fn vrps() -> Vec<Vrp> {
    let signed =
        SIGNED_CASES.map(|number| (number, SIGNED)).chain(ALPHAS_CASES.map(|number| (number, 51_001)));
    let vrps = signed.flat_map(|(number, asn)| {
        networks(number).map(|prefix| Vrp { prefix, max_length: prefix.prefix_len(), asn })
    });
    vrps.collect()
}

fn networks(number: u8) -> [IpNet; 2] {
    [
        Ipv4Net::new_assert(Ipv4Addr::new(45, number, 0, 0), 20).into(),
        Ipv6Net::new_assert(Ipv6Addr::new(0x2a00, number.into(), 0, 0, 0, 0, 0, 0), 32).into(),
    ]
}

/// A path with so many ASes behind the announcer's.
fn over(length: u32) -> Announcement {
    let path: Vec<u32> = (0..length).map(|at| 20_000 + at).collect();
    Announcement::over(&path)
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = plain();
    for form in Form::ALL {
        cases.extend(in_every_form(form));
    }
    cases.extend(withholding());
    cases.extend(preference());
    for (number, case) in (0..).zip(&mut cases) {
        case.number = number;
    }
    for (number, mut case) in SIGNED_CASES.zip(signed()) {
        case.number = number;
        cases.push(case);
    }
    for (number, mut case) in ALPHAS_CASES.zip(blackholes()) {
        (case.number, case.host) = (number, true);
        cases.push(case);
    }
    cases
}

fn case(
    name: impl Into<String>,
    said: impl Into<Vec<(&'static str, Announcement)>>,
    held: [&'static str; 6],
) -> Case {
    Case { name: name.into(), number: 0, host: false, said: said.into(), held }
}

fn plain() -> Vec<Case> {
    vec![
        case(
            "a path goes to everybody but its sender",
            [("alpha", over(1).med(77))],
            ["-", "alpha", "alpha", "alpha", "alpha", "alpha"],
        ),
        case(
            "who announces the best path gets the next best",
            [("alpha", over(1)), ("bravo", over(2)), ("echo", over(3))],
            ["bravo", "alpha", "alpha, bravo, echo", "alpha", "alpha", "alpha"],
        ),
        case(
            "what has come through us before goes nowhere",
            [("alpha", Announcement::over(&[RS, 20_001])), ("echo", over(4))],
            ["echo", "echo", "echo", "echo", "echo", "-"],
        ),
        case(
            "NO_EXPORT keeps a path with us",
            [("alpha", over(1).with(NO_EXPORT)), ("bravo", over(2))],
            ["bravo", "-", "bravo", "bravo", "bravo", "bravo"],
        ),
    ]
}

fn in_every_form(form: Form) -> Vec<Case> {
    let case = |name: &str, said: Vec<_>, held| case(format!("{form:?}: {name}"), said, held);
    vec![
        case(
            "from whom the best path is withheld, the second best has not been hidden",
            vec![("alpha", over(1).asking(form, Withhold, Peer(51_002))), ("echo", over(2))],
            ["echo", "echo", "alpha, echo", "alpha", "alpha", "alpha"],
        ),
        case(
            "announced to one AS alone",
            vec![("alpha", over(1).asking(form, Withhold, All).asking(form, Announce, Peer(51_004)))],
            ["-", "-", "-", "alpha", "alpha", "-"],
        ),
        case(
            "not announced to a region",
            vec![("bravo", over(1).asking(form, Withhold, Region(FRA)))],
            ["-", "-", "-", "-", "bravo", "bravo"],
        ),
        case(
            "announced to a region alone",
            vec![("alpha", over(1).asking(form, Withhold, All).asking(form, Announce, Region(AMS)))],
            ["-", "alpha", "alpha", "-", "alpha", "-"],
        ),
        case(
            "prepended to the less, the more there are",
            vec![(
                "bravo",
                over(1).asking(form, Prepend(1), All).asking(form, Prepend(2), Region(FRA)).asking(
                    form,
                    Prepend(3),
                    Peer(51_004),
                ),
            )],
            ["bravo+2", "-", "bravo+2", "bravo+3", "bravo+3", "bravo+1"],
        ),
        case(
            "NO_EXPORT towards one",
            vec![("alpha", over(1).asking(form, NoExport, Peer(51_002)))],
            ["-", "alpha no-export", "alpha", "alpha", "alpha", "alpha"],
        ),
        case(
            "NO_EXPORT towards a region, and nothing to the rest",
            vec![("echo", over(1).asking(form, NoExport, Region(AMS)).asking(form, Withhold, All))],
            ["-", "-", "-", "-", "-", "-"],
        ),
        case(
            "NO_EXPORT towards all",
            vec![("delta-1", over(1).asking(form, NoExport, All))],
            [
                "delta-1 no-export",
                "delta-1 no-export",
                "delta-1 no-export",
                "-",
                "delta-1 no-export",
                "delta-1 no-export",
            ],
        ),
    ]
}

fn withholding() -> Vec<Case> {
    let not_to_bravo = |length| over(length).asking(Large, Withhold, Peer(51_002));
    vec![
        case(
            "three paths are withheld, the fourth arrives",
            [
                ("alpha", not_to_bravo(1)),
                ("delta-1", not_to_bravo(2)),
                ("echo", not_to_bravo(3)),
                ("charlie", over(4)),
            ],
            ["delta-1", "charlie", "alpha, delta-1, echo", "alpha", "alpha", "alpha"],
        ),
        case(
            "what names the peer holds before what names its region",
            [(
                "alpha",
                over(1).asking(Standard, Withhold, Region(AMS)).asking(Large, Announce, Peer(51_002)),
            )],
            ["-", "alpha", "-", "alpha", "-", "alpha"],
        ),
        case(
            "what says both says no",
            [(
                "alpha",
                over(1).asking(Extended, Announce, Peer(51_002)).asking(Large, Withhold, Peer(51_002)),
            )],
            ["-", "-", "alpha", "alpha", "alpha", "alpha"],
        ),
        case(
            "an AS number of four octets is named where it fits",
            [
                ("alpha", over(1).asking(Extended, Withhold, Peer(201_006))),
                ("bravo", over(2).asking(Large, Withhold, Peer(201_006))),
                ("charlie", over(3).asking(Standard, Withhold, Peer(201_006))),
            ],
            ["bravo", "alpha", "alpha, bravo", "alpha", "alpha", "charlie"],
        ),
        case(
            "0 names nobody, and nor does a stranger's number",
            [(
                "alpha",
                over(1).asking(Large, Withhold, Region(0)).asking(Standard, Withhold, Region(99)).asking(
                    Standard,
                    Withhold,
                    Peer(51_009),
                ),
            )],
            ["-", "alpha", "alpha", "alpha", "alpha", "alpha"],
        ),
        case(
            "prepending is for others to mind",
            [("alpha", over(1).asking(Large, Prepend(3), All)), ("echo", over(2))],
            ["echo", "alpha+3", "alpha+3, echo", "alpha+3", "alpha+3", "alpha+3"],
        ),
    ]
}

fn preference() -> Vec<Case> {
    vec![
        case(
            "graceful shutdown prefers another path",
            [("alpha", over(1).with(GRACEFUL_SHUTDOWN)), ("bravo", over(4))],
            ["bravo", "alpha", "bravo, alpha", "bravo", "bravo", "bravo"],
        ),
        case(
            "graceful shutdown of the only path",
            [("alpha", over(1).with(GRACEFUL_SHUTDOWN))],
            ["-", "alpha", "alpha", "alpha", "alpha", "alpha"],
        ),
        case(
            "MED between the routers of one AS",
            [("delta-1", over(1).med(20)), ("delta-2", over(1).med(10))],
            ["delta-2", "delta-2", "delta-2, delta-1", "delta-2", "delta-1", "delta-2"],
        ),
        case(
            "MED of another AS says nothing",
            [("delta-1", over(1).med(20)), ("alpha", over(1).med(10))],
            ["delta-1", "delta-1", "delta-1, alpha", "alpha", "delta-1", "delta-1"],
        ),
        case(
            "the order of paths is the same for all, whoever may have which",
            [
                ("delta-2", over(1).med(10).asking(Large, Withhold, Peer(51_002))),
                ("delta-1", over(1).med(20)),
                ("alpha", over(1)),
            ],
            ["delta-2", "alpha", "alpha, delta-2, delta-1", "alpha", "alpha", "alpha"],
        ),
    ]
}

/// Where [`SIGNED`] is the only origin that is valid.
fn signed() -> Vec<Case> {
    let valid = |length: u32| {
        let mut announcement = over(length);
        announcement.path.push(SIGNED);
        announcement
    };
    vec![
        case("what is RPKI-invalid reaches nobody", [("bravo", over(1))], ["-", "-", "-", "-", "-", "-"]),
        case(
            "what is RPKI-invalid is in nobody's way",
            [("alpha", over(1)), ("bravo", valid(3))],
            ["bravo", "-", "bravo", "bravo", "bravo", "bravo"],
        ),
    ]
}

/// Host routes in networks that alpha may originate.
fn blackholes() -> Vec<Case> {
    let own = || Announcement::over(&[]);
    let everybody =
        ["-", "alpha dropped", "alpha dropped", "alpha dropped", "alpha dropped", "alpha dropped"];
    let mut cases: Vec<Case> = Form::ALL
        .map(|form| case(format!("{form:?}: a blackhole"), [("alpha", own().blackhole(form))], everybody))
        .into();
    cases.extend([
        case("of another's network", [("bravo", own().blackhole(Standard))], ["-", "-", "-", "-", "-", "-"]),
        case(
            "to one alone, prepended",
            [(
                "alpha",
                own()
                    .blackhole(Large)
                    .asking(Large, Withhold, All)
                    .asking(Large, Announce, Peer(201_006))
                    .asking(Extended, Prepend(2), All),
            )],
            ["-", "-", "-", "-", "-", "alpha+2 dropped"],
        ),
        case(
            "a blackhole that says NO_EXPORT itself",
            [("alpha", own().blackhole(Standard).with(NO_EXPORT))],
            everybody,
        ),
        case("a host route that is none", [("alpha", own())], ["-", "-", "-", "-", "-", "-"]),
    ]);
    cases
}
