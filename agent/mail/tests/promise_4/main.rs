//! Promise 4, nothing is lost: a revoke takes exactly the company's account, and a restore gives it back byte for byte.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod every_client;
mod generated;
mod hostile_homes;
mod nothing_is_lost;
mod person;
mod set_up_again;
