//! Hardening: edits, rules, profiles.

mod edits;
