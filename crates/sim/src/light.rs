//! A light gateway: the link's side of a box without the box, for thousands in one process.
//!
//! It enrols, beats, keeps a chained and signed journal, delivers it and follows
//! the desired state, all by the real link. It has no kernel, no portal and no disk,
//! and says in its journal that it is simulated. A gateway that the hub has revoked
//! falls silent for good.

mod minutes;

use crate::caller::{CallError, Caller, Line};
use crate::diary::MINUTE_MS;
use crate::dice::Dice;
use crate::guests::Guests;
use crate::world::{Place, Reading, World};
use kulkul_model::Moment;
use kulkul_model::claim::ClaimCode;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticOutcome};
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_proof::chain::Head;
use kulkul_proof::entry::seal;
use kulkul_proof::sign::Signer;
use kulkul_wire::link::beat::MINUTES_LIMIT;
use kulkul_wire::link::{
    BATCH_LIMIT, Beat, BootId, Diagnostic, Enrol, Entry, Event, PublicKey, Report, Stamp, Started, Version,
};
use std::collections::{BTreeSet, VecDeque};

/// What a simulated box says of itself.
pub const HARDWARE: &str = "simulated gateway, no box";

/// A batch of the journal stays under this, so that it is answered soon.
const BATCH_BYTES: usize = BATCH_LIMIT / 4;

/// How a gateway stands with the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Has no id yet.
    Claimed,
    /// Enrolled.
    Enrolled,
    /// Refused by the hub: silent for good.
    Revoked,
}

/// One simulated gateway.
#[derive(Debug)]
pub struct LightGateway {
    place: Place,
    signer: Signer,
    id: Option<GatewayId>,
    claim: Option<ClaimCode>,
    standing: Standing,
    dice: Dice,
    calls: i64,
    boot: BootId,
    started: Moment,
    head: Head,
    /// Sealed entries that the hub does not hold yet, the first being number `held + 1`.
    outbox: VecDeque<Vec<u8>>,
    held: u64,
    desired: Option<Version>,
    /// Minutes before this one are written into the journal.
    written: Moment,
    /// Minutes before this one were told in beats.
    told: Moment,
    guests: Option<Guests>,
    /// Reports that it has taken.
    reports: u64,
    /// What staff asked and it has answered.
    answered: BTreeSet<DiagnosticId>,
}

/// What one turn of a gateway did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// It enrolled.
    pub enrolled: bool,
    /// A beat was answered.
    pub beat: bool,
    /// Entries that the hub took in this turn.
    pub delivered: u64,
}

impl LightGateway {
    /// A gateway for a place, with a key and a run drawn by the caller.
    ///
    /// With `guests` its journal has the sessions of some of the people there.
    #[must_use]
    pub fn new(place: Place, secret: &[u8; 32], now: Moment, with_guests: bool) -> Self {
        let signer = Signer::from_seed(secret);
        // Salts, nonces and the run's name need to differ, not to be secret, in a simulation.
        let dice = secret.iter().fold(Dice::new(0), |d, b| d.named(char::from(*b).encode_utf8(&mut [0; 4])));
        let (a, b) = (dice.throw(0, 1).bits(), dice.throw(0, 2).bits());
        let mut boot = [0; 16];
        boot.iter_mut()
            .zip(a.to_be_bytes().into_iter().chain(b.to_be_bytes()))
            .for_each(|(to, from)| *to = from);
        let guests = with_guests.then(|| Guests::new(dice));
        LightGateway {
            place,
            signer,
            id: None,
            claim: None,
            standing: Standing::Claimed,
            dice,
            calls: 0,
            boot: BootId(boot),
            started: now,
            head: Head::default(),
            outbox: VecDeque::new(),
            held: 0,
            desired: None,
            // A new box takes over at the beginning of an hour, so that no hour has two blocks.
            written: now.hour(),
            told: now.minute().plus_ms(-(MINUTES_LIMIT as i64) * MINUTE_MS).max(now.hour()),
            guests,
            reports: 0,
            answered: BTreeSet::new(),
        }
    }

    /// The same gateway with a claim, by which it enrols at its first turn.
    #[must_use]
    pub fn with_claim(self, claim: ClaimCode) -> Self {
        LightGateway { claim: Some(claim), ..self }
    }

