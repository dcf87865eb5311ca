//! partnerships
