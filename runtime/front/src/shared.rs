//! What all connections share.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::HeaderName;
use tokio::sync::watch;

use crate::inbox::Inbox;

/// How far the server's life has come.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub enum Phase {
    Serving,
    /// Answers as before, and asks each client to go elsewhere.
    Draining,
    /// Finishes what was started.
    Closing,
}

pub struct Options {
    pub max_body_bytes: usize,
    pub max_connections: usize,
    /// How long a client may pause in the middle of a request.
    pub pause: Duration,
    /// How long a connection may stay without a request.
    pub idle: Duration,
    pub request_seconds: Option<f64>,
    /// Paths of the gRPC methods that take or answer a stream of messages.
    pub streams: HashSet<String>,
    /// The header that says at which byte of a body the data begins.
    pub data_at: Option<HeaderName>,
}

pub struct Shared {
    pub inbox: Inbox,
    pub options: Options,
    pub phase: watch::Receiver<Phase>,
    pub in_flight: AtomicUsize,
}

/// Counts a request from its head to its answer.
pub struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    pub fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }

    pub fn is_draining(&self) -> bool {
        *self.phase.borrow() != Phase::Serving
    }
}
