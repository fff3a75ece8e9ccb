//! Rollouts: stage by stage, told, proven, paused at the first that fails, never taken back.

mod rules;

use super::*;
use crate::fleet::updates::{releases, run};
use crate::staff::Actor;
use UpdateStep::{Begun, Proven, Ready, Refused, Undone};
use kulkul_model::gateway::UpdateStep;
use kulkul_model::staff::Role;
use kulkul_proof::release as signed;
use kulkul_store::audit;
use kulkul_wire::link::desired::UpdateSection;
use kulkul_wire::link::{Digest, Event, Release, Started};
use serde_json::json;
use std::collections::BTreeMap;

const HOUR: i64 = 3_600_000;
const X86: &str = "x86_64-linux-gnu";
const ARM: &str = "aarch64-linux-musl";

/// A box, the place where it stands, and the time of what it says.
struct Placed {
    place: &'static str,
    b: Box_,
}

impl House {
    /// Two districts; BJ-001 is in the first, the other two in the second.
    async fn districts(&self) {
        let write = self.hub.store().write(Lane::Page, |tx| {
            Box::pin(async move {
                for code in ["51.03.01", "51.03.02"] {
                    tx.execute(
                        "INSERT INTO area (code, name, kind, local_kind, parent, bps_code, lat, lon)
                         VALUES ($1, 'Kuta', 'district', 'kecamatan', '51.03', NULL, -8.5, 115.1)",
                        args![code],
                    )
                    .await?;
                }
                tx.execute(
                    "INSERT INTO site (code, category, name, area, lat, lon, position_quality, position_basis,
                         name_quality, source, official_id, address, stage, down_kbps, up_kbps, upstream,
                         revision, search)
                     SELECT 'BJ-003', category, name, area, lat, lon, position_quality, position_basis,
                         name_quality, source, official_id, address, stage, down_kbps, up_kbps, upstream,
                         revision, search FROM site WHERE code = 'BJ-001'",
                    args![],
                )
                .await?;
                tx.execute("UPDATE site SET area = '51.03.01' WHERE code = 'BJ-001'", args![]).await?;
                tx.execute("UPDATE site SET area = '51.03.02' WHERE code <> 'BJ-001'", args![]).await?;
                Ok::<_, StoreError>(())
            })
        });
        write.await.unwrap();
    }

    async fn placed(&self, seed: u8, place: &'static str, target: &str) -> Placed {
        let claim = self.claim(place).await.shown();
        let has = Capabilities { target: target.to_owned(), ..Capabilities::default() };
        let answer = self.enrol_able(seed, &claim, has).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        let enrolled: Enrolled = serde_json::from_slice(&answer.body).unwrap();
        let b = Box_ { signer: Signer::from_seed(&[seed; 32]), enrolled, head: Head::default() };
        Placed { place, b }
    }

    /// Boxes at the three places, all for one machine.
    async fn three(&self) -> [Placed; 3] {
        self.districts().await;
        [
            self.placed(1, "BJ-001", X86).await,
            self.placed(2, "BJ-002", X86).await,
            self.placed(3, "BJ-003", X86).await,
        ]
    }

    /// Signs a program and takes it, as the command line does.
    async fn release(&self, version: &str, target: &str, program: &[u8]) -> (Digest, Vec<u8>) {
        let file = self.hub.config().data.join("program");
        std::fs::write(&file, program).unwrap();
        let said = Release {
            version: version.to_owned(),
            target: target.to_owned(),
            sha256: Digest::of(program),
            bytes: program.len() as u64,
            signed_at: self.now(),
        };
        let cose = signed::sign(&Signer::from_seed(&[9; 32]), &said);
        let statement = releases::statement_of(&file);
        std::fs::write(&statement, &cose).unwrap();
        let read = releases::keep(&self.hub.config().data, &file, &statement).unwrap();
        releases::take(&self.hub, &Actor::command_line(), read).await.unwrap();
        (said.sha256, cose)
    }

    async fn roll_out(&self, token: &str, body: serde_json::Value) -> u64 {
        let answer = self.call(token, Method::POST, "/api/v1/rollouts", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
        self.look().await;
        answer.json()["number"].as_u64().unwrap()
    }

    async fn look(&self) {
        run::look(&self.hub).await.unwrap();
    }

    /// The statement that the box at a place is given; empty for none.
    async fn update(&self, p: &Placed) -> Vec<u8> {
        self.update_section(p).await.release.0
    }

    async fn update_section(&self, p: &Placed) -> UpdateSection {
        serde_json::from_value(self.section(p.place, "update").await).unwrap()
    }

    async fn says(&self, p: &mut Placed, program: Digest, step: UpdateStep, reason: &str) {
        let reason = reason.to_owned();
        self.told(&mut p.b, &Entry::Event(Event::Update { program, step, reason })).await;
        self.look().await;
    }

    async fn starts(&self, p: &mut Placed, target: &str, program: Option<Digest>) {
        let capabilities = Capabilities { target: target.to_owned(), ..Capabilities::default() };
        self.told(&mut p.b, &Entry::Started(Started { capabilities, program })).await;
        self.look().await;
    }

    async fn beats_at(&self, p: &Placed) {
        let answer = self.ask(&p.b, Method::POST, "/link/v1/beat", &beat()).await;
        assert_eq!(answer.status, StatusCode::OK);
    }

    async fn rollout(&self, token: &str, number: u64) -> serde_json::Value {
        self.call(token, Method::GET, &format!("/api/v1/rollouts/{number}"), json!(null)).await.json()
    }

    async fn steer(&self, token: &str, number: u64, act: &str) -> Answer {
        let answer =
            self.call(token, Method::POST, &format!("/api/v1/rollouts/{number}/{act}"), json!(null)).await;
        self.look().await;
        answer
    }
}

