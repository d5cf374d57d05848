//! Which of several elements is taken where any of a kind will do. A program of its own: ranks are read once.

use gst_mini_core::registry::registry;

#[test]
fn the_highest_rank_is_taken_and_the_users_word_counts_more_than_the_elements() {
    let of_user = "filesink:primary,fdsink:256,fakesink:none,dirsink:255";
    // SAFETY: this program has no other test, so nobody else looks at its environment now.
    unsafe {
        std::env::set_var("GST_MINI_PLUGIN_FEATURE_RANK", of_user);
        std::env::set_var("GST_MINI_PLUGIN_PATH", "/nowhere");
    }
    gst_mini_elements::register();
    let names = |words: &[&str]| -> Vec<String> {
        let candidates = registry().candidates(words).into_iter();
        candidates.map(|candidate| format!("{} {}", candidate.name, candidate.rank)).collect()
    };
    // Equal ranks go by name.
    assert_eq!(names(&["Sink", "File"]), ["fdsink 256", "filesink 256", "dirsink 255"]);
    let best = |words: &[&str]| registry().best(words).map(|candidate| candidate.name);
    assert_eq!(best(&["Sink", "Object"]).as_deref(), Some("dirsink"));
    assert_eq!(best(&["Sink", "File"]).as_deref(), Some("fdsink"));
    assert_eq!(best(&["Sink", "NoSuchWord"]), None);
    // What has the rank none is known, and never taken.
    assert!(names(&["Sink"]).contains(&"fakesink 0".to_owned()));
}
