//! A router, two networks around it, and what can be asked of it.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::bird::Bird;
use crate::support::namespace::{self, run};
use crate::support::router::Router;

/// Our AS, and that of each neighbour.
pub(crate) const OURS: u32 = 196_608;
pub(crate) const THEIRS: u32 = 196_700;

/// How long what should happen may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long what must not happen is waited for, after all that should has: some attempts of either side.
const STILL: Duration = Duration::from_secs(4);

/// A session as a case of a table.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The namespace of the neighbour.
    pub(crate) place: &'static str,
    /// Further keys of its `[[peer]]`.
    pub(crate) ours: &'static str,
    /// Further lines of BIRD's protocol.
    pub(crate) theirs: &'static str,
    /// Who connects.
    pub(crate) connects: End,
    pub(crate) comes_up: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Ours,
    Theirs,
}

/// What a session is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub(crate) const BOTH: &'static [Family] = &[Family::Ipv4, Family::Ipv6];

    /// The name of a case's session.
    fn session(self, case: &Case) -> String {
        format!("{}{}", case.name, if self == Family::Ipv6 { "-v6" } else { "" })
    }
}

/// Makes the router's namespace, one beside it and one behind that, which leads packets on between them.
pub(crate) fn networks() {
    namespace::prepare();
    for name in ["near", "far"] {
        run(&format!("ip netns add {name} && ip -n {name} link set lo up"));
    }
    run("ip link add near type veth peer name uplink netns near");
    run("ip -n near link add far type veth peer name uplink netns far");
    for (place, device) in [("", "near"), ("-n near", "uplink"), ("-n near", "far"), ("-n far", "uplink")] {
        run(&format!("ip {place} link set {device} up"));
    }
    let forwards = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";
    run(&format!("ip netns exec near sh -c '{forwards}'"));
    for (place, device, last) in [("near", "far", 1), ("far", "uplink", 2)] {
        run(&format!("ip -n {place} addr add 10.99.0.{last}/24 dev {device}"));
        run(&format!("ip -n {place} addr add fe80::{last}/64 dev {device} nodad"));
    }
    run("ip -n far route add default via 10.99.0.1");
    run("ip -n far -6 route add default via fe80::1 dev uplink");
}

/// The addresses of a case, ours and its neighbour's: each case has a network of its own, so that all run at once.
pub(crate) fn addresses(at: usize, family: Family) -> (String, String) {
    let network = at + 1;
    match family {
        Family::Ipv4 => (format!("10.0.{network}.1"), format!("10.0.{network}.2")),
        Family::Ipv6 => (format!("2001:db8:{network}::1"), format!("2001:db8:{network}::2")),
    }
}

/// A router with a session a case and family, and a BIRD in each namespace at the other end of all of them.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) folder: tempfile::TempDir,
    /// Who the router speaks to, for as long as the world is there.
    pub(crate) birds: Vec<Bird>,
    /// The sessions, and whether they should be up.
    pub(crate) sessions: Vec<(String, bool)>,
}

impl World {
    /// Makes it.
    pub(crate) fn of(cases: &[Case], families: &[Family]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut configuration = router_section(folder.path());
        let mut sessions = Vec::new();
        let mut birds =
            ["near", "far"].map(|place| (place, "router id 10.0.1.2;\nprotocol device {}\n".to_owned()));
        for (at, case) in cases.iter().enumerate() {
            for family in families {
                let (ours, theirs) = addresses(at, *family);
                lay(&ours, &theirs, case.place);
                let session = family.session(case);
                configuration.push_str(&peer(&session, case, &ours, &theirs));
                let bird = birds.iter_mut().find(|(place, _)| *place == case.place);
                bird.expect("it is one of the two").1.push_str(&protocol(&session, case, &ours, &theirs));
                sessions.push((session, case.comes_up));
            }
        }
        let birds = birds.into_iter().filter(|(_, text)| text.contains("bgp"));
        let birds = birds.map(|(place, text)| {
            let folder = folder.path().join(place);
            fs::create_dir(&folder).expect("a folder");
            Bird::start(place, &folder, &text)
        });
        let birds = birds.collect();
        let mut router = Router::new(folder.path(), &configuration);
        router.start();
        World { router, folder, birds, sessions }
    }

