//! Completions of bash, zsh and fish, made from the tables of the command line. Names of objects are
//! asked of the daemon.

use std::fmt::Write as _;

use super::options::{topics, Flag, COMMANDS, FLAGS};

/// What an argument of a command may be.
enum Argument {
    /// Objects of these kinds.
    Names(&'static [Named]),
    /// The real servers of the virtual server before it.
    Servers,
    Words(&'static [&'static str]),
    Topics,
    Files,
}

/// Objects as `kactl show` lists them: the topic, and what is before the name.
type Named = (&'static str, &'static str);

const INSTANCE: Named = ("instance", "instance");
const GROUP: Named = ("group", "group");
const SCRIPT: Named = ("track", "script");
const SERVICE: Named = ("service", "virtual server");
const ALL: &[Named] = &[
    INSTANCE,
    GROUP,
    ("track", "interface"),
    SCRIPT,
    ("track", "file"),
    ("track", "process"),
    ("track", "BFD session"),
    SERVICE,
    ("server", "real server"),
];

/// The arguments of the commands that have some.
const ARGUMENTS: &[(&str, &[Argument])] = &[
    ("show", &[Argument::Topics, Argument::Names(ALL)]),
    ("explain", &[Argument::Names(ALL)]),
    ("events", &[Argument::Names(ALL)]),
    ("reload", &[Argument::Files]),
    ("priority", &[Argument::Names(&[INSTANCE]), Argument::Words(&["reset"])]),
    ("failover", &[Argument::Names(&[INSTANCE, GROUP]), Argument::Words(&["end"])]),
    ("maintenance", &[Argument::Words(&["on", "off"])]),
    (
        "server",
        &[
            Argument::Names(&[SERVICE]),
            Argument::Servers,
            Argument::Words(&["drain", "disable", "enable", "weight", "check-now"]),
        ],
    ),
    ("script", &[Argument::Names(&[SCRIPT]), Argument::Words(&["run-now"])]),
    ("log-level", &[Argument::Words(&["reset"])]),
];

const HEAD: &str = "Generated from the tables of the command line: make man.";

/// Which options take a value, as patterns of `case`.
fn valued(separator: &str) -> String {
    let valued = |flag: &&Flag| flag.value.is_some_and(|value| !value.starts_with('['));
    let all: Vec<_> =
        FLAGS.iter().filter(valued).map(|flag| spellings(flag).join(separator)).collect();
    all.join(separator)
}

fn spellings(flag: &Flag) -> Vec<String> {
    let short = (!flag.short.is_empty()).then(|| format!("-{}", flag.short));
    short.into_iter().chain([format!("--{}", flag.long)]).collect()
}

/// The long options of a command.
fn options_of(command: &str) -> String {
    let is_of = |flag: &&Flag| flag.of.is_empty() || flag.of.contains(&command);
    let all: Vec<_> = FLAGS.iter().filter(is_of).map(|flag| format!("--{}", flag.long)).collect();
    all.join(" ")
}

fn words(list: &[&str]) -> String {
    list.join(" ")
}

/// Shell commands that print one candidate a line; `None`: names of files.
fn candidates(place: &Argument) -> Option<String> {
    let names = |(topic, kind): &Named| format!("_kactl_names {topic} '{kind}'");
    let print = |list: &[&str]| format!("printf '%s\\n' {}", words(list));
    Some(match place {
        Argument::Names(list) => list.iter().map(names).collect::<Vec<_>>().join("; "),
        Argument::Servers => "_kactl_names \"server $before\" 'real server'".to_owned(),
        Argument::Words(list) => print(list),
        Argument::Topics => print(&topics()),
        Argument::Files => return None,
    })
}

/// The function that sets `list`, or completes files, from `command`, `place`, `before`, `cur` and
/// `prev`. bash and zsh read it alike.
fn choose(files: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "    case $prev in");
    let _ = writeln!(text, "    -s | --socket)\n        {files}\n        return\n        ;;");
    let all = candidates(&Argument::Names(ALL)).unwrap_or_default();
    let _ = writeln!(text, "    --healthy) list=$({all}) ;;");
    let _ = writeln!(text, "    {}) return ;;", others_with_a_value().join(" | "));
    let _ =
        writeln!(text, "    *)\n        case $cur in\n        -*)\n            case $command in");
    for form in COMMANDS {
        let list = options_of(form.name);
        let _ = writeln!(text, "            {}) list=$(printf '%s\\n' {list}) ;;", form.name);
    }
    let list = options_of("");
    let _ = writeln!(
        text,
        "            *) list=$(printf '%s\\n' {list}) ;;\n            esac\n            ;;"
    );
    let _ = writeln!(text, "        *)\n            case \"$command $place\" in");
    let commands: Vec<_> = COMMANDS.iter().map(|form| form.name).collect();
    let _ = writeln!(text, "            ' 0') list=$(printf '%s\\n' {}) ;;", words(&commands));
    for (command, places) in ARGUMENTS {
        for (n, place) in places.iter().enumerate() {
            let action = match candidates(place) {
                Some(print) => format!("list=$({print})"),
                None => format!("{files}; return"),
            };
            let _ = writeln!(text, "            '{command} {n}') {action} ;;");
        }
    }
    text.push_str("            esac\n            ;;\n        esac\n        ;;\n    esac\n");
    text
}

/// Options whose value cannot be completed.
fn others_with_a_value() -> Vec<String> {
    let is_other = |flag: &&Flag| {
        let known = matches!(flag.long, "socket" | "healthy");
        !known && flag.value.is_some_and(|value| !value.starts_with('['))
    };
    FLAGS.iter().filter(is_other).flat_map(spellings).collect()
}

