//! The numbers of `linux/nexthop.h` and `linux/rtnetlink.h` that neither libc nor the message crate names.

/// Make or change a nexthop object.
pub(super) const RTM_NEWNEXTHOP: u16 = 104;
/// Remove a nexthop object.
pub(super) const RTM_DELNEXTHOP: u16 = 105;
/// List nexthop objects.
pub(super) const RTM_GETNEXTHOP: u16 = 106;

/// u32: the object's id.
pub(super) const NHA_ID: u16 = 1;
/// A list of ids and weights: the object is a group.
pub(super) const NHA_GROUP: u16 = 2;
/// u32: the link.
pub(super) const NHA_OIF: u16 = 5;
/// The gateway, of the family in the header.
pub(super) const NHA_GATEWAY: u16 = 6;

/// u32: the route goes through this object.
pub(super) const RTA_NH_ID: u16 = 30;

/// The kernel's own words, among the attributes of an error message.
pub(super) const NLMSGERR_ATTR_MSG: u16 = 1;
