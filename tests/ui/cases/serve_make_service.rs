async fn run(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    tower_expect::serve(listener, app.into_make_service()).await
}

fn main() {
    drop(run);
}
