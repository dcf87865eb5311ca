//! Vigie, the look-out: the backend of local prevention partnerships (PLP, BIN). Modules in floor order, top to bottom;
//! each uses only those below it.

// composition
pub mod app;
pub mod demo;
pub mod worker;

// the domain
pub mod accounts;
pub mod members;
pub mod messages;
pub mod partnerships;
pub mod people;
pub mod territory;

// what the domain leans on
pub mod access;
pub mod config;
pub mod delivery;
pub mod doctor;
pub mod http;
pub mod storage;
pub mod texts;
pub mod values;
