//! PeeringDB as a server plays it: what it answers, late, too much, in pieces, or not at all.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use palisade_bgp::Asn;
use toml::Spanned;

use super::api::{Api, ApiError, MAX_OCTETS, Question};
use super::facts::{Network, Vanished};
use super::feed::{Asked, Known, PeeringDbFeed};
use super::round::Rounds;
use crate::config::{PeeringDb, PeeringDbApi};

const DAY: Duration = Duration::from_secs(86_400);

/// What a server sends to whoever asks, the whole of it.
type Reply = Box<dyn FnMut(&mut TcpStream) -> std::io::Result<()> + Send>;

fn with_head(status: &str, head: &str, body: &str) -> Reply {
    let text = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{head}\r\n{body}",
        body.len()
    );
    Box::new(move |client| client.write_all(text.as_bytes()))
}

fn ok(body: &str) -> Reply {
    with_head("200 OK", "", body)
}

/// A server on loopback that gives one reply after another, and what it was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for mut reply in replies {
                let Ok((mut client, _)) = listener.accept() else { return };
                heard.lock().unwrap().push(request(&mut client));
                // A client that has heard enough hangs up.
                let _ = reply(&mut client);
            }
        });
        Server { url, asked }
    }

    fn settings(&self) -> PeeringDbApi {
        PeeringDbApi { url: self.url.clone(), key_file: None, refresh: DAY, cache: None }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// What a client asks, up to the empty line.
fn request(client: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut octet = [0];
    while !text.ends_with(b"\r\n\r\n") && client.read(&mut octet).unwrap_or(0) == 1 {
        text.push(octet[0]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn network(asn: u32, as_set: &str) -> String {
    format!(r#"{{"asn": {asn}, "irr_as_set": "{as_set}", "info_prefixes4": 10}}"#)
}

fn data(networks: &[String]) -> String {
    format!(r#"{{"data": [{}]}}"#, networks.join(","))
}

/// Asks the server about AS 1 and AS 2.
fn ask(reply: Reply) -> Result<super::NetworkFacts, ApiError> {
    let server = Server::new(vec![reply]);
    let api = Api::with_timeout(&server.settings(), Duration::from_millis(500));
    api.ask(&Question::Networks(vec![Asn(1), Asn(2)]))
}

#[test]
fn an_answer_is_taken_as_far_as_it_was_asked_for() {
    let facts = ask(ok(&data(&[network(1, "AS-ONE"), network(9, "AS-NINE")]))).unwrap();
    let expected =
        Network { as_set: Some("AS-ONE".into()), max_prefixes: [Some(10), None], never_via_rs: false };
    assert_eq!(facts.iter().collect::<Vec<_>>(), [(Asn(1), &expected)]);

    let never = r#"{"data": [{"asn": 7, "info_never_via_route_servers": true}, {"asn": 8}]}"#;
    let server = Server::new(vec![ok(never)]);
    let facts = Api::new(&server.settings()).ask(&Question::NeverViaRs).unwrap();
    assert_eq!(facts.never_via_rs().iter().collect::<Vec<_>>(), [Asn(7)]);
}

#[test]
fn what_is_asked_says_which_networks_and_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let server = Server::new(vec![ok(r#"{"data": []}"#), ok(r#"{"data": []}"#)]);
    let api = Api::new(&PeeringDbApi { key_file: Some(key.clone()), ..server.settings() });
    let question = Question::Networks(vec![Asn(1), Asn(2)]);
    assert!(matches!(api.ask(&question), Err(ApiError::Key { .. })), "there is no such file");
    for no_key in ["", "two words", "a\r\nHost: b"] {
        std::fs::write(&key, no_key).unwrap();
        assert!(matches!(api.ask(&question), Err(ApiError::Key { .. })), "{no_key:?}");
    }
    std::fs::write(&key, "secret\n").unwrap();
    api.ask(&question).unwrap();
    api.ask(&Question::NeverViaRs).unwrap();
    let asked = server.asked().iter().map(|text| text.to_lowercase()).collect::<Vec<_>>();
    assert!(asked[0].starts_with("get /api/net?asn__in=1,2&fields=asn,irr_as_set,"), "{}", asked[0]);
    assert!(asked[0].contains("authorization: api-key secret\r\n"), "{}", asked[0]);
    assert!(asked[0].contains("user-agent: palisade/"), "{}", asked[0]);
    assert!(asked[1].starts_with("get /api/net?info_never_via_route_servers=1&"), "{}", asked[1]);
}

#[test]
fn a_server_that_wants_to_be_left_alone_says_for_how_long() {
    let busy = |head: &str| ask(with_head("429 Too Many Requests", head, "{}")).unwrap_err();
    for (head, expected) in [
        ("Retry-After: 90\r\n", Some(90)),
        ("", None),
        ("Retry-After: Thu, 26 Nov 2026 00:00:00 GMT\r\n", None),
        ("Retry-After: -5\r\n", None),
    ] {
        let error = busy(head);
        assert!(matches!(error, ApiError::TooOften { .. }), "{error}");
        assert_eq!(error.retry_after(), expected.map(Duration::from_secs), "{head}");
    }
}

#[test]
fn whatever_is_no_answer_is_an_error_of_its_kind() {
    let status = |status: &str| ask(with_head(status, "", "{\"data\": []}")).unwrap_err();
    assert!(matches!(status("500 Internal Server Error"), ApiError::Status(500)));
    assert!(matches!(status("404 Not Found"), ApiError::Status(404)));
    assert!(matches!(status("401 Unauthorized"), ApiError::Refused(401)));
    assert!(matches!(status("403 Forbidden"), ApiError::Refused(403)));
    for garbage in ["", "<html>", "{}", "{\"data\": 1}", "[]", "{\"data\": [{\"asn\": 1}"] {
        let error = ask(ok(garbage)).unwrap_err();
        assert!(matches!(error, ApiError::Answer(_)), "{garbage}: {error}");
    }
    let cut: Reply = Box::new(|client| {
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"data\": [{\"asn\": 1},")
    });
    assert!(matches!(ask(cut), Err(ApiError::Answer(_) | ApiError::Unreachable(_))));
    let silent: Reply = Box::new(|_| Ok(()));
    assert!(matches!(ask(silent), Err(ApiError::Unreachable(_))));
    let nobody =
        PeeringDbApi { url: "http://127.0.0.1:1/api".into(), key_file: None, refresh: DAY, cache: None };
    assert!(matches!(Api::new(&nobody).ask(&Question::NeverViaRs), Err(ApiError::Unreachable(_))));
}

#[test]
fn a_server_that_takes_its_time_is_not_waited_for() {
    let start = Instant::now();
    let mute: Reply = Box::new(|client| {
        thread::sleep(Duration::from_secs(3));
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")
    });
    assert!(matches!(ask(mute), Err(ApiError::Unreachable(ureq::Error::Timeout(_)))));
    // An octet now and then keeps no connection.
    let trickling: Reply = Box::new(|client| {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"data\": [")?;
        (0..40).try_for_each(|_| {
            thread::sleep(Duration::from_millis(100));
            client.write_all(b" ")
        })
    });
    assert!(matches!(ask(trickling), Err(ApiError::Answer(_))));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let endless: Reply = Box::new(|client| {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"data\": [")?;
        let networks = format!("{{\"asn\": 1, \"notes\": \"{}\"}},", "x".repeat(100_000));
        (0..).try_for_each(|_: u64| client.write_all(networks.as_bytes()))
    });
    let server = Server::new(vec![endless]);
    let api = Api::with_timeout(&server.settings(), Duration::from_secs(60));
    assert!(matches!(api.ask(&Question::NeverViaRs), Err(ApiError::TooLarge)));

    // The same in a small compressed answer.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb.write_all(b"{\"data\": [").unwrap();
    let spaces = vec![b' '; 1 << 20];
    (0..=MAX_OCTETS >> 20).for_each(|_| bomb.write_all(&spaces).unwrap());
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let packed: Reply = Box::new(move |client| {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
        client.write_all(head.as_bytes())?;
        client.write_all(&bomb)
    });
    let server = Server::new(vec![packed]);
    let api = Api::with_timeout(&server.settings(), Duration::from_secs(60));
    assert!(matches!(api.ask(&Question::NeverViaRs), Err(ApiError::TooLarge)));
}

fn settings(files: &[&Path], api: Option<PeeringDbApi>) -> PeeringDb {
    let files = files.iter().map(|path| Spanned::new(0..0, PathBuf::from(path))).collect();
    PeeringDb { files, api, as_set: true, max_prefixes: true, max_prefixes_margin: 1.3 }
}

fn peers(asns: &[u32]) -> BTreeSet<Asn> {
    asns.iter().copied().map(Asn).collect()
}

/// A feed of an API that is asked in a hurry.
fn hurried(settings: &PeeringDb, known: Known, peers: BTreeSet<Asn>) -> PeeringDbFeed {
    let asked = settings.api.as_ref().map(|api| Asked {
        api: Api::new(api),
        rounds: Rounds::new(Instant::now(), peers.clone(), Duration::from_millis(300), None)
            .with_pause(Duration::ZERO),
        cache: api.cache.clone(),
    });
    PeeringDbFeed::start_with(settings, known, peers, asked)
}

const NEVER: &str = r#"{"data": [{"asn": 5, "info_never_via_route_servers": true}]}"#;

#[tokio::test]
async fn what_the_api_says_is_told_kept_and_held_when_it_is_said_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("peeringdb.json");
    let server = Server::new(vec![
        ok(&data(&[network(1, "AS-ONE"), network(2, "AS-TWO")])),
        ok(NEVER),
        // The next round: an as-set is gone, and so is a network.
        ok(&data(&[network(1, "")])),
        ok(NEVER),
        // And then the server is.
        with_head("500 Oh", "", ""),
    ]);
    let api = PeeringDbApi { cache: Some(cache.clone()), ..server.settings() };
    let settings = settings(&[], Some(api));
    let (known, errors) = Known::read(&settings);
    assert!(errors.is_empty() && known.state().facts.is_empty());
    let mut feed = hurried(&settings, known, peers(&[1, 2, 3]));

    let first = feed.state.wait_for(|state| !state.facts.is_empty()).await.unwrap().clone();
    assert_eq!(first.facts.of(Asn(1)).unwrap().as_set.as_deref(), Some("AS-ONE"));
    assert!(first.facts.never_via_rs().contains(Asn(5)));
    let status = first.sources[0].clone();
    assert_eq!((status.networks, status.fault, status.vanished), (3, None, vec![]));
    assert!(status.since.is_some());

    let held = |state: &super::PeeringDbState| !state.sources[0].vanished.is_empty();
    let second = feed.state.wait_for(held).await.unwrap().clone();
    assert_eq!(second.facts, first.facts, "all of it holds");
    assert!(Arc::ptr_eq(&second.facts, &first.facts), "and that nothing is to be done is seen at once");
    let expected = vec![Vanished::AsSet(Asn(1), "AS-ONE".into()), Vanished::Network(Asn(2))];
    assert_eq!(second.sources[0].vanished, expected);

    let failed = |state: &super::PeeringDbState| state.sources[0].fault.is_some();
    let third = feed.state.wait_for(failed).await.unwrap().clone();
    assert_eq!(third.facts, first.facts);
    assert!(third.sources[0].fault.as_ref().unwrap().contains("500"), "{:?}", third.sources[0]);

    // Whoever starts now, without the network, knows it all, with its age; and asks nobody about AS 3, which is missing.
    let (known, errors) = Known::read(&settings);
    assert!(errors.is_empty());
    let state = known.state();
    assert_eq!(state.facts.of(Asn(1)), first.facts.of(Asn(1)));
    assert_eq!(state.facts.of(Asn(2)), first.facts.of(Asn(2)));
    assert_eq!(state.facts.of(Asn(3)), Some(&Network::default()));
    assert!(state.sources[0].since.unwrap() <= SystemTime::now());
}

#[tokio::test]
async fn what_vanished_is_let_go_when_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.json");
    std::fs::write(&path, data(&[network(1, "AS-ONE")])).unwrap();
    let settings = settings(&[&path], None);
    let (known, _) = Known::read(&settings);
    let mut feed = hurried(&settings, known, peers(&[1]));
    let name = path.display().to_string();
    assert!(!feed.confirm(&name).await, "nothing has vanished");
    std::fs::write(&path, data(&[network(1, ""), network(2, "AS-TWO")])).unwrap();
    let held = |state: &super::PeeringDbState| !state.sources[0].vanished.is_empty();
    let state = feed.state.wait_for(held).await.unwrap().clone();
    assert_eq!(state.facts.of(Asn(1)).unwrap().as_set.as_deref(), Some("AS-ONE"));
    assert!(!feed.confirm("another").await);
    assert!(feed.confirm(&name).await);
    let gone = |state: &super::PeeringDbState| state.sources[0].vanished.is_empty();
    let state = feed.state.wait_for(gone).await.unwrap().clone();
    assert_eq!(state.facts.of(Asn(1)).unwrap().as_set, None);
    assert!(state.facts.of(Asn(2)).is_some());
}

#[test]
fn a_key_is_not_taken_along_to_where_a_server_sends_us() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "secret").unwrap();
    let other = Server::new(vec![ok(NEVER)]);
    let location = format!("Location: {}/net\r\n", other.url.replace("127.0.0.1", "localhost"));
    let server = Server::new(vec![with_head("302 Found", &location, "")]);
    let api = Api::new(&PeeringDbApi { key_file: Some(key), ..server.settings() });
    api.ask(&Question::NeverViaRs).unwrap();
    assert!(server.asked()[0].contains("secret"));
    assert!(!other.asked()[0].contains("secret"), "{}", other.asked()[0]);
}

#[tokio::test]
async fn new_peers_are_asked_for_when_they_come() {
    let server = Server::new(vec![
        ok(&data(&[network(1, "AS-ONE")])),
        ok(NEVER),
        ok(&data(&[network(1, "AS-ONE"), network(9, "AS-NINE")])),
        ok(NEVER),
    ]);
    let settings = settings(&[], Some(PeeringDbApi { refresh: DAY, ..server.settings() }));
    let asked = Asked {
        api: Api::new(settings.api.as_ref().unwrap()),
        rounds: Rounds::new(Instant::now(), peers(&[1]), DAY, None).with_pause(Duration::ZERO),
        cache: None,
    };
    let (known, _) = Known::read(&settings);
    let mut feed = PeeringDbFeed::start_with(&settings, known, peers(&[1]), Some(asked));
    feed.state.wait_for(|state| state.facts.of(Asn(1)).is_some()).await.unwrap();
    feed.want(peers(&[1, 9])).await;
    feed.state.wait_for(|state| state.facts.of(Asn(9)).is_some()).await.unwrap();
    assert!(server.asked()[2].contains("asn__in=1,9&"), "{:?}", server.asked());
}

#[tokio::test]
async fn dumps_are_watched_and_one_that_breaks_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.json"), folder.path().join("b.json"));
    std::fs::write(&first, data(&[network(1, "AS-ONE")])).unwrap();
    std::fs::write(&second, data(&[network(1, "AS-OTHER"), network(2, "AS-TWO")])).unwrap();
    let settings = settings(&[&first, &second], None);
    let (known, errors) = Known::read(&settings);
    assert!(errors.is_empty());
    let mut feed = hurried(&settings, known, peers(&[1, 2]));
    let as_set =
        |state: &super::PeeringDbState, asn| state.facts.of(Asn(asn)).and_then(|one| one.as_set.clone());
    let state = feed.state.borrow().clone();
    assert_eq!(
        [1, 2].map(|asn| as_set(&state, asn).unwrap()),
        ["AS-ONE", "AS-TWO"],
        "the first dump's word counts"
    );

    std::fs::write(&first, data(&[network(1, "AS-NEW")])).unwrap();
    let state =
        feed.state.wait_for(|state| as_set(state, 1).as_deref() == Some("AS-NEW")).await.unwrap().clone();
    assert_eq!(state.sources.len(), 2);
    std::fs::write(&first, "<html>").unwrap();
    let state = feed.state.wait_for(|state| state.sources[0].fault.is_some()).await.unwrap().clone();
    assert_eq!(as_set(&state, 1).as_deref(), Some("AS-NEW"));
    assert_eq!(state.sources[0].networks, 1);
}

#[test]
fn files_that_are_no_dumps_are_errors_and_a_broken_cache_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (broken, missing) = (folder.path().join("broken.json"), folder.path().join("none.json"));
    std::fs::write(&broken, r#"{"data": []}"#).unwrap();
    let server = Server::new(Vec::new());
    let api = PeeringDbApi { cache: Some(broken.clone()), ..server.settings() };
    let (known, errors) = Known::read(&settings(&[&broken, &missing], Some(api)));
    assert_eq!(errors.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1]);
    assert!(known.state().sources[0].fault.as_ref().unwrap().contains("broken.json"));
}
