//! Single values: how each kind of text or number in the configuration is read, and what is said when it can't be.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use palisade_bgp::prefix::PrefixError;
use palisade_bgp::{Asn, Prefix};
use palisade_policy::as_set::Member;
use toml::Spanned;

use super::nearest::nearest;
use super::problem::{Fault, Problems};
use super::section::{Field, listed};
use super::source::quoted;

/// Characters of a peer's name, which labels metrics and heads tables.
const MAX_NAME: usize = 64;

/// Characters of an interface's name (`IFNAMSIZ` of linux/if.h, less the NUL).
const MAX_INTERFACE: usize = 15;

/// An AS number that somebody can have.
pub(crate) fn asn(field: Field<'_>) -> Result<Asn, Fault> {
    if let Ok(text) = field.text() {
        let help = match text.parse() {
            Ok(Asn(number)) => format!("write the number alone: `asn = {number}`"),
            Err(_) => "write the number, like `asn = 64500`".into(),
        };
        return Err(Fault::new("`asn` must be an integer, not a string", "this is a string").help(help));
    }
    let number = field.integer(0, u32::MAX, "")?;
    match reserved_asn(number) {
        None => Ok(Asn(number)),
        Some(reserved) => Err(Fault::new(format!("`{}` can't be {number}", field.key), reserved)
            .help("write the AS number that a registry assigned")),
    }
}

/// Why no neighbour can have an AS number, where none can.
pub(crate) fn reserved_asn(number: u32) -> Option<&'static str> {
    match number {
        0 => Some("it stands for no AS (RFC 7607)"),
        23456 => Some("it stands in for numbers that old speakers can't write (AS_TRANS, RFC 6793)"),
        65535 | u32::MAX => Some("it is reserved (RFC 7300)"),
        _ => None,
    }
}

/// A BGP identifier: any IPv4 address but 0.0.0.0 (RFC 6286 s2.1).
pub(crate) fn router_id(field: Field<'_>) -> Result<Ipv4Addr, Fault> {
    let key = field.key;
    let help = format!("any IPv4 address of this router will do, like `{key} = \"192.0.2.1\"`");
    let text = field.text().map_err(|fault| fault.help(help.clone()))?;
    match text.parse() {
        Ok(Ipv4Addr::UNSPECIFIED) => {
            Err(Fault::new(format!("`{key}` can't be 0.0.0.0"), "it identifies nobody (RFC 6286 s2.1)")
                .help(help))
        }
        Ok(id) => Ok(id),
        Err(_) => {
            Err(Fault::new(format!("`{key}` can't be {}", quoted(text)), "not an IPv4 address").help(help))
        }
    }
}

/// The address of a host that a session can be with.
pub(crate) fn address(field: Field<'_>) -> Result<IpAddr, Fault> {
    const HELP: &str = "write one address, like `192.0.2.1` or `2001:db8::1`";
    let wrong =
        |text: &str, label: &str| Fault::new(format!("`{}` can't be {}", field.key, quoted(text)), label);
    let text = field.text()?;
    if text.contains('%') {
        return Err(wrong(text, "an address with a zone").help("write a global address instead"));
    }
    let address: IpAddr = text.parse().map_err(|_| wrong(text, "not an IP address").help(HELP))?;
    match unusable_address(address) {
        None => Ok(address),
        Some(label) => Err(wrong(text, label).help(HELP)),
    }
}

/// Where a neighbour is: its address, and the interface that leads to it where the address says that of no link (RFC 4007 s11).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) address: IpAddr,
    pub(crate) interface: Option<String>,
}

impl From<IpAddr> for Place {
    fn from(address: IpAddr) -> Self {
        Place { address, interface: None }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{}%{interface}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// Where a neighbour is: an address, or a link-local one with its interface, like `fe80::1%eth0`.
pub(crate) fn place(field: Field<'_>) -> Result<Place, Fault> {
    const HELP: &str = "a link-local address stands with its interface, like `fe80::1%eth0`";
    let text = field.text()?;
    let wrong =
        |label: &str| Fault::new(format!("`{}` can't be {}", field.key, quoted(text)), label).help(HELP);
    let Some((written, interface)) = text.split_once('%') else {
        return match text.parse::<IpAddr>() {
            Ok(IpAddr::V6(link_local)) if link_local.is_unicast_link_local() => {
                Err(wrong("a link-local address: of which link?"))
            }
            _ => address(field).map(Place::from),
        };
    };
    match written.parse::<IpAddr>() {
        Ok(IpAddr::V6(link_local)) if link_local.is_unicast_link_local() => {
            let fits = |octet: u8| octet.is_ascii_graphic() && octet != b'/';
            match interface.len() {
                1..=MAX_INTERFACE if interface.bytes().all(fits) => {
                    Ok(Place { address: link_local.into(), interface: Some(interface.into()) })
                }
                _ => Err(wrong("no interface is called so")),
            }
        }
        Ok(_) => Err(wrong("only a link-local address has a zone").help("write the address alone")),
        Err(_) => Err(wrong("not an IP address")),
    }
}

/// Why no session can be with an address, where none can.
pub(crate) fn unusable_address(address: IpAddr) -> Option<&'static str> {
    match address {
        _ if address.is_unspecified() => Some("it is nobody's address"),
        _ if address.is_multicast() => Some("a multicast address"),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some("the broadcast address"),
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            Some("an IPv4 address in an IPv6 one: write the former alone")
        }
        IpAddr::V6(address) if address.is_unicast_link_local() => {
            Some("a link-local address: of which link?")
        }
        _ => None,
    }
}

