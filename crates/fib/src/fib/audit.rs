//! Listing what the kernel holds and comparing it with the rows: at the start, after notifications were lost or a
//! conversation broke off, and whenever someone asks for proof.
//!
//! The comparison corrects what is believed installed as it goes, so whatever it finds wrong is queued for repair by
//! the same pass that reports it. One dump serves connected networks, our routes and strays.

use super::Fib;
use crate::config::MAIN_TABLE;
use crate::error::FibError;
use crate::kernel::{Kernel, KernelRoute, RouteTarget};
use crate::next_hops::UNSURE;
use crate::report::Agreement;
use ipnet::IpNet;

/// How often a dump is repeated because the table changed under it.
const DUMP_TRIES: usize = 3;

impl<K: Kernel> Fib<K> {
    /// Compares every route in the kernel with what is desired: the proof that both agree. What is found wrong is put
    /// right by the following `sync` calls.
    pub fn verify(&mut self) -> Result<Agreement, FibError> {
        let agreement = self.audit()?;
        let (missing, foreign) = (agreement.missing.count, agreement.foreign.count);
        let differing = agreement.differing.count;
        if agreement.contradictions() > 0 {
            tracing::warn!(missing, foreign, differing, "the kernel does not hold what it should");
        }
        Ok(agreement)
    }

    pub(super) fn audit(&mut self) -> Result<Agreement, FibError> {
        self.counters.audits += 1;
        self.list_links()?;
        if self.next_hops.objects {
            self.list_next_hops()?;
        }
        let mut agreement = Agreement::default();
        for _ in 0..DUMP_TRIES {
            agreement = self.compare()?;
            if agreement.whole {
                break;
            }
        }
        self.next_hops.reconsider_all();
        self.audit_due = false;
        Ok(agreement)
    }

    /// Lists our nexthop objects. Those that are gone have taken their routes along; returns how many routes.
    pub(super) fn list_next_hops(&mut self) -> Result<usize, FibError> {
        self.next_hops.begin_listing();
        let (ours, next_hops) = (self.config.protocol, &mut self.next_hops);
        self.kernel.next_hops(&mut |object| {
            if object.protocol == ours {
                next_hops.list(object);
            }
        })?;
        Ok(next_hops.end_listing())
    }

    fn list_links(&mut self) -> Result<(), FibError> {
        self.connected = Default::default();
        let connected = &mut self.connected;
        self.kernel.links(&mut |link| {
            connected.update_link(link);
        })?;
        if self.config.table == MAIN_TABLE {
            return Ok(());
        }
        self.kernel.routes(MAIN_TABLE, &mut |route| {
            if let RouteTarget::OnLink(link) = route.target {
                connected.add(route.prefix, route.metric, link);
            }
        })?;
        Ok(())
    }

    fn compare(&mut self) -> Result<Agreement, FibError> {
        let mut agreement = Agreement::default();
        self.stray_routes.clear();
        self.v4.begin_audit();
        self.v6.begin_audit();
        let Fib { kernel, config, connected, next_hops, v4, v6, stray_routes, started, .. } = self;
        agreement.whole = kernel.routes(config.table, &mut |route: KernelRoute| {
            if let (MAIN_TABLE, RouteTarget::OnLink(link)) = (route.table, route.target) {
                connected.add(route.prefix, route.metric, link);
            }
            if route.protocol != config.protocol || route.table != config.table {
                return;
            }
            if route.metric != config.metric {
                stray_routes.push((route.prefix, route.metric));
                return;
            }
            let held = match route.target {
                RouteTarget::Via(via) => next_hops.identify(via),
                _ => UNSURE,
            };
            match route.prefix {
                IpNet::V4(net) => v4.found(net.into(), held, next_hops, *started, &mut agreement),
                IpNet::V6(net) => v6.found(net.into(), held, next_hops, *started, &mut agreement),
            }
        })?;
        let whole = agreement.whole;
        self.v4.end_audit(&mut self.next_hops, self.started, whole, &mut agreement);
        self.v6.end_audit(&mut self.next_hops, self.started, whole, &mut agreement);
        self.next_hops.walked();
        self.v4.forgive(&self.next_hops, self.started);
        self.v6.forgive(&self.next_hops, self.started);
        Ok(agreement)
    }
}
