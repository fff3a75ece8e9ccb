//! Which names a place does not answer, and what is said instead.
//!
//! What is allowed by name wins over every list. Lists are asked in their order, so that
//! a name is counted and shown under the first that has it.

use super::around;
use super::settings::{FilterSettings, ListSettings};
use kulkul_wire::blocklist::{self, At, Reach, Set, SetError, Trail, tidy};
use kulkul_wire::dns::Answer;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// The key under which names of the place's own list are counted.
pub const OWN: &str = "own";
/// The key under which ways around this resolver are counted.
pub const AROUND: &str = "around";

/// A set that lies on the disk.
#[derive(Debug)]
pub struct Lying(File);

impl At for Lying {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

/// Opens a set.
///
/// # Errors
/// `SetError`: no set, a damaged one, or the disk.
pub fn open(path: &Path) -> Result<Set<Lying>, SetError> {
    Set::open(Lying(File::open(path)?))
}

/// What is said to a question for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'f> {
    /// What there is.
    Open,
    /// That there is no such name: it only asks whether names are filtered.
    NoName,
    /// The portal's address; the list's key.
    Blocked(&'f str),
}

/// A few names, by digest.
#[derive(Clone, Debug, Default)]
struct Few(BTreeMap<u64, Reach>);

impl Few {
    fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let each = names.into_iter().filter_map(|name| {
            let (name, reach) = match name.strip_prefix("*.") {
                Some(name) => (name, Reach::Both),
                None => (name, Reach::Itself),
            };
            Some((Trail::of(&tidy(name).ok()?).itself(), reach))
        });
        let mut few = Few::default();
        for (digest, reach) in each {
            let held = few.0.entry(digest).or_insert(reach);
            *held = (*held).max(reach);
        }
        few
    }

    fn has(&self, name: &Trail) -> bool {
        !self.0.is_empty()
            && (self.0.contains_key(&name.itself())
                || name.all().iter().any(|digest| self.0.get(digest) == Some(&Reach::Both)))
    }
}

/// A list's names: held, or looked at where they lie.
#[derive(Debug)]
enum Names {
    Held(Set<Lying>),
    Lying(Lying),
}

impl Names {
    fn has(&self, name: &Trail) -> io::Result<bool> {
        match self {
            Names::Held(set) => set.has(name),
            Names::Lying(file) => blocklist::glimpse(file, name).map_err(io::Error::other),
        }
    }
}

#[derive(Clone, Debug)]
struct List {
    is: ListSettings,
    set: Arc<Names>,
}

/// What a place does not answer; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    lists: Vec<List>,
    allow: Few,
    block: Few,
    around: Few,
    canaries: Few,
    safe_search: bool,
    on: bool,
}

impl Filter {
    /// Opens what the settings name; sets that `earlier` has open are not read again.
    ///
    /// A set that cannot be opened is left out: names go on.
    #[must_use]
    pub fn open(settings: &FilterSettings, earlier: Option<&Filter>) -> Self {
        let held = |path: &Path| Ok(Names::Held(open(path)?));
        Self::with(settings, earlier, &held)
    }

    /// The same, without anything in memory: for a question now and then.
    #[must_use]
    pub fn lying(settings: &FilterSettings) -> Self {
        Self::with(settings, None, &|path| Ok(Names::Lying(Lying(File::open(path)?))))
    }

    fn with(
        settings: &FilterSettings,
        earlier: Option<&Filter>,
        open: &dyn Fn(&Path) -> Result<Names, SetError>,
    ) -> Self {
        let lists: Vec<List> = settings
            .lists
            .iter()
            .filter_map(|is| {
                let held = earlier.and_then(|e| e.lists.iter().find(|l| l.is.path == is.path));
                let set = match held {
                    Some(held) => held.set.clone(),
                    None => match open(&is.path) {
                        Ok(set) => Arc::new(set),
                        Err(error) => {
                            tracing::error!(list = is.key, %error, "a block list cannot be opened");
                            return None;
                        }
                    },
                };
                Some(List { is: is.clone(), set })
            })
            .collect();
        let on = settings.is_on();
        Filter {
            lists,
            allow: Few::of(settings.allow.iter().map(String::as_str)),
            block: Few::of(settings.block.iter().map(String::as_str)),
            around: Few::of(around::RESOLVERS.into_iter().filter(|_| settings.strict)),
            canaries: Few::of(around::CANARIES.into_iter().filter(|_| on)),
            safe_search: settings.safe_search,
            on,
        }
    }

    /// What is said to a question for `name`, lower case with a last dot.
    #[must_use]
    pub fn verdict(&self, name: &str) -> Verdict<'_> {
        if !self.on {
            return Verdict::Open;
        }
        let trail = Trail::of(name);
        if self.allow.has(&trail) {
            return Verdict::Open;
        }
        if self.canaries.has(&trail) {
            return Verdict::NoName;
        }
        if self.block.has(&trail) {
            return Verdict::Blocked(OWN);
        }
        if self.around.has(&trail) {
            return Verdict::Blocked(AROUND);
        }
        for list in &self.lists {
            match list.set.has(&trail) {
                Ok(false) => {}
                Ok(true) => return Verdict::Blocked(&list.is.key),
                // Names go on where a disk fails.
                Err(error) => tracing::debug!(list = list.is.key, %error, "a block list cannot be read"),
            }
        }
        Verdict::Open
    }

    /// The list that forbids what `name` leads to by aliases, if one does.
    ///
    /// Services hide forbidden names behind harmless ones (CNAME); a name that is allowed
    /// itself leads where it leads.
    #[must_use]
    pub fn behind(&self, name: &str, answer: &Answer) -> Option<&str> {
        if !self.on || self.allow.has(&Trail::of(name)) {
            return None;
        }
        answer.aliases().find_map(|to| match self.verdict(&to) {
            Verdict::Blocked(list) => Some(list),
            Verdict::Open | Verdict::NoName => None,
        })
    }

    /// The protected name of a search engine to answer with instead, if `name` is one.
    #[must_use]
    pub fn instead(&self, name: &str) -> Option<&'static str> {
        if self.safe_search { around::protected(name) } else { None }
    }
}
