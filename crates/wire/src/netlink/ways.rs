//! Ways out of the box: default routes and routing rules (linux/rtnetlink.h, linux/fib_rules.h).
//!
//! The way in use is one default route of each family in a table of its own. Two rules
//! make it win over whatever default routes the system set, while every more specific
//! route of the main table goes on to count: the first looks into the main table but
//! passes over default routes, the second looks into ours.

use super::Garbled;
use super::fib::{
    DELROUTE, DELRULE, EXCL, GATEWAY, GETROUTE, LINK, NEWROUTE, NEWRULE, OIF, PRIORITY, PROTOCOL, REPLACE,
    ROUTE_TABLE, RULE_PRIORITY, RULE_SUPPRESS, RULE_TABLE, UNICAST, UNIVERSE, UNREACHABLE, address, is_six,
    put_address, rtmsg, rule_header, word,
};
use super::message::{ACK, Attributes, CREATE, DUMP, Message, REQUEST, Writer};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The system's own table of routes.
pub const MAIN: u32 = 254;
/// The table that holds the way in use.
pub const TABLE: u32 = 84;
/// The preference of the rule that passes over default routes; the next one is that of `TABLE`.
pub const PREFERENCE: u32 = 32_000;

/// A default route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DefaultRoute {
    /// Whether it is IPv6's.
    pub six: bool,
    /// The table that it is in.
    pub table: u32,
    /// The interface that it leaves by; 0 where it says that there is no way.
    pub interface: u32,
    /// The router; none where the link itself leads on.
    pub gateway: Option<IpAddr>,
    /// Lower ones are taken first.
    pub metric: u32,
    /// Whether we set it.
    pub ours: bool,
}

/// Asks for all routes of one family.
#[must_use]
pub fn routes(six: bool, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETROUTE, REQUEST | DUMP, seq, &rtmsg(six, 0, 0, 0, UNICAST));
    w.end(m);
    w.finish()
}

/// Reads a default route; nothing when the message is about something else.
///
/// # Errors
/// `Garbled` when the body is cut or a value has the wrong size.
pub fn default_from(message: &Message<'_>) -> Result<Option<DefaultRoute>, Garbled> {
    if message.kind != NEWROUTE {
        return Ok(None);
    }
    let Some(([family, prefix, _, _, table, protocol, _, kind, _, _, _, _], attributes)) =
        message.body.split_first_chunk::<12>()
    else {
        return Err(Garbled::Length);
    };
    let Some(six) = is_six(*family) else { return Ok(None) };
    if *prefix != 0 || ![UNICAST, UNREACHABLE].contains(kind) {
        return Ok(None);
    }
    let (mut interface, mut gateway, mut metric, mut table) = (None, None, 0, u32::from(*table));
    for (kind, value) in Attributes(attributes) {
        match kind {
            OIF => interface = Some(word(value)?),
            PRIORITY => metric = word(value)?,
            ROUTE_TABLE => table = word(value)?,
            GATEWAY => gateway = Some(address(six, value)?),
            _ => {}
        }
    }
    if *kind == UNREACHABLE {
        (interface, gateway) = (Some(0), None);
    }
    // Routes over several links at once have none of their own: nobody sets those here.
    let Some(interface) = interface else { return Ok(None) };
    Ok(Some(DefaultRoute { six, table, interface, gateway, metric, ours: *protocol == PROTOCOL }))
}

/// Sets a default route in place of the one of its family, table and metric.
#[must_use]
pub fn put(route: &DefaultRoute, seq: u32) -> Vec<u8> {
    set(route, NEWROUTE, REQUEST | ACK | CREATE | REPLACE, seq)
}

/// Takes a default route away; it must be there.
#[must_use]
pub fn remove(route: &DefaultRoute, seq: u32) -> Vec<u8> {
    set(route, DELROUTE, REQUEST | ACK, seq)
}

