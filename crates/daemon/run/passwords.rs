//! The passwords of TCP-MD5 that a configuration names, read from where they are.
//!
//! A password that can't be had is an error of the configuration, at the place that names its file: a session that should be
//! signed is never made without.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, ConfigError, Fault, Password, Peer, PeerRange, Problems, secret};
use crate::secret::Secret;

/// Octets that are read of a file: more than a password and a line's end have, to see that there are too many.
const READ: u64 = 1024;

/// The passwords of a configuration's peers and ranges.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    in_files: HashMap<PathBuf, Secret>,
}

/// Reads those that are in files: all of them, or none.
pub(crate) fn read(config: &Config) -> Result<Passwords, ConfigError> {
    let problems = Problems::new(Arc::clone(&config.source));
    let guests = config.ranges.iter().flat_map(PeerRange::alike);
    let mut passwords = Passwords::default();
    for peer in config.peers.iter().chain(guests) {
        // Many peers may have one file.
        if let Some(Password::InFile(file)) = &peer.transport.md5
            && !passwords.in_files.contains_key(file.get_ref())
        {
            match in_file(file.get_ref()) {
                Ok(password) => drop(passwords.in_files.insert(file.get_ref().clone(), password)),
                Err(fault) => problems.push(file.span(), fault),
            }
        }
    }
    problems.none_or(Some(passwords))
}

impl Passwords {
    /// The password of a peer of the configuration that they were read for, where it has one.
    pub(super) fn of(&self, peer: &Peer) -> Option<Secret> {
        match peer.transport.md5.as_ref()? {
            Password::Written(password) => Some(password.clone()),
            Password::InFile(file) => self.in_files.get(file.get_ref()).cloned(),
        }
    }
}

/// What a file holds, but for the end of its only line.
fn in_file(path: &Path) -> Result<Secret, Fault> {
    let octets = octets(path).map_err(|fault| {
        Fault::new(format!("{} can't be read", path.display()), fault.to_string())
            .help("no session is made without its password: the user that Palisade runs as needs to be able to read it")
    })?;
    let line = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let password = match line.contains(&b'\n') {
        true => Err("it has several lines".into()),
        false => secret(line),
    };
    password.map_err(|label| {
        Fault::new(format!("{} holds no password", path.display()), label)
            .help("put the password into it, in one line, and nothing else")
    })
}

fn octets(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(READ).read_to_end(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn read_with(content: Option<&[u8]>) -> Result<Vec<Option<Secret>>, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(content) = content {
            std::fs::write(folder.path().join("key"), content).unwrap();
        }
        let peers = "[group.g]\nmd5_password_file = \"key\"\n\
            [[peer]]\nname = \"a\"\naddress = \"192.0.2.2\"\nasn = 64501\ngroup = \"g\"\n\
            [[peer]]\nname = \"b\"\naddress = \"192.0.2.3\"\nasn = 64501\nmd5_password = \"own\"\ngroup = \"g\"\n\
            [[peer]]\nname = \"c\"\naddress = \"192.0.2.4\"\nasn = 64501\n";
        let text = format!("[router]\nasn = 196608\nid = \"192.0.2.1\"\n{peers}");
        let config = Config::parse(Source::new("test".into(), text), folder.path()).unwrap();
        read(&config).map(|passwords| config.peers.iter().map(|peer| passwords.of(peer)).collect())
    }

    #[test]
    fn a_password_comes_from_the_peer_or_its_group_and_its_file_has_one_line() {
        let own = Some(Secret::new(b"own"));
        for content in [&b"theirs"[..], b"theirs\n", b"theirs\r\n"] {
            let passwords = read_with(Some(content)).unwrap();
            assert_eq!(passwords, [Some(Secret::new(b"theirs")), own.clone(), None]);
        }
        let longest = [b'x'; 80];
        assert_eq!(read_with(Some(&longest)).unwrap()[0], Some(Secret::new(&longest)));
    }

    #[test]
    fn a_password_that_can_not_be_had_is_an_error() {
        for content in [None, Some(&b""[..]), Some(b"\n"), Some(b"two\nlines\n"), Some(&[b'x'; 81])] {
            assert!(read_with(content).is_err(), "{content:?}");
        }
    }
}
