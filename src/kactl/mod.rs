//! `kactl`: shows and steers a running daemon through its control socket.
//!
//! Options and commands are a table ([`options`]); `talk` has the connection, the other files turn
//! replies into text.

mod changes;
pub mod completions;
pub mod exit;
mod find;
pub mod help;
pub mod options;
mod orders;
mod picture;
mod show;
mod table;
mod talk;

use std::ffi::OsString;
use std::io::{self, Write};

use crate::base::time::Duration;
use crate::cli::help::banner;
use crate::control::{Command, Reply, Topic};
use crate::status::explain::{self, Story};
use crate::status::Daemon;
use crate::sys::clock::{self, Clock};

use exit::Exit;
use options::{Action, Options};
use picture::Picture;
use talk::{Client, Patience, Trouble};

/// Runs one command. `arguments` without the name of the program.
pub fn run(arguments: &[OsString], out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let result = match options::parse(arguments) {
        Ok(Options { action: Action::Help(command), .. }) => print(out, &help::help(command)),
        Ok(Options { action: Action::Version, .. }) => {
            print(out, &format!("kactl of {}\n", banner()))
        }
        Ok(options) => obey(&options, out),
        Err(complaint) => Err(Trouble { exit: Exit::Failure, text: complaint }),
    };
    match result {
        Ok(exit) => exit,
        Err(Trouble { exit, text }) => {
            // A reader of the output that is gone is no trouble worth a line.
            if !text.is_empty() {
                let _ = writeln!(err, "kactl: {text}");
            }
            exit
        }
    }
}

fn obey(options: &Options, out: &mut dyn Write) -> Result<Exit, Trouble> {
    let open = |patience| {
        let path = find::socket(options.socket.as_deref())?;
        Client::open(&path, patience)
    };
    match &options.action {
        Action::Status { watch: true, .. } => loop {
            let mut client = open(Patience::Short)?;
            let text = table::render(&Picture::ask(&mut client, Command::Status)?);
            // Home, and the rest of the screen cleared.
            print(out, &format!("\x1b[H\x1b[J{text}"))?;
            talk::pause(talk::LOOK)?;
        },
        Action::Status { json, .. } => {
            let picture = Picture::ask(&mut open(Patience::Short)?, Command::Status)?;
            print(out, &if *json { picture.json() } else { table::render(&picture) })
        }
        Action::Healthy { name } => {
            let command = Command::Show { topic: Topic::Any, name: Some(name.clone()) };
            let picture = Picture::ask(&mut open(Patience::Short)?, command)?;
            match picture.ailments() {
                list if list.is_empty() => Ok(Exit::Ok),
                list => {
                    print(out, &list.concat())?;
                    Ok(Exit::Unhealthy)
                }
            }
        }
        Action::Show { topic, name, json } => {
            let command = Command::Show { topic: *topic, name: name.clone() };
            let picture = Picture::ask(&mut open(Patience::Short)?, command)?;
            print(out, &if *json { picture.json() } else { show::render(&picture) })
        }
        Action::Configuration { json } => {
            let command = Command::Show { topic: Topic::Daemon, name: None };
            let picture = Picture::ask(&mut open(Patience::Short)?, command)?;
            let text = match json {
                true => picture.json(),
                false => changes::configuration(&picture),
            };
            print(out, &text)
        }
        Action::Metrics => {
            let mut client = open(Patience::Short)?;
            client.send(Command::Metrics)?;
            while let Some(reply) = client.next()? {
                if let Reply::Text(text) = reply {
                    print(out, &text)?;
                }
            }
            Ok(Exit::Ok)
        }
        Action::Explain { name } => {
            let mut client = open(Patience::Short)?;
            print(out, &explained(&mut client, name)?)
        }
        Action::Events { since, follow, name, json } => {
            let patience = if *follow { Patience::Endless } else { Patience::Short };
            let command = Command::Events { since: *since, follow: *follow, name: name.clone() };
            let mut client = open(patience)?;
            client.send(command)?;
            while let Some(reply) = client.next()? {
                if let Some(line) = changes::event(&reply, *json) {
                    print(out, &line)?;
                }
            }
            Ok(Exit::Ok)
        }
        Action::Reload => reload(&mut open(Patience::Long)?, Command::Reload, out),
        Action::Rehearse { file } => {
            let command = Command::Rehearse { file: file.clone() };
            reload(&mut open(Patience::Long)?, command, out)
        }
        Action::Restart => restart(options, out),
        Action::Priority { name, base } => {
            let command = Command::Priority { name: name.clone(), base: *base };
            order(&mut open(Patience::Short)?, command)
        }
        Action::Order(command) => orders::give(&mut open(orders::patience(command))?, command, out),
        Action::LogLevel { filter } => {
            let command = Command::LogLevel { filter: filter.clone() };
            order(&mut open(Patience::Short)?, command)
        }
        Action::Help(_) | Action::Version => Ok(Exit::Ok),
    }
}

