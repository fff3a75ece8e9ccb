//! Any bytes, as a datagram of the kernel: elements, neighbours, addresses, refusals.
#![no_main]

#[path = "../checks/netlink.rs"]
mod netlink;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| netlink::check(bytes));
