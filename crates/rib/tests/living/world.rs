//! What there is to know at a moment: VRPs, ASPAs, route objects, as-sets, rules, policies, terms; and what the sockets see.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_bgp::attributes::{Attributes, Community};
use palisade_bgp::prefix::{Address, Net, Prefix};
use palisade_bgp::update::Context;
use palisade_policy::actions::euro_ix;
use palisade_policy::rules::{Action, AnyCommunity, Edits, IrrState, PathCondition, PrefixCondition, Rule};
use palisade_policy::{
    ActionScheme, Aspa, AspaIndex, AspaState, Checks, IrrBuilder, IrrIndex, Mode, Peer, Reason, Role,
    RovIndex, RovState, RuleNumber, Rules, Snapshot, Vrp,
};
use palisade_rib::{
    ExportView, PeerIndex, PolicyTouched, PrefixLimits, Ranking, RibPeer, Shard, Tags, Terms, Touched,
};

use crate::support::{self, Heard, Random, Wires, address, view};

const OURS: Asn = Asn(support::OURS);
const ROLES: [Role; 6] =
    [Role::Customer, Role::Customer, Role::Peer, Role::Provider, Role::Rs, Role::Internal];
pub(crate) const PEERS: u16 = ROLES.len() as u16;
/// The networks behind the peers.
const ORIGINS: std::ops::Range<u32> = 100..112;

/// Prefixes of a wide world: several slices' worth.
pub(crate) const WIDE: u32 = 16_000;

/// What a peer says of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) as_path: Vec<u32>,
    communities: Vec<u32>,
    next_hop: Ipv4Addr,
}

pub(crate) type Announced = BTreeMap<(PeerIndex, Net<u32>), Words>;

/// What changed.
#[derive(Debug)]
pub(crate) enum Delta {
    Tables(Touched),
    Policy(PeerIndex, PolicyTouched),
    Terms(PeerIndex),
}

pub(crate) struct World {
    generation: u64,
    path_generation: u64,
    vrps: BTreeSet<(Prefix, u8, u32)>,
    aspas: BTreeMap<u32, BTreeSet<u32>>,
    routes: BTreeSet<(Prefix, u32)>,
    rov: Arc<RovIndex>,
    aspa: Arc<AspaIndex>,
    irr: Arc<IrrIndex>,
    rules: Arc<Rules>,
    actions: Option<Arc<ActionScheme>>,
    policies: BTreeMap<PeerIndex, Arc<Peer>>,
    terms: BTreeMap<PeerIndex, Terms>,
}

fn role(peer: PeerIndex) -> Role {
    ROLES[peer.index() - 1]
}

fn asn(peer: PeerIndex) -> u32 {
    if role(peer) == Role::Internal { OURS.0 } else { 10 + u32::from(peer.0) }
}

pub(crate) fn context(peer: PeerIndex) -> Context {
    Context { internal: role(peer) == Role::Internal, ..Context::default() }
}

fn some(random: &mut Random, range: std::ops::Range<u32>) -> u32 {
    range.start + random.below(u64::from(range.end - range.start)) as u32
}

fn chance(random: &mut Random, of: u64) -> bool {
    random.below(of) == 0
}

/// One of forty-odd prefixes that lie in one another; or now and then, in a wide world, of thousands beside them.
pub(crate) fn some_net(random: &mut Random, wide: bool) -> Net<u32> {
    if wide && !chance(random, 4) {
        return Net::new(0x2e00_0000 | some(random, 0..WIDE) << 8, 24);
    }
    let len = [16, 20, 24][random.below(3) as usize];
    Net::new(0x2d00_0000 | some(random, 0..2) << 16 | some(random, 0..2) << 12 | some(random, 0..8) << 8, len)
}

