//! Reading and writing a file descriptor so that a flush or a stop ends the wait.
//!
//! ```text
//!   streaming thread   poll(fd, waker) ··············▶ Err(Flushing)
//!   any thread                     unlock(true) ─▶ waker
//! ```
//!
//! Invariant: no read or write is begun that could block: poll said that it will not.
//! In GStreamer: `gst/gstpoll.c` (`gst_poll_wait`, `gst_poll_set_flushing`).
//! Left out: systems without eventfd.

use gst_mini_core::element_prelude::*;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What fits into a pipe that poll calls writable (`PIPE_BUF`); more could block.
const PIPE_CHUNK: usize = 4096;
/// Under simulation virtual time passes as real time does while the outside world has nothing to say.
const SIM_SLICE: ClockTime = ClockTime::from_millis(10);

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Read,
    Write,
}

/// The shared part of an element that reads or writes a descriptor.
#[derive(Default)]
pub(crate) struct Interrupt {
    on: AtomicBool,
    /// Made at the first start; readable while `on`.
    waker: OnceLock<OwnedFd>,
}

impl Interrupt {
    /// Makes what wakes a wait; before the first one.
    pub fn prepare(&self) -> Result<(), ElementError> {
        if self.waker.get().is_some() {
            return Ok(());
        }
        // SAFETY: no pointers; the result is checked.
        let raw = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if raw < 0 {
            let text = format!("cannot make an event descriptor: {}", io::Error::last_os_error());
            return Err(ElementError::new(ErrorKind::Core, text));
        }
        // SAFETY: a new descriptor that nobody else owns.
        let _ = self.waker.set(unsafe { OwnedFd::from_raw_fd(raw) });
        Ok(())
    }

    /// Begins or ends the interruption of all waits. Any thread.
    pub fn set(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
        let Some(waker) = self.waker.get() else { return };
        let fd = waker.as_raw_fd();
        let mut count = 1u64;
        let count = (&raw mut count).cast();
        // SAFETY: eight bytes at `count`, as an eventfd wants. Its failures are no matter: a full
        // counter is readable, an empty one is not.
        unsafe {
            if on {
                libc::write(fd, count, 8);
            } else {
                libc::read(fd, count, 8);
            }
        }
    }

