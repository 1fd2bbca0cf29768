//! `HTTP_GET` and `SSL_GET`: the pages that are asked for, and what they have to be like.

use std::ops::RangeInclusive;

use super::check::{self, Around};
use super::inherit::is_on;
use super::Scene;
use crate::base::pattern::Pattern;
use crate::config::document::{Node, Word};
use crate::config::keyword::{Args, Body, Keyword};
use crate::config::lex::script::command_words;
use crate::config::statement::{Checker, Statement};
use crate::config::value::{parse, Value};
use crate::model::check::{Check, Http, Kind, PageRegex, Protocol, Url, STATUS_DEFAULT};

/// What the pages of one check have from it.
#[derive(Default)]
struct Site<'d> {
    tls: bool,
    virtualhost: Option<&'d str>,
    enable_sni: bool,
    tls_compliant: bool,
}

/// A `url` as it is written.
#[derive(Default)]
struct RawUrl<'d> {
    path: Option<&'d str>,
    digest: Option<[u8; 16]>,
    status_codes: Vec<RangeInclusive<u16>>,
    virtualhost: Option<&'d str>,
    tls_compliant: Option<bool>,
    regex: Option<Node<'d>>,
    options: Vec<&'d str>,
    no_match: bool,
    min_offset: usize,
    max_offset: Option<usize>,
    /// The last statement that only says more of `regex`.
    about_regex: Option<Word<'d>>,
}

pub(super) fn read(
    scene: &mut Scene<'_, '_>,
    keyword: &'static Keyword,
    node: Node<'_>,
    around: &Around<'_>,
) -> Option<Check> {
    let mut site = Site { tls: keyword.name == "SSL_GET", ..Site::default() };
    let mut protocol = Protocol::default();
    let mut fast_recovery = false;
    let mut pages = Vec::new();
    let mut sni = None;
    let raw = check::block(scene, keyword, node, &mut |_, s| match (s.keyword.name, s.value) {
        ("url", _) => pages.push(s),
        ("virtualhost", Value::Text(name)) => site.virtualhost = Some(name),
        ("http_protocol", Value::Text(version)) => {
            protocol = match version {
                "1.1" => Protocol::V1_1,
                "1.0" => Protocol::V1_0,
                _ => Protocol::V1_0Close,
            };
        }
        ("enable_sni", value) => {
            site.enable_sni = is_on(value);
            sni = Some(s.node.keyword().span);
        }
        ("fast_recovery", value) => fast_recovery = is_on(value),
        ("tls_compliant", value) => site.tls_compliant = is_on(value),
        (name, _) => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
    });
    let mut urls = Vec::with_capacity(pages.len());
    urls.extend(pages.into_iter().filter_map(|page| url(scene, page, &site, around)));
    if urls.is_empty() {
        let word = node.keyword();
        scene.error(word.text, word.span, "there is no url to ask for: the check is left out");
        return None;
    }
    if let Some(span) = sni.filter(|_| site.enable_sni && urls.iter().all(|u| u.sni_name.is_none()))
    {
        let text = if site.tls {
            "enable_sni has no effect: no virtualhost says which name to send"
        } else {
            "enable_sni has no effect: HTTP_GET is without TLS"
        };
        scene.checker.out.warn("enable_sni", span, text);
    }
    let connect = raw.connect(scene, node, around)?;
    let http = Http { tls: site.tls, protocol, urls, fast_recovery };
    Some(raw.finish(scene, around, Kind::Http(connect, http)))
}

