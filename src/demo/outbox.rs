//! What a demonstration has sent: distinct recipients of one message, read back from the files.

use std::collections::HashSet;
use std::path::Path;

/// Distinct recipients of a message on each channel.
#[derive(Debug, Default)]
pub(super) struct Reached {
    pub(super) emails: usize,
    pub(super) sms: usize,
}

/// Counts the recipients of the message with this code. Member mails carry `List-Unsubscribe`; notices to officers do not.
pub(super) fn reached(data_dir: &Path, short_code: &str) -> anyhow::Result<Reached> {
    let outbox = data_dir.join("outbox");
    let link = format!("/v/{short_code}");
    let (mut emails, mut sms) = (HashSet::new(), HashSet::new());
    for entry in std::fs::read_dir(&outbox)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        // Quoted-printable folds lines with `=`; the link is looked for without the folds.
        let mail = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let unfolded = mail.replace("=\r\n", "");
        if unfolded.contains(&link) && mail.contains("List-Unsubscribe:") {
            emails.extend(mail.lines().find_map(|line| line.strip_prefix("To: ")).map(str::to_owned));
        }
    }
    let lines = std::fs::read_to_string(outbox.join("sms.jsonl")).unwrap_or_default();
    for line in lines.lines() {
        let sent: serde_json::Value = serde_json::from_str(line)?;
        let text = sent.get("text").and_then(serde_json::Value::as_str).unwrap_or_default();
        if text.contains(&link) {
            sms.extend(sent.get("to").and_then(serde_json::Value::as_str).map(str::to_owned));
        }
    }
    Ok(Reached { emails: emails.len(), sms: sms.len() })
}