/// An address and a TCP port.
pub(crate) fn socket(field: Field<'_>) -> Result<SocketAddr, Fault> {
    let text = field.text()?;
    let wrong = |label: &str| Fault::new(format!("`{}` can't be {}", field.key, quoted(text)), label);
    match text.parse::<SocketAddr>() {
        Ok(socket) if socket.port() == 0 => Err(wrong("port 0 is no port").help("BGP's port is 179")),
        Ok(socket) => Ok(socket),
        Err(_) => Err(match text.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => {
                wrong("the port is missing").help(format!("write `{}`", SocketAddr::new(address, 179)))
            }
            Err(_) => wrong("not an address with a port")
                .help("write it like `192.0.2.1:179` or `[2001:db8::1]:179`"),
        }),
    }
}

/// A prefix that is not the default route.
pub(crate) fn prefix(field: Field<'_>) -> Result<Prefix, Fault> {
    let text = field.text()?;
    let wrong = |label: &str| Fault::new(format!("`{}` can't have {}", field.key, quoted(text)), label);
    match text.parse::<Prefix>() {
        Ok(prefix) if prefix.len() == 0 => {
            Err(wrong("every route is within it").help("name the prefixes that are meant, one by one"))
        }
        Ok(prefix) => Ok(prefix),
        Err(PrefixError::HostBits(_, prefix)) => {
            Err(wrong("bits are set past its length").help(format!("did you mean `{prefix}`?")))
        }
        Err(PrefixError::Syntax(_)) => Err(match text.parse::<IpAddr>() {
            Ok(address) => wrong("the length is missing").help(format!(
                "write `{address}/{}` for this address alone",
                if address.is_ipv4() { 32 } else { 128 }
            )),
            Err(_) => wrong("not a prefix").help("write it like `192.0.2.0/24` or `2001:db8::/32`"),
        }),
    }
}

/// A file; a relative name is one in `folder`.
pub(crate) fn path(field: Field<'_>, folder: &Path) -> Result<PathBuf, Fault> {
    let text = field.text()?;
    let wrong = |label: &str| Fault::new(format!("`{}` can't have {}", field.key, quoted(text)), label);
    match text {
        "" => Err(wrong("no name")),
        "-" => Err(wrong("standard input is read once").help("name a file, which can be read again")),
        _ if text.contains('\0') => Err(wrong("no file's name has a NUL in it")),
        _ => Ok(folder.join(text)),
    }
}

/// A peer's name.
pub(crate) fn name(field: Field<'_>) -> Result<String, Fault> {
    let text = field.text()?;
    name_in(text, "`name`").map(|()| text.into())
}

/// That a text can be the name that `what` says.
pub(crate) fn name_in(text: &str, what: &str) -> Result<(), Fault> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let label = match text.chars().find(|letter| !fits(*letter)) {
        _ if text.is_empty() => "no name".into(),
        _ if text.len() > MAX_NAME => format!("longer than {MAX_NAME} characters"),
        Some(' ') => "a space can't be in a name".into(),
        Some(letter) => format!("{} can't be in a name", quoted(&letter.to_string())),
        None => return Ok(()),
    };
    let fault = Fault::new(format!("{what} can't be {}", quoted(text)), label);
    Err(fault.help("a name is made of letters, digits, `-`, `_` and `.`, like `transit-a`"))
}

