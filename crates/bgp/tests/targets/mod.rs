//! What must hold for any octets whatever: the functions that the fuzz targets and the seeded tests share.
//!
//! Nothing here knows what the right answer is. It knows what an answer must be like: bounded, whole, the same when
//! asked twice, and fit to be sent on.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use palisade_bgp::attributes::NextHop;
use palisade_bgp::capability::{AddPathFamily, BgpRole, Capability, Restart, RestartFamily};
use palisade_bgp::encode::{Format, Rewrite, announcements, attribute_block, withdrawals};
use palisade_bgp::message::{
    HEADER_LEN, MAX_EXTENDED_LEN, MAX_LEN, MessageKind, Refresh, frame, keepalive, route_refresh,
};
use palisade_bgp::notification::Cease;
use palisade_bgp::open::Open;
use palisade_bgp::session::{Action, ConnectionId, Event, GracefulRestart, State};
use palisade_bgp::update::RibEntryForm;
use palisade_bgp::{
    AddPath, Address, Asn, AttributeCodes, Attributes, Context, Decoder, Family, MAX_FAULTS, Net,
    Notification, Path, Session, SessionConfig, Update,
};

/// A stream that is wrong is wrong however little of it has come, and one that is right stays right.
pub(crate) fn framing(octets: &[u8]) {
    for max in [MAX_LEN, MAX_EXTENDED_LEN] {
        let whole = frame(octets, max);
        if let Ok(Some((_, len))) = &whole {
            assert!((HEADER_LEN..=max.min(octets.len())).contains(len));
        }
        for cut in 0..octets.len().min(64) {
            match frame(&octets[..cut], max) {
                Ok(None) => {}
                part => assert_eq!(part, whole),
            }
        }
    }
}

/// An OPEN that is accepted is the same one after a round over the wire.
pub(crate) fn open(octets: &[u8]) {
    match Open::decode(octets) {
        Ok(open) => {
            assert!(open.hold_time_s == 0 || open.hold_time_s >= 3);
            if let Some(wire) = open.encode() {
                assert!(
                    matches!(frame(&wire, MAX_LEN), Ok(Some((MessageKind::Open, len))) if len == wire.len())
                );
                let back = Open::decode(&wire[HEADER_LEN..]);
                assert!(back.as_ref() == Ok(&open), "{open:?} {back:?}");
            }
        }
        Err(notification) => assert_eq!(notification.code, 2),
    }
}

/// The context that an octet picks.
fn context(flags: u8) -> Context {
    let bit = |n: u8| flags & 1 << n != 0;
    Context {
        four_octet_as: !bit(0),
        internal: bit(1),
        add_path: [bit(2), bit(3)],
        families: [!bit(4), !bit(5)],
        extended_next_hop: bit(6),
        stripped: if bit(7) { [4, 8, 28, 99].into_iter().collect() } else { AttributeCodes::default() },
    }
}

/// An UPDATE in the context that the first octet picks: it is refused with an UPDATE Message Error, or all that it announces
/// can be sent on to anyone without a fault. The same octets are no danger as a table entry either.
pub(crate) fn update(octets: &[u8]) {
    let Some((&flags, body)) = octets.split_first() else { return };
    let context = context(flags);
    let mut decoder = Decoder::new();
    match decoder.update(body, &context) {
        Ok(update) => {
            whole::<u32>(&update);
            whole::<u128>(&update);
            assert!(update.faults().len() <= MAX_FAULTS);
        }
        Err(notification) => assert_eq!(notification.code, 3),
    }
    for form in [RibEntryForm::TableDump, RibEntryForm::TableDumpV2] {
        let entry = decoder.rib_entry(body, form);
        match entry.attributes {
            Some(attributes) => fits(&attributes),
            None => assert!(!entry.faults.is_empty()),
        }
    }
}

fn whole<A: Address>(update: &Update<'_>) {
    let withdrawn: Vec<Path<A>> = update.withdrawn::<A>().collect();
    let masked = |net: Net<A>| net.len() <= A::BITS && net.address().network(net.len()) == net.address();
    assert!(withdrawn.iter().all(|path| masked(path.net)));
    let Some((attributes, nlri)) = update.announced::<A>() else { return };
    let paths: Vec<Path<A>> = nlri.collect();
    assert!(!paths.is_empty());
    fits(&attributes);
    for add_path in [false, true] {
        for (internal, four_octet_as) in [(false, true), (false, false), (true, true), (true, false)] {
            let add_path = [add_path; 2];
            // IPv4 goes behind an IPv6 next hop in half of them (RFC 8950).
            let extended_next_hop = internal;
            let context =
                Context { internal, four_octet_as, add_path, extended_next_hop, ..Context::default() };
            sent_on(&attributes, &paths, &context);
        }
        withdrawn_again(&withdrawn, add_path);
    }
}

