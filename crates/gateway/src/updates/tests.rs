use super::*;
use kulkul_model::Moment;
use kulkul_proof::Signer;
use kulkul_wire::link::Blob;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Half past midnight in the regency.
const NOW: Moment = Moment::from_ms(1_800_030_600_000);

struct House {
    dir: tempfile::TempDir,
    clock: Clock,
    journal: Journal,
    desired: watch::Sender<Option<Arc<Desired>>>,
    hub: watch::Sender<HubSeen>,
    signer: Signer,
    /// What the hub has, and how often it was asked.
    held: Arc<Mutex<(BTreeMap<Digest, String>, u32)>>,
}

fn house() -> House {
    let _ = rustls::crypto::ring::default_provider().install_default();
    House {
        dir: tempfile::tempdir().unwrap(),
        clock: Clock::machine(),
        journal: Journal::in_memory(),
        desired: watch::channel(None).0,
        hub: watch::channel(HubSeen::default()).0,
        signer: Signer::from_seed(&[1; 32]),
        held: Arc::default(),
    }
}

/// A program that says it fits.
fn sound(extra: &str) -> String {
    let says = serde_json::to_string(&Program::this()).unwrap();
    format!("#!/bin/sh\necho '{says}'\n# {extra}\n")
}

impl House {
    fn updates(&self, keys: &[String]) -> (Updates, Again) {
        let text = format!(
            "hub = \"https://hub.test\"\nupdate_keys = {keys:?}\ndata = \"{}\"\n[uplink]\ninterface = \"w\"\n[[segment]]\n\
             name = \"p\"\nkind = \"public\"\ninterface = \"l\"\naddress4 = \"10.77.0.1/16\"\n",
            self.dir.path().display()
        );
        let again = Again::new(CancellationToken::new());
        let held = self.held.clone();
        let fetch: Fetch = Arc::new(move |release, path| {
            let mut held = held.lock().unwrap();
            held.1 += 1;
            let done = match held.0.get(&release.sha256) {
                Some(text) => std::fs::write(path, text).map_err(|e| e.to_string()),
                None => Err("not there".to_owned()),
            };
            Box::pin(async move { done })
        });
        let installed = self.dir.path().join("installed");
        std::fs::write(&installed, "the installed program").unwrap();
        let updates = Updates::new(Parts {
            config: Arc::new(Config::parse(&text, []).unwrap()),
            files: Files {
                exe: installed.clone(),
                installed,
                settings: self.dir.path().join("gateway.toml"),
            },
            desired: self.desired.subscribe(),
            hub: self.hub.subscribe(),
            fetch: Some(fetch),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            again: again.clone(),
        });
        (updates, again)
    }

    fn ours(&self) -> (Updates, Again) {
        self.updates(&[self.signer.public().to_string()])
    }

    /// A release of a program that the hub has.
    fn release(&self, text: &str) -> Release {
        let sha256 = Digest::of(text.as_bytes());
        self.held.lock().unwrap().0.insert(sha256, text.to_owned());
        Release {
            version: "0.2.0".to_owned(),
            target: Program::this().target,
            sha256,
            bytes: text.len() as u64,
            signed_at: Moment::from_ms(7),
        }
    }

    fn order(&self, signer: &Signer, release: &Release, rollout: u64) -> Desired {
        let mut desired: Desired = serde_json::from_value(json!({
            "version": {"epoch": 1, "counter": 1}, "site": {"code": "BJ-001", "name": "x"}
        }))
        .unwrap();
        desired.update.release = Blob(release::sign(signer, release));
        desired.update.rollout = rollout;
        // No minute of the day.
        (desired.update.quiet_from, desired.update.quiet_until) = (0, 0);
        desired
    }

    async fn noted(&self) -> Vec<(UpdateStep, String)> {
        let all = self.journal.read(1, 1 << 20).await.unwrap();
        let step = |(_, entry): (_, Entry)| match entry {
            Entry::Event(Event::Update { step, reason, .. }) => Some((step, reason)),
            _ => None,
        };
        all.into_iter().filter_map(step).collect()
    }
}

#[tokio::test]
async fn a_release_is_fetched_waits_for_the_quiet_hours_and_goes_on_trial() {
    let house = house();
    let (mut updates, again) = house.ours();
    let release = house.release(&sound("second"));
    let mut desired = house.order(&house.signer, &release, 1);
    let mut wait_ms = WAIT_MS.0;
    for _ in 0..2 {
        assert_eq!(updates.settle(&desired, &mut wait_ms).await, Some(LOOK_MS), "not before the quiet hours");
    }
    assert_eq!(house.noted().await, [(UpdateStep::Ready, String::new())], "noted once");
    // After a restart what lies there is not fetched again.
    let (mut updates, again_2) = house.ours();
    assert_eq!(updates.settle(&desired, &mut wait_ms).await, Some(LOOK_MS));
    assert_eq!(house.held.lock().unwrap().1, 1);
    assert!(!again.is_wanted() && !again_2.is_wanted());
    desired.update.quiet_until = 24 * 60;
    assert_eq!(updates.settle(&desired, &mut wait_ms).await, None);
    assert!(again_2.is_wanted() && again_2.leaves());
    let trial = updates.slots.record().trial.unwrap();
    assert_eq!((trial.program, trial.rollout, trial.starts), (release.sha256, 1, 0));
    assert!(!trial.before.is_empty(), "this bench has neither hub nor kernel rules");
    assert_eq!(house.noted().await.last(), Some(&(UpdateStep::Begun, String::new())));
}

