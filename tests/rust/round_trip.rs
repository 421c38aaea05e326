//! Reads and writes structs as it is told, a line at a time; tests/peers/round_trip.ts says how. The
//! root of the program is generated: the structs, and two functions for each, with an arm for each slot.

use std::collections::HashMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{stdin, BufRead};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::raw::{c_char, c_int, c_uint, c_void};

// Plain C, so that nothing has to be installed but rustc.
extern "C" {
  fn shm_open(name: *const c_char, flags: c_int, mode: c_uint) -> c_int;
  fn shm_unlink(name: *const c_char) -> c_int;
  fn mmap(at: *mut c_void, size: usize, prot: c_int, flags: c_int, fd: c_int, offset: i64)
    -> *mut c_void;
  fn munmap(at: *mut c_void, size: usize) -> c_int;
}

const O_RDWR: c_int = 2;
const O_CREAT: c_int = 0o100;
const O_EXCL: c_int = 0o200;
const PROT_READ: c_int = 1;
const PROT_WRITE: c_int = 2;
const MAP_SHARED: c_int = 1;

pub struct Layout {
  pub size: usize,
  pub set: unsafe fn(*mut u8, usize, &str),
  pub get: unsafe fn(*mut u8, usize) -> String,
}

struct Memory {
  start: *mut u8,
  size: usize,
  file_size: u64,
  /// Of one that was created.
  name: Option<CString>,
}

impl Memory {
  fn attach(name: &str, size: usize, is_new: bool) -> Memory {
    let name = CString::new(format!("/{name}")).unwrap();
    let flags = if is_new { O_RDWR | O_CREAT | O_EXCL } else { O_RDWR };
    let fd = unsafe { shm_open(name.as_ptr(), flags, 0o600) };
    assert!(fd >= 0, "shm_open: {}", std::io::Error::last_os_error());
    let file = unsafe { File::from_raw_fd(fd) };
    if is_new {
      file.set_len(size as u64).unwrap();
    }
    let file_size = file.metadata().unwrap().len();
    let (prot, fd) = (PROT_READ | PROT_WRITE, file.as_raw_fd());
    let start = unsafe { mmap(std::ptr::null_mut(), size, prot, MAP_SHARED, fd, 0) };
    assert!(start as isize != -1, "mmap: {}", std::io::Error::last_os_error());
    Memory { start: start as *mut u8, size, file_size, name: is_new.then_some(name) }
  }

  fn detach(self) {
    assert_eq!(unsafe { munmap(self.start as *mut c_void, self.size) }, 0);
    if let Some(name) = self.name {
      assert_eq!(unsafe { shm_unlink(name.as_ptr()) }, 0);
    }
  }
}

pub fn run(layouts: &[Layout]) {
  let mut memories = HashMap::new();
  for line in stdin().lock().lines() {
    let line = line.unwrap();
    let mut words = line.split(' ');
    let verb = words.next().unwrap();
    let number: usize = words.next().unwrap().parse().unwrap();
    let layout = &layouts[number];
    if verb == "create" || verb == "open" {
      let name = words.next().unwrap();
      memories.insert(number, Memory::attach(name, layout.size, verb == "create"));
    }
    let Memory { start, file_size, .. } = memories[&number];
    match verb {
      "get" => {
        let texts = words.map(|slot| unsafe { (layout.get)(start, slot.parse().unwrap()) });
        println!("{}", texts.collect::<Vec<_>>().join(" "));
      }
      "close" => {
        memories.remove(&number).unwrap().detach();
        println!("done");
      }
      _ => {
        for word in words {
          let (slot, text) = word.split_once('=').unwrap();
          unsafe { (layout.set)(start, slot.parse().unwrap(), text) };
        }
        println!("{}", if verb == "set" { "done".to_string() } else { file_size.to_string() });
      }
    }
  }
}

pub fn half(text: &str) -> u16 {
  if text == "nan" { 0x7e00 } else { u16::from_str_radix(text, 16).unwrap() }
}

pub fn single(text: &str) -> f32 {
  if text == "nan" { f32::NAN } else { f32::from_bits(u32::from_str_radix(text, 16).unwrap()) }
}

pub fn real(text: &str) -> f64 {
  if text == "nan" { f64::NAN } else { f64::from_bits(u64::from_str_radix(text, 16).unwrap()) }
}

pub fn half_text(value: u16) -> String {
  if value & 0x7fff > 0x7c00 { "nan".into() } else { format!("{value:04x}") }
}

pub fn single_text(value: f32) -> String {
  if value.is_nan() { "nan".into() } else { format!("{:08x}", value.to_bits()) }
}

pub fn real_text(value: f64) -> String {
  if value.is_nan() { "nan".into() } else { format!("{:016x}", value.to_bits()) }
}

/// Text has a NUL behind it: there is always room for it.
pub fn write_bytes(bytes: &mut [u8], text: &str) {
  let length = text.len() / 2;
  for at in 0..length {
    bytes[at] = u8::from_str_radix(&text[1 + 2 * at..3 + 2 * at], 16).unwrap();
  }
  if length < bytes.len() {
    bytes[length] = 0;
  }
}

pub fn hex_of(bytes: &[u8]) -> String {
  bytes.iter().fold("x".to_string(), |text, byte| text + &format!("{byte:02x}"))
}

pub fn text_of(bytes: &[u8]) -> String {
  let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
  hex_of(&bytes[..length])
}
