//! One request, as the handler sees it.

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

/// What the handler answers.
pub enum Reply {
    Http {
        status: u16,
        content_type: HeaderValue,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    },
    /// `frame` is the message with its five bytes of prefix; none where the code is not 0. Where it
    /// is not the last answer, the next one will come from `next`.
    Grpc {
        code: u32,
        message: String,
        frame: Option<Bytes>,
        next: Option<oneshot::Receiver<Reply>>,
    },
}

/// A request that has arrived whole, or the reason why it has not.
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

    /// Sends an answer; `rest` will send the next one.
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

    /// The body, or one gRPC message; empty where `problem` says something.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.body.as_deref().unwrap_or_default())
    }

    /// The same, where it lies: a `memoryview`.
    #[getter]
    fn view<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        let body = self.body.clone().unwrap_or_default();
        PyMemoryView::from(Bound::new(py, Buffer(body))?.as_any())
    }

    #[getter]
    fn size(&self) -> usize {
        self.body.as_ref().map_or(0, Bytes::len)
    }

    /// Why the body did not arrive: "too large", "too slow"; else None.
    #[getter]
    fn problem(&self) -> Option<&'static str> {
        match self.body {
            Err(Problem::TooLarge) => Some("too large"),
            Err(_) => Some("too slow"),
            Ok(_) => None,
        }
    }

    /// Whether the gRPC message is compressed as the header grpc-encoding says.
    #[getter]
    fn compressed(&self) -> bool {
        self.compressed
    }

    /// When the request's head had arrived, on the clock of `time.perf_counter`.
    #[getter]
    fn arrived(&self) -> f64 {
        self.arrived
    }

    /// When the client gives up, on the same clock; None where it did not say.
    #[getter]
    fn deadline(&self) -> Option<f64> {
        self.deadline
    }

    /// Whether nobody waits for the answer any more.
    #[getter]
    fn cancelled(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// The value of a header, by its name in lower case; None where it is absent or no text.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Answers an HTTP request; whether somebody was still waiting.
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

    /// Answers a gRPC message; whether somebody was still waiting. Where a stream is answered there
    /// may be `more` answers to come.
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

    /// Ends a gRPC call with an error.
    fn fail_grpc(&self, code: u32, message: String) -> bool {
        self.send(Reply::Grpc { code, message, frame: None, next: None }, None)
    }
}

/// The other end of a call: waits for its answer, and tells the handler when nobody does any more.
pub struct Pending {
    gone: Arc<AtomicBool>,
    pub receiver: oneshot::Receiver<Reply>,
}

impl Pending {
    /// The handler's answer; None where it gave the call up without one, or not by the deadline.
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
