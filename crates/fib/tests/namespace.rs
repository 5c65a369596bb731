//! Two networks joined by a wire, made and gone with the threads that are in them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use palisade_fib::namespace::{Furnisher, NamespaceError, isolate_thread};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;

/// Of a test's threads, none can have a user namespace; the lab's own tests try that.
#[test]
fn two_threads_speak_over_a_veth_pair() {
    let near = std::thread::spawn(|| -> Result<(), NamespaceError> {
        isolate_thread()?;
        // One for both families.
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 179)).unwrap();
        let mut near = Furnisher::open()?;
        let far = std::thread::spawn(move || {
            let namespace = isolate_thread().unwrap();
            near.veth("near", "far", namespace.as_fd()).unwrap();
            let mut far = Furnisher::open().unwrap();
            near.up("near").unwrap();
            far.up("far").unwrap();
            address(&mut near, "near", 1);
            address(&mut far, "far", 2);
            for address in ["192.0.2.1", "2001:db8::1"] {
                let mut stream = TcpStream::connect((address, 179)).unwrap();
                stream.write_all(b"hello").unwrap();
            }
        });
        for from in ["192.0.2.2", "2001:db8::2"] {
            let (mut stream, player) = listener.accept().unwrap();
            let mut heard = String::new();
            stream.read_to_string(&mut heard).unwrap();
            assert_eq!(
                (heard.as_str(), player.ip().to_canonical()),
                ("hello", from.parse::<IpAddr>().unwrap())
            );
        }
        far.join().unwrap();
        Ok(())
    });
    match near.join().unwrap() {
        Ok(()) => {}
        Err(error @ NamespaceError::Refused(_)) => {
            println!("skipped: two_threads_speak_over_a_veth_pair: {error}");
        }
        Err(error) => unreachable!("{error}"),
    }
}

fn address(furnisher: &mut Furnisher, link: &str, host: u8) {
    furnisher.address(link, format!("192.0.2.{host}/24").parse().unwrap()).unwrap();
    furnisher.address(link, format!("2001:db8::{host}/64").parse().unwrap()).unwrap();
}
