//! What `kactl --help` prints, and the lists of the manual page: made from the tables.

use super::options::{CommandForm, Flag, COMMANDS, FLAGS};
use crate::cli::help::roff;

/// Lines of the help are no longer than this.
const WIDTH: usize = 80;
const USAGE: &str = "Usage: ";

/// What `--help` prints, with or without a command before it.
pub fn help(command: Option<&str>) -> String {
    match COMMANDS.iter().find(|form| Some(form.name) == command) {
        Some(form) => of_command(form),
        None => of_all(),
    }
}

fn of_all() -> String {
    let mut text = "Usage: kactl [--socket PATH] COMMAND\n\nCommands:\n".to_owned();
    for CommandForm { name, arguments, help, .. } in COMMANDS {
        let form = format!("{name} {arguments}");
        text += &format!("  {}\n{}", form.trim_end(), wrapped(help, 6));
    }
    text += "\nOptions:\n";
    text.extend(FLAGS.iter().map(of_flag));
    text += "\nkactl COMMAND --help says more about a command.\n";
    text
}

fn of_command(CommandForm { name, arguments, help, doc }: &CommandForm) -> String {
    let form = format!("kactl [--socket PATH] {name} {arguments}");
    let mut text = format!("{USAGE}{}\n", wrapped(&form, USAGE.len()).trim_start());
    text += &wrapped(&format!("{help}. {doc}"), 0);
    let mut options = FLAGS.iter().filter(|flag| flag.of.contains(name)).map(of_flag).peekable();
    if options.peek().is_some() {
        text += "\nOptions:\n";
        text.extend(options);
    }
    text
}

fn of_flag(flag: &Flag) -> String {
    format!("  {}\n{}", typed(flag), wrapped(flag.help, 6))
}

/// Lines with this indentation.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if column > 0 && column + 1 + len <= WIDTH {
            out.push(' ');
            column += 1 + len;
        } else {
            if column > 0 {
                out.push('\n');
            }
            out.push_str(&" ".repeat(indent));
            column = indent + len;
        }
        out.push_str(word);
    }
    out.push('\n');
    out
}

fn typed(flag: &Flag) -> String {
    let short = if flag.short.is_empty() { String::new() } else { format!("-{}, ", flag.short) };
    let value = flag.value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("{short}--{}{value}", flag.long)
}

/// The list of commands for the manual page.
pub fn mdoc_commands() -> String {
    let mut text = String::new();
    for CommandForm { name, arguments, help, doc } in COMMANDS {
        let head = format!("{name} {arguments}").replace('-', "\\-");
        text += &format!(
            ".It Ic {}\n{}\n",
            head.trim_end(),
            roff(&format!("{help}.\n{}", doc.replace(". ", ".\n")))
        );
    }
    text
}

/// The list of options for the manual page.
pub fn mdoc_options() -> String {
    let mut text = String::new();
    for flag in FLAGS {
        let of = match flag.of {
            [] => String::new(),
            commands => format!("\nOf {}.", commands.join(", ")),
        };
        let head = typed(flag).replace('-', "\\-");
        text += &format!(".It Ic {head}\n{}\n", roff(&format!("{}.{of}", flag.help)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_fits_a_terminal() {
        for command in COMMANDS.iter().map(|form| Some(form.name)).chain([None]) {
            let text = help(command);
            let long: Vec<_> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
            assert!(long.is_empty(), "{long:?}");
        }
    }

    #[test]
    fn the_help_of_a_command_has_its_options_and_no_others() {
        let text = help(Some("failover"));
        for wanted in
            ["Usage: kactl [--socket PATH] failover NAME", "\n  --to ADDRESS\n", "\n  --force\n"]
        {
            assert!(text.contains(wanted), "{wanted:?} in\n{text}");
        }
        assert!(!text.contains("--watch") && !text.contains("log-level"), "{text}");
        assert!(!help(Some("restart")).contains("Options:"));
        assert_eq!(help(Some("dance")), help(None));
    }
}
