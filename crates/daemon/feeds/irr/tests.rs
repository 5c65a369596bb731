//! The feed as the router has it, against a little IRRd and files in a folder.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use palisade_bgp::Prefix;
use palisade_policy::as_set::Member;
use palisade_policy::{ExpansionLimits, IrrIndex};
use toml::Spanned;

use super::irrd::{Irrd, Registry};
use super::{IrrFeed, IrrTables, SourceStatus};
use crate::config::{Irr, IrrCache, Mirror, SizeGuard, Whois};
use crate::feeds::source_state::SourceState;

const PATIENCE: Duration = Duration::from_secs(20);
const SETTLING: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(50);

const ONE: &str = "as-set: AS-TOP\nmembers: AS1, AS-INNER, AS-NOBODY\n\nas-set: AS-INNER\nmembers: AS2, AS-TOP\n\n\
    route: 10.1.0.0/16\norigin: AS1\n\nroute6: 2001:db8:1::/48\norigin: AS1\n\nroute: 10.2.0.0/16\norigin: AS2\n\n\
    route: 10.9.0.0/16\norigin: AS9";
const TWO: &str = "as-set: AS-TOP\nmembers: AS3\n\nroute: 10.3.0.0/16\norigin: AS3";

fn plain() -> Irr {
    Irr { cache: IrrCache::Off, ..Irr::default() }
}

fn whois(irrd: &Irrd) -> Spanned<Whois> {
    let server = irrd.address.to_string().parse().unwrap();
    Spanned::new(0..0, Whois { server, refresh: SOON, sources: Vec::new() })
}

fn wanted(names: &[&str]) -> Arc<[Member]> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// Waits for tables that are as they should be.
async fn until(feed: &IrrFeed, what: impl Fn(&IrrTables) -> bool) -> IrrTables {
    let mut tables = feed.tables();
    let found = tokio::time::timeout(PATIENCE, tables.wait_for(|tables| what(tables))).await;
    let Ok(found) = found else { panic!("it does not come to that: {:?}", feed.status().await) };
    found.unwrap().clone()
}

