//! `MISC_CHECK`: what the end of a script means.

use crate::base::verdict::{Reason, Verdict, Weight};

/// How a script ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    Exited(u8),
    Killed(i32),
    /// Nothing to execute, or not allowed; in the words of the system.
    NotStarted(String),
    /// Killed by us, since it took longer than `misc_timeout`.
    Overran,
}

/// `dynamic`: `misc_dynamic`, with which 2 to 255 are weights of 0 to 253.
pub fn verdict(ending: &Ending, dynamic: bool) -> Verdict {
    match ending {
        Ending::Exited(0) => Verdict::UP,
        Ending::Exited(status @ 2..) if dynamic => {
            Verdict::Up(Weight::Instead(i64::from(*status) - 2))
        }
        Ending::Exited(status) => Verdict::Down(Reason::Exit(*status)),
        Ending::NotStarted(why) => Verdict::Down(Reason::NotStarted(why.clone())),
        Ending::Killed(signal) => Verdict::Down(Reason::Signal(*signal)),
        Ending::Overran => Verdict::Down(Reason::Overran),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_status_is_a_verdict_and_with_misc_dynamic_a_weight() {
        for (ending, plain, dynamic) in [
            (Ending::Exited(0), Verdict::UP, Verdict::UP),
            (Ending::Exited(1), Verdict::Down(Reason::Exit(1)), Verdict::Down(Reason::Exit(1))),
            (Ending::Exited(2), Verdict::Down(Reason::Exit(2)), Verdict::Up(Weight::Instead(0))),
            (Ending::Exited(12), Verdict::Down(Reason::Exit(12)), Verdict::Up(Weight::Instead(10))),
            (
                Ending::Exited(255),
                Verdict::Down(Reason::Exit(255)),
                Verdict::Up(Weight::Instead(253)),
            ),
            (
                Ending::NotStarted("no".into()),
                Verdict::Down(Reason::NotStarted("no".into())),
                Verdict::Down(Reason::NotStarted("no".into())),
            ),
            (Ending::Killed(9), Verdict::Down(Reason::Signal(9)), Verdict::Down(Reason::Signal(9))),
            (Ending::Overran, Verdict::Down(Reason::Overran), Verdict::Down(Reason::Overran)),
        ] {
            assert_eq!(verdict(&ending, false), plain);
            assert_eq!(verdict(&ending, true), dynamic);
        }
    }
}
