//! A [`Location`] is an opened place for objects: a URL and settings turned into a store and a prefix.
//!
//! ```text
//! s3://bucket/prefix      S3 and everything that speaks it      gs://bucket/prefix     Google
//! file:///dir             a directory                           az://container/prefix  Azure (or abfs://)
//! memory://name/prefix    this process's memory, by name        https://host/dir       WebDAV
//! ```
//!
//! Invariant: opening talks to no server (`file://` makes the directory); the text of a location
//! shows no credential.
//! In GStreamer: `net/aws/src/s3url.rs` (`GstS3Url`), `net/aws/src/s3utils.rs`.
//! Left out: AWS profile files; credentials inside `s3://` URLs, which are refused.

use crate::fault::{Fault, UploadError};
use crate::secret::{Scrubber, Secret};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ClientOptions, ObjectStore, ObjectStoreScheme, RetryConfig};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use url::Url;

/// How long making a connection may take; the whole try has its own limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the user chose. What is `None` or empty comes from the environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where an S3 server other than Amazon's listens, as `http://host:port`.
    pub endpoint: Option<String>,
    /// The S3 region; `us-east-1` if neither this nor the environment says.
    pub region: Option<String>,
    /// The bucket is the first part of the path, not of the host name.
    pub path_style: bool,
    /// The name half of the S3 credentials.
    pub access_key: Option<Secret>,
    /// The secret half of the S3 credentials.
    pub secret_access_key: Option<Secret>,
    /// For temporary S3 credentials.
    pub session_token: Option<Secret>,
    /// A stored file has reached the disk before it counts as stored. `file://` only.
    pub fsync: bool,
    /// Each put waits this long first: a slow store, for demonstrations.
    pub store_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            path_style: true,
            access_key: None,
            secret_access_key: None,
            session_token: None,
            fsync: false,
            store_delay: Duration::ZERO,
        }
    }
}

