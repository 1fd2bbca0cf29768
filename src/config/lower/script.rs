//! Commands: their users, their paths, and protection against changes by users other than root.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::Scene;
use crate::base::diag::{Severity, Span};
use crate::config::document::{Node, Word};
use crate::config::host::{CommandFacts, Form, Host};
use crate::config::keywords::RawScriptRules;
use crate::config::lex::script::{command_words, line_words, script_words};
use crate::config::statement::Checker;
use crate::model::script::{Script, User};

/// Default user of scripts, if it exists.
const DEFAULT_USER: &str = "keepalived_script";

/// Script settings of `global_defs`.
pub(super) struct Rules {
    user: DefaultUser,
    security: bool,
    symlinks: bool,
    used: Cell<bool>,
    insecure: Cell<bool>,
    /// Earlier results, since thousands of instances share a few commands.
    known: RefCell<HashMap<(String, User), Result<CommandFacts, String>>>,
}

#[derive(Clone, Copy)]
enum DefaultUser {
    Is(User),
    /// There is no user of the name in `script_user`; that was reported.
    Unknown,
    /// Script security requires a user to be named, or to exist.
    Missing,
}

impl Rules {
    pub(super) fn new(
        raw: &RawScriptRules<'_>,
        host: &dyn Host,
        checker: &mut Checker<'_>,
    ) -> Self {
        let user = match raw.user {
            Some(node) => match named_user(host, node.arg(0), node.arg(1)) {
                Ok(user) => DefaultUser::Is(user),
                Err(why) => {
                    let text = format!("{why}: scripts without a user of their own are not run");
                    checker.out.error("script_user", node.keyword().span, text);
                    DefaultUser::Unknown
                }
            },
            None => match host.user(DEFAULT_USER) {
                Some(user) => DefaultUser::Is(user),
                None if raw.security => DefaultUser::Missing,
                None => DefaultUser::Is(host.own_user()),
            },
        };
        Self {
            user,
            security: raw.security,
            symlinks: raw.symlinks,
            used: Cell::default(),
            insecure: Cell::default(),
            known: RefCell::default(),
        }
    }

    /// The user of scripts without a user of their own, if there is one.
    pub(super) const fn user(&self) -> Option<User> {
        match self.user {
            DefaultUser::Is(user) => Some(user),
            DefaultUser::Unknown | DefaultUser::Missing => None,
        }
    }

    /// Owner of files created for scripts.
    pub(super) fn default_user(&self, host: &dyn Host) -> User {
        match self.user {
            DefaultUser::Is(user) => user,
            DefaultUser::Unknown | DefaultUser::Missing => host.own_user(),
        }
    }

    /// Reports scripts that run unchecked.
    pub(super) fn finish(&self, checker: &mut Checker<'_>) {
        if self.security || !self.used.get() {
            return;
        }
        let mut text = "SECURITY VIOLATION - scripts are being executed but script_security not \
                        enabled."
            .to_owned();
        if self.insecure.get() {
            text.push_str(" There are insecure scripts.");
        }
        if checker.out.report(Severity::Insecure, "enable_script_security", None, text) {
            checker.out.hint(
                "put 'enable_script_security' into global_defs: scripts that others than root can \
                 change are then not run as root",
            );
        }
    }
}

/// A user by name or number, with a group or else that of the account.
pub(super) fn named_user(
    host: &dyn Host,
    user: Option<Word<'_>>,
    group: Option<Word<'_>>,
) -> Result<User, String> {
    user_of(host, user.map_or("", |w| w.text), group.map(|w| w.text))
}

fn user_of(host: &dyn Host, user: &str, group: Option<&str>) -> Result<User, String> {
    let account = host.user(user);
    let Some(group) = group else {
        return account.ok_or_else(|| format!("user '{user}' does not exist"));
    };
    let Some(gid) = host.group(group) else {
        return Err(format!("group '{group}' does not exist"));
    };
    // With a group given, a number needs no account.
    let uid = account.map(|a| a.uid).or_else(|| user.parse().ok());
    uid.map(|uid| User { uid, gid }).ok_or_else(|| format!("user '{user}' does not exist"))
}