impl World {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut world = World {
            generation: 0,
            path_generation: 0,
            vrps: BTreeSet::new(),
            aspas: BTreeMap::new(),
            routes: BTreeSet::new(),
            rov: Arc::default(),
            aspa: Arc::default(),
            irr: Arc::default(),
            rules: Arc::default(),
            actions: None,
            policies: (1..=PEERS).map(PeerIndex).map(|peer| (peer, Arc::new(policy(peer)))).collect(),
            terms: (1..=PEERS).map(PeerIndex).map(|peer| (peer, terms(peer, 0))).collect(),
        };
        world.policies.insert(PeerIndex::LOCAL, Arc::new(Peer::ours(OURS)));
        (0..60).for_each(|_| drop(world.change(random)));
        world
    }

    pub(crate) fn ours(&self) -> [Net<u32>; 2] {
        [Net::new(0x2d00_1000, 20), Net::new(0x2d01_0000, 16)]
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            generation: self.generation,
            path_generation: self.path_generation,
            rov: Arc::clone(&self.rov),
            aspa: Arc::clone(&self.aspa),
            irr: Arc::clone(&self.irr),
            rules: Arc::clone(&self.rules),
            actions: self.actions.clone(),
            ..Snapshot::default()
        })
    }

    pub(crate) fn shard(&self, tables: &Arc<Snapshot>) -> Shard {
        let mut shard = Shard::new(Arc::clone(tables));
        shard.set_policy(PeerIndex::LOCAL, self.policy(PeerIndex::LOCAL), &PolicyTouched::Everything);
        shard
    }

    pub(crate) fn policy(&self, peer: PeerIndex) -> Arc<Peer> {
        Arc::clone(&self.policies[&peer])
    }

    pub(crate) fn terms(&self, peer: PeerIndex) -> Terms {
        self.terms[&peer].clone()
    }

    pub(crate) fn rib_peer(&self, peer: PeerIndex) -> RibPeer {
        let Terms { local_preference, limits, tags, shutting_down } = self.terms(peer);
        let plain = support::rib_peer(peer, Peer::clone(&self.policies[&peer]));
        let ranking = Ranking { local_preference, shutting_down, ..plain.ranking };
        let export = ExportView { shutting_down, ..view(role(peer)) };
        let policy = self.policy(peer);
        RibPeer { policy, ranking, export: [Some(export), None], limits, tags, ..plain }
    }

    pub(crate) fn said(&self, peer: PeerIndex, random: &mut Random) -> Words {
        let mut as_path = if role(peer) == Role::Internal { vec![] } else { vec![asn(peer)] };
        as_path.extend((0..random.below(3)).map(|_| some(random, ORIGINS)));
        if chance(random, 20) {
            as_path.push(OURS.0);
        }
        let ask = [0, 64500, 65501, 65502, 65281][random.below(5) as usize];
        let whom = if chance(random, 3) { OURS.0 } else { 10 + some(random, 1..7) };
        let communities = match random.below(4) {
            0 => vec![ask << 16 | whom],
            1 => vec![ask << 16 | whom, 7 << 16 | 7],
            2 => vec![OURS.0 << 16 | 3000],
            _ => vec![],
        };
        let next_hop = if chance(random, 4) { Ipv4Addr::new(192, 0, 2, 200) } else { address(peer) };
        Words { as_path, communities, next_hop }
    }

    /// Changes something that is not as it was.
    pub(crate) fn change(&mut self, random: &mut Random) -> Delta {
        self.generation += 1;
        let peer = PeerIndex(1 + random.below(u64::from(PEERS)) as u16);
        match random.below(20) {
            0..4 => {
                let before = Arc::clone(&self.rov);
                (0..1 + random.below(3)).for_each(|_| self.change_vrp(random));
                let vrps = self.vrps.iter().map(|(net, most, asn)| Vrp::new(*net, *most, Asn(*asn)).unwrap());
                self.rov = Arc::new(RovIndex::build(vrps));
                Delta::Tables(Touched::under(before.changed_ranges(&self.rov)))
            }
            4..7 => {
                let before = Arc::clone(&self.irr);
                let route = (Prefix::V4(some_net(random, false)), some(random, ORIGINS));
                if !self.routes.remove(&route) {
                    self.routes.insert(route);
                }
                let mut builder = IrrBuilder::default();
                self.routes.iter().for_each(|(net, asn)| builder.add_route(*net, Asn(*asn), "TEST").unwrap());
                self.irr = Arc::new(builder.build());
                Delta::Tables(Touched::under(before.changed_ranges(&self.irr)))
            }
            7..10 => {
                let before = Arc::clone(&self.aspa);
                self.change_aspa(random);
                self.path_generation = self.generation;
                let aspas = self.aspas.iter().map(|(customer, providers)| Aspa {
                    customer: Asn(*customer),
                    providers: providers.iter().copied().map(Asn).collect(),
                });
                self.aspa = Arc::new(AspaIndex::build(aspas));
                Delta::Tables(Touched::with_asns(before.changed(&self.aspa)))
            }
            10 => {
                self.rules = Arc::new(Rules::new((0..3).map(|at| rule(at, random)).collect()).unwrap());
                self.path_generation = self.generation;
                Delta::Tables(Touched::everything())
            }
            11 => {
                let scheme = || Arc::new(ActionScheme::new(&euro_ix(OURS).0, [None; 2]));
                self.actions = if self.actions.is_none() { Some(scheme()) } else { None };
                self.path_generation = self.generation;
                Delta::Tables(Touched::everything())
            }
            12..16 => {
                let mut changed = Peer::clone(&self.policies[&peer]);
                let before = changed.origins.clone().unwrap_or_default();
                let mut origins: BTreeSet<Asn> = before.iter().collect();
                for _ in 0..1 + random.below(2) {
                    let origin = Asn(some(random, ORIGINS));
                    if !origins.remove(&origin) {
                        origins.insert(origin);
                    }
                }
                changed.origins = (!chance(random, 5)).then(|| Arc::new(origins.into_iter().collect()));
                let touched = PolicyTouched::by_origins(&self.policies[&peer], &changed);
                self.policies.insert(peer, Arc::new(changed));
                Delta::Policy(peer, touched)
            }
            16..18 => {
                let mut changed = Peer::clone(&self.policies[&peer]);
                change_policy(&mut changed, random);
                self.policies.insert(peer, Arc::new(changed));
                Delta::Policy(peer, PolicyTouched::Everything)
            }
            _ => {
                self.terms.insert(peer, terms(peer, random.below(4) as u32));
                Delta::Terms(peer)
            }
        }
    }

    fn change_vrp(&mut self, random: &mut Random) {
        let net = Prefix::V4(some_net(random, false));
        let most = (net.len() + random.below(2) as u8 * 4).min(32);
        let asn = if chance(random, 8) { OURS.0 } else { some(random, ORIGINS) };
        if !self.vrps.remove(&(net, most, asn)) {
            self.vrps.insert((net, most, asn));
        }
        while self.vrps.len() > 12 {
            self.vrps.pop_first();
        }
    }

    fn change_aspa(&mut self, random: &mut Random) {
        let customer = if chance(random, 3) { 10 + some(random, 1..6) } else { some(random, ORIGINS) };
        if chance(random, 3) {
            self.aspas.remove(&customer);
        }
        let provider = if chance(random, 2) { 10 + some(random, 1..6) } else { some(random, ORIGINS) };
        self.aspas.entry(customer).or_default().insert(provider);
    }

    /// Whether a change may have a path judged otherwise.
    pub(crate) fn touches(&self, delta: &Delta, peer: PeerIndex, net: Net<u32>, as_path: &[u32]) -> bool {
        match delta {
            Delta::Terms(_) => false,
            Delta::Policy(of, PolicyTouched::Everything) => *of == peer,
            Delta::Policy(of, PolicyTouched::Origins(origins)) => {
                let listed = matches!(role(*of), Role::Customer | Role::Peer);
                let origin = as_path.last().copied();
                *of == peer && (!listed || origin.is_some_and(|origin| origins.contains(Asn(origin))))
            }
            Delta::Tables(touched) => {
                let covers = |range: &Prefix| u32::of_prefix(*range).is_some_and(|range| range.covers(net));
                touched.everything
                    || touched.under.iter().any(covers)
                    || as_path.iter().any(|asn| touched.asns.contains(Asn(*asn)))
            }
        }
    }
}

