//! What surrounds the table: ways past its resolver, and news of neighbours that do not fit into a socket.

use super::ground::until;
use super::{adds, inside, person, policy};
use kulkul_gateway::clock::Clock;
use kulkul_gateway::kernel::Kernel as _;
use kulkul_gateway::kernel::linux::Linux;
use kulkul_gateway::kernel::neighbours::{Heard, Listener};
use kulkul_model::session::Mac;
use kulkul_wire::ruleset::Policy;
use std::process::Command;

#[test]
fn a_strict_place_refuses_encrypted_dns_at_once_and_nothing_else() {
    let Some((phone_ns, world_ns)) =
        inside("around::a_strict_place_refuses_encrypted_dns_at_once_and_nothing_else")
    else {
        return;
    };
    let mut kernel = Linux::open().unwrap();
    let strict = |strict_names| Policy { strict_names, ..policy() };
    let _listening: Vec<Listening> = ["853", "443"].map(|port| Listening::at(&world_ns, port)).into();
    for (policy, open) in [(strict(false), true), (strict(true), false)] {
        kernel.load(&policy.text(&[])).unwrap();
        for (ip, world) in [("10.77.0.9", "203.0.113.1"), ("2001:db8:77::9", "2001:db8:2::1")] {
            kernel.change(&adds(person(ip), 60_000)).unwrap();
            until("the device is let in", 60, || connects(&phone_ns, world, "443").is_ok().then_some(()));
            if open {
                // The program behind this port is another one, and may be up later.
                until("the port is open", 60, || connects(&phone_ns, world, "853").is_ok().then_some(()));
            }
            let dot = connects(&phone_ns, world, "853");
            assert_eq!(dot.is_ok(), open, "{ip} {dot:?}");
            if let Err(said) = dot {
                assert!(said.contains("refused"), "at once, not by waiting: {said}");
            }
        }
    }
}

/// A program that takes TCP connections at a port.
struct Listening(std::process::Child);

impl Listening {
    fn at(place: &str, port: &str) -> Self {
        let program = format!("require('net').createServer(s => s.destroy()).listen({port}, '::')");
        let child = Command::new("ip").args(["netns", "exec", place, "node", "-e", &program]).spawn();
        Listening(child.unwrap())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Whether a connection is made within three seconds, else what was said.
fn connects(from: &str, to: &str, port: &str) -> Result<(), String> {
    let script = format!("exec 3<>/dev/tcp/{to}/{port}");
    let out = Command::new("ip")
        .args(["netns", "exec", from, "timeout", "3", "bash", "-c", &script])
        .output()
        .unwrap();
    if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}

#[test]
fn events_of_neighbours_that_were_lost_are_noticed_and_more_are_heard() {
    if inside("around::events_of_neighbours_that_were_lost_are_noticed_and_more_are_heard").is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut listener = Listener::open().unwrap();
        // Nobody listens while thousands of devices come: the socket's buffer overflows (ENOBUFS).
        let dir = tempfile::tempdir().unwrap();
        let batch = dir.path().join("batch");
        let lines: String = (0..20_000_u32)
            .map(|n| {
                format!(
                    "neigh replace 10.77.{}.{} lladdr 02:00:00:00:{:02x}:{:02x} dev lan0 nud permanent\n",
                    20 + n / 250 % 200,
                    1 + n % 250,
                    n / 250 % 200,
                    n % 250
                )
            })
            .collect();
        std::fs::write(&batch, lines).unwrap();
        let out = Command::new("ip").arg("-batch").arg(&batch).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let clock = Clock::machine();
        let lost =
            clock.at_most(30_000, Box::pin(async { while listener.next().await.unwrap() != Heard::Lost {} }));
        assert!(lost.await.is_some(), "an overflow is told as such");
        // It goes on afterwards: the next device is heard.
        let add = "neigh replace 10.77.9.9 lladdr 02:00:00:00:99:99 dev lan0 nud permanent";
        assert!(Command::new("ip").args(add.split(' ')).status().unwrap().success());
        let wanted = Mac::parse("02:00:00:00:99:99").unwrap();
        let heard = clock.at_most(
            30_000,
            Box::pin(async {
                loop {
                    if let Heard::Changed(all) = listener.next().await.unwrap()
                        && all.iter().any(|n| n.mac == Some(wanted))
                    {
                        break;
                    }
                }
            }),
        );
        assert!(heard.await.is_some(), "the listener lives on");
    });
}
