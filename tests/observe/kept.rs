//! A subscriber that keeps what it is told, a line an event.

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex},
};

use tracing::{
    field::{Field, Visit},
    level_filters::LevelFilter,
    subscriber::DefaultGuard,
    Event, Subscriber,
};
use tracing_subscriber::{
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
    Layer,
};

#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<String>>>);

impl Kept {
    /// Keeps the events of this thread, as long as the guard is there.
    pub(crate) fn up_to(level: LevelFilter) -> (Self, DefaultGuard) {
        let kept = Self::default();
        let subscriber = tracing_subscriber::registry()
            .with(kept.clone())
            .with(level);
        (kept, subscriber.set_default())
    }

    /// Such as `DEBUG tower_expect [request] 100 Continue | tower_expect.delay: f64`.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let spans = context.event_scope(event).into_iter();
        let spans: Vec<_> = spans.flatten().map(|span| span.name()).collect();
        let metadata = event.metadata();
        let mut line = Line::default();
        event.record(&mut line);
        let (level, target) = (metadata.level(), metadata.target());
        let Line { message, fields } = line;
        let line = format!("{level} {target} {spans:?} {message}{fields}").replace('"', "");
        self.0.lock().unwrap().push(line);
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        write!(self.fields, " | {field}: {value}").unwrap();
    }
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, format_args!("u64 {value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, format_args!("bool {value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("str {value}"));
    }

    /// All of them are seconds.
    fn record_f64(&mut self, field: &Field, value: f64) {
        assert!((0.0..60.0).contains(&value), "{field}: {value}");
        self.add(field, format_args!("f64"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.add(field, format_args!("debug {value:?}")),
        }
    }
}
