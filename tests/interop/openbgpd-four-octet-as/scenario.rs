//! To an OpenBGPD that knows 2-octet AS numbers alone a path of 4-octet ones passes: AS4_PATH says what AS_PATH can't, and it
//! knows the whole path. (It has no way to originate such a path itself.)

use crate::claims::{self, OURS};
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::four_octet_as(lab, OURS, &[3_002]);
}