/// The names of as-sets, with their registries before them or not, or the AS number of a peer that has no as-set. Several
/// stand with spaces between them, as networks publish them.
pub(crate) fn as_set(field: Field<'_>) -> Result<String, Fault> {
    const HELP: &str = "write it like `AS-EXAMPLE`, `RIPE::AS-EXAMPLE` or `AS64500:AS-EXAMPLE`";
    let text = field.text().map_err(|fault| fault.help(HELP))?;
    let mut names = text.split_whitespace().map(str::parse::<Member>).peekable();
    if names.peek().is_some() && names.all(|name| name.is_ok()) {
        return Ok(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Err(field.not("an as-set's name begins with `AS-` (RFC 2622 s5)").help(HELP))
}

/// Seconds without a message after which a session is dead: 0 for never, or at least 3 (RFC 4271 s4.2).
pub(crate) fn hold_time(field: Field<'_>) -> Result<u16, Fault> {
    match u16::try_from(field.integer(0, u32::from(u16::MAX), " seconds")?) {
        Ok(seconds @ (1 | 2)) => {
            let fault = Fault::new(
                format!("`hold_time` can't be {seconds}"),
                "must be 0 or at least 3 (RFC 4271 s4.2)",
            );
            Err(fault.help("90 is usual; 0 means that a dead peer is never noticed"))
        }
        Ok(seconds) => Ok(seconds),
        Err(_) => Err(Fault::new("`hold_time` is out of range", "must be at most 65535 seconds")),
    }
}

/// A time: a number with `s`, `m`, `h` or `d` behind it, or `0`; from `least` to `most`, or 0 where `least` is 0.
pub(crate) fn duration(field: Field<'_>, least: Duration, most: Duration) -> Result<Duration, Fault> {
    const HELP: &str = "write it like \"90s\", \"10m\", \"6h\" or \"1d\"";
    let text = field.text().map_err(|fault| fault.help(HELP))?;
    let (number, unit) =
        text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match (unit, number) {
        ("s", _) | ("", "0") => Some(1),
        ("m", _) => Some(60),
        ("h", _) => Some(3600),
        ("d", _) => Some(86_400),
        _ => None,
    };
    let Some((unit, number)) = seconds.zip(number.parse::<u64>().ok()) else {
        return Err(field.not("not a time").help(HELP));
    };
    let value = Duration::from_secs(number.saturating_mul(unit));
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(field.not(&format!("must be from {} to {}", shown(least), shown(most))))
    }
}

/// A time in the words that [`duration`] reads.
pub(crate) fn shown(time: Duration) -> String {
    match time.as_secs() {
        0 => "0".into(),
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// A host, by address or by name, and a TCP port; `example` is the port that is usual.
pub(crate) fn host_and_port(field: Field<'_>, example: u16) -> Result<(String, u16), Fault> {
    let text = field.text()?;
    let wrong = |label: &str| Fault::new(format!("`{}` can't be {}", field.key, quoted(text)), label);
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        let with_port = SocketAddr::new(address, example);
        return Err(wrong("the port is missing").help(format!("write `{with_port}`")));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(wrong("the port is missing").help(format!("write `{text}:{example}`")));
    };
    let Some(port) = port.parse::<u16>().ok().filter(|port| *port != 0) else {
        return Err(wrong("its port is no port").help(format!("write `{host}:{example}`")));
    };
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return match unusable_address(address) {
            Some(label) => Err(wrong(label)),
            None if address.is_ipv6() && !host.starts_with('[') => {
                Err(wrong("an IPv6 address stands in brackets").help(format!("write `[{address}]:{port}`")))
            }
            None => Ok((address.to_string(), port)),
        };
    }
    match host_name(host) {
        Ok(()) => Ok((host.into(), port)),
        Err(label) => Err(wrong(label).help(format!(
            "write it like `cache.example.net:{example}`, `192.0.2.1:{example}` or `[2001:db8::1]:{example}`"
        ))),
    }
}

/// Why a text is no host's name (RFC 1123 s2.1), where it is none.
fn host_name(text: &str) -> Result<(), &'static str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let label = |label: &str| !label.is_empty() && label.len() <= 63;
    match text {
        _ if text.is_empty() => Err("no host"),
        _ if text.len() > 253 => Err("no host's name is that long"),
        _ if !text.chars().all(fits) || !text.trim_end_matches('.').split('.').all(label) => {
            Err("neither an address nor a host's name")
        }
        _ if text.chars().all(|letter| letter.is_ascii_digit() || letter == '.') => Err("not an IP address"),
        _ => Ok(()),
    }
}

/// A TCP port.
pub(crate) fn port(field: Field<'_>) -> Result<u16, Fault> {
    u16::try_from(field.integer(1, u32::from(u16::MAX), "")?)
        .map_err(|_| Fault::new("`port` is out of range", "must be at most 65535"))
}

/// A word of a list of words, each of which means something.
pub(crate) fn word<T: Copy>(field: Field<'_>, words: &[(&'static str, T)]) -> Result<T, Fault> {
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let choice = |fault: Fault| fault.help(format!("write one of {}", listed(&known)));
    let text = field.text().map_err(choice)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let fault = Fault::new(format!("`{}` can't be {}", field.key, quoted(text)), "unknown");
    Err(match nearest(text, &known) {
        Some(word) => fault.help(format!("did you mean `{word}`? It is one of {}", listed(&known))),
        None => choice(fault),
    })
}

/// The values of a list without their places; one that is there twice is an error.
pub(crate) fn distinct<T: Ord + Display>(key: &str, list: Vec<Spanned<T>>, problems: &Problems) -> Vec<T> {
    once_each(key, &list, T::to_string, problems);
    list.into_iter().map(Spanned::into_inner).collect()
}

/// Says which values of a list are there twice.
pub(crate) fn once_each<T: Ord>(
    key: &str,
    list: &[Spanned<T>],
    shown: impl Fn(&T) -> String,
    problems: &Problems,
) {
    let mut seen = BTreeMap::new();
    for value in list {
        if let Some(first) = seen.get(value.get_ref()) {
            let fault =
                Fault::new(format!("`{key}` has {} twice", quoted(&shown(value.get_ref()))), "again here");
            problems.push_pair(
                value.span(),
                fault.help("remove one of them"),
                Range::clone(first),
                "first here",
            );
        } else {
            seen.insert(value.get_ref(), value.span());
        }
    }
}
