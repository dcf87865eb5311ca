//! The edge, without any domain word: problems, strict bodies and queries, answers, pages, and how each describes itself
//! in the contract.

mod answer;
mod body;
mod csv_file;
mod describe;
mod edge;
mod etag;
mod heard;
mod html;
mod listing;
mod metrics;
mod path;
mod path_id;
mod problem;
mod query;
mod rates;
mod raw_mail;
mod shape;

pub use answer::{Answer, StoredAnswer};
pub use body::{BodyHash, Form, Json};
pub use csv_file::CsvFile;
pub use describe::{Described, Operation};
pub use edge::{RootSpan, client_network, finish, request_id};
pub use etag::IfMatch;
pub use heard::Heard;
pub use html::Html;
pub use listing::{Listing, PAGE_MAX, page_limit};
pub use metrics::Counters;
pub use path::PathText;
pub use path_id::PathId;
pub use problem::{FieldFault, Problem, ProblemType, Refusals};
pub use query::Query;
pub use rates::{RateClass, Rates};
pub use raw_mail::RawMail;
