//! Large communities whose parts are as large as parts can be come from BIRD through us octet by octet, and reach it
//! likewise.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::large_communities(lab, |_| {});
}