#[tokio::test]
async fn what_is_not_for_this_box_is_refused_once_with_a_reason() {
    let house = house();
    let other = Signer::from_seed(&[2; 32]);
    let good = house.release(&sound("second"));
    let target = Release { target: "mips-linux-musl".to_owned(), ..good.clone() };
    let large = Release { bytes: kulkul_wire::link::PROGRAM_LIMIT, ..good.clone() };
    let text = sound("same length");
    let mut changed = house.release(&text);
    changed.sha256 = Digest::of(b"what was signed");
    house.held.lock().unwrap().0.insert(changed.sha256, text);
    let fails = house.release("#!/bin/sh\necho 'unknown key mesh' >&2\nexit 2\n");
    let no_program = house.release("\x7fELF of no machine");
    let silent = house.release("#!/bin/sh\nexit 0\n");
    let cases = [
        (&other, good.clone(), "which is not the one expected"),
        (&house.signer, target, "it is for mips-linux-musl"),
        (&house.signer, changed, "are not those that the release names"),
        (&house.signer, fails, "it does not fit this box: unknown key mesh"),
        (&house.signer, no_program, "the system does not run it"),
        (&house.signer, silent, "cannot be read"),
    ];
    let mut wait_ms = WAIT_MS.0;
    let (mut updates, again) = house.ours();
    for (signer, release, why) in cases {
        let desired = house.order(signer, &release, 1);
        for _ in 0..2 {
            assert_eq!(updates.settle(&desired, &mut wait_ms).await, None, "{why}");
        }
        let noted = house.noted().await;
        let (step, reason) = noted.last().unwrap();
        assert!(*step == UpdateStep::Refused && reason.contains(why), "{reason} has not {why}");
    }
    assert_eq!(house.noted().await.len(), 6, "each once");
    // A disk that has not the room refuses before it fetches; a hub that is away is tried again.
    let asked = house.held.lock().unwrap().1;
    let free = rustix::fs::statvfs(house.dir.path()).unwrap();
    if free.f_bavail * free.f_frsize < large.bytes {
        updates.settle(&house.order(&house.signer, &large, 1), &mut wait_ms).await;
        assert_eq!(house.held.lock().unwrap().1, asked);
    }
    house.held.lock().unwrap().0.clear();
    let away =
        house.order(&house.signer, &Release { bytes: 3, sha256: Digest::of(b"abc"), ..good.clone() }, 1);
    assert_eq!(updates.settle(&away, &mut wait_ms).await, Some(WAIT_MS.0));
    assert_eq!(updates.settle(&away, &mut wait_ms).await, Some(WAIT_MS.0 * 2));
    let (mut without, _) = house.updates(&[]);
    assert_eq!(without.settle(&house.order(&house.signer, &good, 1), &mut wait_ms).await, None);
    assert!(house.noted().await.last().unwrap().1.contains("update_keys"));
    assert!(!again.is_wanted());
}

#[tokio::test]
async fn neither_an_older_release_nor_one_that_failed_is_tried() {
    let house = house();
    let (mut updates, again) = house.ours();
    let mut wait_ms = WAIT_MS.0;
    let release = house.release(&sound("second"));
    let (program, newest) = (release.sha256, Some(Moment::from_ms(8)));
    updates.slots.change(|record| record.passed.push(Passed { program, rollout: 4 })).unwrap();
    let desired = house.order(&house.signer, &release, 4);
    assert_eq!(updates.settle(&desired, &mut wait_ms).await, None);
    assert!(house.noted().await.is_empty(), "that it failed was told then");
    let mut other = house.order(&house.signer, &release, 5);
    other.update.at_once = true;
    updates.slots.change(|record| record.newest = newest).unwrap();
    assert_eq!(updates.settle(&other, &mut wait_ms).await, None);
    assert!(house.noted().await[0].1.contains("before the one that runs"));
    let (mut updates, again_2) = house.ours();
    updates.slots.change(|record| record.newest = None).unwrap();
    assert_eq!(updates.settle(&other, &mut wait_ms).await, None, "another rollout tries it again");
    assert!(!again.is_wanted() && again_2.is_wanted());
}

#[tokio::test]
async fn a_start_tells_what_became_of_a_trial() {
    let house = house();
    let (updates, _) = house.ours();
    let told = slots::ToTell {
        program: Digest([3; 32]),
        step: UpdateStep::Undone,
        reason: "it hung: the guard ended it".to_owned(),
    };
    updates.slots.change(|record| record.to_tell.push(told.clone())).unwrap();
    updates.tell().await;
    updates.tell().await;
    assert_eq!(house.noted().await, [(UpdateStep::Undone, told.reason)]);
}

