//! What an SMS to us says, as far as a machine may act on it. Nothing else of it is kept: it may be about somebody, or a
//! call for help that nobody here would read.

crate::words! {
    /// The one thing an SMS to us is taken for.
    pub enum Word {
        /// No more SMS.
        Stop = "stop",
        /// SMS again.
        Start = "start",
        /// What is this?
        Help = "help",
        /// Anything else.
        Other = "other",
    }
}

const STOP: &[&str] = &[
    "STOP",
    "STOPP",
    "STOPPEN",
    "STOPSMS",
    "ARRET",
    "ARRETE",
    "ARRETER",
    "ARRETEZ",
    "DESABONNER",
    "AFMELDEN",
    "UITSCHRIJVEN",
    "ABMELDEN",
    "ABBESTELLEN",
    "UNSUBSCRIBE",
];
const START: &[&str] = &["START", "UNSTOP", "REPRENDRE", "REPRISE", "ENTREE", "HERVATTEN", "HERNEMEN", "WEITER"];
const HELP: &[&str] = &["HELP", "INFO", "AIDE", "HULP", "HILFE"];
/// A word to end SMS may have company ("stop please"); a sentence is one that somebody should have read ("Stop the thief in
/// Rue du Lion").
const STOP_WORDS_MAX: usize = 3;

impl Word {
    /// Any case, with or without accents, whatever stands around it. The first word decides about STOP; START and HELP
    /// stand alone, as both begin sentences that mean something else.
    pub(super) fn of(text: &str) -> Self {
        let folded: String = text.chars().flat_map(char::to_uppercase).filter_map(plain).collect();
        let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [first, rest @ ..] if STOP.contains(first) && rest.len() < STOP_WORDS_MAX => Self::Stop,
            [only] if START.contains(only) => Self::Start,
            [only] if HELP.contains(only) => Self::Help,
            _ => Self::Other,
        }
    }
}
/// A capital letter without its accent; none for an accent that stands by itself.
const fn plain(letter: char) -> Option<char> {
    Some(match letter {
        'À' | 'Á' | 'Â' | 'Ã' | 'Ä' => 'A',
        'Ç' => 'C',
        'È' | 'É' | 'Ê' | 'Ë' => 'E',
        'Ì' | 'Í' | 'Î' | 'Ï' => 'I',
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' => 'O',
        'Ù' | 'Ú' | 'Û' | 'Ü' => 'U',
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{feff}' => return None,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HELP, START, STOP, Word};

    /// Accept M17: STOP, ARRET, STOPP, however a phone writes them.
    #[test]
    fn each_word_is_known_however_it_is_written() {
        let table: &[(Word, &[&str])] = &[
            (
                Word::Stop,
                &[
                    "STOP",
                    "stop",
                    "Stop.",
                    " stop ",
                    "\"STOP\"",
                    "STOP!!!",
                    "«stop»",
                    "stop\n",
                    "\u{feff}Stop",
                    "\u{a0}stop\u{a0}",
                    "STOPP",
                    "stoppen",
                    "ARRET",
                    "arret",
                    "ARRÊT",
                    "arrêt",
                    "Arre\u{302}t",
                    "Arrêter",
                    "ARRÊTEZ!",
                    "arrêté",
                    "Désabonner",
                    "Afmelden",
                    "uitschrijven",
                    "Abmelden.",
                    "unsubscribe",
                    "STOP SMS",
                    "stop please",
                    "STOP svp merci",
                    "Stop, bitte",
                    "Arrêter les SMS",
                    "stopsms",
                ],
            ),
            (Word::Start, &["START", "start", "Start!", "UNSTOP", "entrée", "Reprendre", "hervatten", "Weiter"]),
            (Word::Help, &["HELP", "help?", "AIDE", "Hulp", "hilfe!", "info", " Info "]),
            (
                Word::Other,
                &[
                    "",
                    " ",
                    "...",
                    "👍",
                    "ok",
                    "merci",
                    "Help ik word overvallen",
                    "Aide il y a un voleur",
                    "start de auto",
                    "Stop the thief in Rue du Lion",
                    "Stop! Au voleur rue du Lion 3",
                    "stopt",
                    "nonstop",
                    "please stop",
                    "ne pas STOP",
                    "STOPSTOP",
                    "101",
                    "S T O P",
                ],
            ),
        ];
        for (word, texts) in table {
            for text in *texts {
                assert_eq!(Word::of(text), *word, "{text:?}");
            }
        }
    }
    #[test]
    fn no_word_stands_on_two_lists() {
        let mut all: Vec<&str> = [STOP, START, HELP].concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for word in all {
            assert_ne!(Word::of(&word.to_lowercase()), Word::Other, "{word}");
        }
    }
    proptest! {
        #[test]
        fn any_text_is_taken_for_something(text in ".{0,400}") {
            let _ = Word::of(&text);
        }
        #[test]
        fn a_long_text_ends_nothing(words in prop::collection::vec("[a-z]{1,8}", 4..20)) {
            prop_assert_eq!(Word::of(&format!("stop {}", words.join(" "))), Word::Other);
        }
    }
}
