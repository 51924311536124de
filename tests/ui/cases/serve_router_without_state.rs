use axum::{extract::State, routing::get, Router};

async fn run(listener: tokio::net::TcpListener) -> std::io::Result<()> {
    let app = Router::new().route("/", get(|State(greeting): State<String>| async { greeting }));
    tower_expect::serve(listener, app).await
}

fn main() {
    drop(run);
}
