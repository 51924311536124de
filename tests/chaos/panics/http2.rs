//! Over HTTP/2 by the server in `http2`: the stream is reset, and its connection goes on.

use bytes::Bytes;
use h2::{client::SendRequest, Reason};
use http::{Request, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use tower_expect::LingerEnd;

use super::{app, readings, Place, Seen, PLACES};
use crate::support::{count_panics, panics, soon};

const REJECTED: StatusCode = StatusCode::FORBIDDEN;

async fn connect(app: axum::Router) -> SendRequest<Bytes> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { tower_expect::serve(listener, app).await });
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The status of the answer, or the reason of the reset, before its content or within it.
async fn ask(
    client: &SendRequest<Bytes>,
    path: &str,
    reject: bool,
    content: &'static str,
) -> Result<StatusCode, Option<Reason>> {
    let mut client = soon("closed", client.clone().ready()).await.unwrap();
    let mut request = Request::put(format!("http://a{path}"))
        .header("expect", "100-continue")
        .header("content-length", 10);
    if reject {
        request = request.header("x-reject", "yes");
    }
    let (response, mut stream) = client
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    // It is reset before, if it is.
    _ = stream.send_data(content.into(), content.len() == 10);
    let response = soon("no answer", response).await;
    let response = response.map_err(|error| error.reason())?;
    let status = response.status();
    let mut body = response.into_body();
    while let Some(data) = soon("no end", body.data()).await {
        let data = data.map_err(|error| error.reason())?;
        _ = body.flow_control().release_capacity(data.len());
    }
    Ok(status)
}

#[tokio::test]
async fn a_panic_resets_its_stream_and_the_next_on_the_connection_is_served() {
    count_panics();
    for (number, (place, path, reject, seen)) in PLACES.into_iter().enumerate() {
        let (app, ends) = app(place);
        let client = connect(app).await;
        let answer = ask(&client, path, reject, "hello").await;
        match seen {
            Seen::Answer(status) => assert_eq!(answer.unwrap(), status, "{place:?}"),
            // An empty answer is on its way before its body is dropped.
            _ if place == Place::ObserverOfLingering && reject => assert_eq!(answer, Ok(REJECTED)),
            _ => assert_eq!(answer, Err(Some(Reason::INTERNAL_ERROR)), "{place:?}"),
        }
        let before = usize::from(place == Place::ResponseBody);
        readings(&ends, before).await;
        assert_eq!(
            ask(&client, "/", false, "0123456789").await,
            Ok(StatusCode::OK)
        );
        assert_eq!(ask(&client, "/", true, "hello").await, Ok(REJECTED));
        // The one place for readers was free again; the client has reset the stream.
        let ends = readings(&ends, before + 1).await;
        assert_eq!(ends.last(), Some(&LingerEnd::Gone), "{place:?}");
        assert_eq!(panics(), number + 1, "{place:?}");
    }
}
