//! Partnerships and mandates.
pub mod cast;
mod founding;
mod going_live;
mod mandates;
mod sight;
