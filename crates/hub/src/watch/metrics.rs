//! What `/metrics` shows of watch. Nothing about people.

use super::board::Tally;
use crate::metrics::Metrics;
use kulkul_model::state::Sign;
use kulkul_store::Store;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SignLabel {
    sign: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

/// Watch's own figures.
#[derive(Clone, Debug, Default)]
pub struct WatchMetrics {
    sites: Family<SignLabel, Gauge>,
    writer_queue: Family<LaneLabel, Gauge>,
    write_transactions: Gauge,
    write_microseconds: Gauge,
    write_longest_microseconds: Gauge,
    /// Boards built.
    pub boards: Counter,
    /// Processor time that building them took, microseconds.
    pub board_cpu_microseconds: Counter,
    /// Beats taken.
    pub beats: Counter,
    /// Milliseconds by which the latest second came late.
    pub lag_ms: Gauge,
    /// Sites whose outages wait to be found anew.
    pub unsettled: Gauge,
    /// Live streams open now.
    pub streams: Gauge,
    /// Streams that were ended because they did not keep up.
    pub streams_dropped: Counter,
    /// 1 while the hub sees, 0 while it is blind.
    pub seeing: Gauge,
}

impl WatchMetrics {
    /// Registers all of them.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(|r| {
            r.register("sites", "Sites by the sign that they show", self.sites.clone());
            r.register("writer_queue", "Items that wait for the writer", self.writer_queue.clone());
            r.register(
                "write_transactions",
                "Transactions of the writer since the start",
                self.write_transactions.clone(),
            );
            r.register(
                "write_microseconds",
                "All of them together, from beginning to commit",
                self.write_microseconds.clone(),
            );
            r.register(
                "write_longest_microseconds",
                "The longest of them since the start",
                self.write_longest_microseconds.clone(),
            );
            r.register("boards", "Boards built", self.boards.clone());
            r.register(
                "board_cpu_microseconds",
                "Processor time that building boards took",
                self.board_cpu_microseconds.clone(),
            );
            r.register("beats", "Beats taken", self.beats.clone());
            r.register("watch_lag_milliseconds", "How late the latest tick came", self.lag_ms.clone());
            r.register("unsettled_sites", "Sites whose outages are being found anew", self.unsettled.clone());
            r.register("event_streams", "Live streams open now", self.streams.clone());
            r.register("event_streams_dropped", "Streams that fell behind", self.streams_dropped.clone());
            r.register("seeing", "1 while the hub sees, 0 while it is blind", self.seeing.clone());
        });
    }

    /// Shows a board's counts.
    pub fn tally(&self, tally: &Tally) {
        for sign in Sign::ALL {
            self.sites.get_or_create(&SignLabel { sign: sign.as_str() }).set(i64::from(tally.of(sign)));
        }
    }

    /// Shows how many items wait for the writer in each lane, and how long it takes.
    pub fn writer(&self, store: &Store) {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for (lane, n) in ["access", "journal", "page", "job"].into_iter().zip(store.waiting()) {
            self.writer_queue.get_or_create(&LaneLabel { lane }).set(number(n as u64));
        }
        let times = store.write_times();
        self.write_transactions.set(number(times.count));
        self.write_microseconds.set(number(times.sum_us));
        self.write_longest_microseconds.set(number(times.longest_us));
    }
}