impl Scene<'_, '_> {
    /// The command of `notify...` and the like, with its user. One that cannot be run is left out,
    /// with a warning: the daemon does without.
    pub(in crate::config::lower) fn notify_script(&mut self, node: Node<'_>) -> Option<Script> {
        let span = node.keyword().span;
        // Its quotes were checked with the statement.
        let words = line_words(node.raw()).ok()?;
        let argv = self.command(node, words.first()?)?;
        let own = match words.get(1) {
            None => None,
            Some(user) => match user_of(self.host, user, words.get(2).map(String::as_str)) {
                Ok(user) => Some(user),
                Err(why) => {
                    let text = format!("{why}: '{}' is ignored", node.keyword().text);
                    if self.checker.out.warn(user, span, text) {
                        self.checker.out.hint(
                            "the words after a command are its user and group: quote a command \
                             that has arguments",
                        );
                    }
                    return None;
                }
            },
        };
        self.script(argv, own, span, Severity::Warning)
    }

    /// The words of a command that a statement without a user has.
    pub(super) fn plain_command(&mut self, node: Node<'_>) -> Option<Vec<String>> {
        match script_words(node.raw()) {
            Ok(words) if !words.is_empty() => Some(words),
            Ok(_) => None,
            Err(e) => {
                let name = node.keyword().text;
                self.error(name, node.keyword().span, format!("{e}: '{name}' is ignored"));
                None
            }
        }
    }

    fn command(&mut self, node: Node<'_>, command: &str) -> Option<Vec<String>> {
        let name = node.keyword().text;
        let why = match command_words(command) {
            Ok(words) if !words.is_empty() => return Some(words),
            Ok(_) => "the command is empty".to_owned(),
            Err(e) => e.to_string(),
        };
        self.error(name, node.keyword().span, format!("{why}: '{name}' is ignored"));
        None
    }

    /// A command that may be run; `None` if it has to go, which is reported with this severity.
    pub(super) fn script(
        &mut self,
        argv: Vec<String>,
        own: Option<User>,
        span: Span,
        severity: Severity,
    ) -> Option<Script> {
        let argv = readable(argv);
        let name = argv.first()?.clone();
        let user = own.or_else(|| self.default_user(&name, span, severity))?;
        let facts = self.facts(&name, user, span, severity)?;
        if !facts.executable {
            let text = format!(
                "WARNING - script '{name}' is not executable for uid:gid {}:{} - disabling.",
                user.uid, user.gid
            );
            self.checker.out.report(severity, &name, Some(span), text);
            return None;
        }
        self.safe_script(&name, argv, user, &facts, span)
    }

    /// The command of a check. Without it the server would be in service unchecked, so one that
    /// cannot be executed stays, and the check fails.
    pub(super) fn check_script(
        &mut self,
        argv: Vec<String>,
        own: Option<User>,
        span: Span,
    ) -> Option<Script> {
        let argv = readable(argv);
        let name = argv.first()?.clone();
        let user = own.or_else(|| self.default_user(&name, span, Severity::Error))?;
        let Some(facts) = self.facts(&name, user, span, Severity::Warning) else {
            self.checker.out.hint(
                "the check fails until the script is there and the configuration is read again",
            );
            return Some(Script::missing(argv, user));
        };
        if !facts.executable {
            let text = format!(
                "script '{name}' is not executable for uid:gid {}:{}: the check fails until it is",
                user.uid, user.gid
            );
            self.checker.out.warn(&name, span, text);
        }
        self.safe_script(&name, argv, user, &facts, span)
    }

    /// Facts about a command; a missing one is reported.
    fn facts(
        &mut self,
        name: &str,
        user: User,
        span: Span,
        severity: Severity,
    ) -> Option<CommandFacts> {
        let mut known = self.defaults.scripts.known.borrow_mut();
        let facts =
            known.entry((name.to_owned(), user)).or_insert_with(|| self.host.command(name, user));
        match facts {
            Ok(facts) => Some(facts.clone()),
            Err(why) => {
                let text = format!("Script {name} cannot be accessed - {why}");
                self.checker.out.report(severity, name, Some(span), text);
                None
            }
        }
    }