#[test]
fn quiet_hours_are_the_places_own_and_may_go_over_midnight() {
    let at = |quiet_from, quiet_until, now| {
        let section = UpdateSection { quiet_from, quiet_until, ..UpdateSection::default() };
        is_time(&section, now, "Asia/Makassar")
    };
    let later = |minutes: i64| Some(NOW.plus_ms(minutes * 60_000));
    assert!(!at(120, 300, Some(NOW)) && !at(120, 300, later(89)));
    assert!(at(120, 300, later(90)) && at(120, 300, later(269)) && !at(120, 300, later(270)));
    assert!(at(23 * 60, 60, Some(NOW)) && at(23 * 60, 60, later(-60)) && !at(23 * 60, 60, later(31)));
    assert!(!at(0, 1440, None), "without a clock");
    assert!(is_time(&UpdateSection { at_once: true, ..UpdateSection::default() }, None, "Asia/Makassar"));
}

#[tokio::test]
async fn a_program_on_trial_need_not_do_better_than_the_one_before_and_must_not_do_worse() {
    let house = house();
    let (mut updates, again) = house.ours();
    let before: Vec<String> =
        broken(&updates.parts.config, &updates.parts.clock).await.into_iter().map(|(key, _)| key).collect();
    let trial = |before: &[String]| Trial {
        slot: Slot::A,
        program: Digest([3; 32]),
        rollout: 1,
        prove_ms: 400,
        starts: 1,
        before: before.to_vec(),
    };
    let deaf = prove::watch(&updates.parts, &trial(&before)).await;
    assert!(deaf.unwrap_err().contains("the hub is not heard"));
    house.hub.send_replace(HubSeen { at: Some(Moment::from_ms(1)), ..HubSeen::default() });
    let idle = prove::watch(&updates.parts, &trial(&before)).await;
    assert_eq!(idle, Err("no desired state is in force".to_owned()));
    let release = house.release(&sound("second"));
    house.desired.send_replace(Some(Arc::new(house.order(&house.signer, &release, 1))));
    assert_eq!(prove::watch(&updates.parts, &trial(&before)).await, Ok(()));
    let worse = prove::watch(&updates.parts, &trial(&[])).await.unwrap_err();
    assert!(worse.len() > 10, "a sentence: {worse}");

    // Through the record: kept, told, and the run ends only where it failed.
    updates.slots.change(|record| record.trial = Some(trial(&before))).unwrap();
    assert!(updates.trial().await && !again.is_wanted());
    updates.slots.change(|record| record.trial = Some(trial(&[]))).unwrap();
    assert!(!updates.trial().await && again.leaves());
    let record = updates.slots.record();
    assert_eq!((record.trial, record.proven), (None, Some(Slot::A)));
    assert_eq!(record.to_tell[0].reason, worse);
    assert_eq!(house.noted().await, [(UpdateStep::Proven, String::new())], "the rest tells who runs next");
}

#[tokio::test]
async fn the_guard_ends_a_program_that_hangs_and_only_that() {
    let dir = tempfile::tempdir().unwrap();
    let slots = Slots::of(dir.path());
    let trial = |starts| Trial {
        slot: Slot::A,
        program: Digest([3; 32]),
        rollout: 1,
        prove_ms: 5_000,
        starts,
        before: Vec::new(),
    };
    let (clock, hand) = Clock::simulated(Moment::from_ms(5), crate::clock::BootId::default());
    let sleeper = || tokio::process::Command::new("sleep").arg("1000").kill_on_drop(true).spawn().unwrap();
    slots.change(|record| record.trial = Some(trial(2))).unwrap();
    let (mut hung, mut other) = (sleeper(), sleeper());
    let pid = hung.id().unwrap();
    let watching = |starts| {
        let (data, clock) = (dir.path().to_owned(), clock.clone());
        tokio::spawn(async move { guard::watch(&data, pid, starts, 5_000, &clock).await })
    };
    // The guard of an earlier start has nothing to do any more.
    assert!(!watching(1).await.unwrap());
    let guard = watching(2);
    tokio::task::yield_now().await;
    hand.pass(64_000);
    tokio::task::yield_now().await;
    assert!(hung.try_wait().unwrap().is_none(), "it has a minute more than its time");
    hand.pass(2_000);
    assert!(guard.await.unwrap());
    assert!(!hung.wait().await.unwrap().success());
    let record = slots.record();
    assert!(record.trial.is_none() && record.to_tell[0].reason.contains("hung"));
    // A process that has ended, and a trial that is over, need no guard.
    slots.change(|record| record.trial = Some(trial(3))).unwrap();
    assert!(!watching(3).await.unwrap());
    assert!(other.try_wait().unwrap().is_none());
}
