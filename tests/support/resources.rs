//! What a process takes of the machine.

use std::{fmt, fs};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Resources {
    /// Resident, in bytes.
    pub(crate) memory: u64,
    pub(crate) descriptors: usize,
}

impl Resources {
    pub(crate) fn of(process: u32) -> Self {
        let memory = fs::read_to_string(format!("/proc/{process}/statm")).expect("running");
        let resident = memory.split(' ').nth(1).expect("the resident pages");
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("running");
        Self {
            memory: resident.parse::<u64>().expect("a number") * 4096,
            descriptors: descriptors.count(),
        }
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kibibytes = self.memory / 1024;
        let descriptors = self.descriptors;
        write!(f, "{kibibytes} KiB resident, {descriptors} descriptors")
    }
}
