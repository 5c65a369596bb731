//! `palisade replay`, as it is run: on real archives beside bgpdump, and on all that a file can be but an archive.
//!
//! Real data is looked for in `../shared/data` and in the folder that `PALISADE_REAL_DATA` names; where there is none, or no
//! bgpdump, the tests that need it say that they are skipped.

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs `palisade replay` with some octets on standard input.
fn replay(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.arg("replay").args(arguments).env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut pipe = child.stdin.take().expect("it is piped");
    let stdin = stdin.to_vec();
    // The program may end without reading it all.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the writer ends");
    output
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("what is printed is UTF-8")
}

/// The summary of a replay that must succeed.
fn summary(arguments: &[&str], stdin: &[u8]) -> Value {
    let output = replay(&[&["--json"], arguments].concat(), stdin);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    let mut summary: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let judged = count(&summary, "accepted") + count(&summary, "rejected");
    assert_eq!(judged, count(&summary, "judged"));
    assert_eq!(judged + count(&summary, "treated_as_withdrawn"), count(&summary, "announcements"));
    // What differs from run to run.
    let object = summary.as_object_mut().expect("it is an object");
    object.remove("seconds");
    object.remove("routes_per_second");
    summary
}

fn count(summary: &Value, name: &str) -> u64 {
    summary[name].as_u64().expect("it is a number")
}

/// The exit code, and what was said on standard error.
fn failure(arguments: &[&str], stdin: &[u8]) -> (Option<i32>, String) {
    let output = replay(arguments, stdin);
    (output.status.code(), text(&output.stderr))
}

mod archive {
    //! A few MRT records, written by hand.

    fn record(kind: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
        let head = [&[0, 0, 0, 1][..], &kind.to_be_bytes(), &subtype.to_be_bytes()].concat();
        [&head[..], &(body.len() as u32).to_be_bytes(), body].concat()
    }

    /// The list of one peer: 192.0.2.1, AS 500001.
    pub(crate) fn peers() -> Vec<u8> {
        let asn = 500_001u32.to_be_bytes();
        record(13, 1, &[&[0; 6][..], &[0, 1, 2], &[0; 4], &[192, 0, 2, 1], &asn].concat())
    }

    /// A route of that peer to a /24, over some AS.
    pub(crate) fn route(net: [u8; 3], origin: u32) -> Vec<u8> {
        let path = [&[0x40, 2, 10, 2, 2][..], &500_001u32.to_be_bytes(), &origin.to_be_bytes()].concat();
        let attributes = [&[0x40, 1, 1, 0][..], &path, &[0x40, 3, 4, 192, 0, 2, 1]].concat();
        let entry = [&[0; 6][..], &(attributes.len() as u16).to_be_bytes(), &attributes].concat();
        record(13, 2, &[&[0, 0, 0, 0, 24][..], &net, &[0, 1], &entry].concat())
    }

    /// A table of so many routes.
    pub(crate) fn table(count: u32) -> Vec<u8> {
        let net = |n: u32| [22, (n >> 8) as u8, n as u8];
        let routes = (0..count).flat_map(|n| route(net(n), 500_002 + n % 3));
        peers().into_iter().chain(routes).collect()
    }
}

/// A folder with files in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().expect("there is room for files"))
    }

    /// Writes a file, and gives its name.
    fn file(&self, name: &str, octets: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, octets).expect("the file can be written");
        path.to_string_lossy().into_owned()
    }
}

#[test]
fn an_archive_is_the_same_however_it_is_packed_and_handed_over() {
    let table = archive::table(300);
    let (folder, half) = (Folder::new(), table.len() / 2);
    let gzip = |octets: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(octets).and_then(|()| out.finish()).expect("it can be packed")
    };
    let bzip2 = |octets: &[u8]| {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        out.write_all(octets).and_then(|()| out.finish()).expect("it can be packed")
    };
    let zstd = |octets: &[u8]| zstd::encode_all(octets, 1).expect("it can be packed");
    let plain = summary(&[&folder.file("plain", &table)], &[]);
    assert_eq!((count(&plain, "announcements"), count(&plain, "accepted")), (300, 300));
    assert_eq!((count(&plain, "records"), plain["prefixes"]["ipv4"].as_u64()), (301, Some(300)));
    for (name, packed) in [
        ("whole.gz", gzip(&table)),
        ("whole.bz2", bzip2(&table)),
        ("whole.zst", zstd(&table)),
        ("members", [gzip(&table[..half]), gzip(&table[half..])].concat()),
        ("mixed", [bzip2(&table[..half]), zstd(&table[half..])].concat()),
    ] {
        assert_eq!(summary(&[&folder.file(name, &packed)], &[]), plain, "{name}");
        assert_eq!(summary(&["-"], &packed), plain, "{name} through a pipe");
    }
}

