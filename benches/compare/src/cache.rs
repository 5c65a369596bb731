//! An RTR cache of the harness's own, which can say to the microsecond when a router was told what.
//!
//! ```text
//!   change ---> set, serial, deltas ---> Serial Notify ---> router
//!                       ^                                     |
//!                       +--- answers, a thread a router <-----+   Serial Query, Reset Query
//!                                |
//!                                +--> when the last octets of each End of Data were handed over
//! ```
//!
//! It tells of each change at once, although a cache of the Internet should not do so more than once a minute (RFC 8210 s8.2):
//! what is measured is the router. It speaks plain TCP from the players' namespace. The instant of an End of Data is taken
//! just before the call that hands its octets to the kernel, so that no time which is measured from it is too short.

use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::{HashMap, HashSet};
use socket2::SockRef;

use crate::problem::Problem;
use crate::rtr::{self, Query};
use crate::vrps::Vrp;

/// VRPs that each are there once.
pub(crate) type VrpSet = HashSet<Vrp, foldhash::fast::FixedState>;

/// What changes between two serials: each VRP and whether it comes.
pub(crate) type Delta = Vec<(Vrp, bool)>;

/// A change that routers have been told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// Its serial.
    pub(crate) serial: u32,
    /// When Serial Notify was handed to the first router's socket.
    pub(crate) at: Instant,
}

/// A cache that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Cache {
    desk: Arc<Desk>,
    listener: TcpListener,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Desk {
    books: Mutex<Books>,
    served: Condvar,
}

#[derive(Debug, Default)]
struct Books {
    set: VrpSet,
    serial: u32,
    /// The oldest serial that the deltas lead on from.
    first: u32,
    /// What led to each serial after `first`.
    deltas: Vec<Delta>,
    routers: Vec<Arc<Router>>,
    served: Vec<(u32, Instant)>,
    complaints: Vec<u16>,
}

/// A router's connection, as it is written to.
#[derive(Debug)]
struct Router {
    version: u8,
    stream: Mutex<TcpStream>,
}

impl Cache {
    /// Serves a set of VRPs at an address.
    pub(crate) fn start(at: (std::net::Ipv4Addr, u16), set: VrpSet) -> Result<Self, Problem> {
        let listener = TcpListener::bind(at).map_err(Problem::system("listening for RTR"))?;
        let desk = Arc::new(Desk::default());
        desk.books().set = set;
        let (accepting, at_desk) = (listener.try_clone(), desk.clone());
        let accepting = accepting.map_err(Problem::system("listening for RTR"))?;
        std::thread::spawn(move || accept(&accepting, &at_desk));
        Ok(Cache { desk, listener })
    }

    /// Changes the set, and tells every router that there is news.
    pub(crate) fn change(&self, delta: Delta) -> Told {
        let mut books = self.desk.books();
        for (vrp, comes) in &delta {
            if *comes {
                books.set.insert(*vrp)
            } else {
                books.set.remove(vrp)
            };
        }
        books.deltas.push(delta);
        tell(books)
    }

    /// Has another set, and doesn't know what has changed: routers have to ask for everything.
    pub(crate) fn replace(&self, set: VrpSet) -> Told {
        let mut books = self.desk.books();
        books.set = set;
        books.deltas.clear();
        books.first = books.serial + 1;
        tell(books)
    }

    /// When a router was first given the end of data of a serial, or of a later one.
    pub(crate) fn served_at(&self, serial: u32) -> Option<Instant> {
        self.desk.books().served_at(serial)
    }

