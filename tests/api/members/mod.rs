//! Members: how they come, how they are shown, how they go.

mod applying;
mod deciding;
mod inbound;
mod leaving;
mod listing;
mod neighbourhood;
mod reached;
mod scanned;
mod unreachable;
