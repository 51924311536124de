use std::net::SocketAddr;

async fn run(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    tower_expect::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await
}

fn main() {
    drop(run);
}
