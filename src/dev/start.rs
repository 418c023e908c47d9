//! Starting what does not run, and waiting until it answers.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::kafka::{self, Kafka};
use super::parts::Parts;
use super::process::Process;
use super::record::{Record, replace};
use super::{Dev, Error, Part, address, ping, port, status};

/// Longest wait for a part to answer. Kafka takes 5 s, the engine one; a machine that builds beside them takes longer.
const READY_WAIT: Duration = Duration::from_secs(90);
/// Between two looks at a part that is starting.
const POLL: Duration = Duration::from_millis(100);
/// Lines of a log that are shown when its part fails.
const TAIL_LINES: usize = 20;

/// Starts the parts that do not run. The record is written before each wait, so that what was started can be ended.
pub fn start(dev: &Dev, only: Option<Part>) -> Result<(), Error> {
    let mut record = Record::read(dev.directory())?;
    let (running, missing): (Vec<_>, Vec<_>) =
        Part::chosen(only).partition(|part| record.entry(*part).process.is_some_and(Process::runs));
    for part in &running {
        dev.progress.say(format!("{part} is up already"));
    }
    if !missing.is_empty() {
        choose_ports(&mut record, &missing)?;
        write_configuration(dev, &record)?;
        let parts = dev.progress.pause(Parts::fetch)?;
        // The engine first: Kafka's storage may have to be formatted, and the engine starts meanwhile.
        for part in missing.into_iter().rev() {
            launch(dev, &mut record, part, &parts)?;
        }
    }
    Part::chosen(only).try_for_each(|part| wait(dev, &mut record, part, running.contains(&part)))
}

/// Ports of parts that run stay as they are; the others keep theirs if nobody has taken it.
fn choose_ports(record: &mut Record, missing: &[Part]) -> Result<(), Error> {
    for part in Part::ALL {
        let entry = record.entry(part);
        if entry.port.is_none() || missing.contains(&part) {
            entry.port = Some(port::keep_or_choose(entry.port)?);
        }
    }
    if missing.contains(&Part::Kafka) {
        record.controller_port = Some(port::keep_or_choose(record.controller_port)?);
    }
    // Plimsoll itself may be listening on these: they are chosen once and kept.
    for port in [&mut record.http_port, &mut record.metrics_port] {
        *port = Some(port.map_or_else(|| port::keep_or_choose(None), Ok)?);
    }
    Ok(())
}

fn write_configuration(dev: &Dev, record: &Record) -> Result<(), Error> {
    let ports = (record.kafka.port, record.engine.port, record.http_port, record.metrics_port);
    let (Some(kafka), Some(engine), Some(http), Some(metrics)) = ports else { return Err(Error::NoPort) };
    let failed = |source| Error::Directory { directory: dev.directory().to_path_buf(), source };
    let text = status::configuration(kafka, engine, http, metrics);
    replace(&status::configuration_file(dev.directory()), &text).map_err(failed)
}

fn launch(dev: &Dev, record: &mut Record, part: Part, parts: &Parts) -> Result<(), Error> {
    dev.progress.say(format!("starting {part}"));
    let (Some(port), controller_port) = (record.entry(part).port, record.controller_port) else {
        return Err(Error::NoPort);
    };
    let home = dev.directory().join(part.to_string());
    let command = match part {
        Part::Kafka => Kafka::new(home, parts).prepare(port, controller_port.ok_or(Error::NoPort)?)?,
        Part::Engine => engine(dev, &home, port, parts)?,
    };
    let program = command.get_program().to_string_lossy().into_owned();
    let log = dev.log(part);
    keep_last(&log);
    let process = Process::start(command, &log).map_err(|source| Error::Start { program, source })?;
    record.entry(part).process = Some(process);
    record.write(dev.directory())
}

fn engine(dev: &Dev, home: &Path, port: u16, parts: &Parts) -> Result<Command, Error> {
    let own = || std::env::current_exe().map_err(|source| Error::Start { program: "plimsoll".to_owned(), source });
    let program = dev.program.clone().map_or_else(own, Ok)?;
    let mut command = Command::new(program);
    command.arg("engine").arg("--path").arg(home).args(["--listen", &address(port)]);
    command.arg("--library").arg(parts.engine_library());
    Ok(command)
}

/// The log of the start before stays beside the new one.
fn keep_last(log: &Path) {
    // There is none at the first start.
    let _ = std::fs::rename(log, log.with_extension("log.1"));
}

/// A part that ran already is asked as well: it may still be starting, or hang.
fn wait(dev: &Dev, record: &mut Record, part: Part, ran: bool) -> Result<(), Error> {
    let entry = record.entry(part).clone();
    let (Some(port), Some(process)) = (entry.port, entry.process) else { return Err(Error::NoPort) };
    let say = |text: String| {
        if !ran {
            dev.progress.say(text)
        }
    };
    say(format!("waiting for {part} on {}", address(port)));
    let deadline = Instant::now() + READY_WAIT;
    loop {
        let ready = match part {
            Part::Kafka => kafka::answers(&address(port)),
            Part::Engine => ping::answers(port),
        };
        // Somebody else's answer on the port does not count.
        if !process.runs() {
            let log = dev.log(part);
            return Err(Error::Died { part, tail: tail(&log), log });
        }
        if ready {
            say(format!("{part} is ready"));
            return Ok(());
        }
        if Instant::now() > deadline {
            let log = dev.log(part);
            return Err(Error::NotReady { part, waited: READY_WAIT, tail: tail(&log), log });
        }
        std::thread::sleep(POLL);
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
