//! A router that keeps a route of a peer's over its restarts: the session, the machine that says for how long, and the table, with a clock
//! that is played.
//!
//! What happens to it is a list of [`Step`]s, each with what must become of the route. The peer says one route and no more, so
//! that the four outcomes tell all.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::capability::{Capability, LongLivedFamily, Restart, RestartFamily};
use palisade_bgp::message::HEADER_LEN;
use palisade_bgp::notification::Notification;
use palisade_bgp::open::Open;
use palisade_bgp::prefix::Net;
use palisade_bgp::session::{Action, ConnectionId, Event, GracefulRestart, Session, SessionConfig};
use palisade_bgp::{Asn, Family};
use palisade_policy::{Role, Snapshot};
use palisade_rib::{Batch, Order, PeerCounters, PeerIndex, Retention, RibPeer, Shard};

use crate::rib::{self, Said, Wires};

const OURS: Asn = Asn(rib::OURS);
const THEIRS: Asn = Asn(65001);
const PEER: PeerIndex = PeerIndex(1);
/// Its BGP identifier.
const IDENTIFIER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// How long we keep routes beyond a restart.
pub(crate) const LONG_LIVED_S: u32 = 3_600;

/// What happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The session comes up.
    Up(Says),
    /// The peer announces its route, ..
    Announces,
    /// .. or announces it with this community, ..
    AnnouncesWith(u32),
    /// .. or withdraws it.
    Withdraws,
    /// End-of-RIB.
    EndOfRib,
    /// The beginning of a route refresh, and its end.
    Borr,
    Eorr,
    /// The connection closes without a word.
    Lost,
    /// A NOTIFICATION of this code and subcode comes.
    Notified(u8, u8),
    /// So many seconds pass.
    Wait(u64),
}

/// What the peer says of restarts in its OPEN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Says {
    /// Nothing where it does not know the capability.
    pub(crate) restart_time_s: Option<u16>,
    pub(crate) restarting: bool,
    pub(crate) notification: bool,
    /// The flags of the family; it is not listed where there are none.
    pub(crate) forwarding: Option<bool>,
    /// The time and the flag of the long-lived capability.
    pub(crate) long_lived: Option<(u32, bool)>,
}

/// It keeps forwarding for two minutes.
pub(crate) const USUAL: Says = Says {
    restart_time_s: Some(120),
    restarting: false,
    notification: false,
    forwarding: Some(true),
    long_lived: None,
};

/// What has become of the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Gone,
    Fresh,
    Stale,
    LongLived,
}

/// A story, with the section that it is from.
pub(crate) type Story = (&'static str, &'static [(Step, Route)]);

/// Tells every story of a table from the beginning.
pub(crate) fn tell(stories: &[Story]) {
    for (section, steps) in stories {
        let mut world = World::new();
        for (at, (step, expected)) in steps.iter().enumerate() {
            world.take(*step);
            assert_eq!(world.route(), *expected, "{section}: after step {} of {steps:?}", at + 1);
        }
    }
}

struct World {
    now: Instant,
    session: Session,
    connection: ConnectionId,
    retention: Retention,
    shard: Shard,
    wires: Wires,
    counters: Arc<PeerCounters>,
}

