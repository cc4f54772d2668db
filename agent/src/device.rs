//! This device's clocks and private files, as the agent asks for them.

use std::path::Path;

use anyhow::Result;
use forewarn_core::ports::{Alarm, Device};
use forewarn_engine::Now;
use forewarn_host::{Clock, local_zone, private};

use crate::alarm::BootTimer;

/// This device.
pub(crate) struct ThisDevice {
    clock: Clock,
}

impl ThisDevice {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

impl Device for ThisDevice {
    fn now(&self) -> Now {
        let reading = self.clock.read();
        Now { wall: reading.wall, boot: reading.boot, boot_id: reading.boot_id, zone: local_zone() }
    }

    fn is_simulated(&self) -> bool {
        self.clock.is_simulated()
    }

    fn timer(&self) -> Result<Box<dyn Alarm>> {
        Ok(Box::new(BootTimer::new()?))
    }

    fn write_private(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        path.parent().map_or(Ok(()), private::create_folder)?;
        Ok(private::write(path, bytes)?)
    }
}