/// Environment variables by name. A value of its own, so that tests need not change the process.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process that stores know: `AWS_*`, `GOOGLE_*`, `AZURE_*`.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    fn has_aws_credentials(&self) -> bool {
        let sources = ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE"];
        sources.iter().any(|name| self.0.contains_key(*name))
            || self.0.keys().any(|name| name.starts_with("AWS_CONTAINER_"))
    }

    /// Names as the library's builders spell their settings, for one family of stores.
    fn settings(&self, family: &'static str) -> impl Iterator<Item = (String, &String)> {
        self.0
            .iter()
            .filter(move |(name, _)| name.starts_with(family))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let known = |name: &str| {
            ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|family| name.starts_with(family))
        };
        Self(variables.into_iter().filter(|(name, _)| known(name)).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An opened place for objects. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Location {
    pub(crate) store: Arc<dyn ObjectStore>,
    prefix: Path,
    text: String,
    pub(crate) scrubber: Scrubber,
    /// The store takes content type and cache control; a directory does not.
    pub(crate) has_attributes: bool,
    /// The store takes an object in parts.
    pub(crate) has_multipart: bool,
    /// S3 without any credentials: the library asks the machine's services for some.
    pub(crate) lacks_credentials: bool,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Location {
    /// Opens `location`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the URL or the settings, and what to write instead.
    pub fn open(
        location: &str,
        settings: &Settings,
        env: &Environment,
    ) -> Result<Self, UploadError> {
        // The library speaks TLS through whatever the process chose first; being second is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let scrubber = scrubber(location, settings, env);
        let text = scrubber.scrub(match location.strip_suffix('/') {
            Some(shorter) if !shorter.ends_with('/') => shorter,
            _ => location,
        });
        let refuse = |reason: &str, advice| {
            Err(UploadError::refused(text.clone(), Fault::settings(scrubber.scrub(reason), advice)))
        };
        let url = match Url::parse(location) {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                return refuse(
                    "not a URL",
                    "write file:///absolute/path for a directory, or s3://bucket/prefix",
                );
            }
            Err(error) => {
                return refuse(&error.to_string(), "write it as s3://bucket/prefix or file:///dir");
            }
        };
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("a location has neither ? nor #", "leave that part of the URL away");
        }
        let is_web = matches!(url.scheme(), "http" | "https");
        if !is_web && url.password().is_some()
            || url.scheme().starts_with("s3") && !url.username().is_empty()
        {
            return refuse(
                "credentials do not belong in the URL",
                "set access-key and secret-access-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            );
        }

        let opened = match url.scheme() {
            "file" => open_directory(&url, settings.fsync),
            "memory" => open_memory(&url),
            _ => open_remote(&url, settings, env),
        };
        let (store, prefix) = match opened {
            Ok(opened) => opened,
            Err(Refusal::Sentence(reason, advice)) => return refuse(&reason, advice),
            Err(Refusal::Library(error)) => {
                return Err(UploadError::refused(text, Fault::of(&error, &scrubber).of_opening()));
            }
        };
        let store: Arc<dyn ObjectStore> = match settings.store_delay {
            Duration::ZERO => store,
            wait_put_per_call => {
                let config = ThrottleConfig { wait_put_per_call, ..ThrottleConfig::default() };
                Arc::new(ThrottledStore::new(store, config))
            }
        };
        let has_attributes = url.scheme() != "file";
        let has_multipart = url.scheme() != "file" && !is_web;
        let lacks_credentials = url.scheme().starts_with("s3")
            && settings.access_key.is_none()
            && !env.has_aws_credentials();
        Ok(Self { store, prefix, text, scrubber, has_attributes, has_multipart, lacks_credentials })
    }

    /// The path of an object in the store.
    pub(crate) fn path(&self, name: &str) -> Result<Path, UploadError> {
        let relative =
            Path::parse(name).ok().filter(|path| !path.as_ref().is_empty() && !name.ends_with('/'));
        match relative {
            Some(relative) => Ok(self.prefix.parts().chain(relative.parts()).collect()),
            None => {
                let fault = Fault::settings(
                    "not a name for an object",
                    "use letters, digits and - _ . in parts separated by single /",
                );
                Err(UploadError::refused(self.url_of(name), fault))
            }
        }
    }

    /// Where an object is, for texts.
    pub fn url_of(&self, name: &str) -> String {
        let separator = if self.text.ends_with('/') { "" } else { "/" };
        self.scrubber.scrub(&format!("{}{separator}{name}", self.text))
    }
}

enum Refusal {
    Sentence(String, &'static str),
    Library(object_store::Error),
}

impl From<object_store::Error> for Refusal {
    fn from(error: object_store::Error) -> Self {
        Self::Library(error)
    }
}

impl From<object_store::path::Error> for Refusal {
    fn from(error: object_store::path::Error) -> Self {
        Self::Library(error.into())
    }
}

type Opened = Result<(Arc<dyn ObjectStore>, Path), Refusal>;

fn open_directory(url: &Url, fsync: bool) -> Opened {
    let dir = url.to_file_path().map_err(|()| {
        Refusal::Sentence(
            "names a host, not a directory".into(),
            "write file:///absolute/path, with three slashes",
        )
    })?;
    let no_dir = |reason: String| {
        Refusal::Sentence(reason, "choose a directory that can be made and written")
    };
    std::fs::create_dir_all(&dir).map_err(|error| no_dir(error.to_string()))?;
    let store =
        LocalFileSystem::new_with_prefix(&dir).map_err(|error| no_dir(error.to_string()))?;
    Ok((Arc::new(store.with_fsync(fsync)), Path::default()))
}

/// The memory stores of this process. They live as long as it does.
static MEMORY: LazyLock<Mutex<BTreeMap<String, Arc<InMemory>>>> = LazyLock::new(Mutex::default);

/// What `memory://name/...` stores into; `memory:///...` has the empty name. For looking inside.
pub fn memory_store(name: &str) -> Arc<InMemory> {
    MEMORY.lock().entry(name.to_owned()).or_default().clone()
}

fn open_memory(url: &Url) -> Opened {
    Ok((memory_store(url.host_str().unwrap_or_default()), Path::from_url_path(url.path())?))
}

fn open_remote(url: &Url, settings: &Settings, env: &Environment) -> Opened {
    let (scheme, prefix) = ObjectStoreScheme::parse(url).map_err(|_| {
        Refusal::Sentence(
            format!("'{}' is not a kind of store", url.scheme()),
            "use s3://bucket/prefix, gs://, az://, abfs://, https://, file:///dir or memory://name",
        )
    })?;
    // Retries are ours alone: two loops around each other multiply. So are the limits of a try.
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let endpoint = settings.endpoint.as_deref().map(|endpoint| endpoint.trim_end_matches('/'));
    let plain =
        url.scheme() == "http" || endpoint.is_some_and(|endpoint| endpoint.starts_with("http:"));
    let client = ClientOptions::new().with_timeout_disabled().with_connect_timeout(CONNECT_TIMEOUT);
    let of_url = if url.scheme() == "http" { without_tls(client.clone()) } else { client.clone() };

    let store: Arc<dyn ObjectStore> = match scheme {
        ObjectStoreScheme::AmazonS3 => {
            let mut builder =
                AmazonS3Builder::new().with_client_options(client.clone()).with_retry(retry);
            let mut plain = plain;
            for (name, value) in env.settings("AWS_") {
                plain |= name.starts_with("aws_endpoint")
                    && value.starts_with("http:")
                    && endpoint.is_none();
                // A key that was set does not go with the environment's token.
                let is_others_token = settings.access_key.is_some() && name.contains("token");
                if let Some(key) = name.parse().ok().filter(|_| !is_others_token) {
                    builder = builder.with_config(key, value);
                }
            }
            if plain {
                builder = builder.with_client_options(without_tls(client));
            }
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            if let Some(region) = &settings.region {
                builder = builder.with_region(region);
            }
            if let Some(key) = &settings.access_key {
                builder = builder.with_access_key_id(key.expose());
            }
            if let Some(secret) = &settings.secret_access_key {
                builder = builder.with_secret_access_key(secret.expose());
            }
            if let Some(token) = &settings.session_token {
                builder = builder.with_token(token.expose());
            }
            let builder = builder.with_virtual_hosted_style_request(!settings.path_style);
            Arc::new(builder.with_url(url.as_str()).build()?)
        }
        ObjectStoreScheme::GoogleCloudStorage => {
            let mut builder =
                GoogleCloudStorageBuilder::new().with_client_options(of_url).with_retry(retry);
            for (name, value) in env.settings("GOOGLE_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_url(url.as_str()).build()?)
        }
        ObjectStoreScheme::MicrosoftAzure => {
            let mut builder =
                MicrosoftAzureBuilder::new().with_client_options(of_url).with_retry(retry);
            for (name, value) in env.settings("AZURE_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_url(url.as_str()).build()?)
        }
        _ => {
            let builder = HttpBuilder::new().with_client_options(of_url).with_retry(retry);
            Arc::new(builder.with_url(&url[..url::Position::BeforePath]).build()?)
        }
    };
    Ok((store, prefix))
}

/// Plain HTTP, and no search for root certificates, which a small system may not have.
fn without_tls(client: ClientOptions) -> ClientOptions {
    client.with_allow_http(true).with_no_system_certificates(true)
}

/// Learns every credential that a request to this place may carry.
fn scrubber(location: &str, settings: &Settings, env: &Environment) -> Scrubber {
    let mut scrubber = Scrubber::default();
    for secret in [&settings.access_key, &settings.secret_access_key, &settings.session_token] {
        secret.iter().for_each(|secret| scrubber.learn(secret.expose()));
    }
    let revealing = ["KEY", "SECRET", "TOKEN", "PASSWORD", "SAS", "SERVICE_ACCOUNT"];
    for (name, value) in &env.0 {
        if revealing.iter().any(|word| name.contains(word)) {
            scrubber.learn(value);
        }
    }
    if let Ok(url) = Url::parse(location) {
        url.password().into_iter().for_each(|password| scrubber.learn(password));
        // Before an S3 bucket stands the name half of a key, where other stores put a container.
        if url.scheme().starts_with("s3") {
            scrubber.learn(url.username());
        }
    }
    scrubber
}

#[cfg(test)]
#[path = "location_tests.rs"]
mod tests;
