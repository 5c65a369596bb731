//! The `rpki` crate's server, as a cache whose data a test changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::stream;
use palisade_policy::Vrp;
use rpki::resources::addr::{MaxLenPrefix, Prefix as RpkiPrefix};
use rpki::resources::asn::Asn as RpkiAsn;
use rpki::rtr::pdu::ProviderAsns;
use rpki::rtr::server::{NotifySender, PayloadDiff, PayloadSet, PayloadSource, Socket};
use rpki::rtr::{Action, Payload, PayloadRef, Serial, State, Timing};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the cache has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Data {
    pub(crate) vrps: BTreeSet<Vrp>,
    /// Customers and their providers.
    pub(crate) aspas: BTreeMap<u32, Vec<u32>>,
}

/// A cache.
pub(crate) struct Server {
    pub(crate) port: u16,
    source: Source,
    notify: NotifySender,
    /// Counts up when all connections are to break.
    breaks: watch::Sender<u32>,
}

/// Serials and what the data was.
type History = VecDeque<(u32, Arc<Data>)>;

#[derive(Clone)]
struct Source {
    /// The newest last.
    history: Arc<Mutex<History>>,
    resets: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let history = Arc::new(Mutex::new(VecDeque::from([(1, Arc::default())])));
        let source = Source { history, resets: Arc::default() };
        let (notify, breaks) = (NotifySender::new(), watch::channel(0).0);
        let accept = stream::unfold((listener, breaks.subscribe()), |(listener, breaks)| async {
            let accepted = listener.accept().await.map(|(stream, _)| {
                stream.set_nodelay(true).unwrap();
                Breakable { stream, broken: *breaks.borrow(), breaks: breaks.clone() }
            });
            Some((accepted, (listener, breaks)))
        });
        let server = rpki::rtr::Server::new(Box::pin(accept), notify.clone(), source.clone());
        tokio::spawn(server.run());
        Server { port, source, notify, breaks }
    }

    /// Changes the data, and notifies clients.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Data)) {
        let mut history = self.source.history.lock().unwrap();
        let (serial, last) = history.back().unwrap();
        let (serial, mut data) = (serial + 1, Data::clone(last));
        change(&mut data);
        history.push_back((serial, Arc::new(data)));
        drop(history);
        self.notify.clone().notify();
    }

    /// Forgets what the data was before.
    pub(crate) fn forget_history(&self) {
        let mut history = self.source.history.lock().unwrap();
        let last = history.len() - 1;
        history.drain(..last);
    }

    /// Breaks all connections as soon as they are used again.
    pub(crate) fn drop_connections(&self) {
        self.breaks.send_modify(|breaks| *breaks += 1);
        self.notify.clone().notify();
    }

    /// How often all of the data was asked for.
    pub(crate) fn resets(&self) -> usize {
        self.source.resets.load(Ordering::Relaxed)
    }
}

fn origin(vrp: &Vrp) -> Payload {
    let prefix = RpkiPrefix::new(vrp.prefix().address(), vrp.prefix().len()).unwrap();
    Payload::origin(MaxLenPrefix::new(prefix, Some(vrp.max_length())).unwrap(), vrp.asn().0.into())
}

fn aspa(customer: u32, providers: &[u32]) -> Payload {
    let providers = ProviderAsns::try_from_iter(providers.iter().map(|asn| RpkiAsn::from(*asn))).unwrap();
    Payload::aspa(customer.into(), providers)
}

impl Source {
    fn last(&self) -> (u32, Arc<Data>) {
        self.history.lock().unwrap().back().cloned().unwrap()
    }
}

fn state(serial: u32) -> State {
    State::from_parts(4711, Serial::from(serial))
}

impl PayloadSource for Source {
    type Set = Items;
    type Diff = Items;

    fn ready(&self) -> bool {
        true
    }

    fn notify(&self) -> State {
        state(self.last().0)
    }

    fn full(&self) -> (State, Items) {
        self.resets.fetch_add(1, Ordering::Relaxed);
        let (serial, data) = self.last();
        let aspas = data.aspas.iter().map(|(customer, providers)| aspa(*customer, providers));
        let items = data.vrps.iter().map(origin).chain(aspas).map(|item| (Action::Announce, item));
        (state(serial), Items::of(items))
    }

    fn diff(&self, from: State) -> Option<(State, Items)> {
        let history = self.history.lock().unwrap();
        let (_, old) =
            history.iter().find(|(serial, _)| from.serial() == *serial && from.session() == 4711)?;
        let (serial, new) = history.back()?;
        let come = new.vrps.difference(&old.vrps).map(|vrp| (Action::Announce, origin(vrp)));
        let gone = old.vrps.difference(&new.vrps).map(|vrp| (Action::Withdraw, origin(vrp)));
        let aspas =
            new.aspas.iter().filter(|(customer, providers)| old.aspas.get(customer) != Some(providers));
        let aspas = aspas.map(|(customer, providers)| (Action::Announce, aspa(*customer, providers)));
        let without = old.aspas.keys().filter(|customer| !new.aspas.contains_key(customer));
        let without = without.map(|customer| (Action::Withdraw, aspa(*customer, &[])));
        Some((state(*serial), Items::of(gone.chain(come).chain(aspas).chain(without))))
    }

    fn timing(&self) -> Timing {
        Timing { refresh: 3600, retry: 600, expire: 7200 }
    }
}

struct Items {
    left: std::vec::IntoIter<(Action, Payload)>,
    current: Option<(Action, Payload)>,
}

impl Items {
    fn of(items: impl Iterator<Item = (Action, Payload)>) -> Self {
        Items { left: items.collect::<Vec<_>>().into_iter(), current: None }
    }
}

impl PayloadSet for Items {
    fn next(&mut self) -> Option<PayloadRef<'_>> {
        PayloadDiff::next(self).map(|(payload, _)| payload)
    }
}

impl PayloadDiff for Items {
    fn next(&mut self) -> Option<(PayloadRef<'_>, Action)> {
        self.current = self.left.next();
        self.current.as_ref().map(|(action, payload)| (payload.as_ref(), *action))
    }
}

/// A connection that a test can break.
struct Breakable {
    stream: TcpStream,
    broken: u32,
    breaks: watch::Receiver<u32>,
}

impl Breakable {
    fn fails(&self) -> io::Result<()> {
        let is_broken = *self.breaks.borrow() != self.broken;
        if is_broken { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl Socket for Breakable {}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.fails()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.fails()?;
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
