//! Handing over, and what breaks on the way.
mod channels;
mod claiming;
mod couriers;
mod desk;
mod kannel;
mod misbehaving;
mod outcomes;
mod plans;
mod reach;
mod reports;
mod retention;
mod together;
mod wire;
