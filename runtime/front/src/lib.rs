//! HTTP/1.1 and gRPC in front of a Python handler: bytes in, bytes out.
//!
//! One thread does everything: it reads requests, and whenever some are complete, calls the handler
//! once with all of them, so that under load the handler sees batches and an idle server answers at
//! once. The handler answers each `Call` then or later, from whatever thread. What a path means,
//! what an answer says, and what is counted is all the handler's business.

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
