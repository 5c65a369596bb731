//! A thread that attends to the clients of one listening socket, as the control socket's and those that read metrics.
//!
//! ```text
//!   accepted --> a place is free? --> a task that attends to it, and frees the place
//!           `--> none is --> it is turned away
//! ```
//!
//! Answers take long to make and to write where they are long, so this is done beside the router: sessions share their threads
//! with nobody who asks. What one client may take up, octets and time, is its attendant's to bound.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tracing::{error, warn};

/// How long to rest when there is no descriptor left for another client.
const REST: Duration = Duration::from_millis(200);

/// A socket that clients connect to.
pub(crate) trait Listening: Sized {
    /// The same, while no runtime knows of it.
    type Bound: Send + 'static;
    /// A client's connection.
    type Stream: Send + 'static;

    /// Has the runtime know of it.
    fn from_bound(bound: Self::Bound) -> io::Result<Self>;

    /// The next client.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>>;
}

/// Who attends to clients.
pub(crate) trait Attendant: Send + Sync + 'static {
    /// Where they come from.
    type Listening: Listening;

    /// Does what a client asks for.
    fn attend(&self, stream: Stream<Self>) -> impl Future<Output = ()> + Send;

    /// Says what there is to say to a client for whom there is no place, without waiting for it.
    fn turn_away(&self, stream: &Stream<Self>);
}

/// A client's connection.
pub(crate) type Stream<A> = <<A as Attendant>::Listening as Listening>::Stream;

/// The thread.
#[derive(Debug)]
pub(crate) struct Service {
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Service {
    /// Attends to clients of a socket from now on, to so many at once. `name` is what it is called in the log.
    pub(crate) fn start<A: Attendant>(
        name: &'static str,
        bound: <A::Listening as Listening>::Bound,
        places: usize,
        attendant: A,
    ) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    served = serve(name, bound, places, Arc::new(attendant)) => {
                        let Err(fault) = served;
                        error!(service = name, %fault, "no client can be listened for");
                    }
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Service { stop, thread })
    }

    /// Attends to nobody any more. Answers that are not whole are cut off.
    pub(crate) async fn stop(self) {
        let Service { stop, thread } = self;
        let ended = tokio::task::spawn_blocking(move || {
            // A thread that has ended needs not be told to.
            let _ = stop.send(());
            let _ = thread.join();
        });
        let _ = ended.await;
    }
}

async fn serve<A: Attendant>(
    name: &'static str,
    bound: <A::Listening as Listening>::Bound,
    places: usize,
    attendant: Arc<A>,
) -> io::Result<Infallible> {
    let listening = A::Listening::from_bound(bound)?;
    let places = Arc::new(Semaphore::new(places));
    // They end with this task.
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = clients.join_next() => {}
            accepted = listening.accept() => match accepted {
                Ok(stream) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let attendant = Arc::clone(&attendant);
                        clients.spawn(async move {
                            attendant.attend(stream).await;
                            drop(place);
                        });
                    }
                    Err(_) => attendant.turn_away(&stream),
                },
                Err(fault) => {
                    warn!(service = name, %fault, "a client could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            },
        }
    }
}

impl Listening for TcpListener {
    type Bound = std::net::TcpListener;
    type Stream = TcpStream;

    fn from_bound(bound: Self::Bound) -> io::Result<Self> {
        bound.set_nonblocking(true)?;
        TcpListener::from_std(bound)
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        TcpListener::accept(self).await.map(|(stream, _)| stream)
    }
}

impl Listening for UnixListener {
    type Bound = std::os::unix::net::UnixListener;
    type Stream = UnixStream;

    fn from_bound(bound: Self::Bound) -> io::Result<Self> {
        bound.set_nonblocking(true)?;
        UnixListener::from_std(bound)
    }

    async fn accept(&self) -> io::Result<UnixStream> {
        UnixListener::accept(self).await.map(|(stream, _)| stream)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Says `a` to whom it attends to, until they are gone, and `t` to those it turns away.
    struct Doorman;

    impl Attendant for Doorman {
        type Listening = TcpListener;

        async fn attend(&self, mut stream: TcpStream) {
            stream.write_all(b"a").await.unwrap();
            let _ = stream.read(&mut [0]).await;
        }

        fn turn_away(&self, stream: &TcpStream) {
            let _ = stream.try_write(b"t");
        }
    }

    #[tokio::test]
    async fn so_many_are_attended_to_at_once_and_whoever_goes_makes_room() {
        let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = bound.local_addr().unwrap();
        let service = Service::start("test", bound, 2, Doorman).unwrap();
        let connect = || async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let mut said = [0];
            stream.read_exact(&mut said).await.unwrap();
            (stream, said[0])
        };
        let ((first, a), (mut second, b), (_third, t)) = (connect().await, connect().await, connect().await);
        assert_eq!([a, b, t], *b"aat");
        drop(first);
        while connect().await.1 != b'a' {}
        service.stop().await;
        assert!(second.read_exact(&mut [0]).await.is_err(), "it is cut off");
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
    }
}
