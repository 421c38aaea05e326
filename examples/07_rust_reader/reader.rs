//! Opens the throttle of an engine that another process runs, and looks what it does:
//!
//!     reader [throttle, in percent] [name]

#![allow(non_upper_case_globals)] // Engine_state_cold: one name for all languages

mod engine; // made by engine.ts

use engine::{Engine, Engine_state_cold, Engine_state_warm};
use std::ffi::c_void;
use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Result};
use std::mem::size_of;
use std::os::fd::AsRawFd;
use std::ptr::{addr_of, null_mut};
use std::sync::atomic::Ordering::SeqCst;
use std::{env, thread, time::Duration};

/// A struct in shared memory, whoever has made it.
struct SharedObject<T>(*mut T);

impl<T> SharedObject<T> {
    /// Takes the file as it is: to truncate it would cut off what lies behind the struct.
    fn open(name: &str) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(format!("/dev/shm/{name}"))?;
        if file.metadata()?.len() < size_of::<T>() as u64 {
            return Err(Error::new(ErrorKind::InvalidData, "it is too short"));
        }
        let fd = file.as_raw_fd();
        let memory =
            unsafe { mmap(null_mut(), size_of::<T>(), PROT_READ_WRITE, MAP_SHARED, fd, 0) };
        if memory as isize == -1 {
            return Err(Error::last_os_error());
        }
        Ok(SharedObject(memory.cast()))
    }
}

impl<T> Drop for SharedObject<T> {
    fn drop(&mut self) {
        unsafe { munmap(self.0.cast(), size_of::<T>()) };
    }
}

/// A field that another process may be writing: there must be no reference to it, so that it is read
/// by its address, once.
macro_rules! read {
    ($object:expr, $field:ident) => {
        unsafe { addr_of!((*$object.0).$field).read_volatile() }
    };
}

/// Waits until somebody has made an engine.
fn wait_for(name: &str) -> Result<SharedObject<Engine>> {
    loop {
        match SharedObject::open(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => pause(10),
            result => return result,
        }
    }
}

fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let throttle = arguments.first().map_or(80, |text| text.parse().expect("a number"));
    let name = arguments.get(1).map_or("shmkit-engine", |name| name);

    let engine = wait_for(name)?;
    // Atomics are what references may be made to.
    let (ticks, valve) = unsafe { (&(*engine.0).ticks, &(*engine.0).throttle) };
    let model = read!(engine, model);
    let end = model.iter().position(|&byte| byte == 0).unwrap_or(model.len());
    println!("{}, throttle {throttle} %", String::from_utf8_lossy(&model[..end]));
    valve.store(throttle, SeqCst);

    for _ in 0..5 {
        let before = ticks.load(SeqCst);
        pause(200);
        let tick = ticks.load(SeqCst);
        if tick == before {
            return Err(Error::new(ErrorKind::TimedOut, "the engine does not run"));
        }
        let state = match read!(engine, state) {
            Engine_state_cold => "cold",
            Engine_state_warm => "warm",
            _ => "hot",
        };
        let (rpm, celsius) = (read!(engine, rpm), read!(engine, celsius));
        println!("tick {tick}: {rpm:.0} rpm, {celsius:.1} °C, {state}");
    }
    Ok(())
}

const PROT_READ_WRITE: i32 = 3;
const MAP_SHARED: i32 = 1;

extern "C" {
    fn mmap(
        at: *mut c_void,
        size: usize,
        protection: i32,
        flags: i32,
        fd: i32,
        offset: i64,
    ) -> *mut c_void;
    fn munmap(at: *mut c_void, size: usize) -> i32;
}
