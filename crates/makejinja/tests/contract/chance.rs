//! Random choices that a number repeats.

/// A small generator of numbers, so that a case is known by its number.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(case: u64) -> Self {
        Self(case)
    }

    /// Returns the first case and how many there are, as `KILN_MAKEJINJA_FROM` and `KILN_MAKEJINJA_CASES` say.
    pub(crate) fn cases(first: u64, count: u64) -> (u64, u64) {
        let number = |name: &str, default: u64| {
            let set = std::env::var(name).ok();
            set.map_or(default, |text| text.parse().unwrap())
        };
        (
            number("KILN_MAKEJINJA_FROM", first),
            number("KILN_MAKEJINJA_CASES", count),
        )
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}
