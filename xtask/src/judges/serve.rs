//! Folders over HTTP: players take a playlist from a server, not from a path.
//!
//! Invariant: a name that leaves the folders, or is in none, is answered with 404.
//! Left out: ranges, which no playlist of ours needs, and an end: it serves until xtask ends.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use crate::process::Failure;

/// Serves `folders` as one on a free port of this machine; the first that has a name gives it.
pub fn serve(folders: Vec<PathBuf>) -> Result<SocketAddr, Failure> {
    let cannot = |error| Failure::new(format!("no port to serve from: {error}"));
    let listener = TcpListener::bind("127.0.0.1:0").map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folders = folders.clone();
            // A player that hangs up early has all it wanted.
            thread::spawn(move || answer(&stream, &folders));
        }
    });
    Ok(address)
}

fn answer(mut stream: &TcpStream, folders: &[PathBuf]) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    // The connection may close only after the whole request was read.
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split_whitespace().nth(1).unwrap_or("/");
    let name = path.split(['?', '#']).next().unwrap_or(path).trim_start_matches('/');
    let is_inside = !name.split('/').any(|part| part == "..");
    let folders = if is_inside { folders } else { &[] };
    let body = folders.iter().find_map(|folder| std::fs::read(folder.join(name)).ok());
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content_type(name),
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html",
        Some("js" | "mjs") => "text/javascript",
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("mp4" | "m4s" | "cmfv") => "video/mp4",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        std::io::read_to_string(stream).expect("it answers")
    }

    #[test]
    fn server_gives_what_is_in_its_folder_and_nothing_else() {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/judges"));
        let address = serve(vec![folder]).expect("a free port");
        let own = get(address, "/serve.rs?x=1");
        assert!(own.starts_with("HTTP/1.1 200 OK") && own.contains("A folder over HTTP"));
        assert!(get(address, "/../main.rs").starts_with("HTTP/1.1 404"));
        assert!(get(address, "/absent.mp4").starts_with("HTTP/1.1 404"));
    }
}
