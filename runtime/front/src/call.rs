//! A request, as the handler sees it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ::http::{HeaderName, HeaderValue, request};
use bytes::{BufMut, Bytes, BytesMut};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMemoryView};
use std::sync::Arc;
use tokio::sync::oneshot;

use crate::body::Problem;
use crate::buffer::{Buffer, bytes_of};
use crate::clock;

/// Response of the handler.
pub enum Reply {
    Http {
        status: u16,
        content_type: HeaderValue,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    },
    /// `frame` is the message with its five bytes of prefix; `None` if the code is not 0. If it is
    /// not the last response, `next` receives the next one.
    Grpc {
        code: u32,
        message: String,
        frame: Option<Bytes>,
        next: Option<oneshot::Receiver<Reply>>,
    },
}

/// A complete request, or the reason why it is incomplete.
#[pyclass(frozen, module = "perennial_front")]
pub struct Call {
    head: Arc<request::Parts>,
    body: Result<Bytes, Problem>,
    compressed: bool,
    is_grpc: bool,
    arrived: f64,
    deadline: Option<f64>,
    gone: Arc<AtomicBool>,
    reply: Mutex<Option<oneshot::Sender<Reply>>>,
}

impl Call {
    pub fn http(
        head: request::Parts,
        body: Result<Bytes, Problem>,
        arrived: f64,
    ) -> (Self, Pending) {
        Self::new(Arc::new(head), body, false, false, arrived, None)
    }

    pub fn grpc(
        head: &Arc<request::Parts>,
        message: Bytes,
        compressed: bool,
        arrived: f64,
        deadline: Option<f64>,
    ) -> (Self, Pending) {
        Self::new(head.clone(), Ok(message), compressed, true, arrived, deadline)
    }

    fn new(
        head: Arc<request::Parts>,
        body: Result<Bytes, Problem>,
        compressed: bool,
        is_grpc: bool,
        arrived: f64,
        deadline: Option<f64>,
    ) -> (Self, Pending) {
        let (sender, receiver) = oneshot::channel();
        let gone = Arc::new(AtomicBool::new(false));
        let pending = Pending { gone: gone.clone(), receiver };
        let reply = Mutex::new(Some(sender));
        (Self { head, body, compressed, is_grpc, arrived, deadline, gone, reply }, pending)
    }

    /// Send a response; `rest` sends the next one.
    fn send(&self, reply: Reply, rest: Option<oneshot::Sender<Reply>>) -> bool {
        let sender = std::mem::replace(&mut *self.reply.lock().expect("no holder panics"), rest);
        sender.is_some_and(|sender| sender.send(reply).is_ok())
    }
}

#[pymethods]
impl Call {
    #[getter]
    fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    #[getter]
    fn method(&self) -> &str {
        self.head.method.as_str()
    }

    #[getter]
    fn path(&self) -> &str {
        self.head.uri.path()
    }

    #[getter]
    fn query(&self) -> &str {
        self.head.uri.query().unwrap_or("")
    }

    /// The body, or one gRPC message; empty if there is a `problem`.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.body.as_deref().unwrap_or_default())
    }

    /// The body without a copy, as a `memoryview`.
    #[getter]
    fn view<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        let body = self.body.clone().unwrap_or_default();
        PyMemoryView::from(Bound::new(py, Buffer(body))?.as_any())
    }

    #[getter]
    fn size(&self) -> usize {
        self.body.as_ref().map_or(0, Bytes::len)
    }

    /// Reason why the body is incomplete: "too large", "too slow"; else `None`.
    #[getter]
    fn problem(&self) -> Option<&'static str> {
        match self.body {
            Err(Problem::TooLarge) => Some("too large"),
            Err(_) => Some("too slow"),
            Ok(_) => None,
        }
    }

    /// True if the gRPC message is compressed as in the header grpc-encoding.
    #[getter]
    fn compressed(&self) -> bool {
        self.compressed
    }

    /// Time when the request's headers had arrived, on the clock of `time.perf_counter`.
    #[getter]
    fn arrived(&self) -> f64 {
        self.arrived
    }

    /// Deadline of the client on the same clock; `None` if it set none.
    #[getter]
    fn deadline(&self) -> Option<f64> {
        self.deadline
    }

    /// True if the client does not wait for the response any more.
    #[getter]
    fn cancelled(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Return a header by its name in lower case; `None` if it is absent or not text.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Respond to an HTTP request; return whether the client was still waiting.
    #[pyo3(signature = (status, content_type, body, headers = Vec::new()))]
    fn respond(
        &self,
        status: u16,
        content_type: &str,
        body: PyBackedBytes,
        headers: Vec<(String, String)>,
    ) -> PyResult<bool> {
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|error| PyValueError::new_err(error.to_string()))
        };
        let mut checked = Vec::with_capacity(headers.len());
        for (name, text) in &headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|error| PyValueError::new_err(error.to_string()))?;
            checked.push((name, value(text)?));
        }
        let body = bytes_of(body);
        let content_type = value(content_type)?;
        Ok(self.send(Reply::Http { status, content_type, headers: checked, body }, None))
    }

    /// Respond to a gRPC message; return whether the client was still waiting. In a stream, `more`
    /// responses can follow.
    #[pyo3(signature = (body, more = false))]
    fn respond_grpc(&self, body: &[u8], more: bool) -> bool {
        let mut frame = BytesMut::with_capacity(body.len() + 5);
        frame.put_u8(0);
        frame.put_u32(body.len() as u32);
        frame.put_slice(body);
        let (rest, next) = more.then(oneshot::channel).unzip();
        let frame = Some(frame.freeze());
        self.send(Reply::Grpc { code: 0, message: String::new(), frame, next }, rest)
    }

    /// End a gRPC call with an error.
    fn fail_grpc(&self, code: u32, message: String) -> bool {
        self.send(Reply::Grpc { code, message, frame: None, next: None }, None)
    }
}

/// The waiting side of a call. Dropping it marks the call as cancelled.
pub struct Pending {
    gone: Arc<AtomicBool>,
    pub receiver: oneshot::Receiver<Reply>,
}

impl Pending {
    /// Wait for the handler's response, until the deadline.
    pub async fn answer(&mut self, deadline: Option<f64>) -> Answer {
        let answer = match deadline {
            None => (&mut self.receiver).await,
            Some(deadline) => {
                let left = std::time::Duration::try_from_secs_f64(deadline - clock::now());
                match tokio::time::timeout(left.unwrap_or_default(), &mut self.receiver).await {
                    Err(_) => return Answer::Late,
                    Ok(answer) => answer,
                }
            }
        };
        answer.map_or(Answer::None, Answer::Some)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

pub enum Answer {
    Some(Reply),
    None,
    Late,
}