fn stages(of: &[&[&str]]) -> serde_json::Value {
    json!({"version": "0.2.0", "stages": of})
}

#[tokio::test]
async fn a_release_goes_out_by_area_to_boxes_that_can_run_it() {
    on_a_hub(|h| async move {
        h.districts().await;
        let mut a = h.placed(1, "BJ-001", X86).await;
        let mut b = h.placed(2, "BJ-002", "").await;
        let c = h.placed(3, "BJ-003", ARM).await;
        let token = h.token(Role::Operator).await;
        let (program, statement) = h.release("0.2.0", X86, b"the program").await;
        let before = h.hub.fleet().known(&a.b.enrolled.gateway).unwrap().newest().unwrap();
        let number = h.roll_out(&token, stages(&[&["area:51.03.01"], &["regency"]])).await;
        let newest = h.hub.fleet().known(&a.b.enrolled.gateway).unwrap().newest().unwrap();
        assert!(newest > before, "the long poll of the box ends");
        assert_eq!((h.update(&a).await, h.update(&b).await), (statement.clone(), Vec::new()));
        let section = h.section("BJ-001", "update").await;
        assert_eq!((&section["quiet_from"], &section["at_once"]), (&json!(120), &json!(false)));
        let blob = format!("/link/v1/blobs/{program}");
        let rest = h.ask_from(&a.b, &blob, 4).await;
        assert_eq!((rest.status, rest.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &b"program"[..]));

        h.says(&mut a, program, Ready, "").await;
        h.says(&mut a, program, Begun, "").await;
        h.starts(&mut a, X86, Some(program)).await;
        assert_eq!(h.rollout(&token, number).await["stages"][0]["waiting"], 1, "that start is the trial");
        h.says(&mut a, program, Proven, "").await;
        let told = h.rollout(&token, number).await;
        assert_eq!((&told["stage"], &told["stages"][0]["proven"]), (&json!(1), &json!(1)), "{told}");
        h.pass(24 * HOUR - 1);
        h.look().await;
        assert_eq!(h.rollout(&token, number).await["stage"], 1, "it is watched for a day");
        h.pass(1);
        for p in [&a, &b, &c] {
            h.beats_at(p).await;
        }
        h.look().await;
        let told = h.rollout(&token, number).await;
        assert_eq!((&told["state"], &told["stage"]), (&json!("done"), &json!(2)), "nobody in it can: {told}");
        assert_eq!((h.update(&b).await, h.update(&c).await), (Vec::new(), Vec::new()));

        // A box that says which machine it is, a program for another, and a box that is replaced.
        h.starts(&mut b, X86, None).await;
        crate::fleet::follower::refresh_all(&h.hub).await.unwrap();
        assert_eq!(h.update(&b).await, statement);
        let (_, for_arm) = h.release("0.2.0", ARM, b"another program").await;
        assert_eq!(h.update(&c).await, for_arm);
        let successor = h.placed(4, "BJ-001", X86).await;
        assert_eq!(h.update(&successor).await, statement, "in the stage of its place");
        let told = h.rollout(&token, number).await;
        assert_eq!((&told["stages"][0]["told"], &told["stages"][0]["waiting"]), (&json!(1), &json!(1)));
        let path = format!("/api/v1/rollouts/{number}/boxes");
        let boxes = h.call(&token, Method::GET, &path, json!(null)).await.json()["items"].clone();
        let of: BTreeMap<&str, (&str, bool)> = boxes
            .as_array()
            .unwrap()
            .iter()
            .map(|b| (b["site"].as_str().unwrap(), (b["standing"].as_str().unwrap(), b["step"].is_null())))
            .collect();
        assert_eq!(
            of,
            [("BJ-001", ("waiting", true)), ("BJ-002", ("waiting", true)), ("BJ-003", ("waiting", true))]
                .into()
        );
        let mut tx = h.hub.store().reader().await.unwrap();
        let noted = audit::list_object(&mut tx, "rollout", "1", i64::MAX, 9).await.unwrap();
        let acts: Vec<_> = noted.iter().rev().map(|(_, e)| (e.who.as_str(), e.act.as_str())).collect();
        assert_eq!(acts[1..], [("hub", "advance"), ("hub", "finish")]);
        assert!(acts[0].0.starts_with("token:") && acts[0].1 == "begin");
    })
    .await;
}

