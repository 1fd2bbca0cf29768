//! The notification FIFOs: open while configured, written while they have room.
//!
//! Lines wait in the pipe for the next reader, as in keepalived. Lines that do not fit wait in the
//! core, and a reader that returns receives the current states.

use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::path::Path;

use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::daemon::tokens::Owner;
use crate::model;
use crate::model::script::Script;
use crate::notify::{Action, Domain, Input, Which};
use crate::sys::fifo::{Fifo, Line, LONGEST};
use crate::sys::inotify::readers::Readers;
use crate::sys::poll::{Poll, Wants};

/// The open FIFOs. Poll events of `Owner::Fifos` are passed to `on_ready`.
#[derive(Debug)]
pub(in crate::daemon) struct Fifos {
    open: SortedMap<Which, Fifo>,
    /// Configured script of each open FIFO.
    scripts: SortedMap<Which, Option<Script>>,
    /// `None` if inotify is unavailable.
    readers: Option<Readers<Which>>,
}

/// Result of a setup.
#[derive(Debug)]
pub(in crate::daemon) struct Opened {
    /// FIFOs just opened, or with a changed script.
    pub(in crate::daemon) changed: Vec<Which>,
    /// FIFOs that could not be opened, with the reasons.
    pub(in crate::daemon) failed: SortedMap<Which, String>,
}

impl Fifos {
    pub(in crate::daemon) const fn new() -> Self {
        Self { open: SortedMap::new(), scripts: SortedMap::new(), readers: None }
    }

    /// Opens and closes FIFOs as configured, after `Input::Setup` and before any notification.
    /// Returns those that were opened or whose script changed; these scripts have to be
    /// (re)started.
    pub(in crate::daemon) fn setup(
        &mut self,
        config: &model::notify::Fifos,
        domain: &mut Domain,
        poll: &mut Poll<Owner>,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Opened {
        let wanted =
            [(Which::All, &config.all), (Which::Vrrp, &config.vrrp), (Which::Lvs, &config.lvs)];
        let stays = |which: Which, fifo: &Fifo| {
            let now = wanted.iter().find(|(w, _)| *w == which).and_then(|(_, f)| f.as_ref());
            now.is_some_and(|f| Path::new(&f.path) == fifo.path()) && fifo.is_in_place()
        };
        let gone: Vec<_> =
            self.open.iter().filter(|(w, f)| !stays(**w, f)).map(|(w, _)| *w).collect();
        for which in gone {
            self.close(which, poll);
        }
        let (mut changed, mut failed) = (Vec::new(), SortedMap::new());
        for (which, fifo) in wanted {
            let Some(fifo) = fifo else { continue };
            if self.open.contains_key(&which) {
                let before = self.scripts.insert(which, fifo.script.clone());
                if before.is_none_or(|before| before != fifo.script) {
                    changed.push(which);
                }
                continue;
            }
            if self.open.values().any(|f| f.path() == Path::new(&fifo.path)) {
                log::warn!(
                    "{} {} is another FIFO already: ignoring it",
                    which.keyword(),
                    fifo.path
                );
                continue;
            }
            match self.open(which, fifo, poll) {
                Ok(()) => {
                    // The pipe acts as the reader until there is one. A reader of a recreated FIFO
                    // has not seen the contents of the old one.
                    for present in [false, true] {
                        domain.handle(Input::FifoReader { which, present }, now, out);
                    }
                    self.scripts.insert(which, fifo.script.clone());
                    changed.push(which);
                }
                Err(e) => {
                    failed.insert(which, e.to_string());
                }
            }
        }
        Opened { changed, failed }
    }

    pub(in crate::daemon) fn descriptors(&self) -> impl Iterator<Item = RawFd> + '_ {
        self.open.values().map(|fifo| fifo.as_raw_fd())
    }

    pub(in crate::daemon) fn is_open(&self, which: Which) -> bool {
        self.open.contains_key(&which)
    }

    /// A FIFO is writable again, or a reader has opened it.
    pub(in crate::daemon) fn on_ready(
        &mut self,
        domain: &mut Domain,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let mut again = Vec::new();
        if let Some(Err(e)) = self.readers.as_mut().map(|r| r.read(&mut again)) {
            log::debug!("cannot detect readers of the notification FIFOs: {e}");
        }
        for which in again {
            for present in [false, true] {
                domain.handle(Input::FifoReader { which, present }, now, out);
            }
        }
        for which in Which::ALL {
            self.write(which, domain);
        }
    }