#[test]
fn a_file_that_is_cut_gives_what_it_holds_and_fails_only_where_that_is_asked() {
    let table = archive::table(300);
    let (folder, cut) = (Folder::new(), table.len() - 5);
    let file = folder.file("cut", &table[..cut]);
    let got = summary(&[&file], &[]);
    assert_eq!((count(&got, "announcements"), count(&got, "damaged_records")), (299, 1));
    let output = replay(&[&file], &[]);
    assert!(
        text(&output.stderr).starts_with("\nwarning: 1 damaged part was left out\n"),
        "{}",
        text(&output.stderr)
    );
    assert!(text(&output.stderr).contains("the file ends after"), "{}", text(&output.stderr));
    let (code, told) = failure(&["--strict", &file], &[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("1 damaged part was left out, which --strict does not allow"), "{told}");
    assert_eq!(failure(&["--strict", &folder.file("whole", &table)], &[]), (Some(0), String::new()));

    let packed = zstd::encode_all(&table[..], 1).expect("it can be packed");
    let file = folder.file("cut.zst", &packed[..packed.len() - 1]);
    let (code, told) = failure(&[&file], &[]);
    assert_eq!(code, Some(0));
    assert!(told.contains("cut.zst ends in the middle of its zstd data"), "{told}");
    assert_eq!(failure(&["--strict", &file], &[]).0, Some(1));
}

#[test]
fn damages_are_told_up_to_a_number() {
    let mut octets = archive::peers();
    for n in 0..25 {
        octets.extend(archive::route([20, 0, n], 1));
        octets.extend(archive::route([20, 1, n], 1));
        octets.extend([0xee; 40]);
    }
    octets.extend(archive::table(2));
    let (code, told) = failure(&["-"], &octets);
    assert_eq!(code, Some(0));
    assert!(
        told.starts_with("\nwarning: 25 damaged parts were left out\n  standard input, unpacked offset "),
        "{told}"
    );
    assert_eq!(told.lines().filter(|line| line.contains("unpacked offset")).count(), 10);
    assert!(told.ends_with("  and 15 more\n"), "{told}");
    assert_eq!(count(&summary(&["-"], &octets), "announcements"), 52);
}

#[test]
fn what_is_no_archive_is_told_as_what_it_is() {
    let folder = Folder::new();
    let directory = folder.0.path().to_string_lossy().into_owned();
    let missing = format!("{directory}/none.mrt");
    let garbage: Vec<u8> = (0..300_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let zeros = zstd::encode_all(&vec![0; 4 << 20][..], 1).expect("it can be packed");
    for (file, what) in [
        (missing.clone(), "none.mrt: there is no such file"),
        (directory.clone(), "is a directory: name the files in it"),
        (folder.file("garbage", &garbage), "garbage holds no MRT record"),
        (folder.file("zeros.zst", &zeros), "zeros.zst holds no MRT record"),
        (folder.file("vrps.json", b"{\"roas\": []}"), "vrps.json holds no MRT record"),
        (folder.file("short", &[0; 5]), "short holds no MRT record"),
        (folder.file("dump.xz", b"\xfd7zXZ\0\0\x04"), "xz-compressed"),
    ] {
        let (code, told) = failure(&[&file], &[]);
        assert_eq!(code, Some(1), "{what}: {told}");
        let told: String = told.split_whitespace().map(|word| format!("{word} ")).collect();
        let what: String = what.split(' ').map(|word| format!("{word} ")).collect();
        assert!(told.replace("│ ", "").contains(what.trim_end()), "{what}: {told}");
    }
    // What is missing is told before anything is read, and what is there is read beside what is none.
    let whole = folder.file("whole", &archive::table(3));
    assert!(replay(&[&whole, &missing], &[]).stdout.is_empty());
    let beside = replay(&["--json", &whole, &folder.file("other", &garbage)], &[]);
    assert_eq!(beside.status.code(), Some(1));
    let got: Value = serde_json::from_slice(&beside.stdout).expect("it is JSON");
    assert_eq!((count(&got, "announcements"), count(&got, "damaged_records")), (3, 0));
    // Nothing is not wrong.
    assert_eq!(count(&summary(&[&folder.file("empty", &[])], &[]), "records"), 0);
}

#[test]
fn routes_are_written_line_by_line() {
    let folder = Folder::new();
    let file = folder.file("table", &archive::table(300));
    let routes = folder.0.path().join("routes").to_string_lossy().into_owned();
    let vrps = r#"{"roas": [{"asn": "AS500002", "prefix": "22.0.0.0/16", "maxLength": 24, "ta": "x"}]}"#;
    let vrps = folder.file("vrps.json", vrps.as_bytes());
    let got = summary(&["--vrps", &vrps, "--routes", &routes, &file], &[]);
    let written = fs::read_to_string(&routes).expect("it was written");
    assert!(written.starts_with("22.0.0.0/24|500001|500001 500002|accept||valid\n"), "{}", &written[..200]);
    assert!(written.contains("\n22.0.1.0/24|500001|500001 500003|reject|rpki-invalid-origin|invalid\n"));
    assert!(written.contains("\n22.1.1.0/24|500001|500001 500004|accept||not-found\n"));
    assert_eq!(written.lines().count() as u64, count(&got, "judged"));
    let rejected = written.lines().filter(|line| line.contains("|reject|")).count() as u64;
    assert_eq!(rejected, count(&got, "rejected"));
    assert_eq!(got["rov"]["invalid-origin"].as_u64(), Some(rejected));

    // To standard output they go alone.
    let output = replay(&["--vrps", &vrps, "--routes", "-", "--json", &file], &[]);
    assert_eq!(text(&output.stdout), written);
    let on_stderr: Value = serde_json::from_slice(&output.stderr).expect("the summary is there");
    assert_eq!(count(&on_stderr, "rejected"), rejected);
    let (code, told) = failure(&["--routes", "/nowhere/at/all", &file], &[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("/nowhere/at/all can't be written"), "{told}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = Folder::new();
    let file = folder.file("table", &archive::table(60_000));
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(["replay", "--routes", "-", &file]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    assert!(lines.next().expect("a line").expect("it is read").starts_with("22.0.0.0/24|"));
    drop(lines);
    let mut told = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut told).expect("it is read");
    assert!(child.wait().expect("it ends").success(), "{told}");
    assert!(!told.contains("panicked") && !told.contains("roken pipe"), "{told}");
}

#[test]
fn peers_are_judged_by_the_configuration_that_has_them() {
    let folder = Folder::new();
    let file = folder.file("table", &archive::table(30));
    let irr = folder.file("irr.rpsl", b"route: 22.0.0.0/24\norigin: AS500002\nsource: TEST\n");
    let config = |address: &str, asn: u32| {
        let router = "[router]\nasn = 64500\nid = \"192.0.2.9\"\n";
        let peer =
            format!("[[peer]]\nname = \"c\"\naddress = \"{address}\"\nasn = {asn}\nrole = \"customer\"\n");
        folder.file(&format!("{asn}.toml"), format!("{router}{peer}").as_bytes())
    };
    let by = |config: &str| {
        let got = summary(&["--config", config, "--irr", &irr, &file], &[]);
        let peers = got["peers"].clone();
        let found = ["configured_by_address", "configured_by_asn", "not_configured"];
        (found.map(|name| peers[name].as_u64().expect("it is a number")), got["rejected_by"].clone())
    };
    let customer = serde_json::json!({"irr-origin-not-in-as-set": 30});
    // Only what has a route object passes from a peer that is not configured.
    let stranger = serde_json::json!({"irr-prefix-not-registered": 29});
    assert_eq!(by(&config("192.0.2.1", 500_001)), ([1, 0, 0], customer.clone()));
    assert_eq!(by(&config("192.0.2.7", 500_001)), ([0, 1, 0], customer));
    assert_eq!(by(&config("192.0.2.7", 500_005)), ([0, 0, 1], stranger.clone()));
    assert_eq!(summary(&["--irr", &irr, &file], &[])["rejected_by"], stranger);
    let (code, told) = failure(&["--config", "/nowhere.toml", &file], &[]);
    assert!(code == Some(1) && told.contains("/nowhere.toml"), "{told}");
}

#[test]
fn aspas_and_rules_are_counted_where_there_are_any() {
    let folder = Folder::new();
    let file = folder.file("table", &archive::table(30));
    let rpki = r#"{"roas": [{"asn": 500002, "prefix": "22.0.0.0/16", "maxLength": 24}],
        "aspas": [{"customer_asid": 500003, "expires": 4102444800, "providers": [7]}]}"#;
    folder.file("rpki.json", rpki.as_bytes());
    let config = "[router]\nasn = 64500\nid = \"192.0.2.9\"\n[rpki]\nfiles = [\"rpki.json\"]\n\
        [checks]\nrpki-invalid-origin = \"off\"\nnext-hop-foreign = \"off\"\n\
        [[rule]]\nname = \"no-four\"\ncontains_asn = [500004]\naction = \"reject\"\n\
        [[rule]]\nname = \"mark\"\nset = { local_preference = 7 }\n\
        [[peer]]\nname = \"p\"\naddress = \"192.0.2.1\"\nasn = 500001\nrole = \"peer\"\n";
    let config = folder.file("edge.toml", config.as_bytes());
    let got = summary(&["--config", &config, &file], &[]);
    assert_eq!(got["aspa"], serde_json::json!({"unverified": 0, "unknown": 20, "valid": 0, "invalid": 10}));
    assert_eq!(got["rejected_by"], serde_json::json!({"aspa-invalid": 10, "rule:no-four": 10}));
    assert_eq!((count(&got, "accepted"), count(&got, "amended")), (10, 10));
    let told = text(&replay(&["--config", &config, &file], &[]).stdout);
    let lines: Vec<String> =
        told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "ASPA invalid 10 33.33 %",
        "rule:no-four 10 33.33 %",
        "with attributes that import changes 10 33.33 %",
    ] {
        assert!(lines.iter().any(|told| told == line), "{told}");
    }
}

#[test]
fn the_summary_is_for_people() {
    let output = replay(&["-"], &archive::table(1234));
    let told = text(&output.stdout);
    let expected = "
  records                                   1,235
  peers                                         1
  prefixes                                  1,234
    IPv4                                    1,234
  withdrawals                                   0
  announcements                             1,234

  RPKI valid                                    0     0.00 %
  RPKI not-found                            1,234   100.00 %
  RPKI invalid-origin                           0     0.00 %
  RPKI invalid-length                           0     0.00 %

  accepted                                  1,234   100.00 %
  rejected                                      0     0.00 %
";
    assert!(told.starts_with("1 file, 1,234 routes judged in "), "{told}");
    assert!(told.ends_with(expected), "{told}");
}

/// The folder of real archives, where there is one.
fn real_archives() -> Option<Vec<PathBuf>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("PALISADE_REAL_DATA").map_or(beside, PathBuf::from).join("mrt");
    if !folder.is_dir() {
        eprintln!(
            "skipped: there are no real archives in {}; PALISADE_REAL_DATA can name them",
            folder.display()
        );
        return None;
    }
    let mut found = Vec::new();
    for folder in [folder.clone(), folder.join("mrtparse-samples")] {
        let files = fs::read_dir(&folder).into_iter().flatten();
        found.extend(files.filter_map(|file| file.ok().map(|file| file.path())));
    }
    let is_archive = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.is_file() && ![".json", ".rst", ".txt.gz"].iter().any(|end| name.ends_with(end))
    };
    found.retain(is_archive);
    found.sort();
    Some(found)
}