/// Bogons are off, because the networks are made up.
fn policy(peer: PeerIndex) -> Peer {
    let mut policy = Peer { asn: Asn(asn(peer)), ..support::policy(peer, role(peer)) };
    let mut checks = Checks::all(Mode::Off);
    let mut enforced = vec![Reason::AsLoop, Reason::RpkiInvalidOrigin, Reason::RpkiInvalidLength];
    match role(peer) {
        Role::Customer | Role::Peer => {
            enforced.extend([
                Reason::IrrOriginNotInAsSet,
                Reason::IrrPrefixNotRegistered,
                Reason::AspaInvalid,
            ]);
        }
        Role::Provider | Role::Rs => enforced.push(Reason::AspaInvalid),
        _ => {}
    }
    enforced.into_iter().for_each(|reason| checks.set(reason, Mode::Enforce).unwrap());
    policy.checks = checks;
    policy.rules = (0..3).filter_map(RuleNumber::new).collect();
    policy
}

fn change_policy(policy: &mut Peer, random: &mut Random) {
    const REASONS: [Reason; 6] = [
        Reason::RpkiInvalidOrigin,
        Reason::RpkiInvalidLength,
        Reason::IrrPrefixNotRegistered,
        Reason::AspaInvalid,
        Reason::NextHopForeign,
        Reason::PrefixTooLong,
    ];
    match random.below(4) {
        0 => policy.scrub = !policy.scrub,
        1 => policy.rules = (0..3).filter(|_| chance(random, 2)).filter_map(RuleNumber::new).collect(),
        2 => policy.regions = (1..3).filter(|_| chance(random, 2)).map(palisade_policy::Region).collect(),
        _ => {
            let reason = REASONS[random.below(REASONS.len() as u64) as usize];
            policy.checks.set(reason, Mode::ALL[random.below(3) as usize]).unwrap();
        }
    }
}

