//! A connection, from its acceptance to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

use crate::body::ReplyBody;
use crate::shared::{Phase, Shared};
use crate::{grpc, http};

/// Time before a connection is asked to end: its first request can arrive, and a client that
/// reconnects at once is served for this time, instead of being sent away after each response.
const GRACE: Duration = Duration::from_secs(1);

/// Serve a connection until it ends; its first bytes decide between HTTP/1.1 and HTTP/2.
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
    let is_used = AtomicBool::new(false);
    let use_of_http2 = Arc::new(UseOfHttp2::default());
    let service = service_fn(|request: Request<Incoming>| {
        is_used.store(true, Ordering::Relaxed);
        let (shared, use_of_http2) = (shared.clone(), use_of_http2.clone());
        async move {
            let is_http2 = request.version() == Version::HTTP_2;
            let response = answer(request, shared).await;
            if is_http2 {
                use_of_http2.note_answer();
            }
            response
        }
    });
    let connection = builder.serve_connection(TokioIo::new(io), service);
    tokio::pin!(connection);
    let mut phase = shared.phase.clone();
    let mut asked = false;
    // No other timeout applies before the protocol of the client is known.
    let silence = tokio::time::sleep(shared.options.idle);
    let grace = tokio::time::sleep(GRACE);
    tokio::pin!(silence, grace);
    loop {
        // HTTP/2 sends GOAWAY and loses nothing; HTTP/1.1 clients get a header until the end.
        let is_settled = grace.is_elapsed();
        let is_due = match *phase.borrow_and_update() {
            Phase::Serving => false,
            Phase::Draining => is_settled && use_of_http2.has_answered.load(Ordering::Relaxed),
            Phase::Closing => is_settled || is_used.load(Ordering::Relaxed),
        };
        if is_due && !asked {
            connection.as_mut().graceful_shutdown();
            asked = true;
        }
        tokio::select! {
            _ = connection.as_mut() => return,
            changed = phase.changed() => if changed.is_err() { return },
            _ = use_of_http2.first_answer.notified() => {}
            _ = grace.as_mut(), if !is_settled => {}
            _ = silence.as_mut(), if !silence.is_elapsed() => {
                if !is_used.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }
}

/// State of responses over HTTP/2.
#[derive(Default)]
struct UseOfHttp2 {
    has_answered: AtomicBool,
    first_answer: Notify,
}

impl UseOfHttp2 {
    fn note_answer(&self) {
        if !self.has_answered.swap(true, Ordering::Relaxed) {
            self.first_answer.notify_one();
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

/// Error that ends the connection of a client that has disconnected.
#[derive(Debug)]
pub struct ClientGone;

impl std::fmt::Display for ClientGone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the client has disconnected")
    }
}

impl std::error::Error for ClientGone {}
