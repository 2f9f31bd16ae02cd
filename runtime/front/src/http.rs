//! An HTTP request with one body in and one body out.

use ::http::header::{CONNECTION, CONTENT_TYPE, SERVER};
use ::http::{HeaderValue, Request, Response, StatusCode, Version};
use bytes::Bytes;
use hyper::body::Incoming;

use crate::body::{Problem, ReplyBody, read_all};
use crate::call::{Answer, Call, Reply};
use crate::clock;
use crate::shared::Shared;

const NAME: HeaderValue = HeaderValue::from_static("perennial-runtime");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Answer a request; return `None` if its client has disconnected.
pub async fn answer(request: Request<Incoming>, shared: &Shared) -> Option<Response<ReplyBody>> {
    let arrived = clock::now();
    let (head, mut incoming) = request.into_parts();
    let version = head.version;
    let is_head = head.method == ::http::Method::HEAD;
    let options = &shared.options;
    let data_at = options.data_at.as_ref().and_then(|name| head.headers.get(name));
    let data_at = data_at.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    let body = read_all(&mut incoming, options.max_body_bytes, options.pause, data_at).await;
    if matches!(body, Err(Problem::Broken)) {
        return None;
    }
    let unread = body.is_err();
    let (call, mut pending) = Call::http(head, body, arrived);
    shared.inbox.put(call);
    let deadline = options.request_seconds.map(|seconds| arrived + seconds);
    let mut response = match pending.answer(deadline).await {
        Answer::Some(Reply::Http { status, content_type, headers, body }) => {
            let mut response = Response::new(ReplyBody::Full(Some(body)));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response.headers_mut().insert(CONTENT_TYPE, content_type);
            for (name, value) in headers {
                response.headers_mut().append(name, value);
            }
            response
        }
        Answer::Late => failure(StatusCode::SERVICE_UNAVAILABLE, "the request took too long"),
        _ => {
            failure(StatusCode::INTERNAL_SERVER_ERROR, "internal error; see the log of the server")
        }
    };
    response.headers_mut().insert(SERVER, NAME);
    // The unread rest of a body must not be read as the next request.
    if version <= Version::HTTP_11 && (unread || shared.is_draining()) {
        response.headers_mut().insert(CONNECTION, CLOSE);
    }
    if is_head {
        *response.body_mut() = ReplyBody::Full(None);
    }
    Some(response)
}

fn failure(status: StatusCode, text: &str) -> Response<ReplyBody> {
    let body = Bytes::from(format!("{{\"error\":\"{text}\"}}"));
    let mut response = Response::new(ReplyBody::Full(Some(body)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