    /// Waits until `fd` can be read or written, or has failed; `Ok(false)` when `deadline` (of
    /// [`Cx::runtime_now`]) came first.
    pub fn wait(
        &self,
        cx: &Cx,
        fd: RawFd,
        want: Want,
        deadline: Option<AbsoluteTime>,
    ) -> FlowResult<io::Result<bool>> {
        loop {
            if self.on.load(Ordering::SeqCst) || cx.is_flushing() {
                return Err(FlowError::Flushing);
            }
            let left = deadline.map(|deadline| deadline.since(cx.runtime_now()));
            let longest = if cx.is_simulated() { Some(SIM_SLICE) } else { left };
            let polled = cx.foreign(ClockTime::ZERO, || self.poll(fd, want, longest));
            match polled.unwrap_or_else(|| Err(io::Error::other("a panic while polling"))) {
                Ok(true) => return Ok(Ok(true)),
                Ok(false) => {
                    if cx.is_simulated() {
                        cx.sleep(left.map_or(SIM_SLICE, |left| left.min(SIM_SLICE)))?;
                    }
                    if deadline.is_some_and(|deadline| cx.runtime_now() >= deadline) {
                        return Ok(Ok(false));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Whether `fd` is ready; `false` after `longest` or when the waker rang.
    fn poll(&self, fd: RawFd, want: Want, longest: Option<ClockTime>) -> io::Result<bool> {
        let events = if want == Want::Read { libc::POLLIN } else { libc::POLLOUT };
        let waker = self.waker.get().map_or(-1, AsRawFd::as_raw_fd);
        let mut fds = [
            libc::pollfd { fd, events, revents: 0 },
            libc::pollfd { fd: waker, events: libc::POLLIN, revents: 0 },
        ];
        let timeout = longest.map_or(-1, |longest| {
            i32::try_from(longest.nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
        });
        // SAFETY: two entries that live for the call.
        if unsafe { libc::poll(fds.as_mut_ptr(), 2, timeout) } < 0 {
            return Err(io::Error::last_os_error());
        }
        if fds[0].revents & libc::POLLNVAL != 0 {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        }
        Ok(fds[0].revents != 0)
    }

    /// Reads what there is, at most the length of `into`; `0` at the end. The wait tells `late` each
    /// time `timeout` has passed without data.
    pub fn read(
        &self,
        cx: &Cx,
        fd: RawFd,
        into: &mut [u8],
        timeout: Option<ClockTime>,
        late: impl Fn(),
    ) -> FlowResult<io::Result<usize>> {
        loop {
            let deadline = timeout.map(|timeout| cx.runtime_now() + timeout);
            match self.wait(cx, fd, Want::Read, deadline)? {
                Ok(true) => {}
                Ok(false) => {
                    late();
                    continue;
                }
                Err(error) => return Ok(Err(error)),
            }
            // SAFETY: the slice is writable for its length.
            let got = unsafe { libc::read(fd, into.as_mut_ptr().cast(), into.len()) };
            match usize::try_from(got) {
                Ok(got) => return Ok(Ok(got)),
                Err(_) => {
                    let error = io::Error::last_os_error();
                    if !is_passing(&error) {
                        return Ok(Err(error));
                    }
                }
            }
        }
    }

    /// Writes everything.
    pub fn write(&self, cx: &Cx, fd: RawFd, mut data: &[u8]) -> FlowResult<io::Result<()>> {
        let chunk = if is_regular(fd) { usize::MAX } else { PIPE_CHUNK };
        while !data.is_empty() {
            if let Err(error) = self.wait(cx, fd, Want::Write, None)? {
                return Ok(Err(error));
            }
            let len = data.len().min(chunk);
            // SAFETY: the slice is readable for its length.
            let put = cx.foreign(ClockTime::ZERO, || unsafe {
                let put = libc::write(fd, data.as_ptr().cast(), len);
                usize::try_from(put).map_err(|_| io::Error::last_os_error())
            });
            match put.unwrap_or_else(|| Err(io::Error::other("a panic while writing"))) {
                Ok(put) => data = &data[put..],
                Err(error) if is_passing(&error) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }
}

impl Shared for Interrupt {
    fn unlock(&self, on: bool) {
        self.set(on);
    }
}

/// What other threads reach of a sink that writes: its blocking calls, and whether it can go back.
#[derive(Default)]
pub struct Writing {
    pub interrupt: Interrupt,
    pub can_seek: Live<bool>,
}

impl Shared for Writing {
    fn unlock(&self, on: bool) {
        self.interrupt.set(on);
    }

    /// Asked by who would go back to complete a header.
    fn query(&self, _: &Cx, query: &mut Query) -> bool {
        let Query::Seeking { format: Format::Bytes, seekable, start, end } = query else {
            return false;
        };
        (*seekable, *start, *end) = (self.can_seek.get(), 0, None);
        true
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

/// Whether `fd` is a file on a disk, where a write of any size is one step.
fn is_regular(fd: RawFd) -> bool {
    length(fd).is_some()
}

/// Bytes of the file behind `fd`, if it is a file on a disk.
pub(crate) fn length(fd: RawFd) -> Option<u64> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the place is large enough, and read only if it was filled.
    let size = unsafe {
        (libc::fstat(fd, stat.as_mut_ptr()) == 0
            && stat.assume_init().st_mode & libc::S_IFMT == libc::S_IFREG)
            .then(|| stat.assume_init().st_size)
    };
    u64::try_from(size?).ok()
}

/// Goes to a byte of the file behind `fd`; `false` if that is not possible.
pub(crate) fn seek(fd: RawFd, to: u64) -> bool {
    let Ok(to) = libc::off_t::try_from(to) else { return false };
    // SAFETY: a call without pointers.
    unsafe { libc::lseek(fd, to, libc::SEEK_SET) >= 0 }
}

/// What the system says about a failure, in words, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::StorageFull => "no space is left on the device".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        io::ErrorKind::NotADirectory => "a part of the path is a file, not a directory".into(),
        io::ErrorKind::BrokenPipe => "nobody reads from it any more".into(),
        _ if error.raw_os_error() == Some(libc::EBADF) => {
            "it is not an open file descriptor of this process".into()
        }
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

/// Which kind of error a failed write is.
pub(crate) fn write_kind(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
        _ => ErrorKind::Write,
    }
}
