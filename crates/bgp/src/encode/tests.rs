//! What is written can be read, and says what it should.

mod blocks;
mod messages;

use super::*;
use crate::prefix::Net;
use crate::sample::{TEN, attribute, body, origin, path, segments, sequence};
use crate::update::{Context, Decoder, Update};

const HOP: NextHop = NextHop::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn hop6() -> NextHop {
    NextHop::V6 { global: "2001:db8::1".parse().unwrap(), link_local: None }
}
