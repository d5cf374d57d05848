//! Looks at a file's ELF header before the dynamic linker does, because that one crashes on a truncated
//! file and says "no such file" of one for another machine.
//!
//! ```text
//! magic ─ class ─ byte order ─ machine ─ type ─ "does the file hold all its header promises?"
//! ```
//!
//! Invariant: nothing is executed or mapped, and no number of the file is used as a length unchecked.
//! In GStreamer: nothing; `gst/gstplugin.c` leaves it to `g_module_open`.
//! Left out: symbols, versions and dependencies, which are the dynamic linker's business.

use std::io::{Read, Seek, SeekFrom};

const HEADER: usize = 64;
const TYPE_SHARED: u16 = 3;
const SEGMENT_DYNAMIC: u32 = 2;
const TAG_FLAGS_1: u64 = 0x6fff_fffb;
const FLAG_PIE: u64 = 0x0800_0000;
/// More program headers than any linker writes.
const MAX_SEGMENTS: u64 = 512;
/// More entries than any dynamic section has.
const MAX_DYNAMIC: u64 = 64 * 1024;

const MACHINES: &[(u16, &str)] = &[
    (3, "x86"),
    (8, "mips"),
    (20, "powerpc"),
    (21, "powerpc64"),
    (22, "s390x"),
    (40, "arm"),
    (62, "x86_64"),
    (183, "aarch64"),
    (243, "riscv64"),
    (258, "loongarch64"),
];

/// Checks the header of a file of `size` bytes.
///
/// # Errors
/// A sentence that says what the file is instead, and what to do.
pub fn check(file: &mut (impl Read + Seek), size: u64) -> Result<(), String> {
    let mut header = [0; HEADER];
    let read = read_up_to(file, &mut header)?;
    let header = &header[..read];
    if !header.starts_with(b"\x7fELF") {
        let shown: Vec<String> = header.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let what = match shown.as_slice() {
            [] => "the file is empty".to_owned(),
            bytes => format!("first bytes {}", bytes.join(" ")),
        };
        return Err(format!("not a plugin: the file is not an ELF shared library ({what})"));
    }
    if read < HEADER {
        return Err(damaged(HEADER as u64, size));
    }
    let other = match (header[4], header[5]) {
        (2, 1) => None,
        (1, _) => Some("32-bit"),
        (2, 2) => Some("big-endian"),
        _ => return Err(damaged(HEADER as u64, size)),
    };
    if let Some(other) = other {
        return Err(format!("built for {other} machines, this program is 64-bit little-endian"));
    }
    let machine = u16_at(header, 18);
    if Some(machine) != own_machine() {
        let here = std::env::consts::ARCH;
        return Err(format!(
            "built for {}, this program is {here}; use a plugin built for {here}-unknown-linux-gnu",
            machine_name(machine)
        ));
    }
    let program = || "not a plugin: this is a program, not a shared library".to_owned();
    if u16_at(header, 16) != TYPE_SHARED {
        return Err(program());
    }
    if is_program(file, header, size)? { Err(program()) } else { Ok(()) }
}

/// Reads the program headers: the file must hold them and what they name. `true` for a
/// position-independent program, which has the type of a shared library.
fn is_program(file: &mut (impl Read + Seek), header: &[u8], size: u64) -> Result<bool, String> {
    let table = |offset: u64, entry: u16, count: u16| {
        offset.saturating_add(u64::from(entry) * u64::from(count))
    };
    let (segments, segment_size, segment_count) =
        (u64_at(header, 32), u16_at(header, 54), u16_at(header, 56));
    let sections = table(u64_at(header, 40), u16_at(header, 58), u16_at(header, 60));
    let promised = table(segments, segment_size, segment_count).max(sections);
    if promised > size {
        return Err(damaged(promised, size));
    }
    if segment_size != 56 || segment_count == 0 || u64::from(segment_count) > MAX_SEGMENTS {
        return Err("damaged: its list of segments makes no sense; install it again".to_owned());
    }
    let mut table = vec![0; usize::from(segment_size) * usize::from(segment_count)];
    read_at(file, segments, &mut table)?;
    let mut program = false;
    for segment in table.chunks_exact(usize::from(segment_size)) {
        let (offset, length) = (u64_at(segment, 8), u64_at(segment, 32));
        let end = offset.saturating_add(length);
        if end > size {
            return Err(damaged(end, size));
        }
        if u32_at(segment, 0) == SEGMENT_DYNAMIC {
            let mut dynamic = vec![0; length.min(MAX_DYNAMIC * 16) as usize];
            read_at(file, offset, &mut dynamic)?;
            program |= dynamic
                .chunks_exact(16)
                .any(|entry| u64_at(entry, 0) == TAG_FLAGS_1 && u64_at(entry, 8) & FLAG_PIE != 0);
        }
    }
    Ok(program)
}

