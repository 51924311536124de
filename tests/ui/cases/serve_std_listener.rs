async fn run(listener: std::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    tower_expect::serve(listener, app).await
}

fn main() {
    drop(run);
}