/// The facts are those of the canonical wire form, whose attributes ascend and fill it.
fn fits(attributes: &Attributes<'_>) {
    let codes: Vec<u8> = attributes.iter().map(|attribute| attribute.code).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    assert_eq!(
        attributes.iter().map(|attribute| attribute.whole.len()).sum::<usize>(),
        attributes.wire.len()
    );
    let path = attributes.as_path();
    assert_eq!(attributes.facts.origin_as, path.origin());
    assert_eq!(attributes.facts.neighbor_as, path.neighbor());
    let value = |code| attributes.iter().find(|a| a.code == code).map(|a| a.value).unwrap_or_default();
    assert_eq!(path.octets(), value(2));
    assert_eq!(attributes.communities().len() * 4, value(8).len());
    assert_eq!(attributes.extended_communities().len() * 8, value(16).len());
    assert_eq!(attributes.large_communities().len() * 12, value(32).len());
    assert!(path.to_string().len() < 1 << 20);
}

/// Sends a path on, and has the receiver find no fault with it and the same path in it.
fn sent_on<A: Address>(attributes: &Attributes<'_>, paths: &[Path<A>], context: &Context) {
    let Context { internal, four_octet_as, add_path: [add_path, _], .. } = *context;
    let hop = match A::FAMILY {
        Family::Ipv4 if !context.extended_next_hop => NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)),
        _ => NextHop::V6 { global: Ipv4Addr::LOCALHOST.to_ipv6_mapped(), link_local: None },
    };
    let prepend = (!internal).then_some((Asn(4_200_000_000), 2));
    let rewrite = Rewrite { prepend, internal, four_octet_as, ..Rewrite::external(hop) };
    let (mut block, mut wire) = (Vec::new(), Vec::new());
    attribute_block(attributes, &rewrite, &mut block);
    let format = Format { add_path, ..Format::PLAIN };
    if announcements(&block, hop, paths.iter().copied(), format, &mut wire).is_err() {
        assert!(block.len() > 3000 && wire.is_empty());
        return;
    }
    let (mut decoder, mut back) = (Decoder::new(), Vec::new());
    each_message(&wire, |body| {
        let update = decoder.update(body, context);
        let Ok(update) = update else { return assert!(update.is_ok()) };
        assert!(update.faults().is_empty(), "{:?}", update.faults());
        let Some((got, nlri)) = update.announced::<A>() else {
            return assert!(update.announced::<A>().is_some());
        };
        fits(&got);
        let before = attributes
            .as_path()
            .asns()
            .filter(|_| four_octet_as && !attributes.as_path().has_confederation());
        assert!(got.as_path().asns().skip(if internal { 0 } else { 2 }).zip(before).all(|(a, b)| a == b));
        assert_eq!(got.facts.origin, attributes.facts.origin);
        back.extend(nlri);
    });
    assert!(same(paths, &back, add_path));
}

/// Whether paths came back as they were sent: without ADD-PATH, their identifiers did not go along.
fn same<A: Address>(sent: &[Path<A>], back: &[Path<A>], add_path: bool) -> bool {
    sent.iter().map(|path| if add_path { *path } else { path.net.into() }).eq(back.iter().copied())
}

fn withdrawn_again<A: Address>(paths: &[Path<A>], add_path: bool) {
    let context = Context { add_path: [add_path; 2], ..Context::default() };
    let format = Format { add_path, ..Format::PLAIN };
    let (mut wire, mut decoder, mut back) = (Vec::new(), Decoder::new(), Vec::new());
    withdrawals(paths.iter().copied(), format, &mut wire);
    each_message(&wire, |body| {
        if let Ok(update) = decoder.update(body, &context) {
            back.extend(update.withdrawn::<A>());
        }
    });
    assert!(same(paths, &back, add_path));
}

fn each_message(wire: &[u8], mut each: impl FnMut(&[u8])) {
    let mut rest = wire;
    while let Ok(Some((kind, len))) = frame(rest, MAX_LEN) {
        assert_eq!(kind, MessageKind::Update);
        each(&rest[HEADER_LEN..len]);
        rest = &rest[len..];
    }
    assert!(rest.is_empty());
}

/// A session under any sequence of operations, each one octet and what it needs. The caller it has here keeps to the rules, and
/// the peer to none.
pub(crate) fn session(octets: &[u8]) {
    let mut caller = Caller::new(octets.first().copied().unwrap_or(0));
    let mut rest = octets.get(1..).unwrap_or_default();
    while let Some((&operation, after)) = rest.split_first() {
        rest = caller.operate(operation, after);
        caller.settle();
    }
}

