//! A BIRD that plays neighbours: its configuration, and what they do.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::announcement::Announcement;
use crate::neighbor::Neighbor;
use crate::oracle::OURS;
use crate::support::bird::Bird;

impl Bird {
    /// Writes the configuration of a BIRD that plays these neighbours, and starts it.
    pub(crate) fn play(namespace: &'static str, folder: &Path, neighbors: &[&Neighbor], extra: &str) -> Self {
        let folder = folder.join(namespace);
        fs::create_dir_all(&folder).expect("a folder can be made");
        let id = neighbors.first().map(|neighbor| neighbor.router_id).expect("a BIRD plays someone");
        let mut text = format!("router id {id};\ntimeformat protocol iso long ms;\nprotocol device {{}}\n");
        neighbors.iter().for_each(|neighbor| configure(neighbor, &folder, &mut text));
        Bird::start(namespace, &folder, &(text + extra))
    }

    /// Switches a group of a neighbour's routes on or off.
    pub(crate) fn switch(&self, neighbor: &str, group: &str, on: bool) {
        for family in [4, 6] {
            self.switch_protocol(&format!("{neighbor}_{group}{family}"), on);
        }
    }

    /// Switches a protocol on or off.
    pub(crate) fn switch_protocol(&self, name: &str, on: bool) {
        self.ask(&format!("{} {name}", if on { "enable" } else { "disable" }));
    }

    /// A session's state, and how many announcements it has sent since it came up, by family: more if it was asked for a
    /// refresh.
    pub(crate) fn vital_signs(&self, protocol: &str) -> Vec<String> {
        let told = self.ask(&format!("show protocols all {protocol}"));
        // `NAME BGP --- up DATE TIME Established`, `Export updates: received rejected filtered ignored accepted`
        let signs =
            told.lines().filter(|line| line.starts_with(protocol) || line.contains("Export updates:"));
        signs.filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect()
    }

    /// All its sessions in a line each.
    pub(crate) fn sessions(&self) -> String {
        self.ask("show protocols").lines().filter(|line| line.contains("BGP")).collect::<Vec<_>>().join("\n")
    }
}

/// The protocols of one neighbour, with the files of routes that they include.
fn configure(neighbor: &Neighbor, folder: &Path, text: &mut String) {
    let name = neighbor.name;
    for family in [4, 6] {
        let _ = writeln!(text, "ipv{family} table {name}_table{family};");
        for (rank, group) in neighbor.groups.iter().enumerate() {
            let file = folder.join(format!("{name}_{}{family}.routes", group.name));
            fs::write(&file, routes(&group.announcements, family)).expect("a file can be written");
            let disabled = if group.on { "" } else { "disabled; " };
            let channel =
                format!("ipv{family} {{ table {name}_table{family}; preference {}; }};", 200 + rank);
            let _ = writeln!(text, "protocol static {name}_{}{family} {{ {disabled}{channel}", group.name);
            let _ = writeln!(text, "include \"{}\";\n}}", file.display());
        }
    }
    for (session, families) in neighbor.sessions() {
        let over_v6 = families == [6];
        let (theirs, ours) = if over_v6 {
            (neighbor.v6.to_string(), neighbor.ours.1.to_string())
        } else {
            (neighbor.v4.to_string(), neighbor.ours.0.to_string())
        };
        let disabled = if neighbor.up { "" } else { "disabled; " };
        let _ = writeln!(text, "protocol bgp {session} {{ {disabled}local {theirs} as {};", neighbor.asn);
        let _ = writeln!(text, "neighbor {ours} as {OURS}; hold time {};", neighbor.hold_time_s);
        text.push_str(
            "connect delay time 1; connect retry time 1; error wait time 1, 2; startup hold time 60;\n",
        );
        for family in families {
            let address = if *family == 4 { neighbor.v4.to_string() } else { neighbor.v6.to_string() };
            let _ = writeln!(
                text,
                "ipv{family} {{ table {name}_table{family}; import all; export all; next hop address {address}; }};"
            );
        }
        text.push_str("}\n");
    }
}

/// A `route` statement for each announcement of a family that BIRD itself can make.
fn routes(announcements: &[Announcement], family: u8) -> String {
    let mut text = String::new();
    for Announcement { prefix, path, .. } in
        announcements.iter().filter(|announcement| !announcement.aggregated)
    {
        if prefix.addr().is_ipv4() == (family == 4) {
            let _ = write!(text, "route {prefix} blackhole {{");
            for asn in path.iter().rev() {
                let _ = write!(text, " bgp_path.prepend({asn});");
            }
            text.push_str(" };\n");
        }
    }
    text
}
