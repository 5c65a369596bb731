//! FRR's bgpd (Debian: frr, and frr-rpki-rtrlib for validation), without zebra.
//!
//! It prefers the older of two equal paths unless told to go by the BGP identifier, as the others do. Action communities
//! would take a route map for each member, which is not written here. Where VRPs change it keeps what it was sent, since it judges
//! nothing again otherwise.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{Daemon, Setting, path, words, write};
use crate::load::{Kind, Load, News};
use crate::member;
use crate::problem::Problem;

pub(super) struct Frr;

impl Daemon for Frr {
    fn name(&self) -> &'static str {
        "frr"
    }

    fn program(&self) -> PathBuf {
        "/usr/lib/frr/bgpd".into()
    }

    fn declines(&self, load: &Load) -> Option<&'static str> {
        match (load.kind, load.news) {
            (Kind::Actions, _) => Some("it is given no route maps for action communities"),
            (_, News::Irr) => Some("it reads no IRR"),
            _ => None,
        }
    }

    fn configure(&self, setting: &Setting<'_>) -> Result<(), Problem> {
        // It gives up root before it opens its socket there.
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(setting.dir, open).map_err(Problem::file(setting.dir))?;
        write(setting, "bgpd.conf", &text(setting))
    }

    fn command(&self, setting: &Setting<'_>) -> Vec<String> {
        let [config, pid] = ["bgpd.conf", "bgpd.pid"].map(|name| path(setting, name));
        let dir = setting.dir.display().to_string();
        let address = member::TARGET.to_string();
        let mut command = words(&["/usr/lib/frr/bgpd", "-f", &config, "-i", &pid, "--vty_socket", &dir]);
        command.extend(words(&[
            "-u",
            "root",
            "-g",
            "root",
            "-S",
            "-Z",
            "-A",
            "127.0.0.1",
            "-P",
            "0",
            "-l",
            &address,
        ]));
        if setting.validates() {
            command.extend(words(&["-M", "rpki"]));
        }
        command
    }
}

fn text(setting: &Setting<'_>) -> String {
    let load = setting.load;
    let mut text = String::from("frr defaults traditional\n");
    if setting.validates() {
        let _ = writeln!(
            text,
            "rpki\n rpki polling_period 60\n rpki cache {} {} preference 1\n exit\nroute-map in deny 5\n match rpki invalid\n\
             route-map in permit 10",
            member::CACHE,
            member::CACHE_PORT
        );
    }
    let _ = writeln!(
        text,
        "route-map none deny 10\nrouter bgp {}\n bgp router-id {}\n no bgp ebgp-requires-policy\n \
         no bgp default ipv4-unicast\n no bgp network import-check\n bgp bestpath compare-routerid",
        member::TARGET_ASN,
        member::TARGET
    );
    for session in 0..load.sessions() {
        let address = member::address(session);
        let _ = writeln!(
            text,
            " neighbor {address} remote-as {}\n neighbor {address} passive\n neighbor {address} timers {} {}\n \
             no neighbor {address} enforce-first-as",
            member::asn(session),
            load.terms().hold_time_s / 3,
            load.terms().hold_time_s
        );
    }
    for family in ["ipv4", "ipv6"] {
        let _ = writeln!(text, " address-family {family} unicast");
        for session in 0..load.sessions() {
            let address = member::address(session);
            let _ = writeln!(text, "  neighbor {address} activate");
            if load.is_route_server() {
                let _ = writeln!(text, "  neighbor {address} route-server-client");
            }
            if setting.validates() {
                let _ = writeln!(text, "  neighbor {address} route-map in in");
            }
            if load.news == News::Vrps {
                let _ = writeln!(text, "  neighbor {address} soft-reconfiguration inbound");
            }
            if !load.receives(session) {
                let _ = writeln!(text, "  neighbor {address} route-map none out");
            }
        }
        text.push_str(" exit-address-family\n");
    }
    text
}
