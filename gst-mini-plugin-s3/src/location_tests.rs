//! What becomes of URLs and settings, without a server.

use super::*;

fn env(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[track_caller]
fn refused(location: &str) -> String {
    Location::open(location, &Settings::default(), &Environment::default()).unwrap_err().to_string()
}

#[test]
fn plain_path_is_answered_with_how_to_write_it() {
    assert_eq!(
        refused("/srv/hls"),
        "/srv/hls: not a URL; write file:///absolute/path for a directory, or s3://bucket/prefix"
    );
    assert!(refused("out").contains("file:///"));
    assert!(refused("file://out/dir").contains("three slashes"), "{}", refused("file://out/dir"));
}

#[test]
fn unknown_scheme_lists_the_known_ones() {
    let text = refused("ftp://host/dir");
    assert!(text.contains("'ftp' is not a kind of store") && text.contains("s3://"), "{text}");
}

#[test]
fn credentials_in_an_s3_url_are_refused_and_not_repeated() {
    let text = refused("s3://AKIAEXAMPLE:verysecret@bucket/prefix");
    assert!(text.contains("do not belong in the URL"), "{text}");
    assert!(!text.contains("verysecret") && !text.contains("AKIAEXAMPLE"), "{text}");
}

#[test]
fn query_in_a_location_is_refused_without_its_signature() {
    let text = refused("https://host/dir?X-Amz-Signature=0011");
    assert!(text.contains("neither ?") && !text.contains("0011"), "{text}");
}

#[test]
fn debug_of_everything_hides_credentials() {
    let settings = Settings {
        endpoint: Some("http://127.0.0.1:9".into()),
        access_key: Some("AKIAEXAMPLE".into()),
        secret_access_key: Some("verysecret".into()),
        session_token: Some("tokentoken".into()),
        ..Settings::default()
    };
    let env = env(&[("AWS_SESSION_TOKEN", "envtoken")]);
    let location = Location::open("s3://bucket/prefix", &settings, &env).unwrap();
    let text = format!("{settings:?} {env:?} {location:?} {location} {}", location.url_of("a"));
    for credential in ["verysecret", "tokentoken", "envtoken"] {
        assert!(!text.contains(credential), "{credential} in {text}");
    }
}

#[test]
fn every_remote_kind_opens_without_a_network() {
    let env = env(&[
        ("AWS_REGION", "eu-central-1"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
        ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5a2V5"),
        ("GOOGLE_SKIP_SIGNATURE", "true"),
    ]);
    for url in [
        "s3://b/p",
        "gs://b/p",
        "az://c/p",
        "abfs://c@account.dfs.core.windows.net/p",
        "http://h/p",
    ] {
        let location = Location::open(url, &Settings::default(), &env).unwrap();
        assert_eq!(location.path("a/b").unwrap().as_ref(), "p/a/b", "{url}");
        assert_eq!(location.url_of("a"), format!("{url}/a"));
    }
}

#[test]
fn names_that_leave_the_prefix_or_are_empty_are_refused() {
    let location =
        Location::open("memory://names/p", &Settings::default(), &Environment::default()).unwrap();
    for name in ["", "/", "../a", "a//b", "a/./b", "a/"] {
        assert!(location.path(name).is_err(), "{name:?}");
    }
    assert_eq!(location.path("run 1/é.m4s").unwrap().as_ref(), "p/run 1/é.m4s");
}

#[test]
fn memory_stores_are_shared_by_name() {
    assert!(Arc::ptr_eq(&memory_store("same"), &memory_store("same")));
    assert!(!Arc::ptr_eq(&memory_store("same"), &memory_store("other")));
}

#[test]
fn half_a_key_is_refused_as_a_setting() {
    let half = Settings { access_key: Some("AKIAEXAMPLE".into()), ..Settings::default() };
    let error = Location::open("s3://bucket/prefix", &half, &Environment::default()).unwrap_err();
    let text = error.to_string();
    assert!(error.fault.permanent && text.starts_with("s3://bucket/prefix: "), "{text}");
    assert!(text.contains("check the settings") && !text.contains("retry-timeout"), "{text}");
}