    /// `Action::WriteFifo`: writes waiting lines until the pipe is full. Poll reports when it is
    /// writable again.
    pub(in crate::daemon) fn write(&self, which: Which, domain: &mut Domain) {
        let Some(fifo) = self.open.get(&which) else { return };
        while let Some(line) = domain.pending_line(which) {
            if line.len() > LONGEST {
                log::warn!(
                    "a line for {} is longer than {LONGEST} bytes and was dropped",
                    which.keyword()
                );
            } else {
                match fifo.write(line.as_bytes()) {
                    Ok(Line::Written) => {}
                    Ok(Line::Kept) => return,
                    Err(e) => {
                        log::warn!("cannot write to FIFO {}: {e}", fifo.path().display());
                        return;
                    }
                }
            }
            domain.line_written(which);
        }
    }

    /// Closes all FIFOs at exit and removes those that the daemon created.
    pub(in crate::daemon) fn close_all(&mut self, poll: &mut Poll<Owner>) {
        for which in Which::ALL {
            self.close(which, poll);
        }
    }

    fn open(
        &mut self,
        which: Which,
        config: &model::notify::Fifo,
        poll: &mut Poll<Owner>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let fifo = Fifo::open(Path::new(&config.path), config.owner)?;
        if let Err(e) = poll.watch(fifo.as_raw_fd(), Owner::Fifos, Wants::Write) {
            fifo.remove();
            return Err(e.into());
        }
        if let Err(e) = self.watch_readers(which, fifo.path(), poll) {
            log::warn!("cannot detect readers of FIFO {}: {e}", config.path);
        }
        self.open.insert(which, fifo);
        Ok(())
    }

    fn watch_readers(
        &mut self,
        which: Which,
        path: &Path,
        poll: &mut Poll<Owner>,
    ) -> io::Result<()> {
        if self.readers.is_none() {
            let readers = Readers::new()?;
            poll.add(readers.as_raw_fd(), Owner::Fifos)?;
            self.readers = Some(readers);
        }
        self.readers.as_mut().map_or(Ok(()), |readers| readers.watch(which, path))
    }

