//! State that all connections share.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::HeaderName;
use tokio::sync::watch;

use crate::inbox::Inbox;

/// Phase of the server's life.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub enum Phase {
    Serving,
    /// Answers requests, and asks each client to reconnect elsewhere.
    Draining,
    /// Finishes the requests in flight.
    Closing,
}

pub struct Options {
    pub max_body_bytes: usize,
    pub max_connections: usize,
    /// Longest pause of a client within a request.
    pub pause: Duration,
    /// Longest time of a connection without a request.
    pub idle: Duration,
    pub request_seconds: Option<f64>,
    /// Paths of the gRPC methods with streams of messages.
    pub streams: HashSet<String>,
    /// Header with the byte of a body at which the data begins.
    pub data_at: Option<HeaderName>,
}

pub struct Shared {
    pub inbox: Inbox,
    pub options: Options,
    pub phase: watch::Receiver<Phase>,
    pub in_flight: AtomicUsize,
}

/// Guard that counts a request from its headers to its response.
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