fn set(route: &DefaultRoute, kind: u16, flags: u16, seq: u32) -> Vec<u8> {
    let none = route.interface == 0;
    let scope = if route.gateway.is_none() && !route.six && !none { LINK } else { UNIVERSE };
    let mut w = Writer::new();
    let m = w.begin(
        kind,
        flags,
        seq,
        &rtmsg(route.six, 0, PROTOCOL, scope, if none { UNREACHABLE } else { UNICAST }),
    );
    if let Some(ip) = route.gateway {
        put_address(&mut w, GATEWAY, ip);
    }
    if !none {
        w.put(OIF, &route.interface.to_ne_bytes());
    }
    w.put(PRIORITY, &route.metric.to_ne_bytes());
    w.put(ROUTE_TABLE, &route.table.to_ne_bytes());
    w.end(m);
    w.finish()
}

/// Which of the two rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The main table, default routes passed over.
    Specific,
    /// The table of the way in use.
    InUse,
}

/// Both rules, in the order in which they are asked.
pub const RULES: [Rule; 2] = [Rule::Specific, Rule::InUse];

/// Makes a rule for one family; the kernel answers EEXIST where it is there already.
#[must_use]
pub fn add_rule(rule: Rule, six: bool, seq: u32) -> Vec<u8> {
    rule_message(rule, six, NEWRULE, REQUEST | ACK | CREATE | EXCL, seq)
}

/// Takes a rule away; it must be there.
#[must_use]
pub fn remove_rule(rule: Rule, six: bool, seq: u32) -> Vec<u8> {
    rule_message(rule, six, DELRULE, REQUEST | ACK, seq)
}

fn rule_message(rule: Rule, six: bool, kind: u16, flags: u16, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(kind, flags, seq, &rule_header(six));
    let (preference, table) = match rule {
        Rule::Specific => (PREFERENCE, MAIN),
        Rule::InUse => (PREFERENCE + 1, TABLE),
    };
    w.put(RULE_PRIORITY, &preference.to_ne_bytes());
    w.put(RULE_TABLE, &table.to_ne_bytes());
    if rule == Rule::Specific {
        w.put(RULE_SUPPRESS, &0u32.to_ne_bytes());
    }
    w.end(m);
    w.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::Messages;

    #[test]
    fn a_route_reads_as_it_was_set() {
        for (six, interface, gateway) in
            [(false, 7, Some("198.51.100.1")), (true, 7, Some("fe80::1")), (false, 7, None), (true, 0, None)]
        {
            let gateway = gateway.map(|g| g.parse().unwrap());
            let route = DefaultRoute { six, table: TABLE, interface, gateway, metric: 10, ours: true };
            let bytes = put(&route, 3);
            let message = Messages(&bytes).next().unwrap().unwrap();
            assert_eq!(default_from(&message).unwrap(), Some(route));
            assert_eq!((message.flags, message.seq), (REQUEST | ACK | CREATE | REPLACE, 3));
        }
    }

    #[test]
    fn other_routes_and_cut_messages_are_told_apart() {
        let route =
            DefaultRoute { six: false, table: MAIN, interface: 2, gateway: None, metric: 0, ours: true };
        let mut bytes = put(&route, 1);
        bytes[17] = 24;
        let message = Messages(&bytes).next().unwrap().unwrap();
        assert_eq!(default_from(&message).unwrap(), None, "a route to a network is no default route");
        let cut = Message { body: &[2, 0, 0], ..message };
        assert_eq!(default_from(&cut), Err(Garbled::Length));
    }

    #[test]
    fn the_first_rule_passes_over_default_routes() {
        let of = |rule| hex::encode(&add_rule(rule, false, 1)[16..]);
        assert_eq!(
            of(Rule::Specific),
            "02000000000000010000000008000600007d000008000f00fe00000008000e0000000000"
        );
        assert_eq!(of(Rule::InUse), "02000000000000010000000008000600017d000008000f0054000000");
    }
}
