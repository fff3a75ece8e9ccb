//! Any bytes, as a device's question, an upstream's answer, an advertisement or a ping's reply.
#![no_main]

#[path = "../checks/dns_message.rs"]
mod dns_message;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dns_message::check(bytes));