fn terms(peer: PeerIndex, choice: u32) -> Terms {
    let communities = vec![Community((OURS.0 << 16) | (4000 + choice))];
    Terms {
        local_preference: role(peer).default_local_preference() + choice % 2 * 60,
        limits: PrefixLimits::NONE,
        tags: (choice > 1).then(|| Arc::new(Tags { communities, large: vec![] })),
        shutting_down: choice % 3 == 1 && role(peer) != Role::Internal,
    }
}

fn rule(at: u64, random: &mut Random) -> Rule {
    let path = match random.below(5) {
        0 => vec![PathCondition::ContainsAsn([Asn(some(random, ORIGINS))].into_iter().collect())],
        1 => vec![PathCondition::Aspa(vec![AspaState::Valid, AspaState::Unknown])],
        2 => vec![PathCondition::AsPathLength(2..=3)],
        _ => vec![],
    };
    let prefix = match random.below(5) {
        0 => vec![PrefixCondition::Rov(vec![RovState::Valid])],
        1 => vec![PrefixCondition::Irr(vec![IrrState::ALL[random.below(3) as usize]])],
        2 => vec![PrefixCondition::Length(24..=24)],
        _ => vec![],
    };
    let (to, from) = (some(random, 0..3), some(random, 0..3));
    let edits = Edits {
        local_preference: chance(random, 3).then(|| 90 + 50 * some(random, 0..4)),
        med: chance(random, 4).then(|| chance(random, 2).then_some(7)),
        next_hops: [chance(random, 6).then_some(IpAddr::from([192, 0, 2, 201])), None],
        prepend: if chance(random, 4) { 1 + random.below(2) as u8 } else { 0 },
        remove_communities: if chance(random, 3) { vec!["7:*".parse().unwrap()] } else { vec![] },
        add_communities: (from..to).map(|at| AnyCommunity::Standard(Community(7 << 16 | at))).collect(),
    };
    let action = Action::ALL[random.below(3) as usize];
    let mode = if chance(random, 4) { Mode::Observe } else { Mode::Enforce };
    Rule { name: format!("rule-{at}"), path, prefix, action, edits, mode }
}

/// An UPDATE as it comes: what is said of a prefix, or that it is withdrawn.
pub(crate) fn update(net: Net<u32>, said: Option<&Words>) -> Vec<u8> {
    let mut nlri = Vec::new();
    net.write_nlri(&mut nlri);
    let Some(Words { as_path, communities, next_hop }) = said else {
        let mut body = (nlri.len() as u16).to_be_bytes().to_vec();
        body.extend(nlri);
        body.extend([0, 0]);
        return body;
    };
    let mut attributes = vec![0x40, 1, 1, 0];
    let segment = if as_path.is_empty() { vec![] } else { vec![2, as_path.len() as u8] };
    attributes.extend([0x40, 2, (segment.len() + 4 * as_path.len()) as u8]);
    attributes.extend(segment);
    as_path.iter().for_each(|asn| attributes.extend(asn.to_be_bytes()));
    attributes.extend([0x40, 3, 4]);
    attributes.extend(next_hop.octets());
    if !communities.is_empty() {
        attributes.extend([0xc0, 8, 4 * communities.len() as u8]);
        communities.iter().for_each(|community| attributes.extend(community.to_be_bytes()));
    }
    let mut body = vec![0, 0];
    body.extend((attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    body.extend(nlri);
    body
}

/// What peers hear of a path, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wording(String);

impl Heard for Wording {
    fn of(attributes: &Attributes<'_>) -> Self {
        let communities = attributes.communities().map(|one| (one.0 >> 16, one.0 & 0xffff));
        Wording(format!(
            "{} {:?} {:?} local {:?} med {:?} otc {:?}",
            attributes.as_path(),
            communities.collect::<BTreeSet<_>>(),
            attributes.next_hop.address(),
            attributes.facts.local_pref,
            attributes.facts.med,
            attributes.facts.only_to_customer,
        ))
    }
}

/// The sockets of all peers at one shard.
pub(crate) type Sockets = Wires<Wording>;

pub(crate) fn sockets() -> Sockets {
    Wires::read_as((1..=PEERS).map(PeerIndex).map(|peer| (peer, context(peer))))
}
