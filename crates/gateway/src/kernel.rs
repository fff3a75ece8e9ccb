//! What the supervisor asks of a kernel, and nothing about when or why.
//!
//! `linux` is the real one, `features` what it has; `paper` remembers what it is told and enforces nothing.
//! Calls return when the kernel has done it, within microseconds to a few
//! milliseconds, so they may be made from the supervisor's task.

pub mod features;
pub mod leased;
pub mod linux;
pub mod neighbours;
pub mod paper;
pub mod sysctl;

use ipnet::IpNet;
use kulkul_wire::netlink::queues::{Class, Queue};
use kulkul_wire::netlink::routes::Neighbour;
use kulkul_wire::netlink::tunnel::Route;
use kulkul_wire::netlink::ways::DefaultRoute;
use kulkul_wire::netlink::{Change, Counter, Element, Garbled, Set};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

/// Why the kernel did not do it.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A socket or a file failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel refused a batch; nothing of it took effect.
    #[error("{doing}: the kernel refused ({source}){}", words.as_deref().map(|w| format!(": {w}")).unwrap_or_default())]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// The error number.
        source: io::Error,
        /// The kernel's words, when it sent any.
        words: Option<String>,
        /// Which change of the batch was the first bad one.
        index: Option<usize>,
    },
    /// nft did not take the table.
    #[error("nft did not take the table: {0}")]
    Nft(String),
    /// The kernel's answer could not be read.
    #[error("{doing}: {source}")]
    Garbled {
        /// What was being done.
        doing: &'static str,
        /// What is wrong with it.
        source: Garbled,
    },
}

impl KernelError {
    /// Whether something that should be removed or read was not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, KernelError::Refused { source, .. } if source.raw_os_error() == Some(2))
    }
}

/// A kernel that enforces the table `kulkul`.
pub trait Kernel: Send {
    /// Which kernel this is, for people: `Linux 6.18.44`, or that it is on paper only.
    fn name(&self) -> String;

    /// Whether adding an element again renews its timeout (Linux 6.12 and later).
    fn renews(&self) -> bool;

    /// Loads nft text in one transaction.
    ///
    /// # Errors
    /// `KernelError::Nft`; the table is as before.
    fn load(&mut self, text: &str) -> Result<(), KernelError>;

    /// The digest in the comment of the loaded table; nothing when there is no table.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn digest(&mut self) -> Result<Option<String>, KernelError>;

    /// A number that changes when chains, rules or sets of the table change.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn structure(&mut self) -> Result<u64, KernelError>;

    /// The number of transactions so far, anybody's.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn generation(&mut self) -> Result<u32, KernelError>;

    /// Changes elements in one transaction; on an error nothing is changed.
    ///
    /// # Errors
    /// `KernelError::Refused` with the index of the first bad change.
    fn change(&mut self, changes: &[Change]) -> Result<(), KernelError>;

    /// All elements of a set.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn dump(&mut self, set: Set) -> Result<Vec<Element>, KernelError>;

    /// Who answers for an address on an interface.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn neighbour(&mut self, interface: &str, ip: IpAddr) -> Result<Option<Neighbour>, KernelError>;

    /// All neighbours.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn neighbours(&mut self) -> Result<Vec<Neighbour>, KernelError>;

    /// The addresses of an interface with their prefixes.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn addresses(&mut self, interface: &str) -> Result<Vec<IpNet>, KernelError>;

    /// Switches an interface on and gives it an address, unless it has it.
    ///
    /// # Errors
    /// `KernelError` when there is no such interface or the kernel refused.
    fn ensure_address(&mut self, interface: &str, net: IpNet) -> Result<(), KernelError>;

    /// Takes an address away from an interface; one that is not there is as good.
    ///
    /// # Errors
    /// `KernelError` when the kernel refused.
    fn drop_address(&mut self, interface: &str, net: IpNet) -> Result<(), KernelError>;

    /// Makes the link of a VLAN on `below` unless there is one of that name, and switches both on.
    ///
    /// # Errors
    /// `KernelError::Refused` where the kernel does not know VLANs.
    fn ensure_vlan(&mut self, name: &str, below: &str, id: u16) -> Result<(), KernelError>;

    /// The default routes of both families in all tables.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn defaults(&mut self) -> Result<Vec<DefaultRoute>, KernelError>;

    /// Sets a default route in place of the one of its family, table and metric.
    ///
    /// # Errors
    /// `KernelError::Refused`, for example where the router is not reached directly.
    fn put_default(&mut self, route: &DefaultRoute) -> Result<(), KernelError>;

    /// Takes a default route away; one that is not there is as good.
    ///
    /// # Errors
    /// `KernelError` when the kernel refused.
    fn drop_default(&mut self, route: &DefaultRoute) -> Result<(), KernelError>;

    /// Makes the rules by which the way in use wins over the system's default routes, or takes them away.
    ///
    /// # Errors
    /// `KernelError` when the kernel refused.
    fn steer(&mut self, on: bool) -> Result<(), KernelError>;

    /// Sets the largest packet of an interface.
    ///
    /// # Errors
    /// `KernelError` when there is no such interface or the kernel refused.
    fn set_mtu(&mut self, interface: &str, mtu: u32) -> Result<(), KernelError>;

    /// Makes the tunnel's routes, and the rules for packets from these interfaces, exactly these.
    ///
    /// # Errors
    /// `KernelError` when the kernel refused one; the others are made all the same.
    fn lead(&mut self, routes: &[Route], from: &[String]) -> Result<(), KernelError>;

    /// What the table's counters of ways have counted, by name.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn carried(&mut self) -> Result<BTreeMap<String, Counter>, KernelError>;

    /// Makes a link of a kind such as `ifb` unless there is one of that name, and switches it on.
    ///
    /// # Errors
    /// `KernelError::Refused` where the kernel does not know the kind.
    fn ensure_link(&mut self, name: &str, kind: &str) -> Result<(), KernelError>;

    /// Changes the queues of an interface, in order; stops at nothing, tells the first refusal.
    ///
    /// # Errors
    /// `KernelError::Refused` with the index of the first change that was refused; others took effect.
    fn shape(&mut self, interface: &str, queues: &[Queue]) -> Result<(), KernelError>;

    /// Lets an interface join packets of a flow as they come in, or not.
    ///
    /// # Errors
    /// `KernelError` where the driver cannot.
    fn join_packets(&mut self, interface: &str, on: bool) -> Result<(), KernelError>;

    /// The classes of our tree on an interface; none where there is no tree.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    fn classes(&mut self, interface: &str) -> Result<Vec<Class>, KernelError>;

    /// An interface's number; nothing when there is none of that name.
    fn index(&self, interface: &str) -> Option<u32>;
}
