//! The life of one check: what a result means, and how long to wait after it.
//!
//! A check begins as if it had used up its retries: the first failure counts. From the first result
//! on, what is up is tried again `retry` times before it is down, and what is down is up with a
//! single success. Pages of `HTTP_GET` are asked for one after the other.
//!
//! A probe that this host could not make is tried again as often, before the first result too; then
//! it counts as a failure. A server that cannot be checked must not stay in service for ever.

use crate::base::recalled::RecalledCheck;
use crate::base::time::Duration;
use crate::model::check::{Check, Http, Kind};

/// What is known of a check between two probes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Life {
    up: bool,
    has_run: bool,
    /// Failures in a row that were to be tried again.
    retries: u32,
    /// Probes in a row that could not be made.
    unmade: u32,
    /// The `url` that is next.
    page: usize,
    /// It is the one that failed. The others are not asked for before it is well.
    is_broken: bool,
}

/// What a result means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conclusion {
    /// All is as it was.
    Same,
    /// One page is well, of a server that is not up yet.
    Page(usize),
    /// A failure that does not count yet.
    Retry { nth: u32, of: u32 },
    /// The first result, or another one than before.
    Result {
        up: bool,
        turned: bool,
        first: bool,
        /// How often it was tried again in vain.
        retries: u32,
    },
}

/// What follows from a probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub conclusion: Conclusion,
    /// From the end of this probe to the next; of `MISC_CHECK`, from its start.
    pub delay: Duration,
}

impl Life {
    pub const fn new(config: &Check, up: bool) -> Self {
        let retries = config.schedule.retry;
        Self { up, has_run: false, retries, unmade: 0, page: 0, is_broken: false }
    }

    /// What is known of it from before the program was replaced.
    pub(super) fn recalled(config: &Check, up: bool, before: &RecalledCheck) -> Self {
        let retries = before.retries.min(config.schedule.retry);
        Self { has_run: before.had_run, retries, ..Self::new(config, up) }
    }

    /// Failures in a row that did not count yet.
    pub const fn retries(&self) -> u32 {
        self.retries
    }

    pub const fn is_up(&self) -> bool {
        self.up
    }

    /// False until its first result.
    pub const fn has_run(&self) -> bool {
        self.has_run
    }

    /// Which `url` is to be asked for next.
    pub const fn page(&self) -> usize {
        self.page
    }

    /// Keeps to a new schedule, or to other pages.
    pub fn adjust(&mut self, config: &Check) {
        self.retries = self.retries.min(config.schedule.retry);
        let pages = http_of(config).map_or(1, |http| http.urls.len());
        if self.page >= pages {
            (self.page, self.is_broken) = (0, false);
        }
    }

    pub fn on_success(&mut self, config: &Check) -> Step {
        (self.retries, self.unmade) = (0, 0);
        let delay = config.schedule.delay_loop;
        if let Some(http) = http_of(config).filter(|http| http.urls.len() > 1) {
            if let Some(step) = self.turn_page(http, delay) {
                return step;
            }
        }
        self.is_broken = false;
        Step { conclusion: self.become_known(true, 0), delay }
    }

    /// To the next page, unless this was the last one.
    fn turn_page(&mut self, http: &Http, delay: Duration) -> Option<Step> {
        let page = self.page;
        let was_broken = std::mem::take(&mut self.is_broken);
        // A page that is well again does not say how the others are meanwhile.
        self.page = if was_broken { 0 } else { (page + 1) % http.urls.len() };
        if self.page == 0 && !was_broken {
            return None;
        }
        let is_known = self.up && self.has_run;
        let delay = if http.fast_recovery && !is_known { Duration::ZERO } else { delay };
        let conclusion = if is_known { Conclusion::Same } else { Conclusion::Page(page) };
        Some(Step { conclusion, delay })
    }

