//! Any bytes, as a list of names in each format and as the file of a set.
#![no_main]

#[path = "../checks/blocklist.rs"]
mod blocklist;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| blocklist::check(bytes));
