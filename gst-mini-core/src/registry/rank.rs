//! Ranks: which of several elements that would do is taken first, and what the user says about that.
//!
//! ```text
//! GST_MINI_PLUGIN_FEATURE_RANK="s3sink:primary,dirsink:none,mysink:300"
//! ```
//!
//! Invariant: a rank decides between different elements; between two of one name the plugin path decides.
//! In GStreamer: `gst/gstpluginfeature.c` (`gst_plugin_feature_rank_compare_func`), `gst/gst.c` (`GST_PLUGIN_FEATURE_RANK`).
//! Left out: nothing.

use super::Registry;
use crate::cx::Level;
use std::collections::HashMap;

/// Names of ranks, and their numbers.
pub const RANKS: [(&str, u32); 5] =
    [("none", 0), ("marginal", 64), ("secondary", 128), ("primary", 256), ("max", i32::MAX as u32)];

/// An element that is known, whether its library is open or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Factory name.
    pub name: String,
    /// Class words.
    pub klass: String,
    /// Rank, as the user or else the element says.
    pub rank: u32,
}

/// What the user says of ranks; the second part is what could not be read.
pub(super) fn read(text: &str) -> (HashMap<String, u32>, Vec<String>) {
    let (mut ranks, mut wrong) = (HashMap::new(), Vec::new());
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let rank = entry.rsplit_once(':').and_then(|(name, rank)| {
            let named = RANKS.iter().find(|(word, _)| word.eq_ignore_ascii_case(rank.trim()));
            let number = named.map(|(_, number)| *number).or_else(|| rank.trim().parse().ok())?;
            Some((name.trim().to_owned(), number))
        });
        match rank {
            Some((name, number)) if !name.is_empty() => {
                ranks.insert(name, number);
            }
            _ => wrong.push(entry.to_owned()),
        }
    }
    (ranks, wrong)
}

/// What `GST_MINI_PLUGIN_FEATURE_RANK` says; what it says wrongly is warned about.
pub(super) fn of_environment() -> HashMap<String, u32> {
    let text = std::env::var("GST_MINI_PLUGIN_FEATURE_RANK").unwrap_or_default();
    let (ranks, wrong) = read(&text);
    for entry in wrong {
        let text = format!(
            "GST_MINI_PLUGIN_FEATURE_RANK: \"{entry}\" is no rank; write element:rank, where rank is a number, none, \
             marginal, secondary, primary or max"
        );
        crate::log::write("registry", Level::Warning, "", &text);
    }
    ranks
}

impl Registry {
    /// The rank of an element: what the user says, or `own`, what the element says.
    pub fn rank(&self, element: &str, own: u32) -> u32 {
        self.ranks.get(element).copied().unwrap_or(own)
    }

    /// The elements whose class has all these words, the highest rank first and then by name. Opens no library.
    pub fn candidates(&self, words: &[&str]) -> Vec<Candidate> {
        let builtin = self.builtin().iter().map(|info| (&info.name, &info.klass, info.rank));
        let found = self.plugins().list().iter().flat_map(|plugin| &plugin.info.elements);
        let found = found.map(|element| (&element.name, &element.klass, element.rank));
        let mut all: Vec<Candidate> = Vec::new();
        for (name, klass, own) in builtin.chain(found) {
            let fits = words.iter().all(|word| klass.contains(word));
            // The first of a name hides the others.
            if fits && !all.iter().any(|other| other.name == *name) {
                let rank = self.rank(name, own);
                all.push(Candidate { name: name.clone(), klass: klass.clone(), rank });
            }
        }
        all.sort_by(|a, b| b.rank.cmp(&a.rank).then_with(|| a.name.cmp(&b.name)));
        all
    }

    /// The first of [`Registry::candidates`] whose rank is not none: which sink to take where any of a kind will do.
    pub fn best(&self, words: &[&str]) -> Option<Candidate> {
        self.candidates(words).into_iter().find(|candidate| candidate.rank > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_read_by_number_and_by_name_and_the_rest_is_told() {
        let (ranks, wrong) = read("a:PRIMARY, b:7,c:none ,d,:3,e:much,f:max,");
        let expected = [("a", 256), ("b", 7), ("c", 0), ("f", i32::MAX as u32)];
        assert_eq!(ranks, expected.map(|(name, rank)| (name.to_owned(), rank)).into());
        assert_eq!(wrong, ["d", ":3", "e:much"]);
    }
}