#[tokio::test]
async fn the_first_that_fails_pauses_it_and_staff_go_on_without() {
    on_a_hub(|h| async move {
        let [mut a, mut b, mut c] = h.three().await;
        let token = h.token(Role::Operator).await;
        let (program, statement) = h.release("0.2.0", X86, b"the program").await;
        let number = h.roll_out(&token, stages(&[&["regency"]])).await;
        h.says(&mut b, program, Ready, "").await;
        h.says(&mut c, program, Begun, "").await;
        h.says(&mut a, program, Undone, "the portal\u{1b}[2J does not answer").await;
        let told = h.rollout(&token, number).await;
        assert_eq!(
            (&told["state"], &told["why"], &told["changed_by"]),
            (&json!("paused"), &json!("undone"), &json!("hub"))
        );
        assert_eq!(h.update(&b).await, Vec::<u8>::new(), "nobody new begins");
        assert_eq!(h.update(&c).await, statement, "who has begun goes on");
        assert_eq!(h.update(&a).await, Vec::<u8>::new());
        let path = format!("/api/v1/rollouts/{number}/boxes");
        let boxes = h.call(&token, Method::GET, &path, json!(null)).await.json()["items"].clone();
        let failed = boxes.as_array().unwrap().iter().find(|b| b["step"] == "undone").unwrap();
        assert_eq!(
            (&failed["site"], &failed["reason"]),
            (&json!("BJ-001"), &json!("the portal[2J does not answer"))
        );
        h.says(&mut c, program, Proven, "").await;
        assert_eq!(h.rollout(&token, number).await["state"], "paused", "by staff alone");

        assert_eq!(h.steer(&token, number, "pause").await.code(), "rollout-state");
        assert_eq!(h.steer(&token, number, "resume").await.json()["stages"][0]["aside"], 1);
        assert_eq!((h.update(&b).await, h.update(&a).await), (statement.clone(), Vec::new()));
        h.says(&mut b, program, Refused, "no room").await;
        let told = h.rollout(&token, number).await;
        assert_eq!((&told["state"], &told["stages"][0]["undone"]), (&json!("paused"), &json!(1)), "{told}");
        h.steer(&token, number, "resume").await;
        assert_eq!(h.rollout(&token, number).await["state"], "done", "the one that runs it has proven it");
        h.says(&mut a, program, Proven, "").await;
        let told = h.rollout(&token, number).await;
        assert_eq!((&told["stages"][0]["proven"], &told["stages"][0]["aside"]), (&json!(2), &json!(1)));
        assert_eq!(h.steer(&token, number, "stop").await.json()["state"], "stopped");
        assert_eq!(h.update(&c).await, statement, "it never takes a program back");
        assert_eq!(h.steer(&token, number, "resume").await.code(), "rollout-state");
        assert_eq!(h.steer(&token, 7, "stop").await.code(), "rollout-unknown");
    })
    .await;
}

