//! Something that happens at the n-th step that would change a disk: a crash, after which nothing more is done, or a write by somebody else.

use std::cell::RefCell;

type Event = Box<dyn FnOnce()>;

thread_local! {
    static NEXT: RefCell<Option<(u32, Event)>> = const { RefCell::new(None) };
}

/// Lets `steps` steps of this thread be done, and crashes at the next. `None`: never.
pub(crate) fn after(steps: Option<u32>) {
    let crash = || -> () { std::panic::resume_unwind(Box::new("simulated crash")) };
    NEXT.set(steps.map(|steps| (steps, Box::new(crash) as Event)));
}

/// Lets `steps` steps of this thread be done, and does `event` before the next.
pub(crate) fn interrupt(steps: u32, event: impl FnOnce() + 'static) {
    NEXT.set(Some((steps, Box::new(event))));
}

/// Whether the event has not happened yet. Takes it away.
pub(crate) fn is_pending() -> bool {
    NEXT.take().is_some()
}

/// Called before every change to a disk.
pub(crate) fn step() {
    match NEXT.take() {
        None => {}
        Some((0, event)) => event(),
        Some((left, event)) => NEXT.set(Some((left - 1, event))),
    }
}