/// Where bgpdump is no measure, what we find instead: announcements, withdrawals and damaged records.
fn told_otherwise(name: &str) -> Option<([u64; 3], &'static str)> {
    match name {
        "rrc00.bview.20000111.0032.gz" => Some((
            [452_018, 0, 0],
            "bgpdump loses its place at the first record, whose length leaves 4 octets out",
        )),
        "ripe-bgpdump.updates.nlri_mask_trailing_bits.gz" => Some((
            [0, 0, 1],
            "its one UPDATE ends within its second prefix (RFC 7606 s5.3); bgpdump tells the first",
        )),
        "bird_bgp" | "bird6_bgp" => Some((
            [0, 0, 6],
            "its messages have path identifiers and its records say that they have none; bgpdump reads \
                 these as prefixes like 24.0.0.0/1",
        )),
        _ => None,
    }
}

#[test]
fn real_archives_are_read_as_bgpdump_reads_them() {
    let Some(archives) = real_archives() else { return };
    let has_bgpdump = Command::new("bgpdump").stderr(Stdio::null()).stdout(Stdio::null()).status().is_ok();
    if !has_bgpdump {
        eprintln!("skipped: bgpdump is not installed, so real archives are only read");
    }
    for path in archives {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let got = summary(&[&path.to_string_lossy()], &[]);
        let counted = ["announcements", "withdrawals", "damaged_records"].map(|name| count(&got, name));
        match told_otherwise(&name) {
            Some((expected, why)) => assert_eq!(counted, expected, "{name}: {why}"),
            None if has_bgpdump => {
                let told = bgpdump(&path);
                let told = |what: &str| told.get(what).copied().unwrap_or(0);
                assert_eq!(counted[..2], [told("A") + told("B"), told("W")], "{name}");
                assert_eq!(count(&got, "state_changes"), told("STATE"), "{name}");
            }
            None => {}
        }
    }
}

/// How many lines of each kind `bgpdump -m` prints.
fn bgpdump(path: &Path) -> BTreeMap<String, u64> {
    let mut child = Command::new("bgpdump")
        .arg("-m")
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("bgpdump runs");
    let mut counts = BTreeMap::new();
    for line in BufReader::new(child.stdout.take().expect("it is piped")).split(b'\n') {
        let line = line.expect("it is read");
        let kind = line.split(|octet| *octet == b'|').nth(2).unwrap_or_default();
        *counts.entry(String::from_utf8_lossy(kind).into_owned()).or_default() += 1;
    }
    child.wait().expect("bgpdump ends");
    counts
}
