//! Updates on the street: a signed program from the hub to a box that serves people meanwhile.

use super::town::{
    Town, accept, box_program, fetch, kulkul, log_of, runtime, start_gateway, start_hub, town_of,
};
use kulkul_sim::street::ground::{Running, permitted, skip, until};
use kulkul_sim::street::hub;
use kulkul_sim::street::layout::{Street, WORLD4};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A town whose box trusts a key, with the key's file.
fn town(test: &str, what: &str) -> Option<(Town, PathBuf)> {
    if let Err(why) = permitted() {
        skip(test, &why);
        return None;
    }
    let mut street = Street::build(what).unwrap();
    street.start_world().unwrap();
    let key = street.dir.path().join("update.key");
    let line = keygen(&key);
    let mut prepared = runtime().block_on(hub::prepare(street.dir.path(), super::SITE)).unwrap();
    prepared.top = format!("{}\n{line}", prepared.top);
    let hub = start_hub(&street, &prepared);
    let config = street.gateway_toml(&prepared.top, "").unwrap();
    let gateway = start_gateway(&street, &config);
    Some((town_of(street, prepared, config, gateway, hub), key))
}

fn done(mut command: Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Makes a key, and gives the line that boxes need.
fn keygen(key: &Path) -> String {
    let mut command = Command::new(kulkul());
    command.args(["update", "keygen"]).arg(key);
    done(command).lines().last().unwrap().to_owned()
}

/// The box's program without what debuggers want: as it is, a test's build is longer than boxes take.
fn strip(to: &Path) {
    let mut command = Command::new("strip");
    command.arg("-o").arg(to).arg(box_program());
    done(command);
}

impl Town {
    /// Signs a program, takes it at the hub and rolls it out to the one box, at once.
    fn roll_out(&self, token: &str, program: &Path, key: &Path, version: &str) -> u64 {
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut sign = Command::new(kulkul());
        sign.args(["update", "sign"]).arg(program).arg("--key").arg(key);
        sign.args(["--version", version, "--target", &kulkul_model::gateway::target()]);
        done(sign);
        let mut take = self.street.hub.command(&kulkul());
        take.args(["update", "take"]).arg(program).arg("--config").arg(&self.prepared.config);
        done(take);
        let body = format!(
            "{{\"version\":\"{version}\",\"stages\":[[\"site:{}\"]],\"at_once\":true,\"wait_hours\":0}}",
            super::SITE
        );
        let begun = self.ask_api(token, &format!("-X POST -d {body}"), "rollouts");
        begun["number"].as_u64().unwrap_or_else(|| panic!("{begun}"))
    }

    /// How far the box is in a rollout, and why.
    fn step(&self, token: &str, number: u64) -> Option<(String, String)> {
        let boxes = self.ask_api(token, "", &format!("rollouts/{number}/boxes"));
        let one = &boxes["items"][0];
        Some((one["step"].as_str()?.to_owned(), one["reason"].as_str().unwrap_or_default().to_owned()))
    }

    fn state(&self, token: &str, number: u64) -> String {
        let rollout = self.ask_api(token, "", &format!("rollouts/{number}"));
        rollout["state"].as_str().unwrap_or_default().to_owned()
    }

    /// What the box's process is now.
    fn exe(&self) -> PathBuf {
        fs::read_link(format!("/proc/{}/exe", self.gateway.0.id())).unwrap_or_default()
    }

    fn slot(&self, name: &str) -> PathBuf {
        self.street.dir.path().join("gateway/versions").join(name).join("kulkul")
    }

    fn is_online(&self) -> bool {
        fetch(&self.street, "-m 2", &format!("http://{WORLD4}/")).1.starts_with("hello")
    }

    /// Starts the box as a supervisor does after an end, and does not wait for it.
    fn restart(&mut self) {
        let log = File::options().append(true).open(self.street.dir.path().join("gateway.log")).unwrap();
        let mut command = self.street.gateway.command(&box_program());
        command.args(["gateway", "--config"]).arg(&self.config).env("KULKUL_LOG", "info").stderr(log);
        self.gateway = Running::start(&mut command).unwrap();
    }

    fn until_it_ends(&mut self, for_s: u64) {
        let gateway = &mut self.gateway.0;
        until("the program on trial ends", for_s, || gateway.try_wait().unwrap().map(drop));
    }
}

#[test]
fn a_signed_program_takes_over_while_people_are_online_and_stays() {
    let test = "a_signed_program_takes_over_while_people_are_online_and_stays";
    let Some((mut town, key)) = town(test, "update") else { return };
    let token = town.operator();
    accept(&town.street, "10.77.0.1");
    until("the phone is online", 60, || town.is_online().then_some(()));
    let (installed, pid) = (town.exe(), town.gateway.0.id());
    // The same program with another digest: what follows the end of an ELF file is not run.
    let second = town.street.dir.path().join("second");
    strip(&second);
    let mut bytes = fs::read(&second).unwrap();
    bytes.extend_from_slice(b"the second");
    fs::write(&second, bytes).unwrap();
    // A name leads to both families: the second address is let in when the box has seen it.
    until("the phone is online by name", 60, || {
        fetch(&town.street, "-m 4", "http://n0.example/").1.starts_with("hello").then_some(())
    });
    // From here on the phone sends ten packets and asks one name each second.
    let watching = "ping -i 0.1 -w 60 -q 203.0.113.1 > ping.log & \
        for n in $(seq 60); do curl -s -m 4 http://n$n.example/ | grep -c hello; sleep 1; done > names.log; wait";
    let mut watcher = town.street.phone.command("sh");
    watcher.args(["-c", watching]).current_dir(town.street.dir.path());
    let mut watcher = Running::start(&mut watcher).unwrap();

    let number = town.roll_out(&token, &second, &key, "0.2.0");
    let slot = town.slot("a");
    until("the new program takes over", 60, || (town.exe() == slot).then_some(()));
    assert_eq!(town.gateway.0.id(), pid, "whoever supervises the process sees no change");
    assert!(town.is_online(), "nobody is asked to accept again");
    until("the box is proven", 180, || (town.step(&token, number)?.0 == "proven").then_some(()));
    until("the rollout is done", 30, || (town.state(&token, number) == "done").then_some(()));
    watcher.0.wait().unwrap();
    let told = |name: &str| fs::read_to_string(town.street.dir.path().join(name)).unwrap();
    let ping = told("ping.log");
    assert!(ping.contains(" 0% packet loss"), "{ping}\n{}", log_of(&town.street));
    let names = told("names.log");
    assert_eq!(names.lines().filter(|l| *l == "1").count(), names.lines().count(), "{names}");

    // After a power cut the installed program starts first and hands over at once.
    town.gateway.kill();
    let config = town.config.clone();
    town.gateway = start_gateway(&town.street, &config);
    assert_eq!(town.exe(), slot);
    assert!(town.is_online());
    // Another program that somebody installs wins: here the same one, touched.
    town.gateway.kill();
    let mut status = town.street.gateway.command(&box_program());
    status.args(["gateway", "program"]);
    assert!(done(status).contains(&kulkul_model::gateway::target()));
    assert_ne!(installed, slot);
}

#[test]
fn a_program_that_fails_or_that_another_key_signed_leaves_the_place_as_it_was() {
    let test = "a_program_that_fails_or_that_another_key_signed_leaves_the_place_as_it_was";
    let Some((mut town, key)) = town(test, "undone") else { return };
    let token = town.operator();
    accept(&town.street, "10.77.0.1");
    until("the phone is online", 60, || town.is_online().then_some(()));
    let installed = town.exe();
    let dir = town.street.dir.path().to_owned();

    // Somebody who holds the hub holds no update key.
    let (stolen, thief) = (dir.join("stolen"), dir.join("thief.key"));
    keygen(&thief);
    strip(&stolen);
    let number = town.roll_out(&token, &stolen, &thief, "9.9.9");
    let (step, reason) =
        until("the box has looked", 60, || town.step(&token, number).filter(|s| s.0 == "refused"));
    assert!(step == "refused" && reason.contains("not the one expected"), "{reason}");
    until("the rollout pauses", 30, || (town.state(&token, number) == "paused").then_some(()));
    assert!(!town.slot("a").exists(), "not even fetched");

    // One that says it fits, and ends as soon as it is to serve.
    let broken = dir.join("broken");
    let script = format!("#!/bin/sh\n[ \"$2\" = program ] && exec {} \"$@\"\nexit 1\n", box_program());
    fs::write(&broken, script).unwrap();
    let number = town.roll_out(&token, &broken, &key, "0.3.0");
    // Three starts, as a supervisor makes them; people stay online through all of it.
    town.until_it_ends(90);
    for _ in 0..2 {
        town.restart();
        town.until_it_ends(60);
        assert!(town.is_online());
    }
    let config = town.config.clone();
    town.gateway = start_gateway(&town.street, &config);
    assert_eq!(town.exe(), installed, "the fourth start runs the one before");
    let (step, reason) = until("the hub knows", 90, || town.step(&token, number).filter(|s| s.0 == "undone"));
    assert!(step == "undone" && reason.contains("ended 3 times"), "{reason}");
    until("the rollout pauses", 30, || (town.state(&token, number) == "paused").then_some(()));
    assert!(town.is_online());
    // Another rollout of the same program is another try.
    let again = town.roll_out(&token, &broken, &key, "0.3.0");
    town.until_it_ends(90);
    assert!(again > number && town.is_online());
}
