//! A subscriber that keeps what it is told, a line an event.
//!
//! There is one for the process, and each thread has its own level and lines: what subscribers of
//! threads think of a callsite is cached for all of them, and the cache is late while they come and go.

use std::{
    cell::{Cell, RefCell},
    fmt::{self, Write},
    sync::OnceLock,
};

use tracing::{
    field::{Field, Visit},
    level_filters::LevelFilter,
    subscriber::{set_global_default, Interest},
    Event, Metadata, Subscriber,
};
use tracing_subscriber::{
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    Layer,
};

thread_local! {
    static LEVEL: Cell<LevelFilter> = const { Cell::new(LevelFilter::OFF) };
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the events of this thread up to the level.
pub(crate) fn keep(level: LevelFilter) {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        set_global_default(tracing_subscriber::registry().with(Kept)).unwrap();
    });
    LEVEL.set(level);
}

/// Such as `DEBUG tower_expect [request] 100 Continue | tower_expect.delay: f64`.
pub(crate) fn take() -> Vec<String> {
    LINES.take()
}

struct Kept;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Kept {
    /// To be asked each time.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= LEVEL.get()
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let spans = context.event_scope(event).into_iter();
        let spans: Vec<_> = spans.flatten().map(|span| span.name()).collect();
        let metadata = event.metadata();
        let mut line = Line::default();
        event.record(&mut line);
        let (level, target) = (metadata.level(), metadata.target());
        let Line { message, fields } = line;
        let line = format!("{level} {target} {spans:?} {message}{fields}").replace('"', "");
        LINES.with_borrow_mut(|lines| lines.push(line));
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
