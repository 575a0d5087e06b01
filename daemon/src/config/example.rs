//! The commented example file: every setting with its default, made from the table and shipped as `seatkeeper.toml`.

use super::keys::KEYS;

/// Characters of a line.
const WIDTH: usize = 96;

/// The text of the example file.
#[must_use]
pub fn example() -> String {
    let mut text = String::from(
        "# Seatkeeper daemon. Every setting stands here with its default; take away the `#` to change one.\n\
         # Files in conf.d/*.toml come after this one in the order of their names, then SEATKEEPERD_NAME in\n\
         # the environment, then flags: the last one wins. `seatkeeperd check-config` says what is wrong, or\n\
         # which value comes from where.\n",
    );
    let mut table = None;
    for key in KEYS {
        text.push('\n');
        let (of, name) = key.place();
        if let Some(head) = of.filter(|_| of != table) {
            text.push_str(&format!(
                "# Settings of [{head}]: take away the `#` of this line, too.\n#[{head}]\n\n"
            ));
        }
        table = of;
        let values = key.values().map(|values| format!(" Takes {values}."));
        let about = format!("{}{}", key.about, values.unwrap_or_default());
        for line in wrapped(&about) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("#{name} = {}\n", key.default));
    }
    text
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + word.len() >= WIDTH {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
