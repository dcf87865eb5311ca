//! What holds for every route at once, driven by the table of routes and the contract: a new route is covered by itself,
//! or a test says what it cannot fill in.

mod bad_input;
mod busy;
mod idempotency;
mod logs;
mod ready;
mod roles;
mod schema;
mod stage;
