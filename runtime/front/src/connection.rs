//! One connection, from its acceptance to its end.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::body::ReplyBody;
use crate::inbox::Inbox;
use crate::{grpc, http};

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
    /// Paths of the gRPC methods that take a stream of messages.
    pub streams: HashSet<String>,
}

/// What all connections share.
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

/// Serves a connection until it ends: HTTP/1.1 or HTTP/2, as its first bytes say.
pub async fn serve(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.options.idle)
        .max_headers(64);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(shared.options.idle))
        .max_concurrent_streams(1024)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_frame_size(1 << 18);
    let is_http2 = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request: Request<Incoming>| {
        if request.version() == Version::HTTP_2 {
            is_http2.store(true, Ordering::Relaxed);
        }
        answer(request, shared.clone())
    });
    let connection = builder.serve_connection(TokioIo::new(io), service);
    tokio::pin!(connection);
    let mut phase = shared.phase.clone();
    let mut asked = false;
    loop {
        // HTTP/2 says GOAWAY and loses nothing; HTTP/1.1 clients are asked by a header until the end.
        let now = *phase.borrow_and_update();
        if !asked
            && (now == Phase::Closing || now == Phase::Draining && is_http2.load(Ordering::Relaxed))
        {
            connection.as_mut().graceful_shutdown();
            asked = true;
        }
        tokio::select! {
            _ = connection.as_mut() => return,
            changed = phase.changed() => if changed.is_err() { return },
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<ReplyBody>, ClientGone> {
    if grpc::is_grpc(&request) {
        return Ok(grpc::answer(request, shared).await);
    }
    let _in_flight = shared.enter();
    http::answer(request, &shared).await.ok_or(ClientGone)
}

/// Ends a connection whose client does.
#[derive(Debug)]
pub struct ClientGone;

impl std::fmt::Display for ClientGone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the client has gone")
    }
}

impl std::error::Error for ClientGone {}
