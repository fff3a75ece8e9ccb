//! Spelling: the known word that a mistyped one most likely meant.

/// The known word nearest to `word`, when it is near enough to be meant.
///
/// Distance is the count of single-character edits and swaps of neighbours; near enough is a
/// third of the longer word, at least one. The first of equally near words wins.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let d = distance(word, candidate);
        let limit = (word.chars().count().max(candidate.chars().count()) / 3).max(1);
        if d <= limit && best.is_none_or(|(b, _)| d < b) {
            best = Some((d, candidate));
        }
    }
    best.map(|(_, c)| c)
}

/// Edits from `a` to `b`; two neighbours swapped are one edit (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Rows for one and two characters of `a` back, and the one being filled.
    let mut older: Vec<usize> = Vec::new();
    let mut old: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |r: &[usize], k: usize| r.get(k).copied().unwrap_or(usize::MAX - 1);
            let mut d = (at(&old, j) + usize::from(ca != cb)).min(at(&old, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                d = d.min(at(&older, j - 1) + 1);
            }
            row.push(d);
        }
        older = std::mem::replace(&mut old, row);
    }
    old.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["interface", "address4", "address6", "dhcp", "kind"];
        assert_eq!(nearest("interfase", known), Some("interface"));
        assert_eq!(nearest("adress4", known), Some("address4"));
        assert_eq!(nearest("dchp", known), Some("dhcp"), "a swap is one edit");
        assert_eq!(nearest("dcxp", ["dhcp"]), None, "two edits in four letters");
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn distance_counts_edits() {
        for (a, b, d) in
            [("", "", 0), ("", "ab", 2), ("ab", "", 2), ("kitten", "sitting", 3), ("hbu", "hub", 1)]
        {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }
}
