//! What one rendering may take.

use crate::error::{ExceededLimit, Failure, Outcome};
use crate::value::effort;

/// How much work and text one rendering may take; over that, it ends with
/// [`ErrorKind::Limit`](crate::ErrorKind::Limit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Expressions and statements evaluated and items gone through, together; a range of more than a million items is
    /// over the limit in any case.
    pub steps: u64,
    /// Bytes of the output, and of any text on the way to it.
    pub output_bytes: usize,
}

impl Default for Limits {
    /// 50 million steps, a few seconds; 64 MiB.
    fn default() -> Self {
        Self {
            steps: 50_000_000,
            output_bytes: 64 << 20,
        }
    }
}

/// What is left of the limits of a rendering.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    output_bytes: usize,
    depth: u32,
}

/// How many expressions, statements, macros and includes may be inside of one another while they run.
const DEPTH: u32 = 400;

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        // What was done before is not charged to this rendering.
        effort::take();
        Self {
            steps: limits.steps,
            output_bytes: limits.output_bytes,
            depth: DEPTH,
        }
    }

    pub(crate) fn take(&mut self, steps: usize) -> Outcome<()> {
        match self.steps.checked_sub(steps as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(Failure::over(ExceededLimit::Steps)),
        }
    }

    /// Whether a text of so many bytes may exist.
    pub(crate) fn check_size(&self, bytes: usize) -> Outcome<()> {
        if bytes > self.output_bytes {
            return Err(Failure::over(ExceededLimit::Output));
        }
        Ok(())
    }

    /// Takes the steps of making a text or a list of a size that is about to be made.
    pub(crate) fn reserve(&mut self, size: usize) -> Outcome<()> {
        self.check_size(size)?;
        self.take(size / 16)
    }

    pub(crate) fn enter(&mut self) -> Outcome<()> {
        self.take(1 + effort::take())?;
        match self.depth.checked_sub(1) {
            Some(left) => {
                self.depth = left;
                Ok(())
            }
            None => Err(Failure::over(ExceededLimit::Depth)),
        }
    }

    pub(crate) fn leave(&mut self) {
        self.depth += 1;
    }
}
