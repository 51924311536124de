//! A stack on a tokio runtime, where the body of a rejected request is drained by a task.

use tokio::runtime::{Builder, Runtime};

use super::Exchange;

struct InRuntime {
    stack: Box<dyn Exchange>,
    runtime: Runtime,
}

pub(super) fn in_runtime(stack: Box<dyn Exchange>) -> Box<dyn Exchange> {
    let runtime = runtime();
    Box::new(InRuntime { stack, runtime })
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().build().expect("a runtime")
}

impl Exchange for InRuntime {
    fn prepare(&mut self, requests: usize) {
        // Nothing drives the tasks; those of earlier requests are dropped with their runtime.
        self.runtime = runtime();
        self.stack.prepare(requests);
    }

    fn run(&mut self) {
        let _entered = self.runtime.enter();
        self.stack.run();
    }
}
