//! Replay from outside, as a user sees it: MRT in, judged routes out, by the built program. A RIB dump of ten peers is
//! made up; archives of `../shared/data/mrt` (or `PALISADE_REAL_DATA`) come on top where they are. With bgpdump on
//! the machine its time over the same file stands beside.

mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Prefixes and peers of the made-up dump.
const PREFIXES: usize = 200_000;
const PEERS: u16 = 10;
/// Each file is replayed this often; the fastest counts.
const RUNS: usize = 5;

fn main() -> std::io::Result<()> {
    let made_up = tempfile::Builder::new().prefix("palisade-bench").suffix(".mrt").tempfile()?;
    fs::write(made_up.path(), dump())?;
    let mut files = vec![made_up.path().to_owned()];
    files.extend(real("mrt/ripe-bgpdump.updates.et-header.2015.gz"));
    files.extend(real("mrt/rrc01.updates.20241001.0055.gz"));
    files.extend(real("mrt/routeviews2.rib.20140523.0600_firstMB.bz2"));
    let vrps = real("rpki/rpkiclient_summary_20250720T093135Z.json.bz2");
    println!("{:<44} {:>9} {:>8} {:>12} {:>10}", "file", "routes", "s", "routes/s", "bgpdump s");
    for file in &files {
        let (routes, seconds) = best_of(|| replay(file, vrps.as_deref()));
        let bgpdump = bgpdump(file).map_or("-".to_owned(), |seconds| format!("{seconds:.2}"));
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        println!("{name:<44} {routes:>9} {seconds:>8.3} {:>12.0} {bgpdump:>10}", routes as f64 / seconds);
    }
    Ok(())
}

fn best_of(run: impl Fn() -> (u64, f64)) -> (u64, f64) {
    (0..RUNS).map(|_| run()).min_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or_default()
}

/// Routes judged and the seconds that took, as the program itself reports them: its tables are loaded by then.
fn replay(file: &Path, vrps: Option<&Path>) -> (u64, f64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.arg("replay").arg("--json").arg(file).stderr(Stdio::null());
    if let Some(vrps) = vrps {
        command.arg("--vrps").arg(vrps);
    }
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_slice(&output).unwrap_or_default();
    (summary["judged"].as_u64().unwrap_or(0), summary["seconds"].as_f64().unwrap_or(f64::NAN))
}

fn bgpdump(file: &Path) -> Option<f64> {
    let start = Instant::now();
    let status =
        Command::new("bgpdump").arg("-m").arg(file).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.ok().filter(|status| status.success()).map(|_| start.elapsed()).as_ref().map(Duration::as_secs_f64)
}

fn real(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PALISADE_REAL_DATA").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    Some(folder.join(name)).filter(|file| file.is_file())
}

/// A TABLE_DUMP_V2 dump (RFC 6396 s4.3): every peer has every prefix.
fn dump() -> Vec<u8> {
    let mut index = [192, 0, 2, 1, 0, 0].to_vec();
    index.extend(PEERS.to_be_bytes());
    for peer in 0..PEERS {
        index.extend([2, 198, 18, 0, peer as u8, 198, 18, 0, peer as u8]);
        index.extend(asn(peer).to_be_bytes());
    }
    let mut out = record(1, &index);
    for (number, entry) in world::table(PREFIXES).iter().enumerate() {
        let mut body = (number as u32).to_be_bytes().to_vec();
        entry.net.write_nlri(&mut body);
        body.extend(PEERS.to_be_bytes());
        for peer in 0..PEERS {
            let attributes = world::wire_attributes(asn(peer), entry.set, [198, 18, 0, peer as u8], &[]);
            body.extend(peer.to_be_bytes());
            body.extend([0; 4]);
            body.extend((attributes.len() as u16).to_be_bytes());
            body.extend(attributes);
        }
        out.extend(record(2, &body));
    }
    out
}

fn asn(peer: u16) -> u32 {
    3000 + u32::from(peer)
}

fn record(subtype: u16, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 0, 0, 0, 13];
    out.extend(subtype.to_be_bytes());
    out.extend((body.len() as u32).to_be_bytes());
    out.extend(body);
    out
}
