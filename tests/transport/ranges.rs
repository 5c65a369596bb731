//! `[[range]]`: whoever connects from a prefix and says the right AS is a peer, so many at a time, for as long as it is there.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::support::bird::Bird;
use crate::support::namespace::run;
use crate::support::router::Router;
use crate::world::{OURS, PATIENCE, World, networks, router_section};

const RANGES: &str = r#"
[[range]]
name = "open"
prefix = "10.1.0.0/24"
asns = [196701, 196702]
role = "peer"
max_peers = 3

[[range]]
name = "half"
prefix = "10.1.0.128/25"
asns = [196703]
role = "peer"

[[range]]
name = "signed"
prefix = "10.2.0.0/24"
asns = [196704]
role = "peer"
md5_password = "secret"

[[peer]]
name = "itself"
address = "10.1.0.9"
asn = 196709
role = "peer"
passive = true
"#;

/// Who connects, what it says, and the peer that comes of it.
const CASES: [(&str, [u8; 4], u32, &str, &str); 8] = [
    ("first", [10, 1, 0, 2], 196_701, "", "open-10.1.0.2"),
    ("another AS", [10, 1, 0, 3], 196_702, "", "open-10.1.0.3"),
    ("an AS that it is not for", [10, 1, 0, 4], 196_703, "", ""),
    ("the longer range", [10, 1, 0, 130], 196_703, "", "half-10.1.0.130"),
    ("the longer range alone", [10, 1, 0, 131], 196_701, "", ""),
    ("a peer that is written", [10, 1, 0, 9], 196_709, "", "itself"),
    ("signed", [10, 2, 0, 2], 196_704, "password \"secret\";", "signed-10.2.0.2"),
    ("unsigned", [10, 2, 0, 3], 196_704, "", ""),
];