/// Goes through the words before the current one.
fn walk(first: usize, last: &str) -> String {
    format!(
        "    for ((i = {first}; i < {last}; i++)); do
        word=${{words[i]}}
        case $word in
        {}) ((i++)) ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then
                command=$word
            else
                place=$((place + 1)) before=$word
            fi
            ;;
        esac
    done
",
        valued(" | ")
    )
}

const NAMES: &str = "# The objects of a topic, by what is before their names.
_kactl_names() {
    # The topic may be followed by a name.
    kactl show ${=SPLIT=}1 2>/dev/null | sed -n \"s/^$2 //p\"
}
";

pub fn bash() -> String {
    let names = NAMES.replace("${=SPLIT=}1", "$1").replace(
        "    # The topic may be followed by a name.\n",
        "    # shellcheck disable=SC2086 # the topic may be followed by a name\n",
    );
    format!(
        "# bash completion of kactl(8). {HEAD}
# shellcheck shell=bash

{names}
_kactl() {{
    local cur prev words cword i word list='' command='' place=0 before=''
    if declare -F _get_comp_words_by_ref >/dev/null; then
        # Names of servers contain colons.
        _get_comp_words_by_ref -n : cur prev words cword
    else
        words=(\"${{COMP_WORDS[@]}}\") cword=$COMP_CWORD
        cur=${{words[cword]}} prev=${{words[cword - 1]}}
    fi
    COMPREPLY=()
{}{}    while IFS= read -r word; do
        if [[ -n $word && $word == \"$cur\"* ]]; then
            COMPREPLY+=(\"$word\")
        fi
    done <<<\"$list\"
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions \"$cur\"
    fi
}}

complete -F _kactl kactl
",
        walk(1, "cword"),
        choose("mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")"),
    )
}

pub fn zsh() -> String {
    let names = NAMES.replace("${=SPLIT=}1", "${=1}");
    format!(
        "#compdef kactl
# zsh completion of kactl(8). {HEAD}

{names}
_kactl() {{
    local cur=${{words[CURRENT]}} prev=${{words[CURRENT - 1]}}
    local i word list='' command='' place=0 before=''
{}{}    compadd -- ${{(f)list}}
}}

_kactl \"$@\"
",
        walk(2, "CURRENT"),
        choose("_files"),
    )
}

pub fn fish() -> String {
    let mut text = format!("# fish completion of kactl(8). {HEAD}\n\n");
    let _ = write!(
        text,
        "# The words that are no options.
function __kactl_words
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case {}
                set skip 1
            case '-*'
            case '*'
                echo $word
        end
    end
end

# The command, and how many arguments it has so far.
function __kactl_at -a command place
    set -l words (__kactl_words)
    test (count $words) -eq (math $place + 1); and test \"$words[1]\" = $command
end

# The objects of a topic, by what is before their names.
function __kactl_names
    kactl show $argv[2..] 2>/dev/null | string replace -rf \"^$argv[1] \" ''
end

complete -c kactl -f
",
        valued(" ")
    );
    for form in COMMANDS {
        let (name, help) = (form.name, form.help);
        let _ = writeln!(
            text,
            "complete -c kactl -n 'test (count (__kactl_words)) -eq 0' -a {name} -d '{help}'"
        );
    }
    let all = format!(" -x {}", fish_action(&Argument::Names(ALL)));
    for flag in FLAGS {
        let Flag { long, short, help, of, .. } = flag;
        let short = if short.is_empty() { String::new() } else { format!(" -s {short}") };
        let of = match of {
            [] => String::new(),
            list => format!(" -n '__fish_seen_subcommand_from {}'", words(list)),
        };
        let value = match (*long, flag.value) {
            ("socket", _) => " -rF",
            ("healthy", _) => &all,
            (_, Some(value)) if !value.starts_with('[') => " -x",
            _ => "",
        };
        let _ = writeln!(text, "complete -c kactl{of}{short} -l {long}{value} -d '{help}'");
    }
    for (command, places) in ARGUMENTS {
        for (n, place) in places.iter().enumerate() {
            let action = fish_action(place);
            let _ = writeln!(text, "complete -c kactl -n '__kactl_at {command} {n}' {action}");
        }
    }
    text
}

/// What may come in one place.
fn fish_action(place: &Argument) -> String {
    match place {
        Argument::Files => "-F".to_owned(),
        Argument::Words(list) => format!("-a '{}'", words(list)),
        Argument::Topics => format!("-a '{}'", words(&topics())),
        Argument::Servers => {
            "-a '(__kactl_names \"real server\" server (__kactl_words)[2])'".to_owned()
        }
        Argument::Names(list) => {
            let names = |(topic, kind): &Named| format!("__kactl_names \"{kind}\" {topic}");
            let all: Vec<_> = list.iter().map(names).collect();
            format!("-a '({})'", all.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixed_word_of_a_form_is_completed() {
        for form in COMMANDS {
            let places = ARGUMENTS.iter().find(|(name, _)| *name == form.name);
            let places = places.map_or(&[][..], |(_, places)| places);
            let known: Vec<_> = places
                .iter()
                .flat_map(|place| match place {
                    Argument::Words(list) => list,
                    _ => &[][..],
                })
                .collect();
            // Options are completed from their own table.
            let fixed = form.arguments.split_whitespace().filter(|word| {
                word.starts_with(|c: char| c.is_ascii_lowercase()) && !word.ends_with(']')
            });
            for word in fixed {
                assert!(known.contains(&&word), "{word} of {}", form.name);
            }
        }
        for (command, _) in ARGUMENTS {
            assert!(COMMANDS.iter().any(|form| form.name == *command), "{command}");
        }
    }
}
