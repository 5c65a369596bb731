//! The players' thread: in their own network, where there is one, with a runtime of its own, because a socket belongs to
//! the network of the thread that opens it.

use std::net::Ipv4Addr;
use std::sync::mpsc;
use std::thread;

use ipnet::Ipv4Net;
use tokio::runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::LabError;
use super::cast::Cast;
use super::ground::{self, Ground};
use super::player::Player;

/// The players, from their thread's beginning to its end.
pub(super) struct Stage {
    thread: thread::JoinHandle<()>,
    players: mpsc::Sender<Vec<Player>>,
    stop: watch::Sender<bool>,
}

impl Stage {
    /// Starts the thread, in a network wired to the router's where the ground has one.
    pub(super) fn build(ground: &Ground, cast: &Cast) -> Result<Self, LabError> {
        let apart = ground.is_apart();
        let addresses: Vec<Ipv4Addr> = cast.everybody().map(|part| part.address).collect();
        let lan = cast.lan;
        let (players, cue) = mpsc::channel();
        let (built, is_built) = mpsc::channel();
        let perform = move || match prepare(apart, &addresses, lan) {
            Ok(runtime) => {
                drop(built.send(Ok(())));
                runtime.block_on(play(&cue));
            }
            Err(error) => drop(built.send(Err(error))),
        };
        let thread =
            thread::Builder::new().name("players".into()).spawn(perform).map_err(LabError::Thread)?;
        is_built.recv().map_err(|_| LabError::Thread(std::io::ErrorKind::BrokenPipe.into()))??;
        let (stop, _) = watch::channel(false);
        Ok(Stage { thread, players, stop })
    }

    /// What tells the players that the play is over.
    pub(super) fn curtain(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Lets them play.
    pub(super) fn start(&self, players: Vec<Player>) {
        // The thread waits for them and for nothing else.
        let _ = self.players.send(players);
    }

    /// Ends their sessions and their thread.
    pub(super) fn stop(self) {
        self.stop.send_replace(true);
        drop(self.players);
        drop(self.thread.join());
    }
}

fn prepare(apart: bool, addresses: &[Ipv4Addr], lan: Option<Ipv4Net>) -> Result<runtime::Runtime, LabError> {
    if apart {
        ground::isolate(addresses, lan)?;
    }
    runtime::Builder::new_current_thread().enable_all().build().map_err(LabError::Thread)
}

async fn play(cue: &mpsc::Receiver<Vec<Player>>) {
    let mut playing: JoinSet<()> = cue.recv().unwrap_or_default().into_iter().map(Player::play).collect();
    while playing.join_next().await.is_some() {}
}