/// Who drives a session in [`session`]: what it knows of the connections, and what it was told.
struct Caller {
    session: Session,
    now: Instant,
    /// Whether there is a connection, as the sockets know it.
    open: [bool; 2],
    connecting: bool,
    up: bool,
    /// What it is willing to do with several paths to a prefix, in both families.
    add_path: AddPath,
    /// Whether routes are kept over a restart.
    graceful: bool,
    /// The longest message that it takes.
    longest: usize,
}

impl Caller {
    fn new(flags: u8) -> Self {
        let add_path = AddPath { send: flags & 8 != 0, receive: flags & 16 != 0 };
        let (graceful, extended) = (flags & 32 != 0, flags & 64 != 0);
        let restart = GracefulRestart { restart_time_s: 120, long_lived_stale_time_s: 3600 };
        let longest = if extended { MAX_EXTENDED_LEN } else { MAX_LEN };
        let config = SessionConfig {
            passive: flags & 1 != 0,
            hold_time_s: if flags & 2 != 0 { 0 } else { 9 },
            add_path: [add_path; 2],
            graceful_restart: graceful.then_some(restart),
            extended_messages: extended,
            role: extended.then_some(BgpRole::Provider),
            ..SessionConfig::new(Asn(64500), Ipv4Addr::new(192, 0, 2, u8::MAX - (flags & 4)), Asn(64501))
        };
        let session = Session::new(config, flags.into());
        Caller {
            session,
            now: Instant::now(),
            open: [false; 2],
            connecting: false,
            up: false,
            add_path,
            graceful,
            longest,
        }
    }

    /// Does one thing, and returns the octets it left.
    fn operate<'a>(&mut self, operation: u8, rest: &'a [u8]) -> &'a [u8] {
        let id = ConnectionId::ALL[usize::from(operation >> 7)];
        let kind = usize::from(operation >> 4 & 7);
        match operation & 15 {
            0 => self.session.start(self.now),
            1 => self.session.stop(self.now, cease(kind)),
            2 | 3 => self.connected(id),
            4 => self.closed(id),
            5 => self.pass(Duration::from_secs(1 << (operation >> 4 & 7))),
            6 => return self.pass_next(rest),
            7 => self.read(id, &peer_open()),
            8 => self.read(id, &keepalive()),
            9 => self.read(id, &route_refresh(REFRESHES[kind % REFRESHES.len()], Family::Ipv4)),
            10 => self.session.sent(self.now),
            11 => self.read(id, &notification(kind).encode()),
            12 => return self.read_counted(id, rest),
            13 => return self.read_update(id, rest),
            14 => self.read(id, &[0xff; 16]),
            _ => self.restart(kind),
        }
        rest
    }

    /// A restart of ours, or of the peer.
    fn restart(&mut self, kind: usize) {
        match kind {
            0 | 1 => self.session.leave(self.now, cease(0)),
            2 | 3 => self.session.set_restart(true, [kind == 2, true]),
            _ => {
                if let Some(id) = self.session.superseded() {
                    assert!(self.up && self.graceful);
                    self.closed(id);
                }
                self.connected(ConnectionId::Incoming);
            }
        }
    }

    fn connected(&mut self, id: ConnectionId) {
        let possible = match id {
            ConnectionId::Outgoing => std::mem::take(&mut self.connecting),
            ConnectionId::Incoming => self.session.accepts_incoming(),
        };
        if possible {
            assert!(!self.open[id.index()]);
            self.open[id.index()] = true;
            self.session.connected(id, self.now);
        }
    }

    fn closed(&mut self, id: ConnectionId) {
        let connecting = id == ConnectionId::Outgoing && std::mem::take(&mut self.connecting);
        if std::mem::take(&mut self.open[id.index()]) || connecting {
            self.session.connection_closed(id, self.now);
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.session.handle_timeout(self.now);
        assert!(self.session.next_timeout().is_none_or(|due| due > self.now));
    }

    fn pass_next<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        if let Some(due) = self.session.next_timeout() {
            self.pass(due.saturating_duration_since(self.now));
        }
        rest
    }

    fn read(&mut self, id: ConnectionId, octets: &[u8]) {
        if self.open[id.index()] {
            self.session.input(id).extend_from_slice(octets);
        }
    }

    fn read_counted<'a>(&mut self, id: ConnectionId, rest: &'a [u8]) -> &'a [u8] {
        let Some((&count, rest)) = rest.split_first() else { return rest };
        let (octets, rest) = rest.split_at(usize::from(count).min(rest.len()));
        self.read(id, octets);
        rest
    }

    fn read_update<'a>(&mut self, id: ConnectionId, rest: &'a [u8]) -> &'a [u8] {
        let Some((&count, rest)) = rest.split_first() else { return rest };
        let (body, rest) = rest.split_at(usize::from(count).min(rest.len()));
        let mut message = vec![0xff; 16];
        message.extend([0, HEADER_LEN as u8 + body.len().min(200) as u8, MessageKind::Update as u8]);
        message.extend(&body[..body.len().min(200)]);
        self.read(id, &message);
        rest
    }

    /// Does what the session asks for, and checks what it says.
    fn settle(&mut self) {
        loop {
            self.events();
            for id in ConnectionId::ALL {
                self.transmit(id);
            }
            match self.session.poll_action() {
                None => break,
                Some(Action::Connect) => {
                    assert!(!self.connecting && !self.open[0]);
                    self.connecting = true;
                }
                Some(Action::Close(id)) => {
                    self.transmit(id);
                    self.open[id.index()] = false;
                    if id == ConnectionId::Outgoing {
                        self.connecting = false;
                    }
                    self.session.connection_closed(id, self.now);
                }
            }
        }
        assert_eq!(self.up, self.session.state() == State::Established);
        assert_eq!(self.up, self.session.negotiated().is_some());
        assert!(!(self.up && self.session.accepts_incoming()));
    }

    fn events(&mut self) {
        while let Some(event) = self.session.next_event(self.now) {
            match event {
                Event::Established(negotiated) => {
                    assert!(!std::mem::replace(&mut self.up, true));
                    assert_eq!(negotiated.peer_asn, Asn(64501));
                    let ours = self.add_path;
                    let agreed = |one: &AddPath| one.send <= ours.send && one.receive <= ours.receive;
                    assert!(negotiated.add_path.iter().all(agreed));
                }
                Event::Down { retained, .. } => {
                    assert!(std::mem::replace(&mut self.up, false));
                    assert!(self.graceful || retained == [false; 2]);
                }
                Event::Failed(_) => assert!(!self.up),
                Event::RouteRefresh(_)
                | Event::RefreshBegins(_)
                | Event::RefreshEnds(_)
                | Event::RefreshIgnored(_) => assert!(self.up),
                Event::Update(update) => {
                    assert!(self.up);
                    whole::<u32>(&update);
                    whole::<u128>(&update);
                }
            }
        }
        for id in ConnectionId::ALL {
            assert!(self.session.input(id).len() < self.longest);
        }
    }

    fn transmit(&mut self, id: ConnectionId) {
        let mut messages = 0;
        while let Some(message) = self.session.poll_transmit(id) {
            assert!(matches!(frame(&message, self.longest), Ok(Some((_, len))) if len == message.len()));
            messages += 1;
        }
        assert!(messages <= 3);
    }
}

