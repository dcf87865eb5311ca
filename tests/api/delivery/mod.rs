//! Handing over, and what breaks on the way.
mod channels;
