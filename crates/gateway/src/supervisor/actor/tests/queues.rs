//! Sharing the line on paper: which classes there are as people come, stay and go.

use super::*;
use kulkul_wire::netlink::Key;
use kulkul_wire::netlink::queues::handle;

fn shared() -> kulkul_wire::link::Desired {
    let mut wish = desired();
    (wish.line.down_kbps, wish.line.up_kbps) = (Some(10_000), Some(5_000));
    wish.plan.down_kbps = Some(4_000);
    wish
}

impl House {
    /// Minor numbers of devices' classes on an interface.
    fn devices(&self, on: &str) -> Vec<u16> {
        let sheet = self.paper.sheet();
        sheet.classes.keys().filter(|(i, minor)| i == on && *minor >= 16).map(|(_, minor)| *minor).collect()
    }
}

#[tokio::test]
async fn a_device_has_a_class_both_ways_while_it_is_online() {
    let house = house();
    let (a, b) = (house.neighbour(1), house.neighbour(2));
    let (supervisor, ..) = house.open(0);
    supervisor.admit(click(a)).await.unwrap();
    supervisor.apply(shared()).await.unwrap();
    assert_eq!(house.devices("wan0"), [16], "who was online has one at once");
    supervisor.admit(click(b)).await.unwrap();
    assert_eq!((house.devices("wan0"), house.devices("lan0")), (vec![16, 17], vec![16, 17]));
    {
        let sheet = house.paper.sheet();
        let class = sheet.classes[&("lan0".to_owned(), 17)];
        assert_eq!(
            (class.parent, class.ceil),
            (3, 500_000),
            "below the public segment, at most the plan's rate"
        );
        let element = sheet.elements[&(Set::Class4, Key::Address(b))];
        assert_eq!(element.extra, Extra::Class(handle(17)));
        assert!(!sheet.elements.keys().any(|(set, _)| *set == Set::CapDn4), "the class bounds it");
        assert!(sheet.text.as_ref().unwrap().contains("meta priority set ip daddr map @class4"));
    }
    supervisor.log_out(a).await.unwrap();
    assert_eq!((house.devices("wan0"), house.devices("lan0")), (vec![17], vec![17]));
    let c = house.neighbour(3);
    supervisor.admit(click(c)).await.unwrap();
    assert_eq!(house.devices("lan0"), [16, 17], "a number that is free is taken again");
    supervisor.apply(desired()).await.unwrap();
    assert!(house.paper.sheet().classes.is_empty(), "nothing is shared, nothing waits");
    assert_eq!((supervisor.people(), house.elements()), (2, 6));
}

#[tokio::test]
async fn classes_survive_the_daemon_and_are_put_right_after_harm() {
    let house = house();
    let ips: Vec<IpAddr> = (1..=20).map(|n| house.neighbour(n)).collect();
    let (supervisor, task, _) = house.open(0);
    supervisor.apply(shared()).await.unwrap();
    for ip in &ips {
        supervisor.admit(click(*ip)).await.unwrap();
    }
    supervisor.log_out(ips[3]).await.unwrap();
    let before = house.paper.sheet().classes.clone();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let (supervisor, ..) = house.open(100);
    assert_eq!(house.paper.sheet().classes, before, "the same numbers for the same devices");
    house.paper.sheet().classes.clear();
    pass(&house, 61_000).await;
    assert_eq!(house.paper.sheet().classes, before);
    supervisor.admit(click(ips[3])).await.unwrap();
    assert_eq!(house.devices("wan0").len(), 20);
}

#[tokio::test]
async fn queues_that_the_kernel_refuses_refuse_the_desired_state() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    supervisor.admit(click(ip)).await.unwrap();
    // The first change takes away what may be there before; the second makes the tree.
    house.paper.sheet().refuse_queues = 2;
    assert_eq!(supervisor.apply(shared()).await.unwrap_err().code, "desired-refused");
    assert_eq!((supervisor.people(), house.elements()), (1, 3), "as before");
    supervisor.apply(shared()).await.unwrap();
    assert_eq!(house.devices("lan0"), [16]);
}
