//! An S3 server in the test's own process, with signature checks, behind a layer that makes faults.
//!
//! Invariant: a playlist that lists an object which was not stored before the playlist arrived is
//! counted in [`Server::violations`].

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

pub const ACCESS_KEY: &str = "AKIATESTTESTTEST";
pub const SECRET_KEY: &str = "only-for-these-tests/0123456789";
pub const BUCKET: &str = "bucket";

/// What happens to one put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)]
pub enum Mishap {
    /// An answer with this status, before anything is stored.
    Status(u16),
    /// The connection is reset before anything is stored.
    Reset,
    /// Nothing is ever answered.
    Hang,
    /// The object is stored, then the connection breaks.
    LostReply,
    /// All goes well, this many milliseconds late.
    Slow(u64),
}

#[derive(Default)]
struct Shared {
    /// For the next puts, in order; `None` is none.
    script: Mutex<VecDeque<Option<Mishap>>>,
    violations: Mutex<Vec<String>>,
    /// Puts by path, mishaps included.
    puts: Mutex<BTreeMap<String, u32>>,
    playlists: Mutex<Vec<String>>,
    aborted_uploads: Mutex<u32>,
}

pub struct Server {
    pub dir: tempfile::TempDir,
    address: SocketAddr,
    shared: Arc<Shared>,
    service: S3Service,
    runtime: tokio::runtime::Runtime,
    accepting: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Server {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(dir.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut server = Self {
            dir,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            shared: Arc::default(),
            service: builder.build(),
            runtime,
            accepting: Mutex::default(),
        };
        server.address = server.open();
        server
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Listens, on the port of before if there was one.
    pub fn open(&self) -> SocketAddr {
        let listener = self.runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(self.address).unwrap();
            socket.listen(64).unwrap()
        });
        let address = listener.local_addr().unwrap();
        let accept = accept(listener, self.service.clone(), self.shared.clone(), self.bucket_dir());
        *self.accepting.lock().unwrap() = Some(self.runtime.spawn(accept));
        address
    }

    /// Stops listening and breaks every connection: new ones are refused.
    pub fn close(&self) {
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.abort();
            let _ = self.runtime.block_on(accepting);
        }
    }

    pub fn reopen_after(&self, wait: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(wait).await });
        self.open();
    }

    /// Returns when a put of that name has arrived, whatever becomes of it.
    #[allow(dead_code)]
    pub fn wait_for_puts(&self, name: &str) {
        let poll = Duration::from_millis(5);
        self.runtime.block_on(async {
            while self.puts(name) == 0 {
                tokio::time::sleep(poll).await;
            }
        });
    }

    pub fn bucket_dir(&self) -> PathBuf {
        self.dir.path().join(BUCKET)
    }

    pub fn script(&self, mishaps: impl IntoIterator<Item = Option<Mishap>>) {
        *self.shared.script.lock().unwrap() = mishaps.into_iter().collect();
    }

    /// Listed but not stored, for every version of every playlist that arrived.
    pub fn violations(&self) -> Vec<String> {
        self.shared.violations.lock().unwrap().clone()
    }

    pub fn puts(&self, name: &str) -> u32 {
        let puts = self.shared.puts.lock().unwrap();
        puts.iter().filter(|(path, _)| path.ends_with(name)).map(|(_, count)| count).sum()
    }

    pub fn playlists(&self) -> Vec<String> {
        self.shared.playlists.lock().unwrap().clone()
    }

    #[allow(dead_code)]
    pub fn aborted_uploads(&self) -> u32 {
        *self.shared.aborted_uploads.lock().unwrap()
    }

    /// Names and sizes below `prefix`, without the server's own files.
    pub fn stored(&self, prefix: &str) -> BTreeMap<String, u64> {
        files(&self.bucket_dir().join(prefix))
    }
}

fn files(dir: &Path) -> BTreeMap<String, u64> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let meta = entry.metadata().ok()?;
            (meta.is_file() && !name.starts_with('.')).then_some((name, meta.len()))
        })
        .collect()
}

async fn accept(listener: TcpListener, service: S3Service, shared: Arc<Shared>, bucket: PathBuf) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        // A connection that is dropped unfinished is reset, not closed politely.
        let _ = socket.set_zero_linger();
        let (service, shared, bucket) = (service.clone(), shared.clone(), bucket.clone());
        connections.spawn(async move {
            let answer = service_fn(move |request| {
                answer(request, service.clone(), shared.clone(), bucket.clone())
            });
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), answer)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    service: S3Service,
    shared: Arc<Shared>,
    bucket: PathBuf,
) -> Result<HttpResponse, std::io::Error> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let is_put = request.method() == Method::PUT;
    if request.method() == Method::DELETE && query.contains("uploadId") {
        *shared.aborted_uploads.lock().unwrap() += 1;
    }
    let mishap = is_put.then(|| shared.script.lock().unwrap().pop_front().flatten()).flatten();
    if is_put {
        *shared.puts.lock().unwrap().entry(path.clone()).or_default() += 1;
    }
    // The server makes missing buckets; the real ones refuse.
    let named = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if named != BUCKET {
        let body =
            "<Error><Code>NoSuchBucket</Code><Message>not there</Message></Error>".to_owned();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    }
    let broken = || Err(std::io::Error::other("mishap"));
    match mishap {
        Some(Mishap::Status(status)) => {
            let body = "<Error><Code>Mishap</Code><Message>on purpose</Message></Error>".to_owned();
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            return Ok(response);
        }
        Some(Mishap::Reset) => return broken(),
        Some(Mishap::Hang) => std::future::pending().await,
        Some(Mishap::Slow(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await
        }
        Some(Mishap::LostReply) | None => {}
    }

    let file = path.trim_start_matches('/').split_once('/').map(|(_, key)| bucket.join(key));
    let dir = file.as_deref().and_then(Path::parent);
    // What was there before the playlist: a segment that comes with it comes too late.
    let before: BTreeSet<String> = dir.map(files).unwrap_or_default().into_keys().collect();
    let response = service.call(request.map(Body::from)).await.map_err(std::io::Error::other)?;
    if is_put && response.status().is_success() && path.ends_with(".m3u8") {
        let playlist = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        for line in playlist.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if !before.contains(line) {
                shared.violations.lock().unwrap().push(format!("{path} lists {line}"));
            }
        }
        shared.playlists.lock().unwrap().push(playlist);
    }
    if mishap == Some(Mishap::LostReply) {
        return broken();
    }
    Ok(response)
}
