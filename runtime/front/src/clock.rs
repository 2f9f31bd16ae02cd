//! Clock of Python's `time.perf_counter`, so that both sides can compare times.

/// Return the seconds of CLOCK_MONOTONIC, which `time.perf_counter` reads on Linux and macOS.
pub fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec, and this clock exists everywhere.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
