//! Stub
use crate::config::FibConfig;
use crate::error::KernelError;
use crate::kernel::*;
/// The Linux kernel.
pub struct NetlinkKernel {}
impl NetlinkKernel {
    /// Opens.
    pub fn open() -> Result<Self, KernelError> {
        Ok(Self {})
    }
}
impl Kernel for NetlinkKernel {
    fn apply(&mut self, _: &FibConfig, _: &[Operation], _: &mut Vec<Refusal>) -> Result<(), KernelError> {
        Ok(())
    }
    fn links(&mut self, _: &mut dyn FnMut(Link)) -> Result<(), KernelError> {
        Ok(())
    }
    fn next_hops(&mut self, _: &mut dyn FnMut(KernelNextHop)) -> Result<(), KernelError> {
        Ok(())
    }
    fn routes(&mut self, _: u32, _: &mut dyn FnMut(KernelRoute)) -> Result<bool, KernelError> {
        Ok(true)
    }
    fn events(&mut self, _: usize, _: &mut Vec<Event>) -> Result<(), KernelError> {
        Ok(())
    }
}
