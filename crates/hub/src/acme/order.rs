//! One order, from the book of orders to the chain.

use super::renewal::{advised, ask_again, turn, unadvised};
use super::{Acme, Handshake, NotCertified};
use crate::clock::within;
use crate::entropy::draw;
use crate::fleet::certificates::request;
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error, Identifier, KeyAuthorization,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use kulkul_model::Moment;
use kulkul_store::acme_order::{self, AcmeOrder};
use kulkul_store::certificate::Issued;
use kulkul_store::{Lane, Store};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;
/// Orders older than this are forgotten: no limit looks further back.
const KEPT_MS: i64 = 60 * 24 * HOUR_MS;
/// Advice is asked for an hour after issue, and after a failure to ask in six.
const FIRST_ADVICE_MS: i64 = HOUR_MS;
const NO_ADVICE_MS: i64 = 6 * HOUR_MS;
/// How long the authority may take over one step.
const STEP: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).timeout(Duration::from_secs(60));

/// What is to be certified.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The one name.
    pub host: &'a str,
    /// The request, DER.
    pub csr: &'a [u8],
    /// What is held for the name until now.
    pub held: Option<Held<'a>>,
    /// How it is shown that the name is the hub's.
    pub proof: Proof<'a>,
}

/// How it is shown that a name is the hub's.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// By a text in the DNS (DNS-01).
    Dns,
    /// In a handshake at the name (TLS-ALPN-01).
    Handshake(&'a Handshake),
}

/// A certificate that is held.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Its chain, PEM.
    pub chain: &'a str,
    /// Who issued it.
    pub authority: Option<&'a str>,
}

impl Acme {
    /// Gets a certificate; goes on with an order that is open for the same request.
    ///
    /// # Errors
    /// `Turn` when limits want it later; else `NotCertified` says what to mend.
    pub async fn certify(&self, store: &Store, wanted: Wanted<'_>) -> Result<Issued, NotCertified> {
        request::read(wanted.host, wanted.csr)?;
        let digest = hex::encode(Sha256::digest(wanted.csr));
        let open =
            acme_order::open(&mut store.reader().await?, self.authority(), wanted.host, &digest).await?;
        let renewal = wanted.held.is_some_and(|h| h.authority == Some(self.authority()));
        if open.is_none() {
            self.await_turn(store, renewal).await?;
        }
        let account = self.account().await?;
        let order = match open {
            Some(open) => self.again(&account, store, &open).await?,
            None => None,
        };
        let mut order = match order {
            Some(order) => order,
            None => {
                let order = self.order(&account, store, wanted, digest, renewal).await;
                if matches!(order, Err(NotCertified::Refused(_))) {
                    // The account may be what it does not know: it is opened anew next time.
                    self.forget_account().await;
                }
                order?
            }
        };
        let made = self.finish(&mut order, wanted).await;
        // After a refusal the order is of no more use; after silence it may be.
        let over = match &made {
            Ok(_) => true,
            Err(NotCertified::Silent(_) | NotCertified::Dns(_) | NotCertified::Here(_)) => false,
            Err(_) => true,
        };
        if over {
            self.end(store, order.url()).await?;
        }
        let chain = made?;
        self.issued(&account, chain).await
    }