/// Waits for a source that stands as it should.
async fn stands(feed: &IrrFeed, what: impl Fn(&SourceStatus) -> bool) -> SourceStatus {
    let look = async {
        loop {
            if let Some(status) = feed.status().await.into_iter().find(|status| what(status)) {
                return status;
            }
            tokio::time::sleep(SOON).await;
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(status) => status,
        Err(_) => panic!("it does not come to that: {:?}", feed.status().await),
    }
}

fn origins(index: &IrrIndex, set: &str) -> Vec<u32> {
    let expansion = index.expand(set, &ExpansionLimits::default());
    expansion.map(|expansion| expansion.origins.iter().map(|asn| asn.0).collect()).unwrap_or_default()
}

fn has(index: &IrrIndex, prefix: &str) -> bool {
    let prefix: Prefix = prefix.parse().unwrap();
    index.covering(prefix).any(|route| route.prefix == prefix)
}

#[tokio::test]
async fn a_whois_server_is_asked_for_what_peers_need_and_for_nothing_else() {
    let irrd = Irrd::start(vec![Registry::new("ONE", ONE), Registry::new("TWO", TWO)], false);
    let config = Irr { whois: vec![whois(&irrd)], ..plain() };
    let feed = IrrFeed::start(&config, wanted(&["AS-TOP"]), SETTLING);
    let tables = until(&feed, |tables| tables.is_ready).await;
    assert_eq!(origins(&tables.index, "AS-TOP"), [1, 2]);
    assert_eq!(tables.index.len(), 3);
    assert!(has(&tables.index, "2001:db8:1::/48") && !has(&tables.index, "10.9.0.0/16"));
    let status = stands(&feed, |status| status.state == SourceState::Fresh).await;
    assert!(status.note.unwrap().contains("1 sets that no registry has: AS-NOBODY"));

    // Another registry's set of the same name is another set.
    feed.want(wanted(&["AS-TOP", "TWO::AS-TOP", "AS9"]));
    let tables = until(&feed, |tables| has(&tables.index, "10.9.0.0/16")).await;
    assert_eq!(origins(&tables.index, "TWO::AS-TOP"), [3]);
    assert_eq!(origins(&tables.index, "AS-TOP"), [1, 2]);
    assert!(has(&tables.index, "10.3.0.0/16"));
    let asked = irrd.questions();
    assert!(
        asked.iter().all(|question| !question.starts_with("!a") && !question.ends_with(",1")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn what_fails_or_comes_out_empty_changes_nothing() {
    let irrd = Irrd::start(vec![Registry::new("ONE", ONE)], false);
    let config = Irr { whois: vec![whois(&irrd)], guard: None, ..plain() };
    let feed = IrrFeed::start(&config, wanted(&["AS-TOP"]), SETTLING);
    let first = until(&feed, |tables| tables.is_ready).await;

    // The peer's set is gone, and so is everything that it led to.
    irrd.serve(vec![Registry::new(
        "ONE",
        "route: 10.1.0.0/16\norigin: AS1\n\nas-set: AS-INNER\nmembers: AS2",
    )]);
    let status = stands(&feed, |status| {
        status.note.as_ref().is_some_and(|note| note.contains("the last answer stays: AS-TOP"))
    });
    let status = status.await;
    assert_eq!((status.as_sets, status.route_objects), (2, 1), "{status:?}");
    assert_eq!(origins(&feed.tables().borrow().index, "AS-TOP"), [1, 2]);

    // All is gone.
    irrd.serve(vec![Registry::new("ONE", "")]);
    let status = stands(&feed, |status| status.state == SourceState::Failing).await;
    assert!(status.error.unwrap().contains("no route object for what peers need"));
    assert_eq!((status.as_sets, status.route_objects), (2, 1));

    // The server talks nonsense.
    irrd.break_down("HTTP/1.1 400 Bad Request\r\n\r\n");
    let told =
        |status: &SourceStatus, words: &str| status.error.as_ref().is_some_and(|error| error.contains(words));
    let status = stands(&feed, |status| told(status, "no answer of IRRd's protocol")).await;
    assert!(status.next_try_s.is_some() && status.age_s.is_some());
    assert_eq!(origins(&feed.tables().borrow().index, "AS-TOP"), origins(&first.index, "AS-TOP"));
}

const ROUTE: &str = "route: 10.7.0.0/16\norigin: AS7\nsource: ONE";

/// A mirror of ONE from serial 10 on, of a dump that lies in a folder.
fn mirror(irrd: &Irrd, folder: &Path) -> Spanned<Mirror> {
    fs::write(folder.join("one.db"), format!("{ONE}\n\n{ROUTE}\n")).unwrap();
    fs::write(folder.join("serial"), "10\n").unwrap();
    let server = irrd.address.to_string().parse().unwrap();
    let dumps = vec![folder.join("one.db")];
    let mirror = Mirror { source: "ONE".into(), server, dumps, serial: folder.join("serial"), poll: SOON };
    Spanned::new(0..0, mirror)
}

fn journalling(first: u64) -> Irrd {
    let mut registry = Registry::new("ONE", "");
    registry.begin_at(first);
    Irrd::start(vec![registry], false)
}

#[tokio::test]
async fn a_mirror_begins_with_a_dump_and_follows() {
    let (folder, irrd) = (tempfile::tempdir().unwrap(), journalling(11));
    irrd.change(|registry| registry.change("ADD", "route: 10.8.0.0/16\norigin: AS8"));
    let config = Irr { mirrors: vec![mirror(&irrd, folder.path())], ..plain() };
    let feed = IrrFeed::start(&config, wanted(&[]), SETTLING);
    let tables = until(&feed, |tables| has(&tables.index, "10.8.0.0/16")).await;
    assert_eq!(origins(&tables.index, "AS-TOP"), [1, 2]);
    assert!(has(&tables.index, "10.7.0.0/16"));

    let serial = irrd.change(|registry| {
        registry.change("DEL", ROUTE);
        registry.change("ADD", "as-set: AS-INNER\nmembers: AS4");
        registry.change("ADD", "person: Somebody");
        // A registry does not speak for another.
        registry.change("ADD", "route: 10.66.0.0/16\norigin: AS66\nsource: OTHER")
    });
    let new = until(&feed, |tables| origins(&tables.index, "AS-TOP") == [1, 4]).await;
    assert!(!has(&new.index, "10.7.0.0/16") && !has(&new.index, "10.66.0.0/16"));
    assert_eq!(tables.index.changed_ranges(&new.index), ["10.7.0.0/16".parse().unwrap()]);
    let status = stands(&feed, |status| status.serial == Some(serial)).await;
    assert_eq!(
        (status.state, status.note.as_deref()),
        (SourceState::Fresh, Some("1 malformed objects or members are left out"))
    );
}

#[tokio::test]
async fn where_serials_are_lost_a_new_dump_is_waited_for() {
    let (folder, irrd) = (tempfile::tempdir().unwrap(), journalling(11));
    let config = Irr { mirrors: vec![mirror(&irrd, folder.path())], ..plain() };
    irrd.change(|registry| registry.begin_at(20));
    irrd.change(|registry| registry.change("ADD", "route: 10.8.0.0/16\norigin: AS8"));
    let feed = IrrFeed::start(&config, wanted(&[]), SETTLING);
    let status = stands(&feed, |status| status.state == SourceState::Failing).await;
    assert!(status.error.unwrap().contains("serial 11 is not within 20-20"), "a gap");
    assert_eq!((status.serial, status.route_objects), (Some(10), 5), "the dump counts");

    fs::write(folder.path().join("one.db"), "route: 10.5.0.0/16\norigin: AS5\nsource: ONE\n").unwrap();
    fs::write(folder.path().join("serial"), "19\n").unwrap();
    let status = stands(&feed, |status| status.serial == Some(20)).await;
    assert_eq!((status.state, status.route_objects), (SourceState::Fresh, 2));
}

#[tokio::test]
async fn dumps_are_read_again_and_broken_ones_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("one.db");
    fs::write(&dump, ONE).unwrap();
    let config = Irr { dumps: vec![Spanned::new(0..0, dump.clone())], ..plain() };
    let feed = IrrFeed::start(&config, wanted(&[]), SETTLING);
    until(&feed, |tables| tables.is_ready && has(&tables.index, "10.9.0.0/16")).await;
    fs::write(&dump, format!("{ONE}\n\n{ROUTE}")).unwrap();
    until(&feed, |tables| has(&tables.index, "10.7.0.0/16")).await;
    fs::write(&dump, "<html>").unwrap();
    let status = stands(&feed, |status| status.state == SourceState::Failing).await;
    assert!(status.error.unwrap().contains("one.db"));
    assert_eq!(status.route_objects, 5);
    assert!(has(&feed.tables().borrow().index, "10.7.0.0/16"));
}

#[tokio::test]
async fn what_shrinks_too_much_is_held_until_somebody_confirms_it() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("one.db");
    fs::write(&dump, ONE).unwrap();
    let hold = Duration::from_secs(3600);
    let guard = Some(SizeGuard { shrink_percent: 20, grow_percent: 100, floor: 1, hold });
    let config = Irr { dumps: vec![Spanned::new(0..0, dump.clone())], guard, ..plain() };
    let feed = IrrFeed::start(&config, wanted(&[]), SETTLING);
    let before = until(&feed, |tables| tables.is_ready).await;
    assert_eq!(feed.confirm(None).await, [] as [String; 0]);
    fs::write(&dump, TWO).unwrap();
    let status = stands(&feed, |status| status.state == SourceState::Holding).await;
    assert_eq!(status.held.map(|held| held.objects), Some((6, 2)));
    assert!(Arc::ptr_eq(&feed.tables().borrow().index, &before.index));
    assert_eq!(feed.confirm(Some("another")).await, [] as [String; 0]);
    assert_eq!(feed.confirm(Some("dumps")).await, ["dumps"]);
    let after = until(&feed, |tables| has(&tables.index, "10.3.0.0/16")).await;
    assert_eq!((after.index.len(), after.serial), (1, before.serial + 1));
}

#[tokio::test]
async fn a_start_without_the_network_has_the_last_good_data() {
    let (folder, irrd) = (tempfile::tempdir().unwrap(), journalling(11));
    let asked = Irrd::start(vec![Registry::new("TWO", TWO)], false);
    let cache = IrrCache::Folder(folder.path().join("cache"));
    let mut config =
        Irr { mirrors: vec![mirror(&irrd, folder.path())], whois: vec![whois(&asked)], cache, ..plain() };
    let serial = irrd.change(|registry| registry.change("ADD", "route: 10.8.0.0/16\norigin: AS8"));
    let feed = IrrFeed::start(&config, wanted(&["TWO::AS-TOP"]), SETTLING);
    until(&feed, |tables| tables.is_ready && has(&tables.index, "10.8.0.0/16")).await;
    stands(&feed, |status| status.serial == Some(serial)).await;
    feed.stop().await;

    asked.break_down("nonsense\n");
    irrd.break_down("nonsense\n");
    fs::remove_file(folder.path().join("one.db")).unwrap();
    let feed = IrrFeed::start(&config, wanted(&["TWO::AS-TOP"]), SETTLING);
    let tables = until(&feed, |tables| tables.is_ready).await;
    assert!(has(&tables.index, "10.8.0.0/16") && has(&tables.index, "10.3.0.0/16"));
    assert_eq!(
        (origins(&tables.index, "AS-TOP"), origins(&tables.index, "TWO::AS-TOP")),
        (vec![1, 2], vec![3])
    );
    let status = stands(&feed, |status| status.kind == "mirror" && status.error.is_some()).await;
    assert!(status.cached && status.serial == Some(serial) && status.age_s.is_some(), "{status:?}");
    feed.stop().await;

    // Data of another server is none of this one's.
    let another = Irrd::start(Vec::new(), false);
    config.whois = vec![whois(&another)];
    let feed = IrrFeed::start(&config, wanted(&["TWO::AS-TOP"]), SETTLING);
    stands(&feed, |status| status.kind == "whois" && status.error.is_some()).await;
    assert!(!feed.tables().borrow().is_ready);
}

#[tokio::test]
async fn tables_are_not_told_before_every_source_has_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("one.db");
    fs::write(&dump, ONE).unwrap();
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap().to_string().parse().unwrap();
    let whois = Spanned::new(0..0, Whois { server, refresh: SOON, sources: Vec::new() });
    let config = Irr { dumps: vec![Spanned::new(0..0, dump)], whois: vec![whois], ..plain() };
    let feed = IrrFeed::start(&config, wanted(&["AS-TOP"]), SETTLING);
    stands(&feed, |status| status.kind == "dumps" && status.state == SourceState::Fresh).await;
    assert_eq!(feed.tables().borrow().serial, 0);
    // It breaks every connection off.
    drop(silent);
    let tables = until(&feed, |tables| tables.serial > 0).await;
    assert!(!tables.is_ready && has(&tables.index, "10.9.0.0/16"));
}