    pub fn on_failure(&mut self, config: &Check) -> Step {
        self.unmade = 0;
        // A mail server is tried again even while it is down.
        let is_smtp = matches!(config.kind, Kind::Smtp(..));
        let again = self.up || !self.has_run || is_smtp;
        if again && self.retries < config.schedule.retry {
            self.retries += 1;
            return self.try_again(self.retries, config);
        }
        let retries = if self.has_run { config.schedule.retry } else { 0 };
        self.give_up(retries, config)
    }

    /// The probe could not be made, for want of something of ours.
    pub fn on_unmade(&mut self, config: &Check) -> Step {
        let again = self.up || !self.has_run;
        if again && self.unmade < config.schedule.retry {
            self.unmade += 1;
            return self.try_again(self.unmade, config);
        }
        let retries = std::mem::take(&mut self.unmade);
        self.give_up(retries, config)
    }

    fn try_again(&self, nth: u32, config: &Check) -> Step {
        let schedule = &config.schedule;
        let conclusion = match self.up {
            true => Conclusion::Retry { nth, of: schedule.retry },
            false => Conclusion::Same,
        };
        Step { conclusion, delay: schedule.delay_before_retry }
    }

    fn give_up(&mut self, retries: u32, config: &Check) -> Step {
        let schedule = &config.schedule;
        self.retries = 0;
        self.is_broken = true;
        let delay = match config.kind {
            Kind::Http(..) => schedule.delay_loop.max(schedule.delay_before_retry),
            _ => schedule.delay_loop,
        };
        Step { conclusion: self.become_known(false, retries), delay }
    }

    /// A failure that came without a probe: there is nothing to try again.
    pub fn on_certain_failure(&mut self) -> Step {
        Step { conclusion: self.become_known(false, 0), delay: Duration::ZERO }
    }

    fn become_known(&mut self, up: bool, retries: u32) -> Conclusion {
        let (turned, first) = (self.up != up, !self.has_run);
        (self.up, self.has_run) = (up, true);
        match turned || first {
            true => Conclusion::Result { up, turned, first, retries },
            false => Conclusion::Same,
        }
    }
}

