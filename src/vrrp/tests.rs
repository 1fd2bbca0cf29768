//! What holds for every state and every input. Stories are in `tests/vrrp`.

mod group_tracking;
mod past;
mod random;
mod table;
mod virtual_links;
