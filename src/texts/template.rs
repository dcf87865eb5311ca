//! The engine behind mails and pages. Templates are ours and compiled in; values are text, escaped in `.html`.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, State, Value};

use super::phrase::phrase;
use crate::values::Language;

const SOURCES: &[(&str, &str)] = &[
    ("mail.txt", include_str!("templates/mail.txt")),
    ("mail.html", include_str!("templates/mail.html")),
    ("page.html", include_str!("templates/page.html")),
];

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    match SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        Ok(syntax) => templates.set_syntax(syntax),
        Err(fault) => tracing::error!(%fault, "the syntax of the templates cannot be set"),
    }
    templates.add_function("t", t);
    for (name, source) in SOURCES {
        if let Err(fault) = templates.add_template(name, source) {
            tracing::error!(template = name, %fault, "a template cannot be read");
        }
    }
    templates
});

/// In a template, `t("key")` is that phrase in the language of the text.
fn t(state: &State<'_, '_>, key: &str) -> String {
    let wanted = state.lookup("language");
    let wanted = wanted.as_ref().and_then(Value::as_str);
    let language = Language::ALL.iter().copied().find(|language| Some(language.as_str()) == wanted);
    phrase(language.unwrap_or(Language::Fr), key, &[])
}

/// The template filled in; nothing (and a line in the log) if that cannot be done.
pub(super) fn render(name: &str, values: Value) -> Option<String> {
    let rendered = TEMPLATES.get_template(name).and_then(|template| template.render(values));
    rendered.inspect_err(|fault| tracing::error!(template = name, %fault, "a template cannot be filled in")).ok()
}
