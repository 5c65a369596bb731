//! An RTR cache that knows one set of VRPs and serves it to one router: as little of RFC 8210 as `rpki-rov` needs.
//!
//! ```text
//!   router   --Reset Query-->                                               cache
//!            <--Cache Response, a Prefix PDU a VRP, End of Data--
//!            --whatever else-->  (is not answered: the set never changes)
//! ```

use std::io::{Read, Write, sink};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use palisade_policy::Vrp;

const RESET_QUERY: u8 = 2;
const CACHE_RESPONSE: u8 = 3;
const IPV4_PREFIX: u8 = 4;
const IPV6_PREFIX: u8 = 6;
const END_OF_DATA: u8 = 7;

const SESSION_ID: u16 = 7;
const SERIAL: u32 = 1;
/// Refresh, retry and expire, in seconds: no test takes as long.
const INTERVALS_S: [u32; 3] = [3600, 600, 7200];

/// Serves these VRPs on a port of the loopback, until the router leaves.
pub(crate) fn serve(vrps: &[Vrp]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let vrps = vrps.to_vec();
    thread::spawn(move || {
        // A router that leaves early is what a failed test looks like from here.
        let _ = listener.accept().and_then(|(router, _)| answer(router, &vrps));
    });
    address
}

fn answer(mut router: TcpStream, vrps: &[Vrp]) -> std::io::Result<()> {
    let mut query = [0; 8];
    router.read_exact(&mut query)?;
    let [version, kind, ..] = query;
    assert_eq!(kind, RESET_QUERY);

    let mut out = pdu(version, CACHE_RESPONSE, SESSION_ID, &[]);
    for vrp in vrps {
        out.extend(prefix_pdu(version, *vrp));
    }
    let intervals = INTERVALS_S.iter().filter(|_| version > 0).flat_map(|seconds| seconds.to_be_bytes());
    let end: Vec<u8> = SERIAL.to_be_bytes().into_iter().chain(intervals).collect();
    out.extend(pdu(version, END_OF_DATA, SESSION_ID, &end));
    router.write_all(&out)?;
    std::io::copy(&mut router, &mut sink()).map(drop)
}

fn prefix_pdu(version: u8, vrp: Vrp) -> Vec<u8> {
    const ANNOUNCED: u8 = 1;
    let mut body = vec![ANNOUNCED, vrp.prefix().len(), vrp.max_length(), 0];
    let kind = match vrp.prefix().address() {
        IpAddr::V4(address) => {
            body.extend(address.octets());
            IPV4_PREFIX
        }
        IpAddr::V6(address) => {
            body.extend(address.octets());
            IPV6_PREFIX
        }
    };
    body.extend(vrp.asn().0.to_be_bytes());
    pdu(version, kind, 0, &body)
}

fn pdu(version: u8, kind: u8, session: u16, body: &[u8]) -> Vec<u8> {
    let length = 8 + body.len() as u32;
    [&[version, kind][..], &session.to_be_bytes(), &length.to_be_bytes(), body].concat()
}
