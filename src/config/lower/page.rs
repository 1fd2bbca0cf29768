//! `HTTP_GET` and `SSL_GET`: the requested pages, and their expected properties.

use super::probe::Around;
use super::Scene;
use crate::base::parts;
use crate::base::pattern::Pattern;
use crate::config::keywords::{CheckKind, RawCheck, RawUrl};
use crate::config::lex::script::command_words;
use crate::config::table::Given;
use crate::model::check::{Check, Http, Kind, PageRegex, Url, STATUS_DEFAULT};

pub(super) fn check(
    scene: &mut Scene<'_, '_>,
    raw: &RawCheck<'_>,
    around: &Around<'_>,
) -> Option<Check> {
    let mut urls = Vec::with_capacity(raw.web.urls.len());
    urls.extend(raw.web.urls.iter().filter_map(|page| url(scene, page, raw, around)));
    if urls.is_empty() {
        let word = raw.word;
        scene.error(word.text, word.span, "there is no url to ask for: the check is left out");
        return None;
    }
    let tls = raw.kind == CheckKind::Ssl;
    if tls && !parts::TLS {
        let text = "this build has no TLS: the check is suspended";
        scene.error(raw.word.text, raw.word.span, text);
    }
    if let Some(Given { value: true, span }) = raw.web.enable_sni {
        let text = if tls {
            "enable_sni has no effect: no virtualhost says which name to send"
        } else {
            "enable_sni has no effect: HTTP_GET is without TLS"
        };
        if urls.iter().all(|url| url.sni_name.is_none()) {
            scene.checker.out.warn("enable_sni", span, text);
        }
    }
    let connect = raw.connect(scene, around)?;
    let web = &raw.web;
    let http = Http { tls, protocol: web.protocol, urls, fast_recovery: web.fast_recovery };
    Some(raw.finish(scene, around, Kind::Http(connect, http)))
}

fn url(
    scene: &mut Scene<'_, '_>,
    raw: &RawUrl<'_>,
    check: &RawCheck<'_>,
    around: &Around<'_>,
) -> Option<Url> {
    let (tls, site) = (check.kind == CheckKind::Ssl, &check.web);
    let Some(path) = raw.path else {
        let span = raw.url.unwrap_or(check.word.span);
        scene.error("url", span, "path is missing: the url is left out");
        return None;
    };
    let path = path.to_owned();
    let regex = regex(scene, raw);
    // There may be thousands, and each takes a while to compile.
    if regex.is_some() {
        scene.host.breathe();
    }
    let own = raw.virtualhost.or(site.virtualhost);
    let sni = own
        .or(around.service_virtualhost)
        .filter(|_| tls && site.enable_sni.is_some_and(|sni| sni.value));
    let mut status_codes = raw.status_codes.clone();
    if status_codes.is_empty() {
        status_codes.push(STATUS_DEFAULT);
    }
    Some(Url {
        path,
        status_codes,
        digest: raw.digest,
        regex,
        virtualhost: own.or(around.virtualhost).map(str::to_owned),
        sni_name: sni.map(str::to_owned),
        tls_compliant: tls && raw.tls_compliant.unwrap_or(site.tls_compliant),
    })
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