    /// When to renew and when to ask again, by the authority's own advice; none where it gives none.
    ///
    /// # Errors
    /// The authority does not answer.
    pub async fn advice(
        &self,
        chain: &str,
        planned: Option<Moment>,
    ) -> Result<Option<(Moment, Moment)>, NotCertified> {
        let account = self.account().await?;
        let (first, (_, until)) = first_of(chain)?;
        let id = CertificateIdentifier::try_from(&first).map_err(NotCertified::Here)?;
        let (info, again) = match account.renewal_info(&id).await {
            Ok(told) => told,
            Err(Error::Unsupported(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let moment = |at: time::OffsetDateTime| {
            Moment::from_ms(i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
        };
        let window = (moment(info.suggested_window.start), moment(info.suggested_window.end));
        let random = u64::from_be_bytes(draw().map_err(|e| NotCertified::Here(e.to_string()))?);
        let now = self.clock.now();
        let again = ask_again(now, i64::try_from(again.as_millis()).unwrap_or(i64::MAX));
        Ok(advised(window, planned, until, random).map(|due| (due, again)))
    }

    /// When advice is asked again after a failure to ask.
    #[must_use]
    pub fn advice_later(&self) -> Moment {
        self.clock.now().plus_ms(NO_ADVICE_MS)
    }

    /// Waits in the queue: all orders count for the hour, those for new names for the week.
    async fn await_turn(&self, store: &Store, renewal: bool) -> Result<(), NotCertified> {
        let (now, mut tx) = (self.clock.now(), store.reader().await?);
        let (hour, week) = (now.plus_ms(-HOUR_MS), now.plus_ms(-WEEK_MS));
        let made = acme_order::made_since(&mut tx, self.authority(), hour, false).await?;
        let mut free = turn(&made, self.settings.per_hour, HOUR_MS, now);
        if !renewal {
            let made = acme_order::made_since(&mut tx, self.authority(), week, true).await?;
            free = free.max(turn(&made, self.settings.new_per_week, WEEK_MS, now));
        }
        free.map_or(Ok(()), |free| Err(NotCertified::Turn(free)))
    }

    /// The order that was open, as the authority has it now; none when it is of no more use.
    async fn again(
        &self,
        account: &Account,
        store: &Store,
        open: &AcmeOrder,
    ) -> Result<Option<Order>, NotCertified> {
        match account.order(open.url.clone()).await {
            Ok(mut order) => {
                if order.state().status != OrderStatus::Invalid {
                    tracing::info!(host = open.host, order = open.url, "an order is gone on with");
                    return Ok(Some(order));
                }
            }
            // It is not known any more.
            Err(Error::Api(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.end(store, &open.url).await?;
        self.await_turn(store, open.renewal).await?;
        Ok(None)
    }

    async fn order(
        &self,
        account: &Account,
        store: &Store,
        wanted: Wanted<'_>,
        csr: String,
        renewal: bool,
    ) -> Result<Order, NotCertified> {
        let names = [Identifier::Dns(wanted.host.to_owned())];
        let fresh = || NewOrder::new(&names);
        let replaced = wanted.held.filter(|_| renewal).and_then(|h| first_of(h.chain).ok());
        let replaced = replaced.as_ref().and_then(|(first, _)| CertificateIdentifier::try_from(first).ok());
        let order = match replaced {
            Some(replaced) => match account.new_order(&fresh().replaces(replaced)).await {
                // It has no such thing, or that one was replaced before.
                Err(Error::Unsupported(_)) => account.new_order(&fresh()).await,
                Err(Error::Api(problem))
                    if problem.r#type.as_deref().is_some_and(|t| t.ends_with("alreadyReplaced")) =>
                {
                    account.new_order(&fresh()).await
                }
                other => other,
            },
            None => account.new_order(&fresh()).await,
        }?;
        let kept = AcmeOrder {
            url: order.url().to_owned(),
            authority: self.authority().to_owned(),
            host: wanted.host.to_owned(),
            csr,
            renewal,
            made_at: self.clock.now(),
        };
        let old = kept.made_at.plus_ms(-KEPT_MS);
        tracing::info!(host = wanted.host, order = kept.url, "a certificate is ordered");
        store
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    acme_order::prune(tx, old).await?;
                    acme_order::add(tx, &kept).await
                })
            })
            .await?;
        Ok(order)
    }

    async fn end(&self, store: &Store, url: &str) -> Result<(), NotCertified> {
        let (url, now) = (url.to_owned(), self.clock.now());
        store
            .write(Lane::Job, move |tx| Box::pin(async move { acme_order::end(tx, &url, now).await }))
            .await?;
        Ok(())
    }

    /// Brings an order from where it is to the chain.
    async fn finish(&self, order: &mut Order, wanted: Wanted<'_>) -> Result<String, NotCertified> {
        if order.state().status == OrderStatus::Pending {
            let proven = self.prove(order, wanted).await;
            self.clear(wanted).await;
            proven?;
        }
        if order.state().status == OrderStatus::Ready {
            order.finalize_csr(wanted.csr).await?;
        }
        Ok(order.poll_certificate(&STEP).await?)
    }

    /// Takes away what was shown; what is left behind harms nobody, and the next try replaces it.
    async fn clear(&self, wanted: Wanted<'_>) {
        let cleared = match (wanted.proof, &self.texts) {
            (Proof::Handshake(shown), _) => shown.prove(None),
            (Proof::Dns, None) => Ok(()),
            (Proof::Dns, Some(texts)) => {
                texts.set(&challenge(wanted.host), None).await.map_err(|e| e.to_string())
            }
        };
        if let Err(error) = cleared {
            tracing::warn!(host = wanted.host, error, "a proof stays where it is");
        }
    }

    /// Shows that the name is the hub's, and waits until the authority has seen it.
    async fn prove(&self, order: &mut Order, wanted: Wanted<'_>) -> Result<(), NotCertified> {
        let kind = match wanted.proof {
            Proof::Dns => ChallengeType::Dns01,
            Proof::Handshake(_) => ChallengeType::TlsAlpn01,
        };
        let mut asked = order.authorizations();
        while let Some(one) = asked.next().await {
            let mut one = one?;
            match one.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                other => return Err(NotCertified::Unproven(format!("the name is {other:?} there"))),
            }
            let mut challenge = one
                .challenge(kind.clone())
                .ok_or_else(|| NotCertified::Refused(format!("it takes no proof by {kind:?}")))?;
            self.show(wanted, &challenge.key_authorization()).await?;
            challenge.set_ready().await?;
        }
        let seen = order.poll_ready(&STEP).await;
        match seen {
            Ok(OrderStatus::Ready) => Ok(()),
            Ok(_) | Err(Error::Api(_)) => Err(NotCertified::Unproven(why(order).await)),
            Err(error) => Err(error.into()),
        }
    }

    async fn show(&self, wanted: Wanted<'_>, proof: &KeyAuthorization) -> Result<(), NotCertified> {
        match wanted.proof {
            Proof::Handshake(shown) => {
                let digest = proof.digest();
                let digest =
                    digest.as_ref().try_into().map_err(|_| NotCertified::Here("no digest".to_owned()))?;
                shown.prove(Some((wanted.host, digest))).map_err(NotCertified::Here)
            }
            Proof::Dns => {
                let texts = self.texts.as_ref();
                let texts =
                    texts.ok_or_else(|| NotCertified::Here("no acme.dns.server is set".to_owned()))?;
                texts.set(&challenge(wanted.host), Some(&proof.dns_value())).await?;
                let settle = Duration::from_secs(u64::from(self.settings.settle_seconds));
                within(settle, std::future::pending::<()>()).await;
                Ok(())
            }
        }
    }

    /// What is kept of a chain: its dates, and when to renew.
    async fn issued(&self, account: &Account, chain: String) -> Result<Issued, NotCertified> {
        let (_, (from, until)) = first_of(&chain)?;
        let now = self.clock.now();
        let advises = match self.advice(&chain, None).await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%error, account = account.id(), "there is no advice when to renew");
                Some((unadvised(from, until), now.plus_ms(FIRST_ADVICE_MS)))
            }
        };
        let (renew_at, advice_at) = match advises {
            Some((due, again)) => (due, Some(again)),
            None => (unadvised(from, until), None),
        };
        let authority = Some(self.authority().to_owned());
        Ok(Issued { chain, at: now, until, renew_at, authority, advice_at })
    }
}

/// The name whose text shows that a name is ours.
fn challenge(host: &str) -> String {
    format!("_acme-challenge.{host}")
}

/// What the authority says about its tries to see the text.
async fn why(order: &mut Order) -> String {
    let mut asked = order.authorizations();
    while let Some(one) = asked.next().await {
        let Ok(mut one) = one else { continue };
        if one.refresh().await.is_err() {
            continue;
        }
        let error = one.challenges.iter().find_map(|c| c.error.as_ref());
        if let Some(said) = error.and_then(|e| e.detail.clone()) {
            return said;
        }
    }
    "it does not say why".to_owned()
}

/// The first certificate of a chain, with its first and last moment.
fn first_of(chain: &str) -> Result<(CertificateDer<'static>, (Moment, Moment)), NotCertified> {
    let odd = || NotCertified::Refused("what it issued is no certificate".to_owned());
    let first = CertificateDer::from_pem_slice(chain.as_bytes()).map_err(|_| odd())?;
    let dates = kulkul_wire::certificate::validity(&first).ok_or_else(odd)?;
    Ok((first, dates))
}
