//! What a measurement took: by the clock on the wall, and of processors. The second says more where others use the machine too.

use std::fs;
use std::time::Instant as Moment;

/// Ticks of a second in `/proc`: the same on every Linux that there is.
const TICKS: f64 = 100.0;

/// What is being measured.
pub struct Effort {
    started: Moment,
    own: f64,
    engine: f64,
    engine_pid: i32,
}

/// What it took, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// By the clock on the wall.
    pub wall: f64,
    /// Processor time of this process.
    pub own: f64,
    /// Processor time of the engine, merges that went on meanwhile included.
    pub engine: f64,
}

impl Effort {
    /// Begins, with the engine of this process id.
    pub fn begin(engine_pid: i32) -> Self {
        Self { started: Moment::now(), own: processor_seconds("self"), engine: engine_seconds(engine_pid), engine_pid }
    }

    /// Ends.
    pub fn took(&self) -> Took {
        Took {
            wall: self.started.elapsed().as_secs_f64(),
            own: processor_seconds("self") - self.own,
            engine: engine_seconds(self.engine_pid) - self.engine,
        }
    }
}

impl Took {
    /// Processor time of both processes.
    pub fn processor(&self) -> f64 {
        self.own + self.engine
    }
}

fn engine_seconds(pid: i32) -> f64 {
    processor_seconds(&pid.to_string())
}

/// Of all threads of a process, those that ended included.
fn processor_seconds(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // the name of the program is in brackets and may hold anything
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |place: usize| fields[place].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS
}