const REFRESHES: [Refresh; 3] = [Refresh::Request, Refresh::Begins, Refresh::Ends];

/// One of the reasons to end a session.
fn cease(kind: usize) -> Cease {
    match kind {
        0 => Cease::AdministrativeShutdown("maintenance".into()),
        1 => Cease::AdministrativeReset(String::new()),
        2 => Cease::MaximumPrefixes(Some((Family::Ipv6, 1))),
        _ => Cease::PeerDeconfigured,
    }
}

/// What a peer that has had enough says.
fn notification(kind: usize) -> Notification {
    match kind {
        0 => Notification::from(&cease(0)),
        1 => Notification::new(6, 9, &[6, 9, 6, 2]),
        _ => Notification::from(&Cease::CollisionResolution),
    }
}

/// An OPEN that [`Caller`]'s session agrees with.
pub(crate) fn peer_open() -> Vec<u8> {
    let mut capabilities = Family::ALL.map(Capability::family).to_vec();
    capabilities.push(Capability::FourOctetAs(Asn(64501)));
    let both = AddPath { send: true, receive: true };
    let add_path = Family::ALL.map(|family| AddPathFamily { afi: family.afi(), safi: 1, can: both });
    capabilities.push(Capability::AddPath(add_path.to_vec()));
    capabilities.extend([Capability::ExtendedMessage, Capability::EnhancedRouteRefresh]);
    capabilities.push(Capability::Role(BgpRole::Customer));
    let family = |family: Family| RestartFamily { afi: family.afi(), safi: 1, forwarding: true };
    let families = Family::ALL.map(family).to_vec();
    let restart = Restart { notification: true, restart_time_s: 9, families, ..Restart::default() };
    capabilities.push(Capability::GracefulRestart(restart));
    let router_id = Ipv4Addr::new(192, 0, 2, 253);
    Open { asn: Asn(64501), hold_time_s: 9, router_id, capabilities }.encode().unwrap_or_default()
}