/// The table, then more of them than there may be, then fewer.
pub(crate) fn ranges() {
    networks();
    // From those above 19 it is this test that connects.
    for ours in ["10.1.0.1", "10.2.0.1", "10.1.0.20", "10.1.0.21", "10.1.0.22", "10.1.0.23"] {
        run(&format!("ip addr add {ours}/24 dev near"));
    }
    for (at, (_, address, ..)) in CASES.iter().enumerate() {
        run(&format!("ip addr add {}/24 dev near", router(at, *address)));
        run(&format!("ip -n near addr add {}/24 dev uplink", Ipv4Addr::from(*address)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("bird");
    fs::create_dir(&place).expect("a folder");
    let mut router = Router::new(folder.path(), &(router_section(folder.path()) + RANGES));
    router.start();
    let bird = Bird::start("near", &place, &neighbours());
    let mut world = World { router, folder, birds: vec![bird], sessions: Vec::new() };
    for (_, _, _, _, name) in CASES.iter().filter(|case| !case.4.is_empty()) {
        world.wait_for(name, true);
    }
    // Nobody's AS is looked at once the range is full.
    let deadline = Instant::now() + PATIENCE;
    while refused(&world, "open", "asn") == 0 {
        assert!(Instant::now() < deadline, "{}", world.router.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    // Somebody who says nothing, and a third, who is gone at once but keeps its place for a while.
    let silent = (connect(20), Instant::now());
    let third = speak(21, 196_701);
    world.wait_for("open-10.1.0.21", true);
    drop(third);
    std::thread::sleep(Duration::from_secs(3));
    let expected = CASES.iter().filter(|case| !case.4.is_empty()).count() + 1;
    assert_eq!(world.peers().len(), expected, "{:?}", world.peers());
    assert_eq!(world.peer("signed-10.2.0.2")["transport"]["range"], "signed");
    assert_eq!(world.peer("open-10.1.0.3")["asn"], 196_702);
    one_more(&world, silent);
    // A reload keeps those who may still be there.
    let file = world.folder.path().join("palisade.toml");
    let text = fs::read_to_string(&file).expect("it was written");
    fs::write(&file, text.replace("asns = [196703]", "asns = [196710]")).expect("a file");
    world.router.signal("HUP");
    world.wait_for("half-10.1.0.130", false);
    assert!(world.is_up("open-10.1.0.2") && world.is_up("signed-10.2.0.2"));
    goes(&mut world);
}

/// The range is full with the third though that has hung up, and says so once; whoever says nothing is no peer.
fn one_more(world: &World, (mut silent, since): (TcpStream, Instant)) {
    assert!(world.peer("open-10.1.0.20").is_null());
    let mut octets = [0; 64];
    for _ in 0..20 {
        let mut fourth = connect(22);
        assert_eq!(fourth.read(&mut octets).unwrap_or(0), 0, "it is closed without a word");
    }
    assert!(world.peer("open-10.1.0.22").is_null());
    let log = world.router.log();
    assert_eq!(
        log.matches("connections from a range were closed").count(),
        2,
        "one a minute of each range: {log}"
    );
    // After ten seconds the silent one is closed, too.
    assert_eq!(silent.read(&mut octets).unwrap_or(0), 0);
    assert!(since.elapsed() > Duration::from_secs(9) && since.elapsed() < Duration::from_secs(15));
    for (range, why, count) in [
        ("open", "max-peers", 20..=u64::MAX),
        ("open", "timeout", 1..=1),
        // They try again and again.
        ("open", "asn", 1..=u64::MAX),
        ("half", "asn", 1..=u64::MAX),
        ("half", "max-peers", 0..=0),
    ] {
        let refused = refused(world, range, why);
        assert!(count.contains(&refused), "{range} refused {refused} for {why}");
    }
    assert_eq!(world.metric("palisade_range_guests{range=\"open\"}"), 3);
}

/// How many connections a range has turned away, by why.
fn refused(world: &World, range: &str, why: &str) -> u64 {
    world.metric(&format!("palisade_range_connections_refused_total{{range=\"{range}\",reason=\"{why}\"}}"))
}

/// A guest that has gone is forgotten, and makes room.
fn goes(world: &mut World) {
    let began = Instant::now();
    while !world.peer("open-10.1.0.21").is_null() {
        assert!(began.elapsed() < Duration::from_secs(90), "{}", world.router.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let _third = speak(23, 196_701);
    world.wait_for("open-10.1.0.23", true);
}

/// The address of ours that a case's neighbour connects to: BIRD has one session with an address.
fn router(at: usize, address: [u8; 4]) -> String {
    format!("10.{}.0.{}", address[1], 240 + at)
}

/// A BIRD with a session a case.
fn neighbours() -> String {
    let mut text = "router id 10.1.0.2;\nprotocol device {}\n".to_owned();
    for (at, (_, address, asn, lines, _)) in CASES.iter().enumerate() {
        let (router, address) = (router(at, *address), Ipv4Addr::from(*address));
        text.push_str(&format!(
            "protocol bgp case{at} {{\n local {address} as {asn};\n neighbor {router} as {OURS};\n\
             connect delay time 1;\n connect retry time 1;\n error wait time 1, 1;\n {lines}\n\
             ipv4 {{ import all; export none; }};\n}}\n"
        ));
    }
    text
}

/// A connection from an address of this namespace.
fn connect(last: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([10, 1, 0, last], 0)).into()).expect("the address is here");
    socket.connect(&SocketAddr::from(([10, 1, 0, 1], 179)).into()).expect("it is listened to");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(15))).expect("a time");
    stream
}

/// A session without a hold time.
fn speak(last: u8, asn: u32) -> TcpStream {
    let mut stream = connect(last);
    let capabilities = [&[1, 4, 0, 1, 0, 1, 65, 4][..], &asn.to_be_bytes()].concat();
    let length = capabilities.len() as u8;
    let fixed = [4, 0x5b, 0xa0, 0, 0, 10, 1, 0, last, length + 2, 2, length];
    let open = [&fixed[..], &capabilities].concat();
    for (kind, body) in [(1, &open[..]), (4, &[])] {
        let total = u16::try_from(19 + body.len()).expect("it is short");
        let message = [&[0xff; 16][..], &total.to_be_bytes(), &[kind], body].concat();
        stream.write_all(&message).expect("it is read");
    }
    stream
}
