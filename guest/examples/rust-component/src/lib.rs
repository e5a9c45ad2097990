// Says hello to ?name= by the interfaces of wasi:http.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Hello;
wasip2::http::proxy::export!(Hello);

impl Guest for Hello {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let name = target.split_once("name=").map_or("world", |(_, name)| name);
        let headers = Fields::new();
        headers
            .append("content-type", b"text/plain; charset=utf-8")
            .expect("a field that is allowed");
        let response = OutgoingResponse::new(headers);
        let body = response.body().expect("a body that nobody has taken");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("a stream that nobody has taken");
        stream
            .blocking_write_and_flush(format!("Hello, {name}!").as_bytes())
            .expect("a reader");
        drop(stream);
        OutgoingBody::finish(body, None).expect("a body that is whole");
    }
}
