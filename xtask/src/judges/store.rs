//! An S3 server that others wrote and that checks signatures: moto, in a Python environment.
//!
//! Invariant: what was uploaded plays from the server by HTTP; a wrong secret is refused, and no
//! secret is ever printed.
//! Left out: faults of the store; `outage` has one, the plugin's own tests the others.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{clips, outage, players};
use crate::process::{self, Failure};
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(120);
/// Where all of it goes.
pub const BUCKET: &str = "recordings";
const FRAMES: u64 = 150;

/// The Python environment that `.ci/run` makes, or what is missing.
pub fn missing(workspace: &Workspace) -> Option<String> {
    let server = python(workspace).with_file_name("moto_server");
    (!server.is_file()).then(|| format!("moto is not in {}", environment(workspace).display()))
}

/// Records into the server with signatures and plays back over HTTP.
pub fn signed_upload(workspace: &Workspace) -> Result<String, Failure> {
    let server = Server::start(workspace)?;
    let [key, secret] = server.lock(workspace)?;
    let upload = |secret: &str, prefix: &str| {
        let line = format!(
            "videotestsrc num-buffers={FRAMES} ! video/x-raw,format=I420,width=640,height=360,\
             framerate=30/1 ! queue ! openh264enc ! hlssegmenter target-duration=2 ! s3sink \
             location=s3://{BUCKET}/{prefix} endpoint={} region=us-east-1 sync=false",
            server.endpoint
        );
        let mut command = clips::launch(workspace, &line, None);
        command.env("AWS_ACCESS_KEY_ID", &key).env("AWS_SECRET_ACCESS_KEY", secret);
        process::collect(command, LIMIT, || ())
    };
    let finished = upload(&secret, "live")?;
    if !finished.success() {
        let text = process::tail(&finished.output(), 30);
        return Err(Failure::new(format!("{text}\nthe upload {}", finished.ending())));
    }
    let wrong = "not-the-secret-of-anybody";
    let refused = upload(wrong, "forged")?;
    let code = refused.status.and_then(|status| status.code());
    let output = refused.output();
    if code != Some(1) || output.contains(wrong) || !output.contains("403") {
        let text = "an upload with a wrong secret should end with exit code 1, name the status 403, \
                    and not print the secret";
        let shown = process::tail(&output, 30).replace(wrong, "[the secret]");
        return Err(Failure::new(format!("{shown}\n{text}; it {}", refused.ending())));
    }
    outage::outlived(workspace, &server, &[key, secret])?;
    server.steer(workspace, "open")?;
    let playlist = format!("{}/{BUCKET}/live/index.m3u8", server.endpoint);
    players::ffmpeg(&playlist, FRAMES)?;
    Ok(format!("{FRAMES} frames; five seconds without the store lose nothing"))
}

/// One that runs until this is dropped.
pub struct Server {
    child: Child,
    endpoint: String,
    port: u16,
}

impl Server {
    fn start(workspace: &Workspace) -> Result<Server, Failure> {
        let port = free_port()?;
        let program = python(workspace).with_file_name("moto_server");
        let mut command = Command::new(&program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        // From the sixth action on, everything must be signed by a key it gave out.
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", "5");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| {
            Failure::new(format!("{} cannot be run: {error}", program.display()))
        })?;
        let server = Server { child, endpoint: format!("http://127.0.0.1:{port}"), port };
        let began = Instant::now();
        let (_alive, never) = mpsc::channel::<()>();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if began.elapsed() > LIMIT {
                return Err(Failure::new("moto does not listen"));
            }
            // Only the time passes: nobody sends.
            let _ = never.recv_timeout(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Makes the user and the bucket; gives the user's key and secret.
    fn lock(&self, workspace: &Workspace) -> Result<[String; 2], Failure> {
        let printed = self.steer(workspace, "lock")?;
        let mut lines = printed.lines().map(str::to_owned);
        let [key, secret] = [lines.next(), lines.next()];
        key.zip(secret)
            .map(|(key, secret)| [key, secret])
            .ok_or_else(|| Failure::new("moto gave out no key"))
    }

    fn steer(&self, workspace: &Workspace, what: &str) -> Result<String, Failure> {
        process::read(self.steering(workspace, what)?, LIMIT)
    }

    /// The script that steers it, to which more words may be added.
    pub fn steering(&self, workspace: &Workspace, what: &str) -> Result<Command, Failure> {
        let script = players::judges_folder(workspace).join("store.py");
        players::write(&script, include_str!("store.py"))?;
        let mut command = Command::new(python(workspace));
        command.arg(&script).args([what, &self.endpoint, BUCKET]);
        Ok(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::new(format!("no port is free: {error}")))
}

fn environment(workspace: &Workspace) -> PathBuf {
    players::judges_folder(workspace).join("venv")
}

fn python(workspace: &Workspace) -> PathBuf {
    environment(workspace).join("bin/python3")
}
