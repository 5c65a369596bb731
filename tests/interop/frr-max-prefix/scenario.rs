//! FRRouting announces a prefix too many, and reads in our NOTIFICATION (6/1) that it has; over a second session we are the one
//! that announces too many, and read the same.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    claims::limit_of_ours(lab, "Maximum Number of Prefixes", "show bgp neighbors 192.0.2.1");
    // It counts once an UPDATE has been read, before that UPDATE's own prefixes.
    lab.edit("palisade.toml", |text| text.replace("2a00:11::/32", "2a00:11::/32\", \"2a00:21::/32"));
    lab.tell_ours(&["reload"]);
    claims::limit_of_theirs(lab);
}
