//! Reports that boxes took: kept once, dated by the anchor, plain, and let go of with the journal.

use super::{Box_, House, on_a_hub, start};
use crate::fleet::retention;
use http::StatusCode;
use kulkul_model::Moment;
use kulkul_model::report::{ReportKind, ReportStatus};
use kulkul_proof::entry::SealedEntry;
use kulkul_store::report::{self, Filter, Report};
use kulkul_wire::link::{Anchor, BootId, Entry, Report as Said, Stamp};

fn said(number: u64, kind: ReportKind, text: &str) -> Entry {
    Entry::Report(Said { number, kind, text: text.to_owned(), language: "id".to_owned() })
}

fn at(mono_ms: u64, wall: Option<Moment>) -> Stamp {
    Stamp { boot: BootId([4; 16]), mono_ms, wall }
}

async fn kept(h: &House) -> Vec<Report> {
    let mut tx = h.hub.store().reader().await.unwrap();
    report::list(&mut tx, &Filter::default(), &report::newest(), 100).await.unwrap()
}

async fn deliver(h: &House, b: &Box_, sealed: &[&SealedEntry]) {
    let bytes: Vec<&[u8]> = sealed.iter().map(|s| s.bytes.as_slice()).collect();
    assert_eq!(h.deliver(&b.enrolled.gateway, &bytes).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_report_is_taken_once_and_its_words_are_plain() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        // Another box than ours may send what ours never would.
        let rude = "<script>alert(1)</script>\u{202e}\u{7}\n\n\n\nKabel putus";
        let one = b.seal(&said(7, ReportKind::EquipmentDamaged, rude));
        deliver(&h, &b, &[&one]).await;
        let [report] = kept(&h).await.try_into().unwrap();
        assert_eq!((report.local_number, report.kind), (7, ReportKind::EquipmentDamaged));
        assert_eq!(report.text, "<script>alert(1)</script>\n\nKabel putus", "plain, and markup stays words");
        assert_eq!((report.site.as_str(), report.status), ("BJ-001", ReportStatus::New));
        assert_eq!((report.at, report.received_at), (Some(start()), h.now()));
        h.hub
            .store()
            .write(kulkul_store::Lane::Page, {
                let id = report.id.clone();
                move |tx| {
                    Box::pin(async move {
                        report::mark(tx, &id, ReportStatus::Done, Moment::from_ms(5), "staff:x").await
                    })
                }
            })
            .await
            .unwrap();
        deliver(&h, &b, &[&one]).await;
        let two = b.seal(&said(8, ReportKind::Slow, ""));
        deliver(&h, &b, &[&one, &two]).await;
        let all = kept(&h).await;
        assert_eq!(all.iter().map(|r| r.local_number).collect::<Vec<_>>(), [8, 7]);
        assert_eq!(all[1].status, ReportStatus::Done, "what comes again opens nothing anew");
    })
    .await;
}

#[tokio::test]
async fn a_report_from_before_the_clock_was_set_is_dated_by_the_anchor() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let undated = b.seal_at(&said(1, ReportKind::NoInternet, ""), at(10_000, None));
        deliver(&h, &b, &[&undated]).await;
        assert_eq!(kept(&h).await[0].at, None);
        let anchor = at(80_000, Some(start()));
        let anchor = b.seal_at(&Entry::Anchor(Anchor { at: anchor }), anchor);
        deliver(&h, &b, &[&anchor]).await;
        assert_eq!(kept(&h).await[0].at, Some(start().plus_ms(-70_000)));
    })
    .await;
}

#[tokio::test]
async fn reports_go_with_the_journal_after_thirteen_months() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let one = b.seal(&said(1, ReportKind::Slow, "x"));
        deliver(&h, &b, &[&one]).await;
        let age = crate::watch::jobs::EVIDENCE_MS;
        assert_eq!(retention::forget_reports(&h.hub, h.now().plus_ms(age)).await.unwrap(), 0);
        assert_eq!(retention::forget_reports(&h.hub, h.now().plus_ms(age + 1)).await.unwrap(), 1);
        assert_eq!(kept(&h).await, []);
    })
    .await;
}
