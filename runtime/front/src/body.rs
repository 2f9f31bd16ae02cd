//! Bodies of requests and responses.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Body of a response.
pub enum ReplyBody {
    Full(Option<Bytes>),
    /// One gRPC message, and the trailers with the status.
    Unary(Option<Bytes>, Option<HeaderMap>),
    Stream(mpsc::Receiver<Frame<Bytes>>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Full(data) => Poll::Ready(data.take().map(|data| Ok(Frame::data(data)))),
            Self::Unary(data, trailers) => Poll::Ready(match data.take() {
                Some(data) => Some(Ok(Frame::data(data))),
                None => trailers.take().map(|trailers| Ok(Frame::trailers(trailers))),
            }),
            Self::Stream(frames) => frames.poll_recv(context).map(|frame| frame.map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(data) => data.is_none(),
            Self::Unary(data, trailers) => data.is_none() && trailers.is_none(),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(data) => SizeHint::with_exact(data.as_ref().map_or(0, |d| d.len() as u64)),
            _ => SizeHint::default(),
        }
    }
}

/// Reason why a request could not be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    TooLarge,
    TooSlow,
    /// The client disconnected, or did not send HTTP.
    Broken,
}

/// Alignment of memory allocators, sufficient for any number.
const ALIGNMENT: usize = 16;
/// Most bytes to allocate for an announced length. More are allocated when they arrive.
const TRUSTED_BYTES: usize = 1 << 20;

/// Read the whole body, of at most `limit` bytes, with pauses of at most `pause`. In a large body
/// the byte at `data_at` is aligned, so that numbers from there on can be used without a copy.
pub async fn read_all(
    body: &mut Incoming,
    limit: usize,
    pause: Duration,
    data_at: usize,
) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        return Err(Problem::TooLarge);
    }
    let first = match next_data(body, pause).await? {
        None => return Ok(Bytes::new()),
        Some(first) => first,
    };
    if first.len() > limit {
        return Err(Problem::TooLarge);
    }
    // A usual request arrives as one frame and needs no copy.
    if body.is_end_stream() {
        return Ok(first);
    }
    let padding = data_at.wrapping_neg() % ALIGNMENT;
    let expected = first.len().max((announced as usize).min(TRUSTED_BYTES));
    let mut whole = Vec::with_capacity(padding + expected);
    whole.resize(padding, 0);
    whole.extend_from_slice(&first);
    while let Some(data) = next_data(body, pause).await? {
        if whole.len() - padding + data.len() > limit {
            return Err(Problem::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Bytes::from(whole).slice(padding..))
}

/// Return the next frame of a body; `None` at its end.
pub async fn next_data(body: &mut Incoming, pause: Duration) -> Result<Option<Bytes>, Problem> {
    loop {
        match timeout(pause, body.frame()).await {
            Err(_) => return Err(Problem::TooSlow),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(Problem::Broken),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