impl World {
    fn new() -> Self {
        let graceful = GracefulRestart { restart_time_s: 120, long_lived_stale_time_s: LONG_LIVED_S };
        let config = SessionConfig {
            hold_time_s: 0,
            graceful_restart: Some(graceful),
            ..SessionConfig::new(OURS, Ipv4Addr::new(192, 0, 2, 1), THEIRS)
        };
        let mut world = World {
            now: Instant::now(),
            session: Session::new(config, 1),
            connection: ConnectionId::Incoming,
            retention: Retention::new(LONG_LIVED_S),
            shard: Shard::new(Arc::new(Snapshot::default())),
            wires: Wires::default(),
            counters: Arc::default(),
        };
        world.session.start(world.now);
        world
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Up(says) => self.come_up(says),
            Step::Announces => self.say(Some(&Said::path([THEIRS.0]))),
            Step::AnnouncesWith(community) => {
                let communities = [community].into_iter().collect();
                self.say(Some(&Said { communities, ..Said::path([THEIRS.0]) }));
            }
            Step::Withdraws => self.say(None),
            Step::EndOfRib => {
                let order = self.retention.end_of_rib(Family::Ipv4);
                self.obey(order);
            }
            Step::Borr => self.hear(5, &[0, 1, 1, 1]),
            Step::Eorr => self.hear(5, &[0, 1, 2, 1]),
            Step::Lost => {
                self.session.connection_closed(self.connection, self.now);
                self.attend();
            }
            Step::Notified(code, subcode) => self.hear(3, &Notification::new(code, subcode, &[]).encode()),
            Step::Wait(seconds) => self.wait(Duration::from_secs(seconds)),
        }
        self.settle();
    }

    /// As time passes, what is due is done when it is due.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.retention.next_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let orders = self.retention.handle_timeout(self.now);
            assert!(!orders.is_empty(), "what is due is done");
            self.obey(orders);
        }
        self.now = end;
    }

    fn come_up(&mut self, says: Says) {
        let mut capabilities = vec![Capability::family(Family::Ipv4), Capability::FourOctetAs(THEIRS)];
        capabilities.extend([Capability::RouteRefresh, Capability::EnhancedRouteRefresh]);
        let (afi, safi) = (1, 1);
        capabilities.extend(says.restart_time_s.map(|restart_time_s| {
            let family = says.forwarding.map(|forwarding| RestartFamily { afi, safi, forwarding });
            let families = family.into_iter().collect();
            let Says { restarting, notification, .. } = says;
            Capability::GracefulRestart(Restart { restarting, notification, restart_time_s, families })
        }));
        capabilities.extend(says.long_lived.map(|(stale_time_s, forwarding)| {
            Capability::LongLived(vec![LongLivedFamily { afi, safi, forwarding, stale_time_s }])
        }));
        let open = Open { asn: THEIRS, hold_time_s: 0, router_id: IDENTIFIER, capabilities };
        // After failures it rests; that takes no time that counts here.
        while !self.session.accepts_incoming() {
            let due = self.session.next_timeout().unwrap();
            self.session.handle_timeout(due);
            while self.session.poll_action().is_some() {}
        }
        self.session.connected(self.connection, self.now);
        self.session.input(self.connection).extend_from_slice(&open.encode().unwrap());
        self.attend();
        self.hear(4, &[]);
    }

    fn hear(&mut self, kind: u8, body: &[u8]) {
        let mut message = vec![0xff; 16];
        message.extend(((HEADER_LEN + body.len()) as u16).to_be_bytes());
        message.push(kind);
        message.extend(body);
        let whole = body.starts_with(&[0xff; 16]);
        self.session.input(self.connection).extend_from_slice(if whole { body } else { &message });
        self.attend();
    }

    /// Does what a peer's task does about what the session has to tell.
    fn attend(&mut self) {
        loop {
            let mut peer = None;
            let orders = match self.session.next_event(self.now) {
                None => break,
                Some(Event::Established(negotiated)) => {
                    peer = Some(rib_peer(&self.counters));
                    self.retention.established(self.now, &negotiated)
                }
                Some(Event::Down { retained, .. }) => self.retention.lost(self.now, retained),
                Some(Event::RefreshBegins(family)) => {
                    self.retention.refresh_begins(self.now, family).into_iter().collect()
                }
                Some(Event::RefreshEnds(family)) => self.retention.refresh_ends(family).into_iter().collect(),
                Some(_) => Vec::new(),
            };
            if let Some(peer) = peer {
                self.shard.peer_up(PEER, peer);
            }
            self.obey(orders);
        }
        while let Some(action) = self.session.poll_action() {
            if let Action::Close(id) = action {
                self.session.connection_closed(id, self.now);
            }
        }
    }

    fn obey(&mut self, orders: impl IntoIterator<Item = Order>) {
        for order in orders {
            match order {
                Order::Lost(retained) => self.shard.peer_lost(PEER, retained),
                Order::MarkStale(family) => self.shard.mark_stale(PEER, family),
                Order::LongLived(family) => self.shard.make_long_lived(PEER, family),
                Order::Sweep(family) => self.shard.sweep_stale(PEER, family),
            }
        }
    }

    fn say(&mut self, said: Option<&Said>) {
        let set = said.map(|said| said.attributes(PEER));
        let mut batch = Batch::new(PEER);
        batch.v4.push(set.as_ref(), net(), 0);
        self.shard.apply(&batch, &mut self.wires);
    }

    fn settle(&mut self) {
        let mut now = self.now;
        rib::settle(&mut self.shard, &mut self.wires, &mut now);
    }

    fn route(&self) -> Route {
        let [path] = self.shard.ipv4().paths(net()) else { return Route::Gone };
        match (self.shard.is_stale(Family::Ipv4, path), path.attributes().is_long_lived_stale()) {
            (false, _) => Route::Fresh,
            (true, false) => Route::Stale,
            (true, true) => Route::LongLived,
        }
    }
}

fn net() -> Net<u32> {
    Net::new(0x0a00_0000, 24)
}

fn rib_peer(counters: &Arc<PeerCounters>) -> RibPeer {
    let peer = rib::rib_peer(PEER, rib::policy(PEER, Role::Customer));
    RibPeer { counters: Arc::clone(counters), ..peer }
}