    /// Waits until it was.
    pub(crate) fn wait_for(&self, serial: u32, patience: Duration) -> Option<Instant> {
        let books = self.desk.books();
        let waited =
            self.desk.served.wait_timeout_while(books, patience, |it| it.served_at(serial).is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.served_at(serial)
    }

    /// The code of the first Error Report that a router has sent.
    pub(crate) fn complaint(&self) -> Option<u16> {
        self.desk.books().complaints.first().copied()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // It wakes the thread that waits for connections. Where it fails, that thread goes with the process.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
        for router in self.desk.books().routers.drain(..) {
            let _ = router.stream().shutdown(Shutdown::Both);
        }
    }
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Router {
    fn stream(&self) -> MutexGuard<'_, TcpStream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn served_at(&self, serial: u32) -> Option<Instant> {
        self.served.iter().find(|(served, _)| *served >= serial).map(|(_, at)| *at)
    }

    /// All PDUs of an answer but End of Data, or `None` where everything has to be asked for.
    fn answer(&self, version: u8, query: Query) -> Option<Vec<u8>> {
        let mut answer = rtr::cache_response(version);
        match query {
            Query::Serial(from) if from < self.first || from > self.serial => return None,
            Query::Serial(from) => {
                let missed = &self.deltas[(from - self.first) as usize..];
                each_change(missed, |vrp, comes| rtr::push_prefix(&mut answer, version, comes, vrp));
            }
            Query::Reset => {
                answer.reserve(self.set.len() * 24);
                self.set.iter().for_each(|vrp| rtr::push_prefix(&mut answer, version, true, *vrp));
            }
            Query::Error(_) => {}
        }
        Some(answer)
    }
}

/// What several deltas come to: a VRP that came and went is not told of (RFC 8210 s5.6).
fn each_change(deltas: &[Delta], mut tell: impl FnMut(Vrp, bool)) {
    if let [delta] = deltas {
        return delta.iter().for_each(|(vrp, comes)| tell(*vrp, *comes));
    }
    let mut changes: HashMap<Vrp, (usize, bool), foldhash::fast::FixedState> = HashMap::default();
    for (vrp, comes) in deltas.iter().flatten() {
        let change = changes.entry(*vrp).or_default();
        *change = (change.0 + 1, *comes);
    }
    let odd = changes.into_iter().filter(|(_, (times, _))| times % 2 == 1);
    odd.for_each(|(vrp, (_, comes))| tell(vrp, comes));
}

fn tell(mut books: MutexGuard<'_, Books>) -> Told {
    books.serial += 1;
    let (serial, routers) = (books.serial, books.routers.clone());
    drop(books);
    let at = Instant::now();
    for router in routers {
        // One that has gone hears of it when it is back.
        let _ = router.stream().write_all(&rtr::serial_notify(router.version, serial));
    }
    Told { serial, at }
}

fn accept(listener: &TcpListener, desk: &Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept() {
        let desk = desk.clone();
        std::thread::spawn(move || {
            // A router that goes away or says what it shouldn't is let go, and may come again.
            let _ = serve(stream, &desk);
        });
    }
}

fn serve(mut stream: TcpStream, desk: &Desk) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut known: Option<Arc<Router>> = None;
    loop {
        let asked = rtr::read_query(&mut stream);
        if let Ok((_, Query::Error(code))) = asked {
            desk.books().complaints.push(code);
        }
        let (version, query) = match asked {
            Ok((version, query)) if !matches!(query, Query::Error(_)) => (version, query),
            _ => break,
        };
        let router = match &known {
            Some(router) => router.clone(),
            None => Arc::new(Router { version, stream: Mutex::new(stream.try_clone()?) }),
        };
        let Ok(serial) = answer(&router, version, query, desk) else { break };
        let mut books = desk.books();
        if known.is_none() {
            books.routers.push(router.clone());
            known = Some(router.clone());
        }
        let newest = books.serial;
        drop(books);
        // There was news while it was answered. A busy router may miss that it was told (RFC 8210 s8.2 lets it).
        if newest != serial {
            router.stream().write_all(&rtr::serial_notify(version, newest))?;
        }
    }
    if let Some(gone) = known {
        desk.books().routers.retain(|router| !Arc::ptr_eq(router, &gone));
    }
    stream.shutdown(Shutdown::Both)
}

