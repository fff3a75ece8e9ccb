use super::*;
use kulkul_proof::Signer;

struct Bench {
    data: tempfile::TempDir,
    slots: Slots,
    installed: PathBuf,
    signer: Signer,
}

fn bench() -> Bench {
    let data = tempfile::tempdir().unwrap();
    let installed = data.path().join("installed");
    fs::write(&installed, "the first program").unwrap();
    let slots = Slots::of(data.path());
    Bench { slots, installed, data, signer: Signer::from_seed(&[1; 32]) }
}

impl Bench {
    fn next(&self) -> Next {
        self.slots.next(&[self.signer.public()], &self.installed).unwrap()
    }

    /// Brings a program into the free slot and begins its trial.
    fn begin(&self, text: &str, rollout: u64) -> Slot {
        let sha256 = Digest::of(text.as_bytes());
        let release = Release {
            version: "0.2.0".to_owned(),
            target: "x86_64-linux-gnu".to_owned(),
            sha256,
            bytes: text.len() as u64,
            signed_at: Moment::from_ms(5),
        };
        self.slots.change(|_| ()).unwrap();
        let (slot, part) = (self.slots.free(&self.slots.record()), self.slots.part(sha256));
        fs::write(&part, text).unwrap();
        check(&part, &release).unwrap();
        self.slots.fill(slot, &part, &release::sign(&self.signer, &release)).unwrap();
        let (program, before) = (sha256, Vec::new());
        let trial = Trial { slot, program, rollout, prove_ms: 600_000, starts: 0, before };
        self.slots
            .change(|record| {
                record.installed = identity(&self.installed);
                record.trial = Some(trial);
            })
            .unwrap();
        slot
    }

    fn runs(&self, slot: Slot, starts: Option<u32>) -> Next {
        Next::Slot { program: self.slots.program(slot), trial: starts.map(|n| (n, 600_000)) }
    }

    fn told(&self) -> Vec<(UpdateStep, String)> {
        self.slots.record().to_tell.into_iter().map(|t| (t.step, t.reason)).collect()
    }
}

#[test]
fn a_program_is_tried_proven_and_followed_by_the_next_in_the_other_slot() {
    let b = bench();
    assert_eq!(b.next(), Next::Installed);
    let first = b.begin("second program", 1);
    assert_eq!(b.next(), b.runs(first, Some(1)));
    assert!(b.slots.prove().unwrap());
    assert_eq!(b.slots.record().newest, Some(Moment::from_ms(5)));
    assert_eq!(b.next(), b.runs(first, None));
    assert!(!b.slots.prove().unwrap(), "nothing is on trial");
    let second = b.begin("third program", 2);
    assert_ne!(first, second);
    assert_eq!(b.next(), b.runs(second, Some(1)));
    assert!(b.slots.undo("the portal does not answer").unwrap());
    assert_eq!(b.next(), b.runs(first, None), "the one before");
    assert_eq!(b.told(), [(UpdateStep::Undone, "the portal does not answer".to_owned())]);
    let passed = Passed { program: Digest::of(b"third program"), rollout: 2 };
    assert_eq!(b.slots.record().passed, [passed]);
    assert_eq!(b.begin("third program", 3), second, "a failed one gives its place");
}

#[test]
fn a_program_that_ends_again_and_again_is_given_up() {
    let b = bench();
    let slot = b.begin("second program", 1);
    for start in 1..=MOST_STARTS {
        assert_eq!(b.next(), b.runs(slot, Some(start)));
    }
    assert_eq!(b.next(), Next::Installed);
    assert!(b.told()[0].1.contains("ended 3 times"), "{:?}", b.told());
    assert_eq!(b.next(), Next::Installed);
    assert_eq!(b.told().len(), 1);
}

#[test]
fn what_is_not_signed_or_not_whole_never_runs() {
    let b = bench();
    let slot = b.begin("second program", 1);
    let other = Signer::from_seed(&[2; 32]).public();
    assert_eq!(b.slots.next(&[other], &b.installed).unwrap(), Next::Installed);
    assert!(b.told()[0].1.contains("which is not the one expected"), "{:?}", b.told());

    let slot_again = b.begin("second program", 2);
    assert_eq!(slot, slot_again);
    assert_eq!(b.next(), b.runs(slot, Some(1)));
    b.slots.prove().unwrap();
    // The flash forgets a bit.
    fs::write(b.slots.program(slot), "second prograM").unwrap();
    assert_eq!(b.next(), Next::Installed);
    let told = b.told();
    assert!(told[1].1.contains("not those that the release names"), "{told:?}");
    assert_eq!(b.slots.record().newest, None, "it may be fetched again");
    // A power cut between program and statement.
    let slot = b.begin("second program", 3);
    fs::remove_file(b.data.path().join("versions").join(slot.name()).join(STATEMENT)).unwrap();
    assert_eq!(b.next(), Next::Installed);
}

#[test]
fn another_installed_program_wins_and_a_broken_record_is_none() {
    let b = bench();
    let slot = b.begin("second program", 1);
    assert_eq!(b.next(), b.runs(slot, Some(1)));
    b.slots.prove().unwrap();
    fs::write(&b.installed, "a program that somebody installed").unwrap();
    assert_eq!(b.next(), Next::Installed);
    assert!(b.told()[0].1.contains("another program was installed"));
    let passed = Passed { program: Digest::of(b"second program"), rollout: 1 };
    assert_eq!(b.slots.record().passed, [passed], "the rollout that brought it does not bring it back");
    assert_eq!(b.next(), Next::Installed);
    let slot = b.begin("third program", 2);
    assert_eq!(b.next(), b.runs(slot, Some(1)));
    fs::write(b.data.path().join("versions").join(RECORD), "{").unwrap();
    assert_eq!(b.next(), Next::Installed);
    assert_eq!(b.slots.record(), Record::default());
}

#[test]
fn parts_of_what_is_not_wanted_any_more_go() {
    let b = bench();
    b.slots.change(|_| ()).unwrap();
    let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
    for program in [old, new] {
        fs::write(b.slots.part(program), "part").unwrap();
    }
    b.slots.sweep(Some(new));
    assert!(!b.slots.part(old).exists() && b.slots.part(new).exists());
    b.slots.sweep(None);
    assert!(!b.slots.part(new).exists());
}
