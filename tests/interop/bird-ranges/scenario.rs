//! BIRD, which comes by itself from two ranges of neighbours, is a peer in each, with the password of that range. With a password of
//! another spelling in one of them, it is none there.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::ranges(lab);
}
