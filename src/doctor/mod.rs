//! Doctor: does the world believe our mail? SPF, DKIM, DMARC and PTR are read from the DNS as a receiving server reads
//! them, judged one by one, and answered with the record to publish. The verdict is kept: in production a partnership
//! goes live only while the newest one is good (accept M19).
//!
//! Nothing here ever stops a mail: a record that somebody broke must not silence an alert. It stops beginnings, and it
//! raises its voice in the log.

mod dkim;
mod dmarc;
mod dns;
mod examine;
mod finding;
mod ptr;
mod rules;
mod spf;
mod spf_record;
mod spf_walk;
mod store;
mod subject;
#[cfg(test)]
mod zone;

pub use dns::{Answer, CouldNotAsk, Dns, Resolver};
pub use examine::examine;
pub use finding::{CheckName, Finding, Outcome, Report, Verdict};
pub use rules::{LastCheck, Standing};
pub use store::{is_due, record, standing};
pub use subject::Subject;
