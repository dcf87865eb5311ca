//! Channels that write to files instead of handing over: for demonstrations and for work on the code. What they write is
//! what would have been sent.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;

use crate::delivery::channel::Answer;
use crate::delivery::channel::Channel;
use crate::delivery::channel::Parcel;
use crate::delivery::email::MailSender;
use crate::delivery::email::compose;
use crate::delivery::sms::Encoding;
use crate::delivery::sms::sms_digest;
use crate::delivery::sms::sms_shape;
use crate::delivery::tray::Digest;
use crate::delivery::tray::Tray;

/// Files written in one go off the runtime.
const IN_ONE_GO: usize = 50;

/// E-mail as one `.eml` file each, named by key and attempt.
#[derive(Debug, Clone)]
pub struct FileMail {
    /// Where the files go; made if it is not there.
    pub directory: PathBuf,
    /// As whom mail is written.
    pub sender: MailSender,
}

#[async_trait]
impl Channel for FileMail {
    fn provider(&self) -> &str {
        "file-mail"
    }

    fn hands(&self) -> usize {
        1
    }

    async fn work(&self, tray: &Tray) {
        let desk = self.clone();
        off_the_runtime(tray, move |parcel| match compose(&desk.sender, parcel) {
            Ok(mail) => {
                let name = format!("{}-{}", parcel.key, parcel.attempt);
                answered(lay_down(&desk.directory, &name, &mail), || Sha256::digest(&mail).into())
            }
            Err(fault) => (Answer::refused(fault.to_string()), None),
        })
        .await;
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}

/// SMS as one JSON line each, appended to one file.
#[derive(Debug, Clone)]
pub struct FileSms {
    path: PathBuf,
    /// One line at a time.
    turn: Arc<Mutex<()>>,
}

impl FileSms {
    /// Appends to the file at this path; made if it is not there.
    pub fn new(path: PathBuf) -> Self {
        Self { path, turn: Arc::default() }
    }

    fn append(&self, parcel: &Parcel) -> io::Result<String> {
        let shape = sms_shape(&parcel.text());
        let mut line = json!({
            "to": parcel.address,
            "text": parcel.text(),
            "reference": parcel.key,
            "encoding": match shape.encoding { Encoding::Gsm7 => "gsm7", Encoding::Ucs2 => "ucs2" },
            "parts": shape.parts,
        })
        .to_string();
        line.push('\n');
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = private(OpenOptions::new().append(true).create(true)).open(&self.path)?;
        file.write_all(line.as_bytes())?;
        file.flush()?;
        Ok(parcel.key.clone())
    }
}

#[async_trait]
impl Channel for FileSms {
    fn provider(&self) -> &str {
        "file-sms"
    }

    fn hands(&self) -> usize {
        1
    }

    async fn work(&self, tray: &Tray) {
        let desk = self.clone();
        off_the_runtime(tray, move |parcel| answered(desk.append(parcel), || sms_digest(parcel))).await;
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}

fn answered(written: io::Result<String>, digest: impl FnOnce() -> Digest) -> (Answer, Option<Digest>) {
    match written {
        Ok(reference) => (Answer::Accepted { reference: Some(reference) }, Some(digest())),
        Err(fault) => (Answer::deferred(format!("file: {}", fault.kind())), None),
    }
}

/// Files block; the runtime's threads must not.
async fn off_the_runtime<F>(tray: &Tray, write: F)
where
    F: Fn(&Parcel) -> (Answer, Option<Digest>) + Send + Sync + 'static,
{
    let write = Arc::new(write);
    while let Some(first) = tray.next().await {
        let mut held = vec![first];
        held.extend(std::iter::from_fn(|| tray.try_next()).take(IN_ONE_GO - 1));
        let (parcels, write): (Vec<Parcel>, _) =
            (held.iter().map(|held| (**held).clone()).collect(), Arc::clone(&write));
        let written =
            tokio::task::spawn_blocking(move || parcels.iter().map(|parcel| write(parcel)).collect::<Vec<_>>());
        let mut written = written.await.unwrap_or_default().into_iter();
        for held in held {
            match written.next() {
                Some((answer, digest)) => held.answer(answer, digest),
                None => held.answer(Answer::unknown("file: writer stopped"), None),
            }
        }
    }
}

/// Lays a whole file down under a name that is free, so that neither half a mail nor a lost one is ever seen.
fn lay_down(directory: &Path, stem: &str, mail: &[u8]) -> io::Result<String> {
    fs::create_dir_all(directory)?;
    let draft = directory.join(format!(".{stem}.{}", std::process::id()));
    let mut file: File = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&draft)?;
    file.write_all(mail)?;
    file.flush()?;
    let mut name = format!("{stem}.eml");
    let mut repeat = 1;
    while directory.join(&name).exists() {
        repeat += 1;
        name = format!("{stem}.{repeat}.eml");
    }
    fs::rename(&draft, directory.join(&name))?;
    Ok(name)
}

/// Only for the owner: the files hold addresses and messages.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fall over")]

    use std::time::Duration;

    use super::*;
    use crate::delivery::content::Body;
    use crate::delivery::tray::hand_over;
    use crate::values::{Id, Timestamp};

    fn parcel(delivery: i64, address: &str, text: &str) -> Parcel {
        Parcel {
            delivery,
            key: format!("key{delivery}"),
            attempt: 1,
            address: address.into(),
            content: Id::new(),
            body: Arc::new(Body { subject: "Subject".into(), text: text.into(), html: None }),
            links: None,
            return_path: None,
            receipt_url: None,
            at: Timestamp::from_micros(0),
            deadline_in: Duration::from_secs(60),
        }
    }

    #[tokio::test]
    async fn a_repeated_attempt_overwrites_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let sender =
            MailSender { from: "plp@example.be".parse().unwrap(), reply_to: None, domain: "example.be".into() };
        let channel = FileMail { directory: directory.path().join("mail"), sender: sender.clone() };
        for text in ["first", "second"] {
            hand_over(&channel, vec![parcel(1, "an@example.be", text)]).await;
        }
        let read = |name: &str| fs::read_to_string(directory.path().join("mail").join(name)).unwrap();
        assert!(read("key1-1.eml").contains("first") && read("key1-1.2.eml").contains("second"));
        assert_eq!(fs::read_dir(directory.path().join("mail")).unwrap().count(), 2, "a draft was left behind");
        let refused =
            hand_over(&channel, vec![Parcel { key: "../../etc/x".into(), ..parcel(1, "an@example.be", "") }]).await;
        assert_eq!(refused[0].answer, Answer::refused("unusable message id"));
    }

    #[tokio::test]
    async fn sms_written_at_once_from_many_sides_are_whole_lines() {
        let directory = tempfile::tempdir().unwrap();
        let channel = FileSms::new(directory.path().join("sms.jsonl"));
        let batches = (0..8).map(|n| {
            let channel = channel.clone();
            async move {
                hand_over(&channel, (0..50).map(|i| parcel(n * 50 + i, "+32470000000", "België")).collect()).await
            }
        });
        let answers = futures_util::future::join_all(batches).await;
        assert_eq!(answers.iter().map(Vec::len).sum::<usize>(), 400);
        let lines = fs::read_to_string(directory.path().join("sms.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 400);
        let last = lines.iter().find(|line| line["reference"] == "key399").unwrap();
        let wanted =
            json!({"to": "+32470000000", "text": "België", "reference": "key399", "encoding": "ucs2", "parts": 1});
        assert_eq!(*last, wanted);
    }
}