fn url(
    scene: &mut Scene<'_, '_>,
    page: Statement<'_>,
    site: &Site<'_>,
    around: &Around<'_>,
) -> Option<Url> {
    let mut raw = RawUrl::default();
    if let Body::Keywords(table) = page.keyword.body {
        scene.checker.block(page.node.children(), table, &mut |checker, s| raw.take(checker, s));
    }
    let Some(path) = raw.path else {
        scene.error("url", page.node.keyword().span, "path is missing: the url is left out");
        return None;
    };
    let path = path.to_owned();
    let regex = regex(scene, &raw);
    // There may be thousands, and each takes a while to compile.
    if regex.is_some() {
        scene.host.breathe();
    }
    let own = raw.virtualhost.or(site.virtualhost);
    let sni = own.or(around.service_virtualhost).filter(|_| site.tls && site.enable_sni);
    if raw.status_codes.is_empty() {
        raw.status_codes.push(STATUS_DEFAULT);
    }
    Some(Url {
        path,
        status_codes: raw.status_codes,
        digest: raw.digest,
        regex,
        virtualhost: own.or(around.virtualhost).map(str::to_owned),
        sni_name: sni.map(str::to_owned),
        tls_compliant: site.tls && raw.tls_compliant.unwrap_or(site.tls_compliant),
    })
}

impl<'d> RawUrl<'d> {
    fn take(&mut self, checker: &mut Checker<'_>, s: Statement<'d>) {
        if s.keyword.name.starts_with("regex_") {
            self.about_regex = Some(s.node.keyword());
        }
        match (s.keyword.name, s.value) {
            ("path", Value::Text(path)) => self.path = Some(path),
            ("digest", Value::Text(digits)) => self.digest = digest(digits),
            ("status_code", _) => {
                if s.node.arg(0).is_none() {
                    let word = s.node.keyword();
                    checker.out.warn(word.text, word.span, "status_code without a code is ignored");
                }
                self.status_codes.extend(s.node.args().filter_map(|word| status(word.text)));
            }
            ("virtualhost", Value::Text(name)) => self.virtualhost = Some(name),
            ("tls_compliant", value) => self.tls_compliant = Some(is_on(value)),
            ("regex", _) => self.regex = Some(s.node),
            ("regex_no_match", _) => self.no_match = true,
            ("regex_options", _) => {
                // Of others was told.
                let Args::Many { kind, .. } = s.keyword.args else { return };
                let known = s.node.args().filter(|word| parse(kind, word.text).is_ok());
                for word in known.map(|word| word.text) {
                    if !self.options.contains(&word) {
                        self.options.push(word);
                    }
                }
            }
            ("regex_min_offset", Value::Int(n)) => {
                self.min_offset = usize::try_from(n).unwrap_or(0)
            }
            ("regex_max_offset", Value::Int(n)) => self.max_offset = usize::try_from(n).ok(),
            (name, _) => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }
}

/// The regular expression with what belongs to it.
fn regex(scene: &mut Scene<'_, '_>, raw: &RawUrl<'_>) -> Option<PageRegex> {
    let Some(statement) = raw.regex else {
        if let Some(word) = raw.about_regex {
            let text = format!("{} is ignored without regex", word.text);
            scene.checker.out.warn(word.text, word.span, text);
        }
        return None;
    };
    let span = statement.keyword().span;
    let words = command_words(statement.raw());
    let [source] = words.as_deref().unwrap_or_default() else { return None };
    let pattern = match Pattern::compile(source, &raw.options) {
        Ok(pattern) => pattern,
        Err(why) => {
            scene.error("regex", span, format!("{why}: the page is not compared with it"));
            return None;
        }
    };
    let (mut min_offset, mut max_offset) = (raw.min_offset, raw.max_offset);
    if max_offset.is_some_and(|max| max < min_offset) {
        let text = "regex_max_offset is below regex_min_offset: both are ignored";
        let span = raw.about_regex.map_or(span, |word| word.span);
        scene.checker.out.warn("regex_max_offset", span, text);
        (min_offset, max_offset) = (0, None);
    }
    Some(PageRegex { pattern, no_match: raw.no_match, min_offset, max_offset })
}

/// 32 hexadecimal digits: the table allows nothing else.
fn digest(digits: &str) -> Option<[u8; 16]> {
    let mut digest = [0; 16];
    for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// `CODE` or `CODE-CODE`. Of others was told.
fn status(text: &str) -> Option<RangeInclusive<u16>> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let range = low.parse().ok()?..=high.parse().ok()?;
    (!range.is_empty() && *range.start() >= 100 && *range.end() <= 599).then_some(range)
}
