/// Adler-32 of RFC 1950: it tells apart the same bytes in another order, and Python has it, too.
pub(crate) struct Adler32(u32, u32);

impl Default for Adler32 {
    fn default() -> Self {
        Self(1, 0)
    }
}

impl Adler32 {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 + u32::from(*byte)) % 65_521;
            self.1 = (self.1 + self.0) % 65_521;
        }
    }

    pub(crate) fn value(&self) -> u32 {
        self.1 << 16 | self.0
    }
}
