/// Limits of the engine. All sizes are addresses reserved or files on disk, not memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LmdbConfig {
    /// Environments open at once; beyond it the least recently used idle one is closed. Three descriptors each.
    pub open_max: usize,
    /// Snapshots of one data set at once.
    pub readers_max: u32,
    /// Address space a data set starts with. Generous, because growing waits for the readers; the sum over
    /// the open environments must stay below about 120 TiB.
    pub map_initial_bytes: u64,
    /// No data set grows beyond this: then `KvError::Full`.
    pub map_max_bytes: u64,
    /// How long a write waits for long readers when the map has to grow.
    pub growth_wait_ms: u64,
}

impl Default for LmdbConfig {
    fn default() -> Self {
        Self {
            open_max: 1_024,
            readers_max: 1_024,
            map_initial_bytes: 4 << 30,
            map_max_bytes: 1 << 40,
            growth_wait_ms: 60_000,
        }
    }
}
