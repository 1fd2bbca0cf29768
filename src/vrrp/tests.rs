//! What holds for every state and every input. Stories are in `tests/vrrp`.

mod random;
mod table;
