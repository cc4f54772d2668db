//! `status --open`: the same answer as a page. It needs no network and no script, is read by a screen reader in the order
//! in which it stands, and prints.

mod timeline;

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use forewarn_core::words::{Fact, Localizer, device_facts, obligation_facts};
use forewarn_host::{folders, private};
use forewarn_proto::{
    foreign::{json, steadied},
    ipc::{ObligationStatus, Status},
    report::Report,
};
use jiff::tz::TimeZone;

const STYLE: &str = include_str!("page.css");

/// Opens the page in the person's browser. It is written where nobody else can read it, and replaces the former one.
///
/// # Errors
/// When it can't be written, or nothing opens it.
#[expect(clippy::disallowed_methods, reason = "only the desktop knows which browser the person uses")]
pub(super) fn open(page: &str) -> Result<()> {
    let folder = folders::runtime().or_else(folders::cache).context("there is no home folder; use --page FILE")?;
    let file = folder.join("forewarn-status.html");
    write(&file, page)?;
    let opened = Command::new("xdg-open").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).status();
    let hint = || format!("nothing opens pages here; open {} yourself", file.display());
    ensure!(opened.with_context(hint)?.success(), hint());
    Ok(())
}

/// Writes the page, for its owner alone.
///
/// # Errors
/// When that fails; a former page is then still there.
pub(super) fn write(file: &Path, page: &str) -> Result<()> {
    Ok(private::write(file, page.as_bytes())?)
}

/// The page.
pub(in crate::command) fn draw(localizer: &Localizer, status: &Status, zone: &TimeZone) -> String {
    let direction = if localizer.right_to_left { "rtl" } else { "ltr" };
    let title = escaped(&localizer.say("page-title"));
    let made = localizer.fill("page-made", [("moment", localizer.moment(status.now, zone).into())]);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\" dir=\"{direction}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n<p class=\"made\">{}</p>\n",
        localizer.name,
        escaped(&made),
    );
    if status.obligations.is_empty() {
        push(&mut page, "p", &localizer.say("nothing-asked"));
    }
    for domain in &status.revoked {
        push(&mut page, "p", &localizer.fill("in-vault", [("domain", domain.to_string().into())]));
    }
    for obligation in &status.obligations {
        draw_obligation(&mut page, localizer, status, obligation, zone);
    }
    page.push_str("<section>\n");
    push(&mut page, "h2", &localizer.say("page-device"));
    draw_facts(&mut page, &device_facts(localizer, status, zone));
    page.push_str("</section>\n<section>\n");
    push(&mut page, "h2", &localizer.say("page-report"));
    draw_report(&mut page, localizer, status);
    page.push_str("</section>\n</main>\n</body>\n</html>\n");
    page
}

fn draw_obligation(
    page: &mut String,
    localizer: &Localizer,
    status: &Status,
    obligation: &ObligationStatus,
    zone: &TimeZone,
) {
    page.push_str("<section>\n");
    let _ = writeln!(page, "<h2><bdi>{}</bdi></h2>", escaped(&steadied(localizer.best_title(obligation))));
    page.push_str(&timeline::draw(localizer, obligation, status.now, zone));
    draw_facts(page, &obligation_facts(localizer, obligation, status.now, zone));
    page.push_str("</section>\n");
}

fn draw_facts(page: &mut String, facts: &[Fact]) {
    page.push_str("<dl>\n");
    for Fact { label, lines } in facts {
        push(page, "dt", label);
        lines.iter().for_each(|line| push(page, "dd", line));
    }
    page.push_str("</dl>\n");
}

fn draw_report(page: &mut String, localizer: &Localizer, status: &Status) {
    match status.report.as_ref().map(report_text) {
        Some(Ok(report)) => {
            push(page, "p", &localizer.say("page-report-intro"));
            let _ = writeln!(page, "<pre dir=\"ltr\" tabindex=\"0\">{}</pre>", escaped(&report));
        }
        Some(Err(_)) | None => push(page, "p", &localizer.say("page-no-report")),
    }
}

fn report_text(report: &Report) -> serde_json::Result<String> {
    Ok(json(&serde_json::to_string_pretty(report)?).into_owned())
}

fn push(page: &mut String, element: &str, text: &str) {
    let _ = writeln!(page, "<{element}>{}</{element}>", escaped(text));
}

/// Text, whatever is in it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn status() -> Status {
        let text = include_str!("page_status.json");
        serde_json::from_str(text).unwrap()
    }

    fn page(language: &str) -> String {
        draw(&Localizer::for_screens(&[language.parse().unwrap()]), &status(), &TimeZone::UTC)
    }

    #[test]
    fn what_a_policy_says_is_text_and_nothing_else() {
        let mut status = status();
        status.obligations[0].title = "<script>alert(1)</script> & \"more\"".into();
        let page = draw(&Localizer::for_screens(&[]), &status, &TimeZone::UTC);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"));
        assert!(!page.contains("<script"));
    }

    #[test]
    fn a_page_loads_nothing_and_runs_nothing() {
        for language in ["en", "ar"] {
            let page = page(language);
            for outside in ["http://", "https://srv", "src=", "href=", "<script", "<link", "url(", "@import"] {
                assert!(!page.contains(outside), "{outside} in {page}");
            }
        }
    }

    #[test]
    fn a_page_says_everything_and_is_written_in_its_language_s_direction() {
        let english = page("en");
        let parts = [
            "<html lang=\"en\" dir=\"ltr\">",
            "alice, bob",
            "Thursday 3 December 2026, 09:00 UTC",
            "the mail account of corp.example",
            "forewarn remove TikTok",
            "<svg",
            "&quot;finding&quot;: &quot;not_met&quot;",
        ];
        for part in parts {
            assert!(english.contains(part), "{part} is missing in {english}");
        }
        assert!(page("ar").contains("<html lang=\"ar\" dir=\"rtl\">"));
    }

    #[test]
    fn a_page_is_its_owner_s_alone_and_replaces_the_former_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("status.html");
        write(&file, "first").unwrap();
        write(&file, "second").unwrap();
        assert_eq!(fs_err::read_to_string(&file).unwrap(), "second");
        assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
    }
}
