//! What reaches the disk: which outputs change, what is left alone, and what a crash leaves.

/// Project folders, trees to write to them, and pictures of what is there.
mod sandbox;

/// Reading a project: order, symlinks, records.
mod reading;
/// Created, changed, unchanged, removed, foreign, edited.
mod fates;
/// The list of owned outputs.
mod list;
/// Outputs that may not be written where they want to go.
mod places;
/// Paths of outputs that are hostile, or mean another file elsewhere.
mod names;
/// Files that turn into folders, and folders that go.
mod shapes;
/// Runs that stop after each of their steps.
mod interrupted;
/// Runs that are killed by the system at random moments.
mod killed;
/// Full disks, read-only folders, two runs at once.
mod refused;
/// Any sequence of trees with any interruption.
mod sequences;