/// All that is known of the objects of one name.
fn explained(client: &mut Client, name: &str) -> Result<String, Trouble> {
    let shown = Command::Show { topic: Topic::Any, name: Some(name.to_owned()) };
    let found = Picture::ask(client, shown)?;
    let mut story = Story {
        instances: found.instances,
        groups: found.groups,
        tracks: found.tracks,
        services: found.services,
        servers: found.servers,
        events: Vec::new(),
    };
    client.send(Command::Events { since: 0, follow: false, name: Some(name.to_owned()) })?;
    while let Some(reply) = client.next()? {
        if let Reply::Event(event) = reply {
            story.events.push(event);
        }
    }
    let now = crate::status::Time(clock::wall());
    Ok(explain::explain(&story, now, |at| clock::local(at.0).long()))
}

/// A command that has nothing to say if it is carried out.
fn order(client: &mut Client, command: Command) -> Result<Exit, Trouble> {
    client.send(command)?;
    while client.next()?.is_some() {}
    Ok(Exit::Ok)
}

/// Time for a restart, with the trial of the program.
const TRIAL: Duration = Duration::from_secs(90);
/// Time without an answer while the program is replaced.
const TAKEOVER: Duration = Duration::from_secs(10);

/// Waits until another program answers, or the daemon says why there is none.
fn restart(options: &Options, out: &mut dyn Write) -> Result<Exit, Trouble> {
    let path = find::socket(options.socket.as_deref())?;
    let look = || -> Result<Daemon, Trouble> {
        let command = Command::Show { topic: Topic::Daemon, name: None };
        let answer = Picture::ask(&mut Client::open(&path, Patience::Short)?, command)?;
        Ok(answer.daemon.unwrap_or_default())
    };
    let before = look()?.restarts;
    order(&mut Client::open(&path, Patience::Short)?, Command::Restart)?;
    let clock = Clock::new();
    let until = clock.now() + TRIAL;
    let mut given_up = until;
    loop {
        match look() {
            Ok(daemon) if daemon.restarts != before => {
                let Daemon { version, pid, .. } = daemon;
                return print(out, &format!("{version} has taken over, process {pid}\n"));
            }
            Ok(Daemon { restarting: false, restart_refused: Some(text), .. }) => {
                return Err(Trouble {
                    exit: Exit::Refused,
                    text: format!("not restarted: {text}"),
                });
            }
            // There is no socket for a moment.
            Err(trouble) if clock.now() > given_up => return Err(trouble),
            Ok(_) => given_up = clock.now() + TAKEOVER,
            Err(_) => {}
        }
        if clock.now() > until {
            let text = "the daemon does not restart; its log may say why".to_owned();
            return Err(Trouble { exit: Exit::Failure, text });
        }
        talk::pause(talk::GLANCE)?;
    }
}

fn reload(client: &mut Client, command: Command, out: &mut dyn Write) -> Result<Exit, Trouble> {
    let rehearsal = matches!(command, Command::Rehearse { .. });
    client.send(command)?;
    let mut exit = Exit::Failure;
    while let Some(reply) = client.next()? {
        if let Reply::Reload(outcome) = reply {
            exit = if outcome.accepted { Exit::Ok } else { Exit::Refused };
            print(out, &changes::reload(&outcome, rehearsal))?;
        }
    }
    Ok(exit)
}

/// A pipe that is closed ends the program without a word.
fn print(out: &mut dyn Write, text: &str) -> Result<Exit, Trouble> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Ok),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
            Err(Trouble { exit: Exit::Ok, text: String::new() })
        }
        Err(e) => Err(Trouble { exit: Exit::Failure, text: format!("cannot write: {e}") }),
    }
}
