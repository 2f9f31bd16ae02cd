//! The server: listeners, its single thread, and graceful shutdown.

use std::collections::HashSet;
use std::net::TcpListener as StdListener;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::HeaderName;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;

use crate::connection::serve;
use crate::inbox::Inbox;
use crate::shared::{Options, Phase, Shared};
use crate::tls;

/// Server on listening sockets, which calls `handler` with lists of `Call`.
#[pyclass(frozen, module = "perennial_front")]
pub struct Front {
    handler: Py<PyAny>,
    sockets: Vec<RawFd>,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    connections: Arc<Connections>,
}

/// Number of open connections.
#[derive(Default)]
struct Connections {
    open: AtomicUsize,
    none_left: Notify,
}

#[pymethods]
impl Front {
    #[new]
    #[pyo3(signature = (
        handler, sockets, *, max_body_bytes, max_connections, pause_seconds, idle_seconds,
        request_seconds = None, streams = Vec::new(), data_at_header = None, tls_files = None
    ))]
    #[allow(clippy::too_many_arguments)] // they are named in Python
    fn new(
        handler: Py<PyAny>,
        sockets: Vec<RawFd>,
        max_body_bytes: usize,
        max_connections: usize,
        pause_seconds: f64,
        idle_seconds: f64,
        request_seconds: Option<f64>,
        streams: Vec<String>,
        data_at_header: Option<&str>,
        tls_files: Option<(PathBuf, PathBuf)>,
    ) -> PyResult<Self> {
        let (sender, phase) = watch::channel(Phase::Serving);
        let options = Options {
            max_body_bytes,
            max_connections,
            pause: Duration::from_secs_f64(pause_seconds),
            idle: Duration::from_secs_f64(idle_seconds),
            request_seconds,
            streams: HashSet::from_iter(streams),
            data_at: data_at_header
                .map(|name| name.parse::<HeaderName>())
                .transpose()
                .map_err(|error| PyValueError::new_err(error.to_string()))?,
        };
        Ok(Self {
            handler,
            sockets,
            tls: tls_files.map(|(chain, key)| tls::acceptor(&chain, &key)).transpose()?,
            shared: Arc::new(Shared {
                inbox: Inbox::new(),
                options,
                phase,
                in_flight: AtomicUsize::new(0),
            }),
            phase: sender,
            connections: Arc::default(),
        })
    }

    /// Serve until `close` was called and the last connection has ended.
    fn run(&self, py: Python<'_>) -> PyResult<()> {
        let failed = |error: std::io::Error| PyRuntimeError::new_err(error.to_string());
        py.detach(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(failed)?;
            runtime.block_on(self.serve()).map_err(failed)
        })
    }

    /// Ask clients to reconnect elsewhere from now on, and continue to serve.
    fn drain(&self) {
        self.phase.send_replace(Phase::Draining);
    }

    /// Accept no more connections, finish the requests in flight, and stop.
    fn close(&self) {
        self.phase.send_replace(Phase::Closing);
    }

    /// Number of requests that have started to arrive and are not answered yet.
    #[getter]
    fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    /// Number of open connections.
    #[getter]
    fn connections(&self) -> usize {
        self.connections.open.load(Ordering::Relaxed)
    }
}

impl Front {
    async fn serve(&self) -> std::io::Result<()> {
        let handler = Python::attach(|py| self.handler.clone_ref(py));
        let shared = self.shared.clone();
        let inbox = tokio::spawn(async move { shared.inbox.hand_over(handler).await });
        let mut accepting = Vec::new();
        for &socket in &self.sockets {
            // SAFETY: Python keeps the sockets open as long as this runs.
            let socket = unsafe { BorrowedFd::borrow_raw(socket) }.try_clone_to_owned()?;
            let listener = StdListener::from(socket);
            listener.set_nonblocking(true)?;
            accepting.push(tokio::spawn(accept(
                TcpListener::from_std(listener)?,
                self.tls.clone(),
                self.shared.clone(),
                self.connections.clone(),
            )));
        }
        let mut phase = self.shared.phase.clone();
        let _ = phase.wait_for(|phase| *phase == Phase::Closing).await;
        for task in accepting {
            task.abort();
            let _ = task.await;
        }
        while self.connections.open.load(Ordering::Acquire) > 0 {
            self.connections.none_left.notified().await;
        }
        inbox.abort();
        Ok(())
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    connections: Arc<Connections>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if connections.open.load(Ordering::Relaxed) < shared.options.max_connections {
                    let _ = stream.set_nodelay(true);
                    let open = Open::new(connections.clone());
                    tokio::spawn(begin(stream, tls.clone(), shared.clone(), open));
                }
            }
            // Usually no descriptor is left; wait until a connection ends.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn begin(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>, _open: Open) {
    let Some(tls) = tls else {
        return serve(stream, shared).await;
    };
    let pause = shared.options.pause;
    if let Ok(Ok(stream)) = tokio::time::timeout(pause, tls.accept(stream)).await {
        serve(stream, shared).await;
    }
}

/// Guard that counts an open connection.
struct Open(Arc<Connections>);

impl Open {
    fn new(connections: Arc<Connections>) -> Self {
        connections.open.fetch_add(1, Ordering::Relaxed);
        Self(connections)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_one();
        }
    }
}
