//! With a ExaBGP that knows 2-octet AS numbers alone, and takes our AS for AS_TRANS, 4-octet AS numbers pass both ways:
//! AS4_PATH says what AS_PATH can't, and whoever reads both knows the whole path.

use crate::claims::{self, OURS};
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::four_octet_as(lab, OURS, &[3_002, 396_521, 4_000, 396_520]);
}
