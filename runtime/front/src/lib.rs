//! HTTP/1.1 and gRPC in front of a Python handler: bytes in, bytes out.
//!
//! A single thread reads requests. Whenever some are complete, it calls the handler once with all
//! of them, so that the handler sees batches under load, and an idle server answers at once. The
//! handler answers each `Call` at once or later, from any thread. Paths, the content of responses
//! and counters are the responsibility of the handler.

mod body;
mod buffer;
mod call;
mod clock;
mod connection;
mod front;
mod grpc;
mod http;
mod inbox;
mod shared;
mod tls;

use pyo3::prelude::*;

#[pymodule]
mod perennial_front {
    #[pymodule_export]
    use crate::call::Call;
    #[pymodule_export]
    use crate::front::Front;
}
