//! The socket's file: made, kept from others, and removed.
//!
//! A file may be there already. What a process that has ended left behind is replaced; what somebody listens at is left
//! alone, and so is what is no socket. Between looking and replacing nobody else may do the same, so both are done
//! under a lock (flock(2)) on the folder, which leaves nothing behind.
//!
//! The permissions are set between bind(2) and listen(2): until then nobody can connect, whatever the umask is.

use std::fs::{self, DirBuilder, File, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tracing::warn;

/// Owner and group may ask.
const MODE: u32 = 0o660;
/// The folder, where we make it: anybody may find the socket, and be told that it is not for them.
const FOLDER_MODE: u32 = 0o755;
/// Clients that the kernel keeps for us.
const BACKLOG: i32 = 128;
/// How often the folder's lock is tried, and how long it takes between; it is held for microseconds.
const TRIES: usize = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(25);

/// Why there is no control socket.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum SocketError {
    #[error("somebody listens at the control socket {} already", .0.display())]
    #[diagnostic(help("another router runs: stop it, or name another `socket` under [control], or `off`"))]
    Taken(PathBuf),
    #[error("{} is there, and is no socket", .0.display())]
    #[diagnostic(help("move it away, or name another `socket` under [control]"))]
    NoSocket(PathBuf),
    #[error("the control socket {} can't be made: {fault}", path.display())]
    #[diagnostic(help(
        "its folder must be there and ours to write to; name another `socket` under [control], or write `socket = \"off\"`"
    ))]
    Impossible { path: PathBuf, fault: io::Error },
}

/// A socket that is ours; its file goes with it.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    folder: PathBuf,
    listener: UnixListener,
    file: (u64, u64),
    /// Whether one was there that a process has left behind.
    is_inherited: bool,
    is_bequeathed: bool,
}

impl Claim {
    /// Makes the socket, and its folder where only that is missing, and listens at it.
    pub(crate) fn make(path: &Path) -> Result<Self, SocketError> {
        let impossible = |fault| SocketError::Impossible { path: path.to_owned(), fault };
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        make_folder(&folder).map_err(impossible)?;
        let _locked = lock(&folder).map_err(impossible)?;
        let is_inherited = match fs::symlink_metadata(path) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => false,
            Err(fault) => return Err(impossible(fault)),
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketError::NoSocket(path.to_owned()));
            }
            Ok(_) if is_alive(path).map_err(impossible)? => return Err(SocketError::Taken(path.to_owned())),
            Ok(_) => {
                fs::remove_file(path).map_err(impossible)?;
                true
            }
        };
        let listener = listen(path).map_err(impossible)?;
        let file = identity(&fs::symlink_metadata(path).map_err(impossible)?);
        Ok(Claim { path: path.to_owned(), folder, listener, file, is_inherited, is_bequeathed: false })
    }

    /// Whether a router was here before that ended without taking its socket away: it crashed, or left for another to go on.
    pub(crate) fn is_inherited(&self) -> bool {
        self.is_inherited
    }

    /// Has the file stay, for the next router to know that there was one.
    pub(crate) fn bequeath(&mut self) {
        self.is_bequeathed = true;
    }

    /// The socket to accept at.
    pub(crate) fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, where it is still ours.
    fn give_up(&self) -> io::Result<()> {
        let _locked = lock(&self.folder)?;
        match fs::symlink_metadata(&self.path) {
            Ok(found) if identity(&found) == self.file => fs::remove_file(&self.path),
            Ok(_) => Ok(()),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_bequeathed {
            return;
        }
        if let Err(fault) = self.give_up() {
            warn!(%fault, socket = %self.path.display(), "the control socket could not be removed");
        }
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // A folder that is there may lie where we could make none.
        Err(_) if folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Locks the folder until what is returned is dropped.
fn lock(folder: &Path) -> io::Result<File> {
    let folder = File::open(folder)?;
    for _ in 0..TRIES {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::Error(fault)) => return Err(fault),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "somebody keeps its folder locked"))
}

/// Whether somebody listens. Only a refusal says that nobody does; one who has no time now (EAGAIN) does.
fn is_alive(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => Ok(true),
        Err(fault) => match fault.kind() {
            io::ErrorKind::ConnectionRefused => Ok(false),
            io::ErrorKind::WouldBlock => Ok(true),
            _ => Err(fault),
        },
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::net::UnixStream;
    use std::sync::Barrier;

    fn path() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run").join("control.sock");
        (folder, path)
    }

    /// Leaves a socket as a process that was killed does.
    fn leave(path: &Path) {
        fs::create_dir(path.parent().unwrap()).unwrap();
        drop(UnixListener::bind(path).unwrap());
        assert!(path.exists());
    }

    #[test]
    fn owner_and_group_may_ask_and_the_file_goes_with_the_router() {
        let (_folder, path) = path();
        let claim = Claim::make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        UnixStream::connect(&path).unwrap();
        drop(claim);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_dead_one_is_replaced_and_a_live_one_is_left_alone() {
        let (_folder, path) = path();
        leave(&path);
        let claim = Claim::make(&path).unwrap();
        assert!(matches!(Claim::make(&path), Err(SocketError::Taken(_))));
        UnixStream::connect(&path).unwrap();
        assert!(claim.is_inherited());
        drop(claim);
        let mut claim = Claim::make(&path).unwrap();
        assert!(!claim.is_inherited());
        claim.bequeath();
        drop(claim);
        assert!(Claim::make(&path).unwrap().is_inherited());
    }

    #[test]
    fn what_is_no_socket_and_what_is_another_s_are_not_removed() {
        let (_folder, path) = path();
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        assert!(matches!(Claim::make(&path), Err(SocketError::NoSocket(_))));
        fs::remove_file(&path).unwrap();
        let claim = Claim::make(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let another = Claim::make(&path).unwrap();
        drop(claim);
        UnixStream::connect(&path).unwrap();
        drop(another);
    }

    #[test]
    fn of_those_that_start_at_once_one_has_it() {
        const STARTERS: usize = 8;
        for _ in 0..50 {
            let (_folder, path) = path();
            leave(&path);
            let at_once = Barrier::new(STARTERS);
            let start = || {
                at_once.wait();
                Claim::make(&path)
            };
            let claims: Vec<_> = thread::scope(|scope| {
                let starters: Vec<_> = (0..STARTERS).map(|_| scope.spawn(start)).collect();
                starters.into_iter().map(|starter| starter.join().unwrap()).collect()
            });
            assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1, "{claims:?}");
            assert!(
                claims
                    .iter()
                    .flat_map(|claim| claim.as_ref().err())
                    .all(|error| matches!(error, SocketError::Taken(_)))
            );
            UnixStream::connect(&path).unwrap();
        }
    }

    #[test]
    fn where_none_can_be_that_is_told() {
        let (folder, _) = path();
        let nowhere = folder.path().join("no").join("such").join("control.sock");
        assert!(matches!(Claim::make(&nowhere), Err(SocketError::Impossible { .. })));
        let long = folder.path().join("long".repeat(50));
        assert!(matches!(Claim::make(&long), Err(SocketError::Impossible { .. })));
    }
}
