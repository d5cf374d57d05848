//! A live recording whose store goes away for five seconds and comes back.
//!
//! ```text
//!   livesource ! queue ! openh264enc ! hlssegmenter ! s3sink ──▶ door ──▶ the server
//!                                          somebody who watches ────────────▲
//! ```
//!
//! Invariant: every frame the camera made is there, whoever reads the playlist never finds a name that
//! is not, and the recording is whole.
//! Left out: other faults, which the plugin's own tests make; frames that a busy machine's camera missed.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::recording::Recording;
use super::store::Server;
use super::{clips, players};
use crate::process::{self, Failure};
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(120);
/// Twelve seconds, in segments of two.
const FRAMES: u64 = 360;
const TARGET: u32 = 2;
/// The store is there at first, then not, then again to the end.
const BEFORE: Duration = Duration::from_secs(4);
const OUTAGE: Duration = Duration::from_secs(5);
const PREFIX: &str = "outage";

/// Records while the store is away in between, and looks at all that anybody could see.
pub fn outlived(workspace: &Workspace, server: &Server, key: &[String; 2]) -> Result<(), Failure> {
    let mut door = Door::before(server.address()).map_err(cannot)?;
    let folder = clips::fresh(&players::judges_folder(workspace).join(PREFIX))?;
    let line = format!(
        "livesource num-buffers={FRAMES} width=640 height=360 ! queue leaky=no ! openh264enc \
         bitrate=1000000 ! hlssegmenter target-duration={TARGET} ! s3sink \
         location=s3://{}/{PREFIX} endpoint=http://{} region=us-east-1",
        super::store::BUCKET,
        door.address
    );
    let mut job = clips::launch(workspace, &line, None);
    job.env("AWS_ACCESS_KEY_ID", &key[0]).env("AWS_SECRET_ACCESS_KEY", &key[1]);
    job.env("GST_MINI_DEBUG", "s3sink:4");
    let mut watcher = server.steering(workspace, "watch")?;
    watcher.arg(PREFIX).arg(&folder);
    watcher.env("AWS_ACCESS_KEY_ID", &key[0]).env("AWS_SECRET_ACCESS_KEY", &key[1]);
    let (finished, watched) = thread::scope(|scope| {
        let job = scope.spawn(|| process::collect(job, LIMIT, || ()));
        let watcher = scope.spawn(|| process::read(watcher, LIMIT));
        wait(BEFORE);
        door.shut();
        wait(OUTAGE);
        let opened = door.open().map_err(cannot);
        let gone = || Failure::new("a thread of xtask panicked");
        let finished = job.join().unwrap_or_else(|_| Err(gone()));
        (opened.and(finished), watcher.join().unwrap_or_else(|_| Err(gone())))
    });
    let finished = finished?;
    let told = finished.output();
    let output = process::tail(&told, 30);
    if !finished.success() {
        return Err(Failure::new(format!("{output}\nthe recording {}", finished.ending())));
    }
    let watched = watched?;
    if !told.contains(" retries, ") || told.contains(" 0 retries, ") {
        return Err(Failure::new(format!("{output}\nthe sink met no outage: nothing was judged")));
    }
    let recording = Recording::open(&folder.join("index.m3u8"))
        .map_err(|failure| Failure::new(format!("{output}\n{watched}\n{failure}")))?;
    players::ffmpeg(&recording.path(), FRAMES)
}

fn cannot(error: io::Error) -> Failure {
    Failure::new(format!("no door to the store: {error}"))
}

/// Lets time pass: the outage has to last as long as it does.
fn wait(time: Duration) {
    let (_alive, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// Passes bytes on to a server while it is open, and refuses connections while it is shut.
struct Door {
    address: SocketAddr,
    server: SocketAddr,
    passing: Option<Passing>,
}

struct Passing {
    ends: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Door {
    /// An open one, on a port of its own.
    fn before(server: SocketAddr) -> io::Result<Door> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut door = Door { address, server, passing: None };
        door.open()?;
        Ok(door)
    }

    /// Listens, on the port of before if there was one.
    fn open(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address)?;
        self.address = listener.local_addr()?;
        let (ends, connections) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let accepting = {
            let (server, ends, connections) = (self.server, ends.clone(), Arc::clone(&connections));
            thread::spawn(move || accept(&listener, server, &ends, &connections))
        };
        self.passing = Some(Passing { ends, accepting, connections });
        Ok(())
    }

    /// Breaks every connection; new ones are refused when this returns.
    fn shut(&mut self) {
        let Some(Passing { ends, accepting, connections }) = self.passing.take() else { return };
        ends.store(true, Ordering::SeqCst);
        // Whoever waits for a connection gets one and sees that it was the last.
        drop(TcpStream::connect(self.address));
        let _ = accepting.join();
        if let Ok(connections) = connections.lock() {
            for stream in connections.iter() {
                // One that has ended cannot be ended again.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}

fn accept(
    listener: &TcpListener,
    server: SocketAddr,
    ends: &AtomicBool,
    connections: &Mutex<Vec<TcpStream>>,
) {
    for client in listener.incoming().flatten() {
        if ends.load(Ordering::SeqCst) {
            return;
        }
        // A connection that cannot be passed on is dropped, which its client sees.
        let Ok(inner) = TcpStream::connect(server) else { continue };
        let Ok(copies) = both(&client, &inner) else { continue };
        if let Ok(mut connections) = connections.lock() {
            connections.extend(copies);
        }
        let Ok(back) = both(&inner, &client) else { continue };
        thread::spawn(move || pass(client, inner));
        thread::spawn(move || {
            let [from, to] = back;
            pass(from, to);
        });
    }
}

fn both(one: &TcpStream, other: &TcpStream) -> io::Result<[TcpStream; 2]> {
    Ok([one.try_clone()?, other.try_clone()?])
}

/// Until one side has ended.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    // How it ended does not matter: the other side learns that it did.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn door_passes_bytes_when_open_and_refuses_when_shut() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let at = server.local_addr().expect("an address");
        thread::spawn(move || {
            for mut stream in server.incoming().flatten() {
                let mut word = [0; 4];
                while stream.read_exact(&mut word).is_ok() {
                    let _ = stream.write_all(&word);
                }
            }
        });
        let mut door = Door::before(at).expect("a door");
        let address = door.address;
        let ask = |stream: &mut TcpStream| {
            let mut answer = [0; 4];
            stream.write_all(b"ping").and_then(|()| stream.read_exact(&mut answer)).map(|()| answer)
        };
        let mut client = TcpStream::connect(address).expect("it is open");
        assert_eq!(ask(&mut client).expect("an answer"), *b"ping");
        door.shut();
        assert!(ask(&mut client).is_err(), "the connection of before is broken");
        assert!(TcpStream::connect(address).is_err(), "new ones are refused");
        door.open().expect("the same port");
        assert_eq!(door.address, address);
        let mut client = TcpStream::connect(address).expect("it is open again");
        assert_eq!(ask(&mut client).expect("an answer"), *b"ping");
    }
}
