//! The BIRD that a member is: what it is configured with, and what it holds.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ipnet::IpNet;

use crate::announcement::Announcement;
use crate::held::{self, Holdings};
use crate::member::Member;
use crate::support::bird::Bird;
use crate::world::{RS, rs_address};

impl Bird {
    /// Starts a member's BIRD in the member's namespace.
    pub(crate) fn play(member: &Member, folder: &Path) -> Self {
        let folder = folder.join(member.name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        Bird::start(member.name, &folder, &configuration(member))
    }

    /// Has it announce what the member announces now, and nothing else.
    pub(crate) fn announce(&self, member: &Member) {
        self.configure(&configuration(member));
        let answer = self.ask("configure");
        assert!(answer.contains("Reconfigur"), "{}: {answer}", member.name);
    }

    /// Sends it a signal by name.
    pub(crate) fn send(&self, signal: &str) {
        self.process.as_ref().expect("it runs").signal(signal);
    }

    /// All that the route server has told it.
    pub(crate) fn holdings(&self) -> Holdings {
        let mut holdings = Holdings::new();
        for table in ["lan4", "lan6"] {
            held::read(&self.ask(&format!("show route all protocol exchange table {table}")), &mut holdings);
        }
        holdings
    }

    /// How many announcements it has counted of those it was told since the session came up.
    pub(crate) fn announcements_received(&self) -> usize {
        self.count("Import updates:", 0)
    }

    /// How many announcements it has sent since the session came up.
    pub(crate) fn announcements_sent(&self) -> usize {
        self.count("Export updates:", 4)
    }

    /// A column of a line for each family: received, rejected, filtered, ignored, accepted.
    fn count(&self, of: &str, column: usize) -> usize {
        let told = self.ask("show protocols all exchange");
        let lines = told.lines().filter_map(|line| line.split_once(of));
        lines.filter_map(|(_, counts)| counts.split_whitespace().nth(column)?.parse::<usize>().ok()).sum()
    }
}

/// MED is told to another AS only where the export filter itself has set it, so it takes a detour.
fn configuration(member: &Member) -> String {
    let mut text = format!(
        "router id {}; protocol device {{}}\nipv4 table lan4; ipv6 table lan6;\nattribute int discriminator;\n\
         filter said {{ if source != RTS_STATIC then reject;\n\
         if defined(discriminator) then bgp_med = discriminator; accept; }}\n",
        member.router_id
    );
    let paths = if member.all_paths { "add paths rx;" } else { "" };
    let mut channels = String::new();
    for (family, next_hop) in [(4, member.v4().to_string()), (6, member.v6().to_string())] {
        let _ = writeln!(
            text,
            "protocol static said{family} {{ ipv{family} {{ table lan{family}; preference 200; }};"
        );
        let of_family = |prefix: &IpNet| prefix.addr().is_ipv4() == (family == 4);
        for (prefix, announcement) in member.announced.iter().filter(|(prefix, _)| of_family(prefix)) {
            route(*prefix, announcement, &mut text);
        }
        text.push_str("}\n");
        let _ = writeln!(
            channels,
            "ipv{family} {{ table lan{family}; {paths} import all; export filter said; next hop address {next_hop}; }};"
        );
    }
    let (ours, theirs) = (member.address(), rs_address(member.address()));
    // A member's AS may come back to it from its other router, and it is to show that.
    let _ = writeln!(
        text,
        "protocol bgp exchange {{ local {ours} as {}; neighbor {theirs} as {RS}; allow local as 10;\n\
         interpret communities off; connect delay time 1; connect retry time 1; error wait time 1, 2;\n{channels}}}",
        member.asn
    );
    text
}

fn route(prefix: IpNet, announcement: &Announcement, text: &mut String) {
    let _ = write!(text, "route {prefix} blackhole {{");
    let _ = write!(text, " bgp_origin = ORIGIN_{};", announcement.origin.name().to_uppercase());
    for asn in announcement.path.iter().rev() {
        let _ = write!(text, " bgp_path.prepend({asn});");
    }
    if let Some(med) = announcement.med {
        let _ = write!(text, " discriminator = {med};");
    }
    for community in announcement.communities() {
        let _ = write!(text, " {}.add({community});", community.attribute());
    }
    text.push_str(" };\n");
}