    /// Waits until the sessions are up that should be, and for a while more whether others come up.
    pub(crate) fn hold(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let up = self.up();
            let is_missing = |(name, comes_up): &&(String, bool)| *comes_up && !up.contains(name);
            let Some(missing) = self.sessions.iter().find(is_missing) else { break };
            assert!(Instant::now() < deadline, "{}\n{}", self.peer(&missing.0), self.router.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(STILL);
        let up = self.up();
        for (name, comes_up) in &self.sessions {
            assert_eq!(up.contains(name), *comes_up, "{name}: {}", self.peer(name));
        }
    }

    /// Waits until a session is up, or is not.
    pub(crate) fn wait_for(&self, name: &str, up: bool) {
        let deadline = Instant::now() + PATIENCE;
        while self.is_up(name) != up {
            assert!(Instant::now() < deadline, "{name}: {}\n{}", self.peer(name), self.router.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The names of the peers whose sessions are up.
    fn up(&self) -> HashSet<String> {
        let peers = self.peers();
        let up = peers.iter().filter(|peer| peer["state"] == "Established");
        up.filter_map(|peer| peer["name"].as_str()).map(str::to_owned).collect()
    }

    pub(crate) fn is_up(&self, name: &str) -> bool {
        self.peer(name)["state"] == "Established"
    }

    /// A peer as `palisade show peers` has it; `null` where there is none of that name.
    pub(crate) fn peer(&self, name: &str) -> Value {
        self.show(&[name])
    }

    /// All of them.
    pub(crate) fn peers(&self) -> Vec<Value> {
        self.show(&[]).as_array().cloned().unwrap_or_default()
    }

    /// A metric's sample, as it is written; 0 where there is none.
    pub(crate) fn metric(&self, sample: &str) -> u64 {
        let text = String::from_utf8(self.ask(&["metrics"])).expect("it is text");
        let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().expect("it is a number"))
    }

    fn show(&self, of: &[&str]) -> Value {
        serde_json::from_slice(&self.ask(&[&["peers", "--json"], of].concat())).unwrap_or_default()
    }

    fn ask(&self, what: &[&str]) -> Vec<u8> {
        let mut show = Command::new(env!("CARGO_BIN_EXE_palisade"));
        show.arg("show").args(what).arg("--socket").arg(self.folder.path().join("control.sock"));
        show.output().expect("it is asked").stdout
    }
}

/// Who we are, and where we are asked.
pub(crate) fn router_section(folder: &Path) -> String {
    let socket = folder.join("control.sock");
    format!("[router]\nasn = {OURS}\nid = \"10.0.1.1\"\n[control]\nsocket = \"{}\"\n", socket.display())
}

/// Gives both ends their addresses; those far away are led to through the namespace between.
fn lay(ours: &str, theirs: &str, place: &str) {
    let ipv6 = ours.contains(':');
    let (length, whole, behind) = if ipv6 { ("64 nodad", 128, "fe80::2") } else { ("24", 32, "10.99.0.2") };
    run(&format!("ip addr add {ours}/{length} dev near"));
    if place == "near" {
        run(&format!("ip -n near addr add {theirs}/{length} dev uplink"));
        return;
    }
    let between = format!("{ours}00");
    run(&format!("ip -n near addr add {between}/{length} dev uplink"));
    run(&format!("ip route add {theirs}/{whole} via {between} dev near"));
    run(&format!("ip -n near route add {theirs}/{whole} via {behind} dev far"));
    run(&format!("ip -n far addr add {theirs}/{whole} dev uplink"));
}

fn peer(name: &str, case: &Case, ours: &str, theirs: &str) -> String {
    let (keys, passive) = (case.ours, case.connects == End::Theirs);
    format!(
        "[[peer]]\nname = \"{name}\"\naddress = \"{theirs}\"\nlocal_address = \"{ours}\"\nasn = {THEIRS}\n\
         role = \"peer\"\npassive = {passive}\n{keys}\n"
    )
}

fn protocol(name: &str, case: &Case, ours: &str, theirs: &str) -> String {
    let channel = if ours.contains(':') { "ipv6" } else { "ipv4" };
    let (name, lines, passive) = (name.replace('-', "_"), case.theirs, case.connects == End::Ours);
    let passive = if passive { "yes" } else { "no" };
    format!(
        "protocol bgp {name} {{\n local {theirs} as {THEIRS};\n neighbor {ours} as {OURS};\n passive {passive};\n\
         connect delay time 1;\n connect retry time 1;\n error wait time 1, 1;\n {lines}\n\
         {channel} {{ import all; export none; }};\n}}\n"
    )
}
