//! The system's own texts in French, Dutch, German and English: single phrases, letters, short messages and the few
//! pages behind a link. What people write themselves is only carried here, escaped, and never taken for a template.

mod announcement;
mod letter;
mod page;
mod phrase;
mod template;

pub use announcement::{Announcement, LEAVE_PLACEHOLDER, UNSUBSCRIBE_PLACEHOLDER, announcement_mail, announcement_sms};
pub use letter::{Letter, LetterKind, SmsKind, letter, sms};
pub use page::{PageKind, STYLE, page};
pub use phrase::phrase;