    fn close(&mut self, which: Which, poll: &mut Poll<Owner>) {
        self.scripts.remove(&which);
        if let Some(fifo) = self.open.remove(&which) {
            if let Some(readers) = &mut self.readers {
                readers.unwatch(which);
            }
            poll.remove(fifo.as_raw_fd());
            fifo.remove();
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::Read as _;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

    use super::*;
    use crate::model::notify::Notify;
    use crate::model::script::User;
    use crate::model::Global;
    use crate::notify::{Because, State};
    use crate::sys::tests::TempDir;

    struct Desk {
        fifos: Fifos,
        domain: Domain,
        poll: Poll<Owner>,
        out: Vec<Action>,
    }

    impl Desk {
        fn new() -> Self {
            let poll = Poll::new().expect("polls");
            Self { fifos: Fifos::new(), domain: Domain::default(), poll, out: Vec::new() }
        }

        fn setup(&mut self, global: &Global) -> Vec<Which> {
            self.domain.handle(Input::Setup(global), Instant::ZERO, &mut self.out);
            let (domain, poll) = (&mut self.domain, &mut self.poll);
            self.fifos.setup(&global.fifos, domain, poll, Instant::ZERO, &mut self.out).changed
        }

        fn tell(&mut self, name: &str, state: State) {
            let notify = &Notify::default();
            let because = Because::NOTHING;
            let name = &name.into();
            let input = Input::Instance { name, state, priority: 1, group: None, notify, because };
            self.domain.handle(input, Instant::ZERO, &mut self.out);
            self.obey();
        }

        /// Handles one batch of poll events.
        fn turn(&mut self) {
            let mut ready = Vec::new();
            let now = Instant::ZERO;
            self.poll.wait(now, Some(now), false, &mut ready).expect("polls");
            if !ready.is_empty() {
                self.fifos.on_ready(&mut self.domain, now, &mut self.out);
                self.obey();
            }
        }

        fn obey(&mut self) {
            for action in std::mem::take(&mut self.out) {
                if let Action::WriteFifo(which) = action {
                    self.fifos.write(which, &mut self.domain);
                }
            }
        }
    }

    fn global(dir: &TempDir) -> Global {
        let at = dir.path().metadata().expect("a directory");
        let owner = User { uid: at.uid(), gid: at.gid() };
        let mut global = Global::default();
        let path = dir.path().join("vrrp").display().to_string();
        global.fifos.vrrp = Some(model::notify::Fifo { path, owner, script: None });
        global
    }

    fn reader(dir: &TempDir) -> File {
        let path = dir.path().join("vrrp");
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).expect("opens")
    }

    fn content(file: &mut File) -> String {
        let mut text = Vec::new();
        let _ = file.read_to_end(&mut text);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn lines_wait_in_the_pipe_and_a_returning_reader_gets_the_current_state() {
        let dir = TempDir::new("fifos");
        let mut desk = Desk::new();
        assert_eq!(desk.setup(&global(&dir)), [Which::Vrrp]);
        desk.tell("A", State::Backup);
        let mut first = reader(&dir);
        desk.turn();
        desk.tell("A", State::Master);
        desk.turn();
        let both = "INSTANCE \"A\" BACKUP 1\nINSTANCE \"A\" MASTER 1\n";
        assert_eq!(content(&mut first), both, "once, and from the start");
        drop(first);
        let mut second = reader(&dir);
        desk.turn();
        assert_eq!(content(&mut second), "INSTANCE \"A\" MASTER 1\n");
        assert_eq!(desk.setup(&global(&dir)), [], "a reload changes nothing");
        desk.turn();
        assert_eq!(content(&mut second), "");
    }

    #[test]
    fn writing_continues_when_a_full_pipe_is_read() {
        let dir = TempDir::new("full");
        let mut desk = Desk::new();
        desk.setup(&global(&dir));
        let mut file = reader(&dir);
        let name = "V".repeat(900);
        for n in 0..500 {
            desk.tell(&name, if n % 2 == 0 { State::Master } else { State::Backup });
        }
        desk.tell(&name, State::Fault);
        let mut text = String::new();
        for _ in 0..20 {
            desk.turn();
            text += &content(&mut file);
        }
        assert_eq!(text.lines().count(), 501);
        assert!(text.ends_with("V\" FAULT 1\n"));
    }

    #[test]
    fn an_overlong_line_blocks_no_others() {
        let dir = TempDir::new("long");
        let mut desk = Desk::new();
        desk.setup(&global(&dir));
        let mut file = reader(&dir);
        desk.tell(&"L".repeat(5000), State::Master);
        desk.tell("A", State::Master);
        assert_eq!(content(&mut file), "INSTANCE \"A\" MASTER 1\n");
    }

    #[test]
    fn a_reload_recreates_a_removed_fifo_and_writes_the_current_state() {
        let dir = TempDir::new("anew");
        let mut desk = Desk::new();
        desk.setup(&global(&dir));
        desk.tell("A", State::Master);
        std::fs::remove_file(dir.path().join("vrrp")).expect("is there");
        assert_eq!(desk.setup(&global(&dir)), [Which::Vrrp]);
        desk.obey();
        assert_eq!(content(&mut reader(&dir)), "INSTANCE \"A\" MASTER 1\n");
    }

    #[test]
    fn a_changed_script_is_reported_and_the_fifo_stays() {
        let dir = TempDir::new("script");
        let mut desk = Desk::new();
        let mut global = global(&dir);
        desk.setup(&global);
        desk.tell("A", State::Master);
        let user = User { uid: 0, gid: 0 };
        let script = Script { path: "/r".into(), argv: vec!["/r".into()], user, by_shell: false };
        global.fifos.vrrp.as_mut().expect("configured").script = Some(script);
        assert_eq!(desk.setup(&global), [Which::Vrrp]);
        assert_eq!(desk.setup(&global), []);
        assert_eq!(content(&mut reader(&dir)), "INSTANCE \"A\" MASTER 1\n", "once");
    }

    #[test]
    fn a_fifo_no_longer_configured_is_removed() {
        let dir = TempDir::new("gone");
        let mut desk = Desk::new();
        desk.setup(&global(&dir));
        assert!(dir.path().join("vrrp").exists());
        desk.setup(&Global::default());
        assert!(!dir.path().join("vrrp").exists());
        desk.setup(&global(&dir));
        desk.fifos.close_all(&mut desk.poll);
        assert!(!dir.path().join("vrrp").exists());
    }
}
