//! Default routes and the rules that choose among them, on the real kernel.

use super::{Linux, garbled};
use crate::kernel::KernelError;
use kulkul_wire::netlink::routes;
use kulkul_wire::netlink::ways::{self, DefaultRoute};

/// ENOENT and ESRCH: what should go was not there.
pub(super) const NO_SUCH: [i32; 2] = [2, 3];
const THERE_ALREADY: [i32; 1] = [17];
/// EAFNOSUPPORT and EOPNOTSUPP: a kernel without this family.
const NO_FAMILY: [i32; 2] = [97, 95];

/// Takes some refusals for done.
pub(super) fn unless(done: Result<(), KernelError>, fine: impl AsRef<[i32]>) -> Result<(), KernelError> {
    match done {
        Err(KernelError::Refused { source, .. })
            if source.raw_os_error().is_some_and(|n| fine.as_ref().contains(&n)) =>
        {
            Ok(())
        }
        other => other,
    }
}

impl Linux {
    /// Switches a link on.
    ///
    /// # Errors
    /// `KernelError` when there is none or the kernel refused.
    pub fn switch_on(&mut self, name: &str) -> Result<(), KernelError> {
        let number = self.number(name)?;
        self.route.ask("switching a link on", |seq| routes::link_up(number, seq), |_| ())
    }

    pub(super) fn default_routes(&mut self) -> Result<Vec<DefaultRoute>, KernelError> {
        let doing = "reading default routes";
        let mut all = Vec::new();
        for six in [false, true] {
            all.extend(self.dump_all(
                doing,
                false,
                |seq| ways::routes(six, seq),
                |m, out| {
                    out.extend(ways::default_from(m).map_err(garbled(doing))?);
                    Ok(())
                },
            )?);
        }
        Ok(all)
    }

    pub(super) fn set_rules(&mut self, on: bool) -> Result<(), KernelError> {
        for (rule, six) in ways::RULES.into_iter().flat_map(|r| [(r, false), (r, true)]) {
            if on {
                let doing = "making a routing rule";
                let made = self.route.ask(doing, |seq| ways::add_rule(rule, six, seq), |_| ());
                let made = unless(made, THERE_ALREADY);
                // A box without IPv6 has no rules for it.
                if six { unless(made, NO_FAMILY) } else { made }?;
            } else {
                let doing = "taking a routing rule away";
                let gone = self.route.ask(doing, |seq| ways::remove_rule(rule, six, seq), |_| ());
                unless(unless(gone, NO_SUCH), NO_FAMILY)?;
            }
        }
        Ok(())
    }
}
