//! All objects of a build, in order.

use super::resource::Resource;

/// The objects of a build, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    pub(crate) list: Vec<Resource>,
}
