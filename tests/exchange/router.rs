//! The route server: its configuration, and what it has said of each member's session.

use std::fmt::Write as _;
use std::path::Path;

use crate::member::{AMS, FRA, Member};
use crate::support::router::Router;
use crate::world::{BLACKHOLE_V4, BLACKHOLE_V6, RS};

impl Router {
    /// Writes its configuration. The VRPs are in the same folder. The routing registries are not asked: what they say is held
    /// by other tests.
    pub(crate) fn configure(folder: &Path, members: &[Member]) -> Self {
        let mut text = format!(
            "[router]\nmode = \"route-server\"\nasn = {RS}\nid = \"192.0.2.250\"\n\
             peering_lans = [\"192.0.2.0/24\", \"2001:db8:1::/64\"]\n\
             [rpki]\nfiles = [\"vrps.json\"]\n\
             [checks]\nirr-origin-not-in-as-set = \"off\"\nirr-prefix-not-registered = \"off\"\n\
             [actions]\nblackhole_next_hop = [\"{BLACKHOLE_V4}\", \"{BLACKHOLE_V6}\"]\n\
             [actions.regions]\nfra = {FRA}\nams = {AMS}\n"
        );
        for member in members {
            let named = |region: &u32| if *region == FRA { "\"fra\"" } else { "\"ams\"" };
            let regions: Vec<&str> = member.regions.iter().map(named).collect();
            let _ = writeln!(
                text,
                "[[peer]]\nname = \"{}\"\naddress = \"{}\"\nasn = {}\nregions = [{}]",
                member.name,
                member.address(),
                member.asn,
                regions.join(", ")
            );
        }
        Router::new(folder, &text)
    }

    /// How often it has said that of a member.
    pub(crate) fn said_of(&self, member: &str, words: &str) -> usize {
        let named = format!("peer=\"{member}\"");
        self.log().lines().filter(|line| line.contains(words) && line.contains(&named)).count()
    }
}
