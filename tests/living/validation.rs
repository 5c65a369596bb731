//! What the RPKI says, over RTR: the start, changes one by one and in a burst, ASPAs, and a cache that dies or lies.

use std::fs;
use std::net::Ipv4Addr;
use std::thread::sleep;

use crate::asked::Router;
use crate::cache::{Cache, Data, Manner, Vrp};
use crate::world::{STILL, World, until};

const ORIGIN: u32 = 196_799;
const PREFIXES: u8 = 40;
const BURST: u32 = 200;
/// More than a router of so few routes has any use for.
const MEMORY_KIB: u64 = 512 * 1024;

/// For `45.second.0.0/16` up to /24.
fn vrp(second: u8, asn: u32) -> Vrp {
    (Ipv4Addr::new(45, second, 0, 0), 16, 24, asn)
}

fn data() -> Data {
    Data { vrps: [vrp(1, ORIGIN), vrp(2, 1)].into(), ..Data::default() }
}

fn world(cache: &Cache) -> World {
    let rpki = format!("[rpki]\nrtr = [{{ address = \"127.0.0.1:{}\", aspa = true }}]\n", cache.port);
    World::start(&rpki, &[])
}

#[test]
fn no_session_begins_before_the_cache_has_answered() {
    let cache = Cache::start(data());
    let mut world = world(&cache);
    world.provider.announce(&[ORIGIN], &[], &["45.1.0.0/24", "45.2.0.0/24", "45.3.0.0/24"]);
    sleep(STILL);
    assert!(
        [&world.provider, &world.customer, &world.listener]
            .iter()
            .all(|speaker| speaker.heard().is_nothing())
    );
    assert_eq!(world.router.json(&["summary"])["peers_up"], 0);
    assert_eq!(world.feed("rtr")["state"], "connecting");
    cache.be(Manner::Honest);
    world.wait_for_sessions();
    world.wait_for("45.1.0.0/24", "provider", "");
    world.wait_for("45.2.0.0/24", "provider", "rpki-invalid-origin");
    world.wait_for("45.3.0.0/24", "provider", "");
    assert_eq!(world.told("45.2.0.0/24"), (0, 0), "what is invalid is announced to nobody, not for a moment");
    world.hold_sessions();
}

#[test]
fn what_a_cache_says_counts_at_once_and_what_it_does_not_say_stays() {
    let mut cache = Cache::start(data());
    cache.be(Manner::Honest);
    let mut world = world(&cache);
    world.wait_for_sessions();
    let prefixes: Vec<String> = (1..=PREFIXES).map(|second| format!("45.{second}.0.0/24")).collect();
    let named: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    world.provider.announce(&[196_711, 196_712, ORIGIN], &[], &named);
    world.wait_for("45.2.0.0/24", "provider", "rpki-invalid-origin");
    world.wait_for("45.3.0.0/24", "provider", "");

    cache.add(vrp(3, 1));
    world.wait_for("45.3.0.0/24", "provider", "rpki-invalid-origin");
    cache.remove(vrp(3, 1));
    world.wait_for("45.3.0.0/24", "provider", "");
    assert_eq!(world.told("45.3.0.0/24"), (2, 1));

    let last = burst(&cache);
    for (second, prefix) in (1..=PREFIXES).zip(&named) {
        let is_invalid = last.vrps.contains(&vrp(second, 1)) && !last.vrps.contains(&vrp(second, ORIGIN));
        world.wait_for(prefix, "provider", if is_invalid { "rpki-invalid-origin" } else { "" });
    }

    leak(&cache, &world);
    dies(&mut cache, &world);
    lies(&cache, &world);
    world.hold_sessions();
}

/// Adds and removes, so fast that serials pass unseen.
fn burst(cache: &Cache) -> Data {
    let mut last = Data::default();
    for number in 0..BURST {
        let second = (number * 7 % u32::from(PREFIXES)) as u8 + 1;
        cache.change(|data| {
            for asn in [1, ORIGIN].into_iter().filter(|asn| (number + asn) % 3 > 0) {
                if !data.vrps.remove(&vrp(second, asn)) {
                    data.vrps.insert(vrp(second, asn));
                }
            }
            last = data.clone();
        });
    }
    assert!(last.vrps.len() > 20, "{last:?}");
    last
}

/// Two ASes on the way that have other providers only: the path went down and up again.
fn leak(cache: &Cache, world: &World) {
    cache.change(|data| {
        data.vrps = self::data().vrps;
        data.aspas.extend([(ORIGIN, vec![196_790]), (196_711, vec![196_702])]);
    });
    world.wait_for("45.3.0.0/24", "provider", "aspa-invalid");
    let explained = world.explain("45.3.0.0/24", "provider");
    assert_eq!(
        (&explained["aspa"]["state"], &explained["aspa"]["direction"]),
        (&"invalid".into(), &"downstream".into())
    );
    cache.attest(196_711, &[]);
    world.wait_for("45.3.0.0/24", "provider", "");
    cache.attest(196_711, &[196_702]);
    world.wait_for("45.3.0.0/24", "provider", "aspa-invalid");
    cache.attest(196_711, &[]);
    world.wait_for("45.3.0.0/24", "provider", "");
    world.wait_for("45.2.0.0/24", "provider", "rpki-invalid-origin");
}

/// Its data outlives it; what it comes back with is asked for whole, and what is the same in it moves nothing.
fn dies(cache: &mut Cache, world: &World) {
    let (data, told) = (cache.data(), world.listener.heard().told.clone());
    let before = world.feed("rtr");
    cache.kill();
    let feed = world.wait_for_feed("rtr", "stale");
    assert!(feed["alarming"] == true && feed["holds"] == before["holds"], "{feed}");
    sleep(STILL);
    assert_eq!(world.listener.heard().told, told);
    cache.start_again(data);
    let feed = world.wait_for_feed("rtr", "fresh");
    assert_ne!(feed["protocol"]["session"], before["protocol"]["session"]);
    assert!(cache.resets() >= 1);
    sleep(STILL);
    assert_eq!(world.listener.heard().told, told);
    cache.add(vrp(3, 1));
    world.wait_for("45.3.0.0/24", "provider", "rpki-invalid-origin");
}

/// It says something that would make everything invalid, and goes on with nonsense: nothing of that counts.
fn lies(cache: &Cache, world: &World) {
    cache.attest(196_711, &[196_702]);
    world.wait_for("45.1.0.0/24", "provider", "aspa-invalid");
    let (told, holds) = (world.listener.heard().told.clone(), world.feed("rtr")["holds"].clone());
    cache.be(Manner::Garbage);
    cache.remove(vrp(3, 1));
    let feed = world.wait_for_feed("rtr", "stale");
    assert!(feed["error"].is_string() && feed["holds"] == holds, "{feed}");
    sleep(STILL);
    assert_eq!(world.listener.heard().told, told);
    assert_eq!(world.reason("45.1.0.0/24", "provider"), "aspa-invalid", "{}", world.log());
    let resident = resident_kib(&world.router);
    assert!(resident < MEMORY_KIB, "{resident} KiB");
    cache.be(Manner::Honest);
    until("it is believed again", || world.feed("rtr")["error"].is_null());
    sleep(STILL);
    assert_eq!(world.reason("45.1.0.0/24", "provider"), "aspa-invalid", "{}", world.feed("rtr"));
    world.wait_for("45.3.0.0/24", "provider", "aspa-invalid");
}

fn resident_kib(router: &Router) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", router.child.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}
