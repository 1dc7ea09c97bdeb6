//! Keeps secrets in memory from where others could read them.

/// Asks the system not to write the memory of this process to disk, nor to let other processes of the user read it.
///
/// No core dump is written on Unix. On Linux, no debugger of the same user gets in either, and programs that Kiln
/// starts are as they always are. A system that refuses is no reason not to go on.
pub(super) fn keep_out_of_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let allowed = getrlimit(Resource::Core);
        let none = Rlimit {
            current: Some(0),
            ..allowed
        };
        let _ = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn the_process_leaves_no_dump() {
        super::keep_out_of_dumps();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert!(matches!(
            dumpable_behavior(),
            Ok(DumpableBehavior::NotDumpable)
        ));
    }
}
