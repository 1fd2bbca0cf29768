//! Tracked objects and commands.

use crate::base::sorted::SortedMap;
use std::fmt::{self, Write as _};

use super::{line, quoted, Printer};
use crate::config::lower::seconds;
use crate::model::notify::Notify;
use crate::model::script::Script;
use crate::model::track::{Object, ParamMatch, TrackFile, TrackProcess, TrackScript, Tracked};
use crate::model::Config;

/// Meaning of an entry that contains only a name.
pub(super) type Weights = SortedMap<Object, (i16, bool)>;

pub(super) fn weights(config: &Config) -> Weights {
    let scripts = config.scripts.iter();
    let scripts = scripts.map(|s| (Object::Script(s.name.clone()), (s.weight, s.reverse)));
    let files = config.files.iter();
    let files = files.map(|f| (Object::File(f.name.clone()), (f.weight, f.reverse)));
    let processes = config.processes.iter();
    let processes = processes.map(|p| (Object::Process(p.name.clone()), (p.weight, p.reverse)));
    let sessions = config.bfd.iter();
    let sessions = sessions.map(|b| (Object::Bfd(b.name.clone()), (b.weight, b.reverse)));
    scripts.chain(files).chain(processes).chain(sessions).collect()
}

/// The block that lists such an object.
const fn block(object: &Object) -> &'static str {
    match object {
        Object::Script(_) => "track_script",
        Object::File(_) => "track_file",
        Object::Process(_) => "track_process",
        Object::Bfd(_) => "track_bfd",
    }
}

impl Printer {
    pub(super) fn objects(&mut self, config: &Config) -> fmt::Result {
        for script in &config.scripts {
            let name = quoted(&script.name);
            self.block(format_args!("vrrp_script {name}"), |out| out.script(script))?;
        }
        for file in &config.files {
            let name = quoted(&file.name);
            self.block(format_args!("track_file {name}"), |out| out.file(file))?;
        }
        for process in &config.processes {
            let name = quoted(&process.name);
            self.block(format_args!("vrrp_track_process {name}"), |out| out.process(process))?;
        }
        for session in &config.bfd {
            let name = quoted(&session.name);
            self.block(format_args!("bfd_instance {name}"), |out| out.session(session))?;
        }
        Ok(())
    }

    pub(super) fn weight(&mut self, weight: i16, reverse: bool) -> fmt::Result {
        line!(self, "weight {weight}{}", if reverse { " reverse" } else { "" })
    }

    pub(super) fn script(&mut self, s: &TrackScript) -> fmt::Result {
        line!(self, "script {}", Command(&s.script))?;
        line!(self, "user {} {}", s.script.user.uid, s.script.user.gid)?;
        line!(self, "interval {}", seconds(s.interval))?;
        line!(self, "timeout {}", seconds(s.timeout))?;
        line!(self, "rise {}", s.rise)?;
        line!(self, "fall {}", s.fall)?;
        self.weight(s.weight, s.reverse)?;
        self.flag(s.init_fail, "init_fail")
    }

    pub(super) fn file(&mut self, f: &TrackFile) -> fmt::Result {
        line!(self, "file {}", quoted(&f.path))?;
        self.weight(f.weight, f.reverse)?;
        let Some(init) = f.init else { return Ok(()) };
        line!(self, "init_file {}{}", init.value, if init.overwrite { " overwrite" } else { "" })
    }

    pub(super) fn process(&mut self, p: &TrackProcess) -> fmt::Result {
        let mut words = quoted(&p.process).into_owned();
        for param in &p.params {
            words.push(' ');
            words.push_str(&quoted(param));
        }
        line!(self, "process {words}")?;
        match (p.param_match, p.params.is_empty()) {
            (ParamMatch::Any, _) | (ParamMatch::Exact, false) => {}
            (ParamMatch::Exact, true) => line!(self, "param_match")?,
            (ParamMatch::Initial, _) => line!(self, "param_match initial")?,
            (ParamMatch::Partial, _) => line!(self, "param_match partial")?,
        }
        self.flag(p.full_command, "full_command")?;
        self.weight(p.weight, p.reverse)?;
        self.option("quorum", Some(p.quorum).filter(|&n| n != 0))?;
        self.option("quorum_max", p.quorum_max)?;
        let time = |d: std::time::Duration| (!d.is_zero()).then(|| seconds(d));
        self.option("terminate_delay", time(p.terminate_delay))?;
        self.option("fork_delay", time(p.fork_delay))
    }

    pub(super) fn tracked(&mut self, list: &[Tracked]) -> fmt::Result {
        for name in ["track_script", "track_file", "track_process", "track_bfd"] {
            let mut entries = list.iter().filter(|t| block(&t.object) == name).peekable();
            if entries.peek().is_none() {
                continue;
            }
            self.block(format_args!("{name}"), |out| entries.try_for_each(|t| out.entry(t)))?;
        }
        Ok(())
    }

    fn entry(&mut self, t: &Tracked) -> fmt::Result {
        let name = quoted(t.object.name());
        let of_object = self.weights.get(&t.object);
        match (of_object, t.reverse) {
            (Some(&same), _) if same == (t.weight, t.reverse) => line!(self, "{name}"),
            (Some((_, true)), false) => line!(self, "{name} weight {} noreverse", t.weight),
            (_, false) => line!(self, "{name} weight {}", t.weight),
            (_, true) => line!(self, "{name} weight {} reverse", t.weight),
        }
    }

    pub(super) fn notify(&mut self, n: &Notify) -> fmt::Result {
        let scripts = [
            ("notify_master", &n.master),
            ("notify_backup", &n.backup),
            ("notify_fault", &n.fault),
            ("notify_stop", &n.stop),
            ("notify_deleted", &n.deleted),
            ("notify", &n.any),
            ("notify_master_rx_lower_pri", &n.master_rx_lower_pri),
        ];
        for (name, script) in scripts {
            if let Some(script) = script {
                self.command(name, script)?;
            }
        }
        self.flag(n.says_deleted && n.deleted.is_none(), "notify_deleted")?;
        self.flag(n.priority_changes, "notify_priority_changes")?;
        self.flag(n.mail, "smtp_alert")
    }

    pub(super) fn command(&mut self, name: &str, script: &Script) -> fmt::Result {
        line!(self, "{name} {} {} {}", Command(script), script.user.uid, script.user.gid)
    }
}

/// The words of a command in one quoted word. Characters that are special to any stage of the
/// reader, from comments to definitions, are escaped.
pub(super) struct Command<'m>(pub &'m Script);

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for (n, word) in self.0.argv.iter().enumerate() {
            if n > 0 {
                f.write_char(' ')?;
            }
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/+,=%".contains(&b);
            if word.bytes().all(|b| plain(b) || b == b' ')
                && (word.is_empty() || word.contains(' '))
            {
                write!(f, "'{word}'")?;
                continue;
            }
            for b in word.bytes() {
                if plain(b) {
                    f.write_char(char::from(b))?;
                } else {
                    write!(f, "\\{b:03o}")?;
                }
            }
        }
        f.write_char('"')
    }
}
