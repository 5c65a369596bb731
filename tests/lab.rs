//! `palisade lab`, run as its users run it: with networks of its own where the system gives them, and without.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_palisade");

/// Runs a command where no namespace can be made.
const WITHOUT_NAMESPACES: &str = "ip link set lo up && echo 0 > /proc/sys/user/max_user_namespaces \
     && echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\"";

fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("lab").args(arguments).env_remove("PALISADE_LOG").stdin(Stdio::null());
    command
}

/// The lab in a user namespace that allows no more of them, on a loopback of its own.
fn lab_without_namespaces(arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        WITHOUT_NAMESPACES,
        "sh",
        PROGRAM,
        "lab",
    ]);
    command.args(arguments).env_remove("PALISADE_LOG").stdin(Stdio::null());
    command
}

fn can_be_without_namespaces(test: &str) -> bool {
    let tried = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "sh", "-c", WITHOUT_NAMESPACES, "sh", "true"])
        .output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        println!(
            "skipped: {test}: no user namespace can be made here to take the lab's own away (unshare, ip)"
        );
    }
    can
}

fn json(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A number under a path of keys.
fn number(value: &Value, path: &str) -> i64 {
    value
        .pointer(path)
        .and_then(Value::as_i64)
        .unwrap_or_else(|| unreachable!("no number at {path} in {value}"))
}

/// What must hold of every play of the sample.
fn assert_as_intended(summary: &Value) {
    assert_eq!(summary["as_intended"], true, "{summary}");
    assert_eq!(summary["differences"], serde_json::json!([]));
    assert_eq!(number(summary, "/sessions_up"), 7);
    assert_eq!(number(summary, "/held"), number(summary, "/accepted") + number(summary, "/rejected"));
    let total = |key: &str| summary[key].as_object().unwrap().values().filter_map(Value::as_i64).sum::<i64>();
    assert_eq!(number(summary, "/rejected"), total("rejected_by"));
    assert_eq!(number(summary, "/held"), total("rov"));
    assert!(number(summary, "/kernel/routes") > 1_000);
    assert_eq!(summary["kernel"]["agrees"], true);
    assert!(number(summary, "/listener/prefixes") > 1_000);
}

#[test]
fn the_sample_comes_out_as_its_author_intended_and_the_kernel_agrees() {
    let began = Instant::now();
    let summary = json(&lab(&["--json"]).output().unwrap());
    assert_as_intended(&summary);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    if summary["namespaces"] == false {
        let because = summary["without_namespaces_because"].as_str().unwrap_or_default();
        println!("skipped: the lab's network namespaces: {because}");
        return;
    }
    // The one prefix that is kept from the listener is a blackhole's, which carries NO_EXPORT.
    assert_eq!(number(&summary, "/kernel/routes"), number(&summary, "/listener/prefixes") + 1);
    assert!(number(&summary, "/rejected_by/next-hop-foreign") > 0);
}

#[test]
fn without_namespaces_it_says_so_and_comes_to_the_same() {
    if !can_be_without_namespaces("without_namespaces_it_says_so_and_comes_to_the_same") {
        return;
    }
    let output = lab_without_namespaces(&["--json"]).output().unwrap();
    let summary = json(&output);
    assert_as_intended(&summary);
    assert_eq!(summary["namespaces"], false);
    assert_eq!(summary["kernel"]["in_memory"], true);
    let told = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
    assert!(told.contains("Its routes go into a kernel in memory, because"), "{told}");
}

#[test]
fn a_person_is_told_in_sentences_and_every_seed_is_a_sample() {
    let output = lab(&["--seed", "7"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for told in [
        "announcements and ",
        "paths held are rejected, and kept with their reason:",
        "rpki-invalid-origin",
        "agrees: ",
        "All is as the sample's author intended",
    ] {
        assert!(text.contains(told), "no `{told}` in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

/// What `run` and `replay` read, the lab wrote; and its own configuration is one that `check` takes.
#[test]
fn the_sample_is_written_out_and_the_configuration_shown() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("sample");
    json(&lab(&["--json", "--sample-dir", sample.to_str().unwrap()]).output().unwrap());
    let replayed = Command::new(PROGRAM)
        .args(["replay", "--json", "--config"])
        .arg(sample.join("palisade.toml"))
        .args(mrt_files(&sample))
        .output()
        .unwrap();
    assert!(number(&json(&replayed), "/announcements") > 3_000);

    let shown = lab(&["--show-config"]).output().unwrap();
    std::fs::write(sample.join("lab.toml"), shown.stdout).unwrap();
    let checked =
        Command::new(PROGRAM).args(["check", "--config"]).arg(sample.join("lab.toml")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

fn mrt_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "mrt")).collect();
    assert_eq!(files.len(), 6);
    files
}

/// Archives of one's own: the sample's, played as if they were strangers'.
#[test]
fn real_files_take_the_samples_place() {
    let folder = tempfile::tempdir().unwrap();
    json(&lab(&["--json", "--sample-dir", folder.path().to_str().unwrap()]).output().unwrap());
    let mut command = lab(&["--json", "--vrps"]);
    command.arg(folder.path().join("vrps.json"));
    for file in mrt_files(folder.path()) {
        command.arg("--mrt").arg(file);
    }
    let summary = json(&command.output().unwrap());
    assert_eq!(summary["as_intended"], Value::Null);
    assert_eq!(summary["sessions"].as_array().unwrap().len(), 7);
    assert_eq!(number(&summary, "/announcements"), 3_527);
    assert!(number(&summary, "/rejected_by/rpki-invalid-origin") > 0);
    assert_eq!(summary["kernel"]["agrees"], true);
}

#[test]
fn what_can_t_be_played_is_told_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-mrt");
    std::fs::write(&file, "[router]\nasn = 1\n").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, told) in [
        (["--mrt", "nowhere.gz"], "there is no such file"),
        (["--mrt", file], "holds no MRT record"),
        (["--mrt", "-"], "reads an archive twice"),
        (["--vrps", file], "this is no list of VRPs"),
        (["--irr", file], "no route, route6, as-set"),
        (["--sample-dir", file], "the sample can't be written"),
    ] {
        let output = lab(&arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.replace("\n  │", "").contains(told), "{error}");
    }
}

/// A lab that is held, until it is dropped.
struct Held(Child);

impl Held {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(child.stderr.take().unwrap()).lines();
        // The rest is read, too, so that the lab can go on telling.
        let (send, held) = std::sync::mpsc::channel();
        std::thread::spawn(move || told.map_while(Result::ok).for_each(|line| drop(send.send(line))));
        while !held.recv_timeout(Duration::from_secs(20)).unwrap().contains("The router stays up") {}
        Held(child)
    }

    fn namespace(&self) -> PathBuf {
        std::fs::read_link(format!("/proc/{}/ns/net", self.0.id())).unwrap()
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It has ended, unless the test fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processes that are in a network namespace.
fn inhabitants(namespace: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter(|process| std::fs::read_link(process.path().join("ns/net")).is_ok_and(|net| net == namespace))
        .count()
}

#[test]
fn held_it_stays_until_it_is_told_to_stop_and_leaves_nothing_behind() {
    for signal in ["-INT", "-TERM"] {
        let mut held = Held::start(lab(&["--hold", "--json"]));
        let namespace = held.namespace();
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        if namespace != own {
            assert_eq!(inhabitants(&namespace), 1);
        }
        assert!(held.0.try_wait().unwrap().is_none());
        held.signal(signal);
        assert!(held.0.wait().unwrap().success());
        if namespace != own {
            assert_eq!(inhabitants(&namespace), 0);
        }
    }
}