    /// A gateway that never speaks, to hold a place while the real one is away.
    #[must_use]
    pub fn nowhere(place: &Place) -> Self {
        LightGateway::new(place.clone(), &[0; 32], Moment::EPOCH, false)
    }

    /// The key that signs its journal and its calls.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.signer.public()
    }

    /// The place that it stands at.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The id that the hub gave it; none before it enrolled.
    #[must_use]
    pub const fn id(&self) -> Option<&GatewayId> {
        self.id.as_ref()
    }

    /// How it stands with the hub.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Entries that were written.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.head.seq
    }

    /// Entries that the hub holds durably.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.held
    }

    fn nonce(&mut self) -> String {
        self.calls += 1;
        let throw = self.dice.throw(1, self.calls);
        format!("{:016x}{:016x}", throw.bits(), throw.again().bits())
    }

    /// Enrols with a claim and begins its journal.
    ///
    /// # Errors
    /// `Refused` when the claim is used, old or wrong; as for every call.
    pub async fn enrol(&mut self, line: &Line, claim: &ClaimCode, now: Moment) -> Result<(), CallError> {
        let capabilities = Capabilities {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            target: "simulated".to_owned(),
            kernel: "simulated".to_owned(),
            ipv6: true,
            ..Capabilities::default()
        };
        let enrol = Enrol {
            claim: claim.shown(),
            public_key: self.signer.public(),
            capabilities: capabilities.clone(),
            hardware: HARDWARE.to_owned(),
        };
        let (keyid, nonce) = (self.signer.public().to_string(), self.nonce());
        let caller = Caller { signer: &self.signer, keyid: &keyid, nonce: &nonce, now };
        let enrolled = line.enrol(caller, &enrol).await?;
        self.enrolled(enrolled.gateway, &capabilities, now);
        Ok(())
    }

    /// Takes the id that an enrolment gave.
    pub fn enrolled(&mut self, id: GatewayId, capabilities: &Capabilities, now: Moment) {
        self.id = Some(id);
        self.standing = Standing::Enrolled;
        self.append(&Entry::Started(Started { capabilities: capabilities.clone(), program: None }), now);
    }

    /// Seals an entry into the journal; a report gets the box's next number.
    pub fn append(&mut self, entry: &Entry, at: Moment) {
        let Some(id) = &self.id else { return };
        let report;
        let numbered = if let Entry::Report(said) = entry {
            self.reports += 1;
            report = Entry::Report(Report { number: self.reports, ..said.clone() });
            &report
        } else {
            entry
        };
        let mono_ms = u64::try_from(at.since_ms(self.started)).unwrap_or(0);
        let stamp = Stamp { boot: self.boot, mono_ms, wall: Some(at) };
        let (dice, mut throw) = (self.dice, 0);
        let seq = i64::try_from(self.head.seq).unwrap_or(0);
        let mut salts = || {
            throw += 2;
            let (a, b) = (dice.throw(2, seq * 16 + throw), dice.throw(2, seq * 16 + throw + 1));
            (u128::from(a.bits()) << 64 | u128::from(b.bits())).to_be_bytes()
        };
        let sealed = seal(&self.signer, id, self.head, numbered, stamp, &mut salts);
        self.head = sealed.head;
        self.outbox.push_back(sealed.bytes);
    }

    /// One turn: measure, write, beat, deliver, follow; `turn` says how far it came.
    ///
    /// # Errors
    /// The call that failed; everything that was not taken is tried again next turn.
    pub async fn turn(
        &mut self,
        line: &Line,
        world: &World,
        now: Moment,
        turn: &mut Turn,
    ) -> Result<(), CallError> {
        if let Some(claim) = self.claim.clone() {
            let enrolled = self.enrol(line, &claim, now).await;
            if let Err(CallError::Refused { .. }) = enrolled {
                // Somebody else used the claim, or took it back: the place is theirs.
                self.claim = None;
                self.standing = Standing::Revoked;
            }
            enrolled?;
            self.claim = None;
            turn.enrolled = true;
        }
        if self.standing != Standing::Enrolled {
            return Ok(());
        }
        let reading = world.reading(&self.place, now);
        // A box enrols in the hands of a technician, who has a line and power: whatever troubles
        // its place, it speaks once. What it measured there tells the hub what is wrong.
        let people = match reading {
            Reading::Seen(_, usage) => usage.people,
            Reading::Cut(_, usage) if turn.enrolled => usage.people,
            Reading::Nothing if turn.enrolled => 0,
            Reading::Cut(..) => {
                self.write(world, now);
                return Ok(());
            }
            // No power, or the box hangs: it does nothing, and knows nothing of this minute.
            Reading::Nothing => return Ok(()),
        };
        self.write(world, now);
        let done = self.report(line, world, people, now, turn).await;
        if let Err(CallError::Refused { .. }) = done {
            self.standing = Standing::Revoked;
            self.outbox = VecDeque::new();
        }
        done
    }

    async fn report(
        &mut self,
        line: &Line,
        world: &World,
        people: u32,
        now: Moment,
        turn: &mut Turn,
    ) -> Result<(), CallError> {
        let keyid = self.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let through = self.known_through(world, now);
        let minutes = self.untold(world, through);
        let beat = Beat {
            boot: self.boot,
            mono_ms: u64::try_from(now.since_ms(self.started)).unwrap_or(0),
            wall_ms: Some(now.ms()),
            desired: self.desired,
            journal_head: self.head.seq,
            minutes,
            people,
            checkpoint: None,
        };
        let nonce = self.nonce();
        let caller = Caller { signer: &self.signer, keyid: &keyid, nonce: &nonce, now };
        let answer = line.beat(caller, &beat).await?;
        turn.beat = true;
        self.told = through;
        if !self.outbox.is_empty() {
            turn.delivered = self.deliver(line, &keyid, now).await?;
        }
        if answer.desired.is_some() && answer.desired != self.desired {
            let nonce = self.nonce();
            let caller = Caller { signer: &self.signer, keyid: &keyid, nonce: &nonce, now };
            let manifest = line.desired(caller, self.desired, 0).await?;
            if let Some(manifest) = manifest.filter(|_| self.guests.is_some()) {
                let nonce = self.nonce();
                let caller = Caller { signer: &self.signer, keyid: &keyid, nonce: &nonce, now };
                let ended = line.ended(caller, &manifest).await?;
                let stops = self.guests.as_mut().map(|g| g.put_out(&ended)).unwrap_or_default();
                stops.iter().for_each(|stop| self.append(stop, now));
                let nonce = self.nonce();
                let caller = Caller { signer: &self.signer, keyid: &keyid, nonce: &nonce, now };
                for id in line.asked(caller, &manifest).await? {
                    if self.answered.insert(id) {
                        let (outcome, text) = (DiagnosticOutcome::Refused, HARDWARE.to_owned());
                        self.append(&Entry::Diagnostic(Diagnostic { id, outcome, took_ms: 0, text }), now);
                    }
                }
            }
            self.desired = answer.desired;
            if let Some(version) = answer.desired {
                self.append(&Entry::Event(Event::DesiredApplied { version }), now);
            }
        }
        Ok(())
    }

    async fn deliver(&mut self, line: &Line, keyid: &str, now: Moment) -> Result<u64, CallError> {
        let mut batch = Vec::new();
        for sealed in &self.outbox {
            if !batch.is_empty() && batch.len() + sealed.len() > BATCH_BYTES {
                break;
            }
            batch.extend_from_slice(sealed);
        }
        let nonce = self.nonce();
        let caller = Caller { signer: &self.signer, keyid, nonce: &nonce, now };
        let answer = line.journal(caller, batch).await?;
        let taken = answer.held_through.saturating_sub(self.held).min(self.outbox.len() as u64);
        for _ in 0..taken {
            self.outbox.pop_front();
        }
        self.held += taken;
        Ok(taken)
    }

    /// Delivers what is left, whatever the weather in the world: the last thing of a run.
    ///
    /// # Errors
    /// The call that failed; what was not taken stays in the outbox.
    pub async fn flush(&mut self, line: &Line, now: Moment) -> Result<u64, CallError> {
        let keyid = self.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut delivered = 0;
        while self.standing == Standing::Enrolled && !self.outbox.is_empty() {
            let taken = self.deliver(line, &keyid, now).await?;
            if taken == 0 {
                break;
            }
            delivered += taken;
        }
        Ok(delivered)
    }

    /// Hands out all sealed entries that are not held yet, and forgets them.
    ///
    /// For history, which reaches the hub's intake in process.
    pub fn drain(&mut self) -> Vec<Vec<u8>> {
        self.held = self.head.seq;
        self.outbox.drain(..).collect()
    }
}

#[cfg(test)]
mod tests;
