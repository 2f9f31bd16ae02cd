//! gRPC over HTTP/2: length-prefixed messages in and out, deadlines, and the status in trailers.
//!
//! See <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue, Request, Response, request};
use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use crate::body::{Problem, ReplyBody, next_data};
use crate::call::{Answer, Call, Pending, Reply};
use crate::clock;
use crate::shared::{InFlight, Shared};

const TYPE: HeaderValue = HeaderValue::from_static("application/grpc");
const ENCODINGS: HeaderValue = HeaderValue::from_static("identity,gzip,deflate");

const OK: u32 = 0;
const CANCELLED: u32 = 1;
const DEADLINE_EXCEEDED: u32 = 4;
const RESOURCE_EXHAUSTED: u32 = 8;
const INTERNAL: u32 = 13;

/// A status other than OK.
struct Failure(u32, String);

/// Return whether a request is a gRPC request.
pub fn is_grpc(request: &Request<Incoming>) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"application/grpc") && kind != "application/grpc-web"
    })
}

pub async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Response<ReplyBody> {
    let arrived = clock::now();
    let (head, incoming) = request.into_parts();
    let head = Arc::new(head);
    let deadline = head.headers.get("grpc-timeout").and_then(seconds).map(|left| arrived + left);
    let messages = Messages::new(incoming);
    let in_flight = Some(shared.enter());
    let mut exchange =
        Exchange { head, messages, arrived, deadline, shared, in_flight, pending: None };
    if exchange.shared.options.streams.contains(exchange.head.uri.path()) {
        let (sender, frames) = mpsc::channel(8);
        tokio::spawn(async move { exchange.stream(sender).await });
        return response(ReplyBody::Stream(frames));
    }
    match exchange.once().await {
        Ok(None) => failed(Failure(INTERNAL, "expected one message, got none".into())),
        Ok(Some(frame)) => response(ReplyBody::Unary(Some(frame), Some(trailers(OK, "")))),
        Err(failure) => failed(failure),
    }
}

/// A gRPC call with its messages.
struct Exchange {
    head: Arc<request::Parts>,
    messages: Messages,
    arrived: f64,
    deadline: Option<f64>,
    shared: Arc<Shared>,
    in_flight: Option<InFlight>,
    /// Further responses to the last message.
    pending: Option<Pending>,
}

impl Exchange {
    /// Return the next response: to the last message if it has more, else to the next message.
    /// `None` at the end of the messages.
    async fn once(&mut self) -> Result<Option<Bytes>, Failure> {
        let mut pending = match self.pending.take() {
            Some(pending) => pending,
            None => match self.messages.next(&self.shared, self.deadline).await? {
                None => return Ok(None),
                Some((message, compressed)) => {
                    let (call, pending) =
                        Call::grpc(&self.head, message, compressed, self.arrived, self.deadline);
                    self.shared.inbox.put(call);
                    pending
                }
            },
        };
        match pending.answer(self.deadline).await {
            Answer::Some(Reply::Grpc { code: OK, frame, next, .. }) => {
                if let Some(next) = next {
                    self.in_flight = None; // a client that only listens does not delay the shutdown
                    pending.receiver = next;
                    self.pending = Some(pending);
                }
                Ok(frame)
            }
            Answer::Some(Reply::Grpc { code, message, .. }) => Err(Failure(code, message)),
            Answer::Late => Err(Failure(DEADLINE_EXCEEDED, "deadline exceeded".into())),
            _ => Err(Failure(INTERNAL, "internal error; see the log of the server".into())),
        }
    }

    /// Answer the messages in order, until there are no more or the client disconnects.
    async fn stream(mut self, sender: mpsc::Sender<Frame<Bytes>>) {
        let end = loop {
            let answer = tokio::select! {
                answer = self.once() => answer,
                _ = sender.closed() => return,
            };
            match answer {
                Ok(Some(frame)) => {
                    if sender.send(Frame::data(frame)).await.is_err() {
                        return;
                    }
                    self.arrived = clock::now();
                }
                Ok(None) => break trailers(OK, ""),
                Err(Failure(code, message)) => break trailers(code, &message),
            }
        };
        let _ = sender.send(Frame::trailers(end)).await;
    }
}

/// Messages of a request's body.
struct Messages {
    body: Incoming,
    buffer: BytesMut,
}

impl Messages {
    fn new(body: Incoming) -> Self {
        Self { body, buffer: BytesMut::new() }
    }

    /// Return the next message and whether it is compressed; `None` at the end.
    async fn next(
        &mut self,
        shared: &Shared,
        deadline: Option<f64>,
    ) -> Result<Option<(Bytes, bool)>, Failure> {
        let limit = shared.options.max_body_bytes;
        loop {
            if self.buffer.len() >= 5 {
                let size = u32::from_be_bytes(self.buffer[1..5].try_into().expect("four bytes"));
                let size = size as usize;
                if size > limit {
                    let text = format!("message: expected at most {limit} bytes, got {size}");
                    return Err(Failure(RESOURCE_EXHAUSTED, text));
                }
                if self.buffer.len() >= 5 + size {
                    let compressed = self.buffer[0] == 1;
                    self.buffer.advance(5);
                    return Ok(Some((self.buffer.split_to(size).freeze(), compressed)));
                }
            }
            if self.body.is_end_stream() && self.buffer.is_empty() {
                return Ok(None);
            }
            let mut pause = shared.options.pause;
            if let Some(deadline) = deadline {
                let left = std::time::Duration::try_from_secs_f64(deadline - clock::now());
                pause = pause.min(left.unwrap_or_default());
            }
            match next_data(&mut self.body, pause).await {
                Ok(Some(data)) => self.buffer.extend_from_slice(&data),
                Ok(None) if self.buffer.is_empty() => return Ok(None),
                Ok(None) => return Err(Failure(INTERNAL, "the message ends early".into())),
                Err(Problem::TooSlow) => {
                    return Err(Failure(
                        DEADLINE_EXCEEDED,
                        "the message did not arrive in time".into(),
                    ));
                }
                Err(_) => return Err(Failure(CANCELLED, "the client has disconnected".into())),
            }
        }
    }
}

fn response(body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, TYPE);
    headers.insert("grpc-accept-encoding", ENCODINGS);
    response
}

fn failed(failure: Failure) -> Response<ReplyBody> {
    let mut response = response(ReplyBody::Full(None));
    response.headers_mut().extend(trailers(failure.0, &failure.1));
    response
}

fn trailers(code: u32, message: &str) -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(2);
    trailers.insert("grpc-status", code.into());
    if let Some(message) = percent_encoded(message) {
        trailers.insert("grpc-message", message);
    }
    trailers
}

fn percent_encoded(text: &str) -> Option<HeaderValue> {
    if text.is_empty() {
        return None;
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&encoded).ok()
}

/// Parse `grpc-timeout`, at most eight digits and a unit, as seconds.
fn seconds(value: &HeaderValue) -> Option<f64> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let scale = match unit {
        "H" => 3600.0,
        "M" => 60.0,
        "S" => 1.0,
        "m" => 1e-3,
        "u" => 1e-6,
        "n" => 1e-9,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * scale)
}
