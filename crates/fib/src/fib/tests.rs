//! The reconciler against the kernel in memory: single faults one by one, then all of them at random.

use super::*;
use crate::config::{MAIN_TABLE, PALISADE_PROTOCOL};
use crate::error::Errno;
use crate::kernel::{KernelNextHop, KernelRoute, RouteTarget, Via};
use crate::memory::MemoryKernel;
use std::collections::BTreeMap;
use std::net::IpAddr;

const METRIC: u32 = 32;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn via(text: &str) -> Option<NextHop> {
    Some(text.parse::<IpAddr>().unwrap().into())
}

/// Two links with one network each, and IPv6 on the first.
fn plug_in(kernel: &mut MemoryKernel) {
    for link in [1, 2] {
        kernel.set_link(link, true, true);
        reconnect(kernel, link);
    }
}

/// What addresses do when their link comes up.
fn reconnect(kernel: &mut MemoryKernel, link: u32) {
    let networks: &[&str] =
        if link == 1 { &["192.0.2.0/24", "2001:db8:1::/64"] } else { &["203.0.113.0/24"] };
    networks.iter().for_each(|network| kernel.connect(net(network), link));
}

fn opened() -> Fib<MemoryKernel> {
    let mut kernel = MemoryKernel::new();
    plug_in(&mut kernel);
    let mut fib = Fib::open(kernel, FibConfig::default()).unwrap();
    fib.start_complete();
    fib
}

/// Polls and syncs until nothing is pending, without letting time pass.
fn settle(fib: &mut Fib<MemoryKernel>, now: Instant) -> Progress {
    while fib.poll_kernel().unwrap().events > 0 {}
    for _ in 0..1000 {
        let progress = fib.sync(now).unwrap();
        if progress.pending == 0 {
            return progress;
        }
    }
    panic!("does not settle: {:?}", fib.stats());
}

