//! On a link that has no address but link-local ones a session with FRRouting carries routes of both families each way. Those behind its
//! link-local address are in our kernel, and packets pass both ways.

use crate::lab::Lab;
use crate::unnumbered;

pub(crate) fn tell(lab: &mut Lab) {
    unnumbered::session(lab, "fe80::1", true, |_| {});
}
