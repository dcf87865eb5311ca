//! Partnerships and mandates.
pub mod cast;
mod founding;
mod mandates;
mod sight;
