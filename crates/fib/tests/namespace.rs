//! Two networks joined by a wire, made and gone with the threads that are in them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use palisade_fib::namespace::{Furnisher, NamespaceError, isolate_thread};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::mpsc;

/// Of a test's threads, none can have a user namespace; the lab's own tests try that.
#[test]
fn two_threads_speak_over_a_veth_pair() {
    let near = std::thread::spawn(|| -> Result<(), NamespaceError> {
        isolate_thread()?;
        let (namespaces, named) = mpsc::channel();
        let (wires, wired) = mpsc::channel();
        let far = std::thread::spawn(move || {
            namespaces.send(isolate_thread().unwrap()).unwrap();
            wired.recv().unwrap();
            furnish("far", 2);
            for address in [IpAddr::from([192, 0, 2, 1]), v6(1)] {
                let mut stream = TcpStream::connect((address, 179)).unwrap();
                stream.write_all(b"hello").unwrap();
            }
        });
        let namespace = named.recv().unwrap();
        Furnisher::open()?.veth("near", "far", namespace.as_fd())?;
        furnish("near", 1);
        let listeners = [IpAddr::from(Ipv4Addr::UNSPECIFIED), IpAddr::from(Ipv6Addr::UNSPECIFIED)];
        // One for both families where `::` takes IPv4 too, so the second may find the port taken.
        let listeners: Vec<TcpListener> =
            listeners.iter().rev().filter_map(|address| TcpListener::bind((*address, 179)).ok()).collect();
        wires.send(()).unwrap();
        for _ in 0..2 {
            let (mut stream, from) = listeners[0].accept().unwrap();
            let mut heard = String::new();
            stream.read_to_string(&mut heard).unwrap();
            assert_eq!(heard, "hello", "{from}");
        }
        far.join().unwrap();
        Ok(())
    });
    match near.join().unwrap() {
        Ok(()) => {}
        Err(error @ NamespaceError::Refused(_)) => {
            println!("skipped: two_threads_speak_over_a_veth_pair: {error}")
        }
        Err(error) => unreachable!("{error}"),
    }
}

fn furnish(link: &str, host: u8) {
    let mut furnisher = Furnisher::open().unwrap();
    furnisher.up(link).unwrap();
    furnisher.address(link, format!("192.0.2.{host}/24").parse().unwrap()).unwrap();
    furnisher.address(link, format!("2001:db8::{host}/64").parse().unwrap()).unwrap();
}

fn v6(host: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host).into()
}