    fn safe_script(
        &mut self,
        name: &str,
        argv: Vec<String>,
        user: User,
        facts: &CommandFacts,
        span: Span,
    ) -> Option<Script> {
        let rules = &self.defaults.scripts;
        if !is_safe(self.checker, rules, name, facts, user, span) {
            return None;
        }
        if !name.contains('/') {
            let text =
                format!("script '{name}' was found by path search: write {} instead", facts.path);
            self.checker.out.warn(name, span, text);
        }
        let by_shell = facts.form == Form::Text;
        if by_shell {
            let text = format!("Please add a #! shebang to script {name}");
            self.checker.out.warn(name, span, text);
        }
        rules.used.set(true);
        let path = if rules.symlinks { &facts.path } else { &facts.real };
        Some(Script { path: path.clone(), argv, user, by_shell })
    }

    /// The user that a script without one of its own runs as, if there is any.
    fn default_user(&mut self, name: &str, span: Span, severity: Severity) -> Option<User> {
        match self.defaults.scripts.user {
            DefaultUser::Is(user) => return Some(user),
            DefaultUser::Unknown => {
                let text = format!("script '{name}' has no user to run as: it is not run");
                self.checker.out.report(severity, name, Some(span), text);
            }
            DefaultUser::Missing => {
                let text = format!("no user to run script '{name}' as: it is not run");
                if self.checker.out.error(name, span, text) {
                    self.checker.out.hint(format!(
                        "with enable_script_security, make a user {DEFAULT_USER} or give one with \
                         script_user"
                    ));
                }
            }
        }
        None
    }
}

/// `</path`, which only asks whether a file can be read, in words that a shell obeys.
fn readable(mut argv: Vec<String>) -> Vec<String> {
    let path = match argv.first().and_then(|word| word.strip_prefix('<')) {
        Some("") if argv.len() > 1 => argv.swap_remove(1),
        Some(path) if !path.is_empty() => path.to_owned(),
        _ => return argv,
    };
    ["/bin/sh", "-c", ": <\"$0\"", &path].map(str::to_owned).to_vec()
}

/// False if a command that runs as root could be changed by others, and that is not allowed.
fn is_safe(
    checker: &mut Checker<'_>,
    rules: &Rules,
    name: &str,
    facts: &CommandFacts,
    user: User,
    span: Span,
) -> bool {
    if !user.is_root() && !facts.becomes_root {
        return true;
    }
    let Some(weakness) = weakness(facts) else { return true };
    let mut text = format!("Unsafe permissions found for script '{name}'");
    if rules.security {
        text.push_str(" - disabling.");
    }
    if checker.out.report(Severity::Insecure, name, Some(span), text) {
        checker.out.hint(weakness);
    }
    rules.insecure.set(true);
    !rules.security
}

/// The first part of a command's path that users other than root can change, with a remedy.
fn weakness(facts: &CommandFacts) -> Option<String> {
    const STICKY: u32 = 0o1000;
    facts.parts.iter().find_map(|part| {
        let path = &part.path;
        let mode = part.mode & 0o7777;
        let or = "or let it run as another user than root";
        if part.uid != 0 {
            let uid = part.uid;
            return Some(format!(
                "{path} belongs to user {uid} (mode {mode:04o}): 'chown root {path}', {or}"
            ));
        }
        // The mode of a link is irrelevant; in a sticky directory only owners rename.
        if part.is_link() || (part.is_directory() && mode & STICKY != 0) {
            return None;
        }
        if mode & 0o002 != 0 {
            return Some(format!(
                "{path} is writable by everybody (mode {mode:04o}): 'chmod o-w {path}', {or}"
            ));
        }
        if mode & 0o020 != 0 && part.gid != 0 {
            let gid = part.gid;
            return Some(format!(
                "{path} is writable by group {gid} (mode {mode:04o}): 'chmod g-w {path}', {or}"
            ));
        }
        None
    })
}