/// Answers, and says up to which serial.
fn answer(router: &Router, version: u8, query: Query, desk: &Desk) -> io::Result<u32> {
    let (answer, serial) = {
        let books = desk.books();
        (books.answer(version, query), books.serial)
    };
    let mut stream = router.stream();
    let Some(answer) = answer else {
        stream.write_all(&rtr::cache_reset(version))?;
        return Ok(serial);
    };
    let end = rtr::end_of_data(version, serial);
    stream.write_all(&answer)?;
    let at = Instant::now();
    stream.write_all(&end)?;
    drop(stream);
    desk.books().served.push((serial, at));
    desk.served.notify_all();
    Ok(serial)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::Ipv4Addr;

    use super::*;
    use crate::prefix::Prefix;

    fn vrp(n: u32) -> Vrp {
        Vrp { prefix: Prefix::v4(n << 8, 24), max_length: 24, asn: 7 }
    }

    fn cache(count: u32) -> (Cache, TcpStream) {
        let cache = Cache::start((Ipv4Addr::LOCALHOST, 0), (0..count).map(vrp).collect()).unwrap();
        let stream = TcpStream::connect(cache.listener.local_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        (cache, stream)
    }

    /// The types of the PDUs that come until one of a type does, with the flags of prefixes.
    fn until(stream: &mut TcpStream, last: u8) -> Vec<(u8, u8)> {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|(kind, _)| *kind != last) {
            let mut header = [0; 8];
            stream.read_exact(&mut header).unwrap();
            let mut body =
                vec![0; u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize - 8];
            stream.read_exact(&mut body).unwrap();
            let flags = if [4, 6].contains(&header[1]) { body[0] } else { 0 };
            heard.push((header[1], flags));
        }
        heard
    }

    fn ask(stream: &mut TcpStream, from: Option<u32>) {
        let octets = match from {
            None => vec![1, 2, 0, 0, 0, 0, 0, 8],
            Some(serial) => [&[1, 1, 0x70, 0x61, 0, 0, 0, 12][..], &serial.to_be_bytes()].concat(),
        };
        stream.write_all(&octets).unwrap();
    }

    #[test]
    fn tells_of_news_and_then_what_changed() {
        let (cache, mut stream) = cache(2);
        ask(&mut stream, None);
        assert_eq!(until(&mut stream, 7), [(3, 0), (4, 1), (4, 1), (7, 0)]);
        assert!(cache.wait_for(0, Duration::from_secs(5)).is_some());
        // The thread that answered puts the router down right after.
        while cache.desk.books().routers.is_empty() {
            std::thread::yield_now();
        }
        let told = cache.change(vec![(vrp(1), false)]);
        assert_eq!(until(&mut stream, 0), [(0, 0)]);
        assert_eq!(cache.served_at(told.serial), None);
        ask(&mut stream, Some(0));
        assert_eq!(until(&mut stream, 7), [(3, 0), (4, 0), (7, 0)]);
        let served = cache.wait_for(told.serial, Duration::from_secs(5)).unwrap();
        assert!(served >= told.at);
    }

    #[test]
    fn what_came_and_went_between_two_queries_is_not_told() {
        let (cache, mut stream) = cache(1);
        cache.change(vec![(vrp(5), true)]);
        cache.change(vec![(vrp(5), false), (vrp(6), true)]);
        ask(&mut stream, Some(0));
        assert_eq!(until(&mut stream, 7), [(3, 0), (4, 1), (7, 0)]);
        assert_eq!(cache.desk.books().set.len(), 2);
    }

    #[test]
    fn asks_to_be_asked_for_everything_where_it_does_not_know() {
        let (cache, mut stream) = cache(1);
        cache.change(vec![(vrp(5), true)]);
        cache.replace([vrp(8), vrp(9), vrp(10)].into_iter().collect());
        for from in [0, 1, 3] {
            ask(&mut stream, Some(from));
            assert_eq!(until(&mut stream, 8), [(8, 0)], "{from}");
        }
        ask(&mut stream, None);
        assert_eq!(until(&mut stream, 7).len(), 5);
        ask(&mut stream, Some(2));
        assert_eq!(until(&mut stream, 7), [(3, 0), (7, 0)]);
    }
}
