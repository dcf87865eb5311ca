//! Handing over, and what breaks on the way.
mod alarms;
mod bounces;
mod channels;
mod claiming;
mod couriers;
mod desk;
mod kannel;
mod metrics;
mod misbehaving;
mod outcomes;
mod plans;
mod providers;
mod reach;
mod reports;
mod retention;
mod together;
mod wire;
