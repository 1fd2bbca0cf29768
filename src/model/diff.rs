//! Two models, and what leads from the one to the other.
//!
//! Identity is what must be equal for an instance to be the same one; everything else is an
//! attribute that can be adjusted while it runs.
