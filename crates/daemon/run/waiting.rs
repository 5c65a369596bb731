//! What a task waits for that is not always there: where it is not, the wait has no end, and the task goes on with what else
//! it waits for.

use std::time::Instant;

use tokio::sync::Notify;

use super::connection::Connection;
use super::queue::{Outgoing, SessionReader};

/// Something can be read. Readiness only: an error shows when it is read or written.
pub(crate) async fn readable(connection: Option<&Connection>) {
    match connection {
        Some(connection) => drop(connection.readable().await),
        None => std::future::pending().await,
    }
}

/// There is room for what waits to be written; likewise.
pub(crate) async fn writable(connection: Option<&Connection>) {
    match connection.filter(|connection| connection.has_waiting()) {
        Some(connection) => drop(connection.writable().await),
        None => std::future::pending().await,
    }
}

/// The next that a session's queue holds.
pub(super) async fn next_outgoing(queue: Option<&mut SessionReader>) -> Option<Outgoing> {
    match queue {
        Some(queue) => queue.next().await,
        None => std::future::pending().await,
    }
}

/// Somebody has said something since it was last asked; likewise.
pub(super) async fn notified(notify: Option<&Notify>) {
    match notify {
        Some(notify) => notify.notified().await,
        None => std::future::pending().await,
    }
}

/// The time has come.
pub(crate) async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
