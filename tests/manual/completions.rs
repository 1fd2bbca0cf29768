//! The files of `conf/completions` are made from the tables of the command line, and the shells
//! complete with them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use keepalived::kactl::completions;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/completions")
}

#[test]
fn the_committed_completions_are_up_to_date() {
    let all = [
        ("kactl.bash", completions::bash()),
        ("_kactl", completions::zsh()),
        ("kactl.fish", completions::fish()),
    ];
    for (name, wanted) in all {
        let path = folder().join(name);
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        // The shells of another test may be reading it.
        if found != wanted && std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &wanted).expect("writable");
            continue;
        }
        assert!(found == wanted, "run make man: {name}");
    }
}

/// `kactl` itself is replaced.
const KACTL: &str = "#!/bin/sh
case \"$*\" in
'show instance') printf 'instance VI_1\\n  state: MASTER\\ninstance VI_2\\n' ;;
'show group') printf 'group G\\n  state: MASTER\\n' ;;
'show track') printf 'interface eth0\\nscript chk\\n' ;;
'show service') printf 'virtual server [192.0.2.1]:tcp:80\\n' ;;
'show server [192.0.2.1]:tcp:80') printf 'real server [10.0.0.1]:tcp:80\\n' ;;
esac
";

/// Prints what a shell offers for the last word of a line, or more than that.
fn script(shell: &str, line: &[&str]) -> String {
    let (folder, last) = (folder().display().to_string(), line.len() - 1);
    let quoted: Vec<_> = line.iter().map(|word| format!("'{word}'")).collect();
    let words = quoted.join(" ");
    match shell {
        "bash" => format!(
            ". '{folder}/kactl.bash'
            COMP_WORDS=({words}) COMP_CWORD={last}
            _kactl
            printf '%s\\n' \"${{COMPREPLY[@]}}\""
        ),
        "zsh" => format!(
            "compadd() {{ shift; printf '%s\\n' \"$@\" }}
            words=({words}) CURRENT={}
            source '{folder}/_kactl'",
            line.len()
        ),
        _ => format!("source '{folder}/kactl.fish'; complete -C '{}'", line.join(" ")),
    }
}

fn offered(shell: &str, path: &str, line: &[&str]) -> Vec<String> {
    let bare = match shell {
        "bash" => "--norc",
        "zsh" => "-f",
        _ => "--no-config",
    };
    let mut command = Command::new(shell);
    command.args([bare, "-c", &script(shell, line)]).env("PATH", path);
    let done = command.output().expect("it runs");
    assert!(done.stderr.is_empty(), "{shell} {line:?}: {done:?}");
    let text = String::from_utf8_lossy(&done.stdout);
    let words = text.lines().filter_map(|line| line.split('\t').next());
    let start = line.last().copied().unwrap_or_default();
    let mut words: Vec<_> = words
        .filter(|word| !word.is_empty() && word.starts_with(start))
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

#[test]
fn shells_complete_commands_options_and_names() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["kactl", "fa"], &["failover"]),
        (&["kactl", "failover", ""], &["G", "VI_1", "VI_2"]),
        (&["kactl", "-s", "/run/k.sock", "failover", "V"], &["VI_1", "VI_2"]),
        (&["kactl", "failover", "VI_1", ""], &["end"]),
        (&["kactl", "failover", "VI_1", "--fo"], &["--for", "--force"]),
        (&["kactl", "failover", "VI_1", "--for", ""], &[]),
        (&["kactl", "maintenance", "o"], &["off", "on"]),
        (&["kactl", "script", ""], &["chk"]),
        (&["kactl", "server", ""], &["[192.0.2.1]:tcp:80"]),
        (&["kactl", "server", "[192.0.2.1]:tcp:80", ""], &["[10.0.0.1]:tcp:80"]),
        (&["kactl", "server", "a", "b", "d"], &["disable", "drain"]),
        (&["kactl", "show", "in"], &["instance"]),
        (&["kactl", "status", "--healthy", "c"], &["chk"]),
        (&["kactl", "status", "--w"], &["--watch"]),
        (&["kactl", "dance", ""], &[]),
    ];
    let shop = std::env::temp_dir().join(format!("kactl-completions.{}", std::process::id()));
    std::fs::create_dir(&shop).expect("a new name");
    let program = shop.join("kactl");
    std::fs::write(&program, KACTL).expect("writable");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let usual = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{usual}", shop.display());
    for shell in ["bash", "zsh", "fish"] {
        if Command::new(shell).arg("--version").output().is_err() {
            let required = std::env::var_os("REQUIRE_ALL").is_some_and(|v| v == "1");
            assert!(!required, "{shell} is missing: apt-get install {shell}");
            eprintln!("manual: SKIPPED completion with {shell}, which is missing");
            continue;
        }
        for (line, wanted) in cases {
            assert_eq!(offered(shell, &path, line), *wanted, "{shell} {line:?}");
        }
    }
    std::fs::remove_dir_all(&shop).expect("ours");
}