const fn http_of(config: &Check) -> Option<&Http> {
    match &config.kind {
        Kind::Http(_, http) => Some(http),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::model::check::{Connect, Protocol, Schedule, Smtp, Url, STATUS_DEFAULT};

    const SERVER: Connect = Connect::to(IpAddr::V4(Ipv4Addr::LOCALHOST), 80);

    fn check(kind: Kind, retry: u32) -> Check {
        let schedule = Schedule {
            delay_loop: Duration::from_secs(10),
            retry,
            delay_before_retry: Duration::from_secs(3),
            warmup: Duration::ZERO,
        };
        Check { kind, schedule, alpha: false, log_all_failures: false }
    }

    pub(in crate::check) fn pages(n: usize, fast_recovery: bool) -> Kind {
        let url = |n: usize| Url {
            path: format!("/{n}"),
            status_codes: vec![STATUS_DEFAULT],
            digest: None,
            regex: None,
            virtualhost: None,
            sni_name: None,
            tls_compliant: false,
        };
        let urls = (0..n).map(url).collect();
        Kind::Http(SERVER, Http { tls: false, protocol: Protocol::V1_0, urls, fast_recovery })
    }

    /// `+`, `-` and `?` (not made) go in; the page that was asked for, what came out and the delay.
    fn told(config: &Check, up: bool, results: &str) -> String {
        let mut life = Life::new(config, up);
        let tell = |result: char| {
            let page = life.page();
            let step = match result {
                '+' => life.on_success(config),
                '?' => life.on_unmade(config),
                _ => life.on_failure(config),
            };
            let said = match step.conclusion {
                Conclusion::Same => String::new(),
                Conclusion::Page(n) => format!(" page {n}"),
                Conclusion::Retry { nth, of } => format!(" retry {nth}/{of}"),
                Conclusion::Result { up, turned, first, retries } => format!(
                    " {}{}{}{}",
                    if turned { "becomes " } else { "is " },
                    if up { "up" } else { "down" },
                    if first { ", first" } else { "" },
                    if retries > 0 { format!(", after {retries}") } else { String::new() }
                ),
            };
            format!("{result}{page}{said} {}s", step.delay.as_secs())
        };
        results.chars().map(tell).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_first_failure_counts() {
        let config = check(Kind::Tcp(SERVER), 2);
        assert_eq!(
            told(&config, true, "--+"),
            "-0 becomes down, first 10s; -0 10s; +0 becomes up 10s"
        );
        assert_eq!(told(&config, false, "-+"), "-0 is down, first 10s; +0 becomes up 10s");
    }

    #[test]
    fn later_failures_are_tried_again() {
        let config = check(Kind::Tcp(SERVER), 2);
        assert_eq!(
            told(&config, true, "+---"),
            "+0 is up, first 10s; -0 retry 1/2 3s; -0 retry 2/2 3s; -0 becomes down, after 2 10s"
        );
        assert_eq!(
            told(&config, true, "+-+-"),
            "+0 is up, first 10s; -0 retry 1/2 3s; +0 10s; -0 retry 1/2 3s"
        );
    }

    #[test]
    fn what_could_not_be_made_is_tried_again_and_then_counts() {
        let config = check(Kind::Tcp(SERVER), 1);
        assert_eq!(
            told(&config, true, "???+??+?-?-"),
            "?0 retry 1/1 3s; ?0 becomes down, first, after 1 10s; ?0 10s; +0 becomes up 10s; \
             ?0 retry 1/1 3s; ?0 becomes down, after 1 10s; +0 becomes up 10s; ?0 retry 1/1 3s; \
             -0 retry 1/1 3s; ?0 retry 1/1 3s; -0 becomes down, after 1 10s"
        );
        assert_eq!(told(&config, false, "???"), "?0 3s; ?0 is down, first, after 1 10s; ?0 10s");
        let config = check(Kind::Tcp(SERVER), 0);
        assert_eq!(told(&config, true, "?"), "?0 becomes down, first 10s");
    }

    #[test]
    fn a_mail_server_is_tried_again_while_it_is_down() {
        let smtp = Smtp { helo_name: "x".into() };
        let config = check(Kind::Smtp(SERVER, smtp), 1);
        assert_eq!(told(&config, true, "----"), "-0 becomes down, first 10s; -0 3s; -0 10s; -0 3s");
    }

    #[test]
    fn all_pages_in_turn_before_a_server_is_up() {
        let config = check(pages(3, false), 0);
        assert_eq!(
            told(&config, true, "+++++"),
            "+0 page 0 10s; +1 page 1 10s; +2 is up, first 10s; +0 10s; +1 10s"
        );
    }

    #[test]
    fn only_the_failed_page_until_it_is_well_and_then_all() {
        let config = check(pages(2, false), 0);
        assert_eq!(
            told(&config, true, "++++---+++"),
            "+0 page 0 10s; +1 is up, first 10s; +0 10s; +1 10s; -0 becomes down 10s; -0 10s; \
             -0 10s; +0 page 0 10s; +0 page 0 10s; +1 becomes up 10s"
        );
    }

    #[test]
    fn fast_recovery_does_not_wait_between_pages() {
        let config = check(pages(2, true), 0);
        assert_eq!(
            told(&config, true, "++++-+++"),
            "+0 page 0 0s; +1 is up, first 10s; +0 10s; +1 10s; -0 becomes down 10s; \
             +0 page 0 0s; +0 page 0 0s; +1 becomes up 10s"
        );
    }

    #[test]
    fn one_page_is_enough_where_there_is_only_one() {
        let config = check(pages(1, false), 1);
        assert_eq!(
            told(&config, true, "+--+"),
            "+0 is up, first 10s; -0 retry 1/1 3s; -0 becomes down, after 1 10s; +0 becomes up 10s"
        );
    }
}
