//! Conversations with caches: those that do as they should, and those that don't.

#![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

mod misbehaving;
pub(crate) mod server;
mod stayrtr;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use palisade_bgp::{Asn, Net, Prefix};
use palisade_policy::Vrp;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::config::Cache;
use crate::feeds::rpki::RpkiSet;
use server::Server;

/// How long anything may take that takes a moment.
const MOMENT: Duration = Duration::from_secs(20);

pub(crate) fn vrp(at: u32) -> Vrp {
    Vrp::new(Prefix::V4(Net::new(0x0a00_0000 + (at << 8), 24)), 24, Asn(64_500)).unwrap()
}

pub(crate) fn cache(port: u16) -> Cache {
    Cache { span: 0..0, host: "127.0.0.1".into(), port, preference: 1, tls: None, aspa: false, refresh: None }
}

/// A cache's task, and what it hears.
struct Client {
    heard: mpsc::Receiver<(usize, Heard)>,
    wanted: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Client {
    fn of(cache: Cache) -> Self {
        let (tell, heard) = mpsc::channel(16);
        let (wanted, is_wanted) = watch::channel(true);
        Client { heard, wanted, task: tokio::spawn(CacheTask::new(cache, 0, tell, is_wanted).run()) }
    }

    async fn next(&mut self) -> Heard {
        timeout(MOMENT, self.heard.recv()).await.unwrap().unwrap().1
    }

    /// The next data, whatever comes before it.
    async fn set(&mut self) -> (RpkiSet, Facts) {
        loop {
            if let Heard::Set(set, facts) = self.next().await {
                return (set, facts);
            }
        }
    }

    /// The next fault, whatever comes before it.
    async fn fault(&mut self) -> String {
        loop {
            if let Heard::Phase(Phase::Failing { fault, .. }) = self.next().await {
                return fault;
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn vrps(set: &RpkiSet) -> Vec<Vrp> {
    let mut vrps: Vec<Vrp> = set.rov.iter().collect();
    vrps.sort();
    vrps
}

#[tokio::test]
async fn all_is_fetched_once_and_then_what_changes() {
    let server = Server::start().await;
    server.change(|data| data.vrps.extend((0..500).map(vrp)));
    let mut client = Client::of(cache(server.port));
    let (set, facts) = client.set().await;
    assert_eq!((set.rov.len(), facts.version), (500, 1));
    server.change(|data| {
        data.vrps.remove(&vrp(7));
        data.vrps.insert(vrp(1000));
    });
    let (next, later) = client.set().await;
    assert_eq!(later.serial, facts.serial + 1, "a Serial Notify is acted upon");
    assert_eq!(set.rov.difference(&next.rov), Some((vec![vrp(1000)], vec![vrp(7)])), "it was amended");
    assert!(Arc::ptr_eq(&set.aspa, &next.aspa));
}

#[tokio::test]
async fn a_serial_that_the_cache_has_forgotten_leads_to_all() {
    let server = Server::start().await;
    server.change(|data| data.vrps.extend((0..10).map(vrp)));
    let mut client = Client::of(cache(server.port));
    client.set().await;
    server.forget_history();
    server.change(|data| data.vrps.extend((10..20).map(vrp)));
    assert_eq!(client.set().await.0.rov.len(), 20);
}

#[tokio::test]
async fn aspas_come_where_they_are_asked_for() {
    let server = Server::start().await;
    server.change(|data| {
        data.vrps.insert(vrp(1));
        data.aspas.insert(64_500, vec![64_501, 64_502]);
    });
    let (without, _) = Client::of(cache(server.port)).set().await;
    assert!(without.aspa.is_empty());
    let mut client = Client::of(Cache { aspa: true, ..cache(server.port) });
    let (set, facts) = client.set().await;
    assert_eq!((facts.version, facts.note), (2, None));
    assert_eq!(set.aspa.providers(Asn(64_500)).unwrap().len(), 2);
    server.change(|data| {
        data.aspas.insert(64_500, vec![0]);
        data.aspas.insert(64_510, vec![64_511]);
    });
    let (set, _) = client.set().await;
    let providers = |customer| set.aspa.providers(Asn(customer)).unwrap().iter().collect::<Vec<_>>();
    assert_eq!((providers(64_500), providers(64_510)), (vec![Asn(0)], vec![Asn(64_511)]));
    server.change(|data| drop(data.aspas.remove(&64_510)));
    assert_eq!(client.set().await.0.aspa.len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_is_resumed_with_what_is_held() {
    let server = Server::start().await;
    server.change(|data| data.vrps.extend((0..100).map(vrp)));
    let mut client = Client::of(cache(server.port));
    client.set().await;
    server.drop_connections();
    assert_eq!(client.fault().await, "the cache closed the connection");
    server.change(|data| data.vrps.extend([vrp(100)]));
    let resets = server.resets();
    assert_eq!(client.set().await.0.rov.len(), 101);
    assert_eq!(server.resets(), resets, "only what has changed was asked for");
}

#[tokio::test]
async fn a_cache_that_is_not_wanted_is_let_go_of() {
    let server = Server::start().await;
    server.change(|data| data.vrps.extend([vrp(1)]));
    let mut client = Client::of(cache(server.port));
    client.set().await;
    client.wanted.send(false).unwrap();
    assert!(matches!(client.next().await, Heard::Phase(Phase::Standby)));
    client.wanted.send(true).unwrap();
    assert_eq!(vrps(&client.set().await.0), [vrp(1)]);
}

#[tokio::test]
async fn a_cache_without_data_is_asked_again() {
    let server = Server::start().await;
    let mut client = Client::of(cache(server.port));
    assert_eq!(client.fault().await, "the cache has no VRPs");
    server.change(|data| data.vrps.extend([vrp(1)]));
    assert_eq!(client.set().await.0.rov.len(), 1);
}

#[tokio::test]
async fn it_is_fetched_once_for_those_who_need_it_once() {
    let server = Server::start().await;
    server.change(|data| data.vrps.extend((0..10).map(vrp)));
    assert_eq!(fetch_once(&cache(server.port), MOMENT).await.unwrap().rov.len(), 10);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let fault = fetch_once(&cache(free), MOMENT).await.unwrap_err().to_string();
    assert!(fault.contains("refused"), "{fault}");
}
