//! The feed as a whole: caches, files and exceptions of one configuration, while they change.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use palisade_bgp::Asn;
use palisade_policy::Vrp;
use rpki::rtr::{Serial, State, Timing, pdu};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;
use toml::Spanned;

use super::*;
use crate::config::{Cache, SizeGuard};
use crate::feeds::rtr::tests::server::Server;
use crate::feeds::rtr::tests::{cache, vrp};
use crate::feeds::source_state::SourceState;

const MOMENT: Duration = Duration::from_secs(30);

/// What a file of these VRPs holds.
fn json(vrps: impl IntoIterator<Item = u32>) -> String {
    let mut text = String::from(r#"{"roas":["#);
    for (at, number) in vrps.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(text, r#"{comma}{{"prefix":"{}","maxLength":24,"asn":64500}}"#, vrp(number).prefix()).unwrap();
    }
    text + r#"],"aspas":[{"customer_asid":64500,"providers":[64501]}]}"#
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// As a validator does: beside it, then in its place.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path("new"), text).unwrap();
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    fn named(&self, name: &str) -> Vec<Spanned<PathBuf>> {
        vec![Spanned::new(0..0, self.path(name))]
    }
}

/// Waits for tables that are as they should be.
async fn until(tables: &mut watch::Receiver<RpkiTables>, fit: impl Fn(&RpkiTables) -> bool) -> RpkiTables {
    timeout(MOMENT, tables.wait_for(fit)).await.unwrap().unwrap().clone()
}

async fn until_state(feed: &RpkiFeed, name: &str, state: SourceState) -> SourceStatus {
    let found = async {
        loop {
            let status = feed.status();
            let source = status.into_iter().find(|source| source.name.ends_with(name)).unwrap();
            if source.state == state {
                return source;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(MOMENT, found).await.unwrap()
}

#[tokio::test]
async fn files_caches_and_exceptions_are_one_table() {
    let (folder, server) = (Folder::new(), Server::start().await);
    server.change(|data| data.vrps.extend((5..15).map(vrp)));
    folder.write("vrps.json", &json(0..10));
    folder.write(
        "slurm.json",
        r#"{"slurmVersion":1,"validationOutputFilters":{"prefixFilters":[{"prefix":"10.0.0.0/24"}]},
            "locallyAddedAssertions":{"prefixAssertions":[{"asn":64500,"prefix":"10.0.99.0/24"}]}}"#,
    );
    let config = Rpki {
        files: folder.named("vrps.json"),
        slurm: folder.named("slurm.json"),
        rtr: vec![cache(server.port)],
        ..Rpki::default()
    };
    let feed = RpkiFeed::start(&config).unwrap();
    let (mut tables, mut ready) = (feed.tables(), feed.ready());
    timeout(MOMENT, ready.wait_for(|ready| *ready)).await.unwrap().unwrap();
    let expected = |from: u32, to: u32| (from..to).chain([99]).map(vrp).collect::<Vec<Vrp>>();
    let held = |tables: &RpkiTables| {
        let mut vrps: Vec<Vrp> = tables.rov.iter().collect();
        vrps.sort();
        vrps
    };
    let first = until(&mut tables, |tables| held(tables) == expected(1, 15)).await;
    assert_eq!(first.aspa.providers(Asn(64_500)).unwrap().len(), 1);

    server.change(|data| data.vrps.retain(|held| *held != vrp(14)));
    let second = until(&mut tables, |tables| held(tables) == expected(1, 14)).await;
    assert_eq!(first.rov.changed_ranges(&second.rov), [vrp(14).prefix()]);
    folder.write("vrps.json", &json(2..10));
    until(&mut tables, |tables| held(tables) == expected(2, 14)).await;
    folder.write("slurm.json", "{");
    let broken = until_state(&feed, "slurm.json", SourceState::Failing).await;
    assert!(broken.counts && broken.error.unwrap().contains("slurm.json: not SLURM (RFC 8416): EOF"));
    folder.write("vrps.json", &json([]));
    let empty = until_state(&feed, "vrps.json", SourceState::Failing).await;
    assert!(empty.counts && empty.error.unwrap().contains("not a single VRP"));
    assert_eq!(held(&tables.borrow()), expected(2, 14), "neither has changed anything");
    let status = feed.status();
    let kinds: Vec<&str> = status.iter().map(|source| source.kind).collect();
    assert_eq!(kinds, ["rtr", "file", "slurm"]);
    assert_eq!(serde_json::to_value(&status).unwrap()[0]["rtr"]["version"], 1);
}

#[tokio::test]
async fn what_shrinks_too_far_waits_for_an_operator() {
    let folder = Folder::new();
    folder.write("vrps.json", &json(0..100));
    let guard = SizeGuard { floor: 10, ..SizeGuard::default() };
    let config = Rpki { files: folder.named("vrps.json"), guard: Some(guard), ..Rpki::default() };
    let feed = RpkiFeed::start(&config).unwrap();
    let mut tables = feed.tables();
    until(&mut tables, |tables| tables.rov.len() == 100).await;
    folder.write("vrps.json", &json(0..50));
    let held = until_state(&feed, "vrps.json", SourceState::Holding).await;
    assert_eq!(held.held.unwrap().vrps, Some((100, 50)));
    assert_eq!(tables.borrow().rov.len(), 100);
    assert!(!feed.confirm("another").await);
    assert!(feed.confirm(&held.name).await && !feed.confirm(&held.name).await);
    until(&mut tables, |tables| tables.rov.len() == 50).await;
}

#[tokio::test]
async fn a_cache_that_is_lost_is_replaced_by_the_next() {
    let (first, second) = (Server::start().await, Server::start().await);
    first.change(|data| data.vrps.extend((0..10).map(vrp)));
    second.change(|data| data.vrps.extend((0..11).map(vrp)));
    let rtr = vec![cache(first.port), Cache { preference: 2, ..cache(second.port) }];
    let feed = RpkiFeed::start(&Rpki { rtr, ..Rpki::default() }).unwrap();
    let mut tables = feed.tables();
    until(&mut tables, |tables| tables.rov.len() == 10).await;
    assert_eq!(second.resets(), 0, "the second is not asked while the first is there");
    first.drop_connections();
    until(&mut tables, |tables| tables.rov.len() == 11).await;
    until(&mut tables, |tables| tables.rov.len() == 10).await;
    let name = format!("127.0.0.1:{}", second.port);
    until_state(&feed, &name, SourceState::Standby).await;
}

#[tokio::test]
async fn nobody_waits_longer_than_was_said() {
    let folder = Folder::new();
    for (wait, least) in
        [(Duration::ZERO, Duration::ZERO), (Duration::from_secs(1), Duration::from_millis(900))]
    {
        let began = Instant::now();
        let feed =
            RpkiFeed::start(&Rpki { files: folder.named("none.json"), wait, ..Rpki::default() }).unwrap();
        timeout(MOMENT, feed.ready().wait_for(|ready| *ready)).await.unwrap().unwrap();
        assert!(began.elapsed() >= least && feed.tables().borrow().serial == 0);
        until_state(&feed, "none.json", SourceState::Failing).await;
    }
}

#[tokio::test]
async fn of_a_burst_the_last_state_arrives() {
    let server = Server::start().await;
    server.change(|data| data.vrps.extend([vrp(0)]));
    let feed = RpkiFeed::start(&Rpki { rtr: vec![cache(server.port)], ..Rpki::default() }).unwrap();
    let mut tables = feed.tables();
    until(&mut tables, |tables| tables.rov.len() == 1).await;
    for at in 1..=200 {
        server.change(|data| data.vrps.extend([vrp(at)]));
        if at % 20 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    until(&mut tables, |tables| tables.rov.len() == 201).await;
}

/// Prints how long one VRP takes from the cache's notice to the tables, with all of the real ones held.
///
/// `cargo test --release --bin palisade one_vrp_takes -- --ignored --show-output`
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "a measurement"]
async fn one_vrp_takes_well_under_a_millisecond() {
    let folder = std::env::var_os("PALISADE_REAL_DATA").map_or("../shared/data".into(), PathBuf::from);
    let path = folder.join("rpki/rpkiclient_summary_20250720T093135Z.json.bz2");
    let Ok(file) = crate::judging::tables::read_vrps(&path) else {
        println!("skipped: one_vrp_takes_well_under_a_millisecond: no real data here (PALISADE_REAL_DATA)");
        return;
    };
    let began = Instant::now();
    let held = file.vrps.len();
    let old = RpkiSet::default().replaced(file.vrps.clone(), file.aspas.clone());
    println!("{held} VRPs: index built in {:?}", began.elapsed());
    let began = Instant::now();
    let mut next = file.vrps;
    next.truncate(held - 500);
    let replaced = old.replaced(next, file.aspas);
    println!("a file with 500 fewer: {:?}", began.elapsed());
    for (name, exception) in [("one source", false), ("one source and SLURM", true)] {
        let mut union = union::Union::default();
        if exception {
            let text = r#"{"slurmVersion":1,"validationOutputFilters":{"prefixFilters":[{"asn":64499}]},"locallyAddedAssertions":{}}"#;
            let file = SlurmFile::read(text.as_bytes()).unwrap();
            union.except(Slurm::of([(Path::new("x"), &file)]).unwrap());
        }
        let began = Instant::now();
        union.update(vec![Some(old.clone())]);
        let whole = began.elapsed();
        let began = Instant::now();
        union.update(vec![Some(replaced.clone())]);
        println!("{name}: union made anew {whole:?}, changed by 500 {:?}", began.elapsed());
        let mut set = replaced.clone();
        let mut times: Vec<Duration> = (0..200)
            .map(|at| {
                let began = Instant::now();
                let rov = Arc::new(set.rov.amended([vrp(at)], []));
                set = RpkiSet { rov, aspa: set.aspa.clone() };
                let before = union.tables().rov.clone();
                union.update(vec![Some(set.clone())]);
                assert!(before.changed_ranges(&union.tables().rov).len() <= 1);
                began.elapsed()
            })
            .collect();
        times.sort();
        println!("{name}: one VRP, 500 to 700 amended: median {:?}, worst {:?}", times[100], times[199]);
    }
    let (port, mut changes) = real_time_cache(old.rov.iter().collect()).await;
    let began = Instant::now();
    let feed = RpkiFeed::start(&Rpki { rtr: vec![cache(port)], ..Rpki::default() }).unwrap();
    let mut tables = feed.tables();
    until(&mut tables, |tables| tables.serial == 1).await;
    println!("{held} VRPs over RTR: {:?}", began.elapsed());
    let mut times = Vec::new();
    for serial in 2..102 {
        let ended = timeout(MOMENT, changes.recv()).await.unwrap().unwrap();
        until(&mut tables, |tables| tables.serial >= serial).await;
        times.push(ended.elapsed());
    }
    times.sort();
    println!(
        "End of Data to tables, over TCP and three threads: median {:?}, worst {:?}",
        times[50], times[99]
    );
}

/// A cache that serves these, and announces another VRP every few milliseconds; it tells when each End of Data was
/// written.
async fn real_time_cache(vrps: Vec<Vrp>) -> (u16, mpsc::Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let state = |serial: u32| State::from_parts(7, Serial::from(serial));
        let end = |serial| pdu::EndOfData::new(1, state(serial), Timing::default());
        let mut whole = pdu::CacheResponse::new(1, state(1)).as_ref().to_vec();
        vrps.iter().for_each(|vrp| whole.extend(prefix_pdu(*vrp)));
        whole.extend(end(1).as_ref());
        stream.read_exact(&mut [0; 8]).await.unwrap();
        stream.write_all(&whole).await.unwrap();
        for serial in 2.. {
            tokio::time::sleep(Duration::from_millis(if serial == 2 { 3000 } else { 20 })).await;
            stream.write_all(pdu::SerialNotify::new(1, state(serial)).as_ref()).await.unwrap();
            stream.read_exact(&mut [0; 12]).await.unwrap();
            let mut change = pdu::CacheResponse::new(1, state(1)).as_ref().to_vec();
            change.extend(prefix_pdu(vrp(serial)));
            change.extend(end(serial).as_ref());
            stream.write_all(&change).await.unwrap();
            if tell.send(Instant::now()).await.is_err() {
                return;
            }
        }
    });
    (port, told)
}

fn prefix_pdu(vrp: Vrp) -> Vec<u8> {
    let (length, most, asn) = (vrp.prefix().len(), vrp.max_length(), vrp.asn().0.into());
    match vrp.prefix().address() {
        IpAddr::V4(address) => pdu::Ipv4Prefix::new(1, 1, length, most, address, asn).as_ref().to_vec(),
        IpAddr::V6(address) => pdu::Ipv6Prefix::new(1, 1, length, most, address, asn).as_ref().to_vec(),
    }
}
