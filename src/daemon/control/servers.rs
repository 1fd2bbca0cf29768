//! Orders to real servers and tracked scripts.

use super::answer::Answer;
use crate::control::{Code, Failure, Reply, ServerCommand};
use crate::daemon::lvs::operator::ServerPlace;
use crate::daemon::runtime::Runtime;
use crate::daemon::status::service;
use crate::lvs::ServerOrder;
use crate::track;

/// The highest weight that IPVS takes.
const HEAVIEST: u32 = i32::MAX.unsigned_abs();

impl Runtime {
    /// The answer shows the server as it is afterwards.
    pub(super) fn order_server(
        &mut self,
        service: &str,
        server: &str,
        command: ServerCommand,
        uid: u32,
    ) -> Result<Answer, Failure> {
        let refuse = |code, text: String| Err(Failure { code, text });
        let Some(place) = self.lvs.place_of(service, server) else {
            let text =
                format!("there is no real server '{server}' of a virtual server '{service}'");
            return refuse(Code::Unknown, text);
        };
        let order = match command {
            ServerCommand::Weight(weight) if weight > HEAVIEST => {
                return refuse(Code::Request, format!("a weight is from 0 to {HEAVIEST}"));
            }
            ServerCommand::Weight(weight) => Some(ServerOrder::Weight(weight)),
            ServerCommand::Drain => Some(ServerOrder::Drain),
            ServerCommand::Disable => Some(ServerOrder::Disable),
            ServerCommand::Enable => None,
            ServerCommand::CheckNow => return self.check_now(place, service, server, uid),
        };
        let what = order.map_or_else(|| "enable".to_owned(), |order| order.to_string());
        self.note_command(&format!("server {service} {server} {what}"), uid);
        self.apply_order(place, order);
        self.drain();
        Ok(Answer::Lines(self.server_now(place)))
    }

    fn check_now(
        &mut self,
        place: ServerPlace,
        service: &str,
        server: &str,
        uid: u32,
    ) -> Result<Answer, Failure> {
        let refuse = |text: String| Err(Failure { code: Code::Refused, text });
        let of = self.lvs.domain.service(place.id);
        if of.is_some_and(crate::lvs::Service::is_suspended) {
            return refuse(format!("the checks of {service} wait for its address on this host"));
        }
        self.note_command(&format!("server {service} {server} check-now"), uid);
        if self.hurry_checks(place) == 0 {
            return refuse(format!("{server} of {service} has no checks"));
        }
        Ok(Answer::Lines(vec![Reply::Done]))
    }

    /// As it is now, the last line first.
    fn server_now(&self, place: ServerPlace) -> Vec<Reply> {
        let of = self.lvs.domain.service(place.id);
        let shown = of.and_then(|of| self.server_status(of, place.index));
        let server = shown.map(|shown| Reply::Server(Box::new(shown)));
        std::iter::once(Reply::Done).chain(server).collect()
    }

    /// With its connections, if an order is in force.
    pub(super) fn server_status(
        &self,
        of: &crate::lvs::Service,
        index: usize,
    ) -> Option<crate::status::Server> {
        let (view, pool) = (self.view(), &self.lvs.pool);
        let mut shown = service::server(&view, &self.journal, pool, of, index)?;
        if shown.order.is_some() {
            shown.connections = self.lvs.connections(of, index);
        }
        Some(shown)
    }

    /// Runs a tracked script, unless it runs already.
    pub(super) fn run_script(&mut self, name: &str, uid: u32) -> Result<Answer, Failure> {
        let refuse = |code, text: String| Err(Failure { code, text });
        match self.cores.track.is_script_running(name) {
            None => refuse(Code::Unknown, format!("there is no tracked script called '{name}'")),
            Some(true) => refuse(Code::Refused, format!("script {name} runs already")),
            Some(false) => {
                self.note_command(&format!("script {name} run-now"), uid);
                self.cores.track(track::Input::RunNow { name }, self.now);
                self.drain();
                self.flush_adverts();
                Ok(Answer::Lines(vec![Reply::Done]))
            }
        }
    }
}