/// Settles, letting time pass until nothing waits for a retry either.
fn settle_over_time(fib: &mut Fib<MemoryKernel>, now: &mut Instant) {
    for _ in 0..100 {
        while fib.poll_kernel().unwrap().events > 0 {}
        match fib.sync(*now) {
            Ok(Progress { pending: 0, retry_at: None, .. }) => return,
            Ok(Progress { pending: 0, retry_at: Some(at), .. }) => *now = at.max(*now),
            Ok(_) => {}
            Err(FibError::Kernel(_)) => *now += BETWEEN_AUDITS,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("does not settle: {:?}", fib.stats());
}

fn installed(fib: &Fib<MemoryKernel>, prefix: &str) -> Option<NextHop> {
    let kernel = fib.kernel();
    let route = kernel.routes_of(PALISADE_PROTOCOL).find(|route| route.prefix == net(prefix))?;
    kernel.gateway_of(route).map(|(address, link)| NextHop::gateway(address, link))
}

#[test]
fn a_prefix_that_flaps_before_its_turn_costs_one_operation() {
    let mut fib = opened();
    let now = Instant::now();
    let before = fib.kernel().operations();
    for _ in 0..100 {
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        fib.set(net("198.51.100.0/24"), None);
        fib.set(net("198.51.100.0/24"), via("192.0.2.3"));
    }
    assert_eq!(fib.stats().pending, 1);
    settle(&mut fib, now);
    assert_eq!(installed(&fib, "198.51.100.0/24"), via("192.0.2.3"));
    // One object and one route; the next hop that was only in between never became an object.
    assert_eq!(fib.kernel().operations() - before, 2);
    assert_eq!(fib.stats().next_hops, 1);
}

#[test]
fn of_each_prefix_it_is_known_how_its_route_stands() {
    let mut fib = opened();
    let (near, far) = ("198.51.100.0/24", "198.51.101.0/24");
    assert_eq!(fib.state(net(near)), RouteState::NotWanted);
    fib.set(net(near), via("192.0.2.2"));
    fib.set(net(far), via("198.18.0.1"));
    settle(&mut fib, Instant::now());
    assert_eq!(fib.state(net(near)), RouteState::Installed(via("192.0.2.2").unwrap()));
    assert_eq!(fib.state(net(far)), RouteState::Unresolved(via("198.18.0.1").unwrap()));
    // To a next hop that is in use already, so that only the route is missing.
    fib.set(net("198.51.102.0/24"), via("192.0.2.2"));
    assert_eq!(fib.state(net("198.51.102.0/24")), RouteState::Pending(via("192.0.2.2").unwrap()));
    fib.set(net(near), None);
    settle(&mut fib, Instant::now());
    assert_eq!(fib.state(net(near)), RouteState::NotWanted);
}

#[test]
fn batches_are_bounded_and_families_take_turns() {
    let mut fib = opened();
    let now = Instant::now();
    for number in 0..1000_u32 {
        fib.set(
            IpNet::new(IpAddr::from((0x0a00_0000 + (number << 8)).to_be_bytes()), 24).unwrap(),
            via("192.0.2.2"),
        );
    }
    fib.set(net("2001:db8:5::/48"), via("2001:db8:1::2"));
    fib.sync(now).unwrap();
    let progress = fib.sync(now).unwrap();
    assert_eq!(progress.pending, 1000 - BATCH);
    assert_eq!(
        installed(&fib, "2001:db8:5::/48"),
        via("2001:db8:1::2"),
        "IPv6 does not wait for all of IPv4"
    );
    settle(&mut fib, now);
    assert_eq!(fib.kernel().largest_batch(), BATCH);
    assert!(fib.verify().unwrap().agrees());
}

#[test]
fn one_bad_route_blocks_no_other_and_is_retried_with_growing_pauses() {
    let mut fib = opened();
    let mut now = Instant::now();
    let bad = net("198.51.100.0/24");
    fib.kernel_mut().refuse_prefix(bad, Errno(libc::ENOMEM));
    fib.set(bad, via("192.0.2.2"));
    fib.set(net("198.18.0.0/15"), via("192.0.2.2"));
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let retry_at = settle(&mut fib, now).retry_at.unwrap();
        pauses.push((retry_at - now).as_secs());
        now = retry_at;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(installed(&fib, "198.18.0.0/15"), via("192.0.2.2"));
    let stats = fib.stats();
    assert_eq!((stats.retrying, stats.installed, stats.failures.len()), (1, 1, 1), "{stats:?}");
    assert_eq!((stats.failures[0].prefix, stats.failures[0].errno), (bad, Errno(libc::ENOMEM)));
    fib.kernel_mut().accept_prefix(bad);
    settle_over_time(&mut fib, &mut now);
    assert!(fib.verify().unwrap().agrees());
}

#[test]
fn what_will_never_be_accepted_is_given_up_until_something_changes() {
    let mut fib = opened();
    let now = Instant::now();
    let bad = net("198.51.100.0/24");
    fib.set(bad, via("192.0.2.2"));
    settle(&mut fib, now);
    fib.kernel_mut().refuse_prefix(bad, Errno(libc::EINVAL));
    fib.set(bad, via("192.0.2.3"));
    let progress = settle(&mut fib, now);
    assert_eq!(progress.retry_at, None);
    assert_eq!(installed(&fib, "198.51.100.0/24"), None, "the old route leads where nobody wants it to");
    assert_eq!(fib.stats().refused, 1);
    fib.kernel_mut().accept_prefix(bad);
    fib.set(bad, via("192.0.2.2"));
    settle(&mut fib, now);
    assert_eq!((installed(&fib, "198.51.100.0/24"), fib.stats().refused), (via("192.0.2.2"), 0));
}

#[test]
fn a_lost_answer_leads_to_a_comparison_whether_or_not_the_batch_took_effect() {
    for applied in [false, true] {
        let mut fib = opened();
        let mut now = Instant::now();
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        settle(&mut fib, now);
        fib.kernel_mut().break_next_batch(applied, KernelError::TimedOut(5));
        fib.set(net("198.51.100.0/24"), None);
        fib.set(net("198.18.0.0/15"), via("192.0.2.2"));
        assert!(matches!(fib.sync(now), Err(FibError::Kernel(KernelError::TimedOut(_)))));
        settle_over_time(&mut fib, &mut now);
        assert_eq!(installed(&fib, "198.51.100.0/24"), None);
        assert_eq!(installed(&fib, "198.18.0.0/15"), via("192.0.2.2"));
        assert!(fib.verify().unwrap().agrees());
    }
}

#[test]
fn unresolved_next_hops_cost_nothing_until_their_network_appears() {
    let mut fib = opened();
    let now = Instant::now();
    let before = fib.kernel().operations();
    for number in 0..100 {
        fib.set(net(&format!("198.18.{number}.0/24")), via("198.51.100.9"));
    }
    fib.set(net("2001:db8:5::/48"), via("fe80::1"));
    assert_eq!(settle(&mut fib, now).retry_at, None);
    assert_eq!(fib.kernel().operations(), before);
    let stats = fib.stats();
    assert_eq!((stats.unresolved, stats.retrying), (101, 0));
    assert!(
        stats.unresolved_next_hops.iter().any(|hop| hop.routes == 100 && hop.reason.contains("no connected"))
    );
    assert!(stats.unresolved_next_hops.iter().any(|hop| hop.reason.contains("link-local")));
    fib.kernel_mut().connect(net("198.51.100.0/24"), 2);
    settle(&mut fib, now);
    assert_eq!(fib.stats().installed, 100);
    assert!(fib.verify().unwrap().agrees());
}

#[test]
fn a_gateway_that_moves_to_another_link_is_one_operation_for_all_its_routes() {
    let mut fib = opened();
    let now = Instant::now();
    for number in 0..100 {
        fib.set(net(&format!("198.18.{number}.0/24")), via("192.0.2.2"));
    }
    settle(&mut fib, now);
    let before = fib.kernel().operations();
    fib.kernel_mut().connect(net("192.0.2.0/28"), 2);
    settle(&mut fib, now);
    assert_eq!(fib.kernel().operations() - before, 1);
    let kernel = fib.kernel();
    assert!(
        kernel
            .routes_of(PALISADE_PROTOCOL)
            .all(|route| kernel.gateway_of(route) == Some(("192.0.2.2".parse().unwrap(), 2)))
    );
}

#[test]
fn an_id_that_someone_else_uses_is_left_to_them() {
    let mut fib = opened();
    let first = crate::next_hops::FIRST_ID;
    for id in first..first + 3 {
        let gateway = Some(("192.0.2.200".parse().unwrap(), 1));
        fib.kernel_mut().insert_object(KernelNextHop { id, protocol: 4, gateway });
    }
    fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
    settle(&mut fib, Instant::now());
    assert_eq!(installed(&fib, "198.51.100.0/24"), via("192.0.2.2"));
    assert_eq!(fib.kernel().objects_of(4).count(), 3);
}

#[test]
fn missing_permission_is_an_error_and_changes_nothing() {
    let mut kernel = MemoryKernel::new();
    plug_in(&mut kernel);
    kernel.refuse_operation(0, Errno(libc::EPERM));
    assert!(matches!(Fib::open(kernel, FibConfig::default()), Err(FibError::NotPermitted)));
}

#[test]
fn lists_of_examples_are_bounded() {
    let mut fib = opened();
    let now = Instant::now();
    for number in 0..200 {
        fib.set(net(&format!("198.18.{number}.0/24")), via(&format!("198.51.100.{number}")));
        fib.kernel_mut().refuse_prefix(net(&format!("198.19.{number}.0/24")), Errno(libc::ENOSPC));
        fib.set(net(&format!("198.19.{number}.0/24")), via("192.0.2.2"));
        fib.set(net(&format!("10.0.{number}.0/24")), via("192.0.2.2"));
    }
    settle(&mut fib, now);
    for number in 0..200 {
        fib.kernel_mut().remove(MAIN_TABLE, net(&format!("10.0.{number}.0/24")), METRIC);
    }
    let stats = fib.stats();
    assert_eq!((stats.unresolved, stats.retrying), (200, 200));
    assert_eq!((stats.unresolved_next_hops.len(), stats.failures.len()), (EXAMPLES, EXAMPLES));
    let found = fib.verify().unwrap();
    assert_eq!((found.missing.count, found.missing.examples.len()), (200, EXAMPLES));
}

/// The random model: actions on both sides and faults between, then quiet; and the kernel must hold what is desired.
mod model {
    use super::*;

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 8) % bound
        }

        fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
            let index = self.below(from.len() as u64);
            &from[index as usize]
        }
    }

    struct World {
        fib: Fib<MemoryKernel>,
        wanted: BTreeMap<IpNet, NextHop>,
        now: Instant,
        random: Random,
        prefixes: Vec<IpNet>,
        next_hops: Vec<NextHop>,
        events_were_dropped: bool,
    }

    fn world(seed: u64, mut kernel: MemoryKernel) -> World {
        plug_in(&mut kernel);
        let mut prefixes: Vec<IpNet> = (0..24).map(|number| net(&format!("198.18.{number}.0/24"))).collect();
        prefixes.extend((0..12).map(|number| net(&format!("2001:db8:{number:x}00::/40"))));
        prefixes.extend(["0.0.0.0/0", "::/0", "198.18.0.0/16"].map(net));
        let next_hops =
            ["192.0.2.2", "192.0.2.3", "203.0.113.2", "2001:db8:1::2", "2001:db8:1::3", "198.51.100.1"];
        let next_hops = next_hops.iter().map(|address| NextHop::from(address.parse::<IpAddr>().unwrap()));
        // The same address on either link, and on one that nobody names.
        let link_local = (0..3).map(|link| NextHop::gateway("fe80::1".parse().unwrap(), link));
        World {
            fib: Fib::open(kernel, FibConfig::default()).unwrap(),
            wanted: BTreeMap::new(),
            now: Instant::now(),
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            prefixes,
            next_hops: next_hops.chain(link_local).chain([NextHop::Discard]).collect(),
            events_were_dropped: false,
        }
    }

    impl World {
        fn act(&mut self) {
            let prefix = *self.random.pick(&self.prefixes);
            let next_hop = *self.random.pick(&self.next_hops);
            let link = 1 + self.random.below(2) as u32;
            match self.random.below(40) {
                0..=13 => {
                    self.fib.set(prefix, Some(next_hop));
                    self.wanted.insert(prefix, next_hop);
                }
                14..=17 => {
                    self.fib.set(prefix, None);
                    self.wanted.remove(&prefix);
                }
                18..=21 => drop(self.fib.sync(self.now)),
                22..=23 => drop(self.fib.poll_kernel().unwrap()),
                24 => self.now += Duration::from_millis(700),
                25 => self.flap(link),
                26 => self.fib.kernel_mut().disconnect(net("192.0.2.0/24")),
                27 => self.fib.kernel_mut().connect(net("192.0.2.0/28"), link),
                28 => self.fib.kernel_mut().disconnect(net("192.0.2.0/28")),
                29..=33 => self.meddle(prefix, next_hop, link),
                34..=37 => self.fault(prefix),
                38 => self.crash(),
                _ => self.fib.start_complete(),
            }
        }

        fn flap(&mut self, link: u32) {
            let (up, carrier) = *self.random.pick(&[(true, true), (true, false), (false, false)]);
            let kernel = self.fib.kernel_mut();
            kernel.set_link(link, up, carrier);
            if up {
                reconnect(kernel, link);
            }
        }

        /// What other programs and people do.
        fn meddle(&mut self, prefix: IpNet, next_hop: NextHop, link: u32) {
            let protocol = *self.random.pick(&[4, PALISADE_PROTOCOL]);
            let target = RouteTarget::Via(match next_hop {
                NextHop::Gateway { address, .. } => Via::Gateway { address, link },
                NextHop::Discard => Via::Discard,
            });
            let choice = self.random.below(5);
            let kernel = self.fib.kernel_mut();
            let object = kernel.objects_of(PALISADE_PROTOCOL).nth(usize::from(link == 1)).copied();
            match (choice, object) {
                (0..=1, _) => kernel.remove(MAIN_TABLE, prefix, METRIC),
                (2, _) => {
                    kernel.insert(KernelRoute { prefix, table: MAIN_TABLE, protocol, metric: METRIC, target })
                }
                (3, Some(object)) => kernel.remove_object(object.id),
                (_, Some(object)) => {
                    kernel.insert_object(KernelNextHop {
                        gateway: Some(("192.0.2.99".parse().unwrap(), 1)),
                        ..object
                    });
                }
                (_, None) => {
                    kernel.insert(KernelRoute { prefix, table: MAIN_TABLE, protocol, metric: 77, target })
                }
            }
        }

        fn fault(&mut self, prefix: IpNet) {
            let nth = self.random.below(6);
            let errno = *self.random.pick(&[
                libc::EINVAL,
                libc::ENOMEM,
                libc::ENETUNREACH,
                libc::ENOENT,
                libc::EEXIST,
            ]);
            let applied = self.random.below(2) == 0;
            let choice = self.random.below(6);
            let kernel = self.fib.kernel_mut();
            match choice {
                0..=1 => kernel.refuse_operation(nth, Errno(errno)),
                2 => kernel.refuse_prefix(prefix, Errno(errno)),
                3 => kernel.break_next_batch(applied, KernelError::Overrun),
                4 => kernel.overrun(),
                _ => {
                    kernel.drop_events(1);
                    self.events_were_dropped = true;
                }
            }
        }

        /// The process dies; its successor learns the same routes again.
        fn crash(&mut self) {
            let mut kernel = std::mem::take(self.fib.kernel_mut());
            kernel.clear_faults();
            for number in 0..4 {
                kernel.refuse_operation(number, Errno(libc::ENOMEM));
            }
            let old = std::mem::replace(&mut self.fib, Fib::open(kernel, FibConfig::default()).unwrap());
            drop(old);
            self.wanted.iter().for_each(|(&prefix, &next_hop)| self.fib.set(prefix, Some(next_hop)));
        }

        /// Faults end, strangers take their routes away, links come up; then all must be as desired.
        fn come_to_rest(&mut self) {
            self.fib.kernel_mut().clear_faults();
            for prefix in self.prefixes.clone() {
                let kernel = self.fib.kernel_mut();
                if kernel.routes_of(4).any(|route| route.prefix == prefix && route.metric == METRIC) {
                    kernel.remove(MAIN_TABLE, prefix, METRIC);
                }
            }
            let kernel = self.fib.kernel_mut();
            for link in [1, 2] {
                kernel.set_link(link, true, true);
                reconnect(kernel, link);
            }
            self.fib.start_complete();
            // The real kernel says so when it drops notifications; without a word only a comparison helps.
            if std::mem::take(&mut self.events_were_dropped) {
                self.fib.verify().unwrap();
            }
            settle_over_time(&mut self.fib, &mut self.now);
            // Whatever was refused for good gets another chance by a comparison.
            self.fib.verify().unwrap();
            settle_over_time(&mut self.fib, &mut self.now);
        }

        /// What the kernel should hold, found without the code under test: gateways with their links, or nothing where packets are dropped.
        fn expected(&self) -> BTreeMap<IpNet, Option<(IpAddr, u32)>> {
            let onto_links: Vec<(IpNet, u32)> = self
                .fib
                .kernel()
                .routes_of(2)
                .filter_map(|route| match route.target {
                    RouteTarget::OnLink(link) => Some((route.prefix, link)),
                    _ => None,
                })
                .collect();
            let covering = |address: IpAddr| {
                let covering = onto_links.iter().filter(|(network, _)| network.contains(&address));
                covering.max_by_key(|(network, _)| network.prefix_len()).map(|(_, link)| *link)
            };
            let resolved = |next_hop: NextHop| match next_hop {
                NextHop::Discard => Some(None),
                NextHop::Gateway { address, link: 0 } => Some(Some((address, covering(address)?))),
                NextHop::Gateway { address, link } => Some(Some((address, link))),
            };
            self.wanted
                .iter()
                .filter_map(|(prefix, next_hop)| Some((*prefix, resolved(*next_hop)?)))
                .collect()
        }

        fn check(&mut self) {
            let kernel = self.fib.kernel();
            let held: BTreeMap<IpNet, Option<(IpAddr, u32)>> = kernel
                .routes_of(PALISADE_PROTOCOL)
                .map(|route| (route.prefix, kernel.gateway_of(route)))
                .collect();
            assert_eq!(held, self.expected());
            assert_eq!(kernel.routes_of(PALISADE_PROTOCOL).count(), held.len(), "strays of another metric");
            assert!(kernel.dangling().is_empty());
            assert_eq!(kernel.routes_of(4).filter(|route| route.metric == METRIC).count(), 0);
            // One object serves a gateway's routes wherever it moves, but a link-local address has one on each link.
            let mut gateways: Vec<_> = held
                .values()
                .flatten()
                .map(|(address, link)| match NextHop::gateway(*address, *link) {
                    NextHop::Gateway { address, link } => (address, link),
                    NextHop::Discard => unreachable!("it is a gateway"),
                })
                .collect();
            gateways.sort();
            gateways.dedup();
            let objects = kernel.objects_of(PALISADE_PROTOCOL).count();
            assert_eq!(objects, if self.fib.stats().next_hop_objects { gateways.len() } else { 0 });
            let stats = self.fib.stats();
            assert_eq!((stats.desired, stats.installed), (self.wanted.len(), held.len()), "{stats:?}");
            assert_eq!(stats.unresolved, self.wanted.len() - held.len());
            let agreement = self.fib.verify().unwrap();
            assert!(agreement.agrees(), "{agreement:?}");
            assert_eq!((agreement.agreed, agreement.unresolved), (held.len(), stats.unresolved));
        }
    }

    fn run(seeds: std::ops::Range<u64>, kernel: fn() -> MemoryKernel) {
        for seed in seeds {
            let mut world = world(seed, kernel());
            println!("seed {seed}");
            for _ in 0..4 {
                for _ in 0..60 {
                    world.act();
                }
                world.come_to_rest();
                world.check();
            }
            world.fib.sweep().unwrap();
            assert_eq!(world.fib.kernel().routes_of(PALISADE_PROTOCOL).count(), 0);
            assert_eq!(world.fib.kernel().objects_of(PALISADE_PROTOCOL).count(), 0);
        }
    }

    #[test]
    fn whatever_happens_the_kernel_ends_up_as_desired() {
        run(1..400, MemoryKernel::new);
    }

    #[test]
    fn and_so_it_does_without_nexthop_objects() {
        run(1..400, MemoryKernel::without_next_hop_objects);
    }

    /// Without silent losses and without routes refused for good, no comparison is needed to get there.
    #[test]
    fn notifications_alone_lead_there_too() {
        for seed in 1..300 {
            let mut world = world(seed, MemoryKernel::new());
            println!("seed {seed}");
            world.fib.start_complete();
            for _ in 0..150 {
                match world.random.below(12) {
                    0..=5 => {
                        let prefix = *world.random.pick(&world.prefixes);
                        let next_hop = *world.random.pick(&world.next_hops);
                        world.fib.set(prefix, Some(next_hop));
                        world.wanted.insert(prefix, next_hop);
                    }
                    6 => drop(world.fib.sync(world.now).unwrap()),
                    7 => drop(world.fib.poll_kernel().unwrap()),
                    8 => {
                        let link = 1 + world.random.below(2) as u32;
                        world.flap(link);
                    }
                    _ => {
                        let prefix = *world.random.pick(&world.prefixes);
                        world.fib.kernel_mut().remove(MAIN_TABLE, prefix, METRIC);
                    }
                }
            }
            let kernel = world.fib.kernel_mut();
            for link in [1, 2] {
                kernel.set_link(link, true, true);
                reconnect(kernel, link);
            }
            settle_over_time(&mut world.fib, &mut world.now);
            assert_eq!(world.fib.stats().audits, 1, "only the one at the start");
            world.check();
        }
    }
}