fn damaged(promised: u64, size: u64) -> String {
    format!("damaged: the header promises {promised} bytes, the file has {size}; install it again")
}

fn machine_name(machine: u16) -> String {
    MACHINES
        .iter()
        .find(|(number, _)| *number == machine)
        .map_or_else(|| format!("machine {machine}"), |(_, name)| (*name).to_owned())
}

fn own_machine() -> Option<u16> {
    MACHINES.iter().find(|(_, name)| *name == std::env::consts::ARCH).map(|(number, _)| *number)
}

fn read_up_to(file: &mut impl Read, bytes: &mut [u8]) -> Result<usize, String> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("cannot be read: {error}")),
        }
    }
    Ok(filled)
}

fn read_at(file: &mut (impl Read + Seek), offset: u64, bytes: &mut [u8]) -> Result<(), String> {
    file.seek(SeekFrom::Start(offset))
        .and_then(|_| file.read_exact(bytes))
        .map_err(|error| format!("cannot be read: {error}"))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    array_at(bytes, at).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    array_at(bytes, at).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    array_at(bytes, at).map_or(0, u64::from_le_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// This test's own program, which is position-independent.
    fn program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().expect("a path")).expect("readable")
    }

    /// The smallest library the checks take: a header and one segment.
    fn library() -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56 + 16];
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        bytes[16..18].copy_from_slice(&TYPE_SHARED.to_le_bytes());
        bytes[18..20].copy_from_slice(&own_machine().expect("a known machine").to_le_bytes());
        bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1_u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&1_u32.to_le_bytes());
        bytes[64 + 8..64 + 16].copy_from_slice(&120_u64.to_le_bytes());
        bytes[64 + 32..64 + 40].copy_from_slice(&16_u64.to_le_bytes());
        bytes
    }

    fn verdict(bytes: &[u8]) -> Result<(), String> {
        check(&mut Cursor::new(bytes), bytes.len() as u64)
    }

    #[track_caller]
    fn refused(bytes: &[u8], sentence: &str) {
        assert_eq!(verdict(bytes).expect_err("refused"), sentence);
    }

    #[test]
    fn a_text_and_an_empty_file_are_no_libraries() {
        refused(
            b"hello",
            "not a plugin: the file is not an ELF shared library (first bytes 68 65 6c 6c)",
        );
        refused(b"", "not a plugin: the file is not an ELF shared library (the file is empty)");
    }

    #[test]
    fn a_program_is_no_library() {
        let mut object = library();
        object[16] = 1;
        let sentence = "not a plugin: this is a program, not a shared library";
        refused(&object, sentence);
        refused(&program(), sentence);
    }

    #[test]
    fn another_machine_is_named() {
        let mut other = library();
        let arm = if own_machine() == Some(183) { 62_u16 } else { 183 };
        other[18..20].copy_from_slice(&arm.to_le_bytes());
        let here = std::env::consts::ARCH;
        let name = machine_name(arm);
        refused(
            &other,
            &format!(
                "built for {name}, this program is {here}; use a plugin built for {here}-unknown-linux-gnu"
            ),
        );
    }

    #[test]
    fn width_and_byte_order_are_named() {
        let mut other = library();
        other[4] = 1;
        refused(&other, "built for 32-bit machines, this program is 64-bit little-endian");
        other[4] = 2;
        other[5] = 2;
        refused(&other, "built for big-endian machines, this program is 64-bit little-endian");
    }

    #[test]
    fn every_truncation_is_noticed() {
        let whole = library();
        assert_eq!(verdict(&whole), Ok(()));
        for length in 4..whole.len() {
            let why = verdict(&whole[..length]).expect_err("refused");
            assert!(why.starts_with("damaged: the header promises"), "{length}: {why}");
        }
    }

    #[test]
    fn no_number_in_a_header_is_believed() {
        for at in 0..library().len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = library();
                bytes[at] = byte;
                let _ = verdict(&bytes);
            }
        }
    }
}
