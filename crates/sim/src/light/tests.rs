use super::*;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::pulse::Pulse;
use kulkul_model::site::SiteCode;
use kulkul_model::state::Observed;

fn place(code: &str, village: &str) -> Place {
    Place {
        code: SiteCode::parse(code).unwrap(),
        category: CategoryKey::parse("banjar").unwrap(),
        village: AreaCode::parse(village).unwrap(),
    }
}

#[test]
fn a_box_that_enrols_at_a_dead_line_ends_no_outage() {
    let now = Moment::parse("2026-11-24T19:50:46+08:00").unwrap();
    let world = World::new(7, now);
    // The branch of the fibre to this village is torn when the world begins.
    let cut = |place: &Place| matches!(world.reading(place, now), Reading::Cut(..));
    let place = (1..40).map(|i| place(&format!("BJ-{i:03}"), "51.03.04.2007")).find(cut).unwrap();
    let gateway = LightGateway::new(place, &[1; 32], now, false);
    let minutes = gateway.untold(&world, gateway.known_through(&world, now));
    assert_eq!(minutes.last().unwrap().at, now.minute());

    // What the hub makes of that one beat and of the silence after it.
    let first = minutes.first().unwrap().at;
    let mut pulse = Pulse::new(now);
    pulse.hear(now);
    for minute in &minutes {
        pulse.measure(minute.at, minute.verdict());
    }
    for later in 1..20 {
        pulse.advance(now.plus_ms(later * MINUTE_MS), |_| true);
        assert_eq!((pulse.observed(), pulse.since()), (Observed::Down, Some(first)), "{later} minutes later");
    }
}

#[test]
fn a_box_that_works_tells_only_minutes_that_are_over() {
    let now = Moment::parse("2026-11-24T19:50:46+08:00").unwrap();
    let world = World::new(7, now);
    let seen = |place: &Place| matches!(world.reading(place, now), Reading::Seen(..));
    let place = (1..40).map(|i| place(&format!("BJ-{i:03}"), "51.03.01.1002")).find(seen).unwrap();
    let gateway = LightGateway::new(place, &[1; 32], now, false);
    let minutes = gateway.untold(&world, gateway.known_through(&world, now));
    assert_eq!(minutes.last().unwrap().at, now.minute().plus_ms(-MINUTE_MS));
}
