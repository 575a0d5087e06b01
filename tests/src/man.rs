//! Manual pages as the programs' own command lines describe them, and the pages of `packaging/man` beside them.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Compares the pages of a program with those of this section in `packaging/man`, or writes them where `UPDATE` is set.
///
/// # Panics
/// Where they differ, with how they are written anew.
pub fn agree(command: Command, section: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/man");
    let pages = pages(command, section);
    let there = on_disk(&folder, section);
    let stale = there.keys().filter(|name| !pages.contains_key(*name));
    let changed = pages
        .iter()
        .filter(|(name, page)| there.get(*name) != Some(page));
    let mut differ: Vec<_> = stale.chain(changed.map(|(name, _)| name)).collect();
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(&folder).expect("a folder of the checkout can be made");
        for name in differ {
            let file = folder.join(name);
            match pages.get(name) {
                Some(page) => fs::write(file, page).expect("a page can be written"),
                None => fs::remove_file(file).expect("a page can be removed"),
            }
        }
        return;
    }
    differ.sort();
    assert!(
        differ.is_empty(),
        "packaging/man is not what the command line says: {differ:?}\n`UPDATE=1 cargo test --workspace --bins u4_the_manual` writes it anew; read the difference"
    );
}

fn on_disk(folder: &Path, section: &str) -> BTreeMap<String, String> {
    let mut there = BTreeMap::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.extension().is_some_and(|end| end == section) {
            let text = fs::read_to_string(&path).expect("a page is text");
            there.insert(file_name(&path), text);
        }
    }
    there
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str());
    name.expect("pages have plain names").to_owned()
}

/// A page for the program and for each of its commands, by file name.
fn pages(mut command: Command, section: &str) -> BTreeMap<String, String> {
    command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = BTreeMap::new();
    let version = command.get_version().unwrap_or_default().to_owned();
    let mut todo = vec![(command, None)];
    while let Some((command, above)) = todo.pop() {
        let text = page(&command, section, &version, above.as_deref());
        pages.insert(format!("{}.{section}", title(&command)), text);
        let below = command
            .get_subcommands()
            .filter(|below| !below.is_hide_set());
        todo.extend(below.map(|below| (below.clone(), Some(title(&command)))));
    }
    pages
}

fn title(command: &Command) -> String {
    let name = command.get_display_name();
    name.unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(command: &Command, section: &str, version: &str, above: Option<&str>) -> String {
    let shown = command
        .clone()
        .subcommand_help_heading("COMMANDS")
        .mut_args(|arg| match arg.is_positional() {
            true => arg.help_heading("Arguments"),
            false => arg,
        });
    let man = Man::new(shown).section(section);
    let mut text = Vec::new();
    let mut write = |part: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        part(&mut text).expect("memory takes everything");
    };
    write(&|to| head(command).to_writer(to));
    write(&|to| man.render_options_section(to));
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        write(&|to| man.render_subcommands_section(to));
    }
    write(&|to| foot(command, section, above).to_writer(to));
    let text = String::from_utf8(text).expect("clap's texts are UTF-8");
    // Each part begins with it; and an empty date is nothing unless it is quoted.
    let once = Roff::new().render();
    let title = title(command);
    let head = format!(".TH {title} {section} \"\" \"Seatkeeper {version}\" Seatkeeper\n");
    format!("{once}{head}{}", text.replace(&once, ""))
}

/// Name, synopsis and description: the first sentence, the usage that `--help` shows, and the whole of it.
fn head(command: &Command) -> Roff {
    let mut roff = Roff::new();
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let first = about.split(". ").next().unwrap_or_default();
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{} - {first}", title(command)))]);
    roff.control("SH", ["SYNOPSIS"]);
    let usage = command.clone().render_usage().to_string();
    for (n, line) in usage.lines().enumerate() {
        if n > 0 {
            roff.control("br", []);
        }
        let line = line.trim_start_matches("Usage:").trim();
        let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
        match line.strip_prefix(name) {
            Some(rest) => roff.text([bold(name), roman(rest)]),
            None => roff.text([roman(line)]),
        };
    }
    roff.control("SH", ["DESCRIPTION"]);
    let whole = command.get_long_about().map(ToString::to_string);
    for paragraph in whole.unwrap_or(about.clone()).split("\n\n") {
        roff.control("PP", []);
        roff.text([roman(format!("{}.", paragraph.trim_end_matches('.')))]);
    }
    roff
}

/// What stands below the help, paragraph by paragraph; one of several lines stays as it is. And where to read on.
fn foot(command: &Command, section: &str, above: Option<&str>) -> Roff {
    let mut roff = Roff::new();
    let notes = command.get_after_long_help();
    if let Some(notes) = notes.or_else(|| command.get_after_help()) {
        roff.control("SH", ["NOTES"]);
        for paragraph in notes.to_string().split("\n\n") {
            roff.control("PP", []);
            let verbatim = paragraph.trim_end().contains('\n') || paragraph.starts_with(' ');
            if verbatim {
                roff.control("nf", []);
            }
            for line in paragraph.lines() {
                roff.text([roman(line)]);
            }
            if verbatim {
                roff.control("fi", []);
            }
        }
    }
    let below = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set());
    let mut also: Vec<_> = above.map(str::to_owned).into_iter().collect();
    also.extend(below.map(title));
    if section == "1" && above.is_some_and(|above| above != "seatkeeper") {
        also.insert(0, "seatkeeper".to_owned());
    }
    let mut also: Vec<_> = also
        .iter()
        .map(|name| format!("{name}({section})"))
        .collect();
    if above.is_none() {
        also.push(match section {
            "1" => "seatkeeperd(8)".to_owned(),
            _ => "seatkeeper(1)".to_owned(),
        });
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(also.join(", "))]);
    roff
}
