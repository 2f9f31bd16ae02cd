//! Queue of complete requests until the handler is called with all of them.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyList;
use tokio::sync::Notify;

use crate::call::Call;

pub struct Inbox {
    calls: Mutex<Vec<Call>>,
    news: Notify,
}

impl Inbox {
    pub fn new() -> Self {
        Self { calls: Mutex::new(Vec::new()), news: Notify::new() }
    }

    pub fn put(&self, call: Call) {
        let mut calls = self.calls.lock().expect("no holder panics");
        calls.push(call);
        if calls.len() == 1 {
            self.news.notify_one();
        }
    }

    /// Call the handler with all requests. The runtime runs the ready connections before it
    /// continues here, so that requests that arrived together are in the same list.
    pub async fn hand_over(&self, handler: Py<PyAny>) {
        loop {
            self.news.notified().await;
            let calls = std::mem::take(&mut *self.calls.lock().expect("no holder panics"));
            Python::attach(|py| {
                let result = PyList::new(py, calls).and_then(|calls| handler.call1(py, (calls,)));
                if let Err(error) = result {
                    // Unanswered calls are answered with an error when they are freed.
                    error.write_unraisable(py, None);
                }
            });
        }
    }
}
