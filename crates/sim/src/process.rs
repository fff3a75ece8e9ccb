//! A process as the kernel accounts for it: processor time and resident memory.

use std::fs;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all its threads, milliseconds.
    pub cpu_ms: u64,
    /// Resident memory, KiB.
    pub rss_kib: u64,
}

/// Reads the usage of a process; none when it is not there.
#[must_use]
pub fn usage(pid: u32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    read(&stat, &status, rustix::param::clock_ticks_per_second())
}

/// `proc(5)`: `utime` and `stime` are fields 14 and 15 of `stat`, in ticks.
fn read(stat: &str, status: &str, ticks_per_second: u64) -> Option<Usage> {
    // The second field is the name in brackets and may hold spaces.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    let rss = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let rss_kib = rss.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some(Usage { cpu_ms: ticks * 1000 / ticks_per_second.max(1), rss_kib })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 1 2 3";
        let status = "Name:\ta\nVmRSS:\t   81920 kB\n";
        assert_eq!(read(stat, status, 100), Some(Usage { cpu_ms: 2_000, rss_kib: 81_920 }));
        assert_eq!(read("", "", 100), None);
        assert!(usage(std::process::id()).is_some_and(|u| u.rss_kib > 0));
    }
}