#[tokio::test]
async fn a_silent_box_holds_up_nothing_and_is_told_when_it_is_back() {
    on_a_hub(|h| async move {
        let [mut a, mut b, mut c] = h.three().await;
        let token = h.token(Role::Operator).await;
        let (program, statement) = h.release("0.2.0", X86, b"the program").await;
        let body = json!({"version": "0.2.0", "stages": [["area:51.03.02"], ["site:BJ-001"]],
                          "wait_hours": 0, "at_once": true, "most_undone": 2});
        let number = h.roll_out(&token, body).await;
        assert_eq!(h.section("BJ-002", "update").await["at_once"], true);
        h.beats_at(&b).await;
        h.beats_at(&c).await;
        h.says(&mut b, program, Proven, "").await;
        h.pass(24 * HOUR);
        h.beats_at(&b).await;
        h.look().await;
        assert_eq!(h.rollout(&token, number).await["stage"], 1);
        // A hub that starts anew knows from its database who was heard; it listens for a while first.
        let mut kept = BTreeMap::new();
        assert_eq!(run::keep_heard(&h.hub, &mut kept).await.unwrap(), 2);
        assert_eq!(run::keep_heard(&h.hub, &mut kept).await.unwrap(), 0);
        let config = h.hub.config().clone();
        let anew = Hub::start(config, h.hub.clock().clone(), h.hub.store().clone()).unwrap();
        h.pass(2 * 60_000);
        run::look(&anew).await.unwrap();
        assert_eq!(h.rollout(&token, number).await["stage"], 1, "it has not listened for long");
        h.pass(13 * 60_000);
        run::look(&anew).await.unwrap();
        let told = h.rollout(&token, number).await;
        assert_eq!((&told["stage"], &told["stages"][0]["silent"]), (&json!(2), &json!(1)), "{told}");
        assert_eq!(h.update(&a).await, statement);
        h.says(&mut a, program, Undone, "first").await;
        assert_eq!(h.rollout(&token, number).await["state"], "done", "one may fail");
        assert_eq!(h.update(&c).await, statement, "who was silent is told still");
        h.beats_at(&c).await;
        h.says(&mut c, program, Undone, "second").await;
        assert_eq!(h.rollout(&token, number).await["state"], "paused", "even when it was done");
    })
    .await;
}

#[tokio::test]
async fn a_newer_rollout_takes_the_place_of_one_that_is_not_done() {
    on_a_hub(|h| async move {
        let [mut a, mut b, _c] = h.three().await;
        let token = h.token(Role::Operator).await;
        let (program, statement) = h.release("0.2.0", X86, b"the program").await;
        let first = h.roll_out(&token, stages(&[&["site:BJ-001"], &["regency"]])).await;
        h.says(&mut a, program, Proven, "").await;
        let late = b.b.seal_at(
            &Entry::Event(Event::Update { program, step: Undone, reason: "of before".to_owned() }),
            Stamp { boot: BootId([1; 16]), mono_ms: 1_000, wall: Some(h.now()) },
        );
        h.pass(HOUR);
        let second = h.roll_out(&token, stages(&[&["regency"]])).await;
        let told = h.rollout(&token, first).await;
        assert_eq!((&told["state"], &told["why"]), (&json!("stopped"), &json!("replaced")));
        let told = h.rollout(&token, second).await;
        assert_eq!(told["stages"][0]["proven"], 1, "who runs it already has proven it: {told}");
        // By its number a box knows that it may try again what failed in the one before.
        assert_eq!(h.update_section(&b).await.rollout, second);
        assert_eq!(h.deliver(&b.b.enrolled.gateway, &[&late.bytes]).await.status, StatusCode::OK);
        h.look().await;
        let told = h.rollout(&token, second).await;
        assert_eq!((&told["state"], &told["stages"][0]["undone"]), (&json!("running"), &json!(0)), "{told}");

        let (newer, other) = h.release("0.3.0", X86, b"a newer program").await;
        let body = json!({"version": "0.3.0", "stages": [["site:BJ-001"], ["regency"]], "wait_hours": 1});
        let third = h.roll_out(&token, body).await;
        assert_eq!(h.update(&a).await, other);
        assert_eq!(h.update(&b).await, Vec::<u8>::new());
        h.says(&mut a, program, Undone, "about the former").await;
        assert_eq!(h.rollout(&token, third).await["state"], "running", "of an older rollout");
        h.says(&mut a, newer, Proven, "").await;
        h.pass(HOUR);
        h.look().await;
        assert_eq!((h.update(&b).await, h.update(&a).await), (other.clone(), other));
        assert_ne!(statement, h.update(&b).await);
        let list = h.call(&token, Method::GET, "/api/v1/rollouts?limit=2", json!(null)).await.json();
        let numbers: Vec<_> =
            list["items"].as_array().unwrap().iter().map(|r| r["number"].as_u64()).collect();
        assert_eq!(numbers, [Some(third), Some(second)]);
    })
    .await;
}
