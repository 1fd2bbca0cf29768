//! What `kactl --help` prints, and the lists of the manual page: made from the tables.

use super::options::{CommandForm, Flag, COMMANDS, FLAGS};
use crate::cli::help::{fill, roff};

const USAGE: &str = "Usage: ";

/// What `--help` prints, with or without a command before it.
pub fn help(command: Option<&str>) -> String {
    match COMMANDS.iter().find(|form| Some(form.name) == command) {
        Some(form) => of_command(form),
        None => of_all(),
    }
}

fn of_all() -> String {
    let mut text = format!("{USAGE}kactl [--socket PATH] COMMAND\n\nCommands:\n");
    for CommandForm { name, arguments, help, .. } in COMMANDS {
        text += &format!("  {}\n", format!("{name} {arguments}").trim_end());
        fill(&mut text, 0, 6, help);
    }
    text += "\nOptions:\n";
    FLAGS.iter().for_each(|flag| of_flag(flag, &mut text));
    text += "\nkactl COMMAND --help says more about a command.\n";
    text
}

fn of_command(CommandForm { name, arguments, help, doc }: &CommandForm) -> String {
    let mut text = USAGE.to_owned();
    let form = format!("kactl [--socket PATH] {name} {arguments}");
    fill(&mut text, USAGE.len(), USAGE.len(), &form);
    text.push('\n');
    fill(&mut text, 0, 0, &format!("{help}. {doc}"));
    let mut options = FLAGS.iter().filter(|flag| flag.of.contains(name)).peekable();
    if options.peek().is_some() {
        text += "\nOptions:\n";
        options.for_each(|flag| of_flag(flag, &mut text));
    }
    text
}

fn of_flag(flag: &Flag, text: &mut String) {
    *text += &format!("  {}\n", typed(flag));
    fill(text, 0, 6, flag.help);
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
    use crate::cli::help::WIDTH;

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
