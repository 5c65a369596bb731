//! With a BIRD that knows 2-octet AS numbers alone, 4-octet AS numbers pass both ways:
//! AS4_PATH says what AS_PATH can't, and whoever reads both knows the whole path.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::four_octet_as(lab, 3_008, &[3_002, 396_521, 4_000, 396_520]);
}
