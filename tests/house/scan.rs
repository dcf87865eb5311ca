//! Reads Rust source as words, without comments and the insides of strings. Simple on purpose: it knows just enough of
//! the language never to take a comment or a text for code.

/// A word, a `::` or a single sign, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub line: usize,
    pub text: String,
}

/// The source with comments, strings and characters blanked; lines stay where they are.
pub fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut code = String::with_capacity(source.len());
    let mut i = 0;
    let blank = |code: &mut String, c: char| code.push(if c == '\n' { '\n' } else { ' ' });
    while i < chars.len() {
        let starts_word = i == 0 || !is_word(at(i - 1));
        if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                code.push(' ');
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            while i < chars.len() {
                let (open, close) = (at(i) == '/' && at(i + 1) == '*', at(i) == '*' && at(i + 1) == '/');
                depth += i32::from(open) - i32::from(close);
                let width = if open || close { 2 } else { 1 };
                (0..width).for_each(|k| blank(&mut code, at(i + k)));
                i += width;
                if depth == 0 {
                    break;
                }
            }
        } else if let Some((hashes, start)) = raw_string(&chars, i).filter(|_| starts_word) {
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let mut stop = start;
            while stop < chars.len() && !chars[stop..].starts_with(&end) {
                stop += 1;
            }
            stop = (stop + end.len()).min(chars.len());
            (i..stop).for_each(|k| blank(&mut code, at(k)));
            i = stop;
        } else if at(i) == '"' {
            code.push('"');
            i += 1;
            while i < chars.len() && at(i) != '"' {
                if at(i) == '\\' {
                    blank(&mut code, at(i));
                    i += 1;
                }
                blank(&mut code, at(i));
                i += 1;
            }
            code.push('"');
            i += 1;
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            // A character, not a lifetime.
            let mut stop = if at(i + 1) == '\\' { i + 3 } else { i + 2 };
            while stop < chars.len() && at(stop) != '\'' {
                stop += 1;
            }
            (i..=stop.min(chars.len() - 1)).for_each(|k| blank(&mut code, at(k)));
            i = stop + 1;
        } else {
            code.push(at(i));
            i += 1;
        }
    }
    code
}
/// The number of `#` of a raw string that begins here, and where its text begins.
fn raw_string(chars: &[char], from: usize) -> Option<(usize, usize)> {
    let mut i = from;
    if chars.get(i) == Some(&'b') || chars.get(i) == Some(&'c') {
        i += 1;
    }
    if chars.get(i) != Some(&'r') {
        return None;
    }
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(i + 1 + hashes) == Some(&'"')).then_some((hashes, i + 2 + hashes))
}

/// The words of a source.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for (number, line) in code_only(source).lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token { line: number + 1, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    found
}
/// The lines where these words stand in a row.
pub fn lines_with(tokens: &[Token], words: &[&str]) -> Vec<usize> {
    tokens
        .windows(words.len())
        .filter(|window| window.iter().zip(words).all(|(token, word)| token.text == *word))
        .map(|window| window[0].line)
        .collect()
}

#[test]
fn only_code_is_read() {
    let source = r####"
        // dbg!(1)
        /* todo!() /* nested */ println!() */
        let text = "crate::people \" println!()";
        let raw = r#"dbg!("x")"#;
        let byte = b"todo!()"; let quote = '"'; let escaped = '\''; let slash = '\\';
        fn life<'a>(x: &'a str) { real!(x) }
    "####;
    let words = tokens(source);
    for hidden in ["dbg", "todo", "println", "crate"] {
        assert!(lines_with(&words, &[hidden]).is_empty(), "{hidden} stands in a comment or a text");
    }
    assert_eq!(lines_with(&words, &["real", "!"]), [7]);
    assert_eq!(lines_with(&tokens("a ::\n b"), &["a", "::", "b"]), [1]);
}
