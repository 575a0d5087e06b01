//! `why`: what would happen, as a story: who, which pools and rules in order, who sits there, what would help.

use crate::args::WhyArgs;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::names::is_no_login;
use crate::printer::Printer;
use crate::words;
use seatkeeper::wire::{ExplainBody, ExplainReply, ExplainStep, Item, Problem, Seat};

/// Asks and tells.
pub(crate) fn run(daemon: &Daemon<'_>, args: &WhyArgs, printer: &Printer) -> Outcome<Exit> {
    let body = ExplainBody {
        user: Some(args.user.clone()),
        product: args.feature.product.clone(),
        item: Item {
            feature: args.feature.feature.clone(),
            version: args.taking.version.clone(),
            n: args.taking.n,
        },
        interactive: args.taking.interactive,
        roots: None,
        suppose: args.supposing.asked(),
    };
    let reply: ExplainReply = daemon.post("/v1/explain", &body)?;
    printer.record(&reply, |reply| story(reply, &asked(args)))?;
    if is_no_login(&args.user) && !daemon.is_dev() {
        printer.note(&format!("there is no login {} on this machine", args.user));
    }
    Ok(if reply.granted {
        Exit::Done
    } else {
        Exit::Refused
    })
}

fn asked(args: &WhyArgs) -> String {
    let product = args
        .feature
        .product
        .as_ref()
        .map(|product| format!("{product}/"))
        .unwrap_or_default();
    let seats = if args.taking.n == 1 {
        "a seat".to_owned()
    } else {
        words::count(args.taking.n.into(), "seat")
    };
    let version = args
        .taking
        .version
        .as_ref()
        .map(|version| format!(" version {version}"))
        .unwrap_or_default();
    format!("{seats} of {product}{}{version}", args.feature.feature)
}

fn story(reply: &ExplainReply, asked: &str) -> String {
    let would = if reply.granted {
        "would get"
    } else {
        "would not get"
    };
    let first = match reply.supposed.as_slice() {
        [] => format!("{} {would} {asked} now.", reply.user),
        supposed => format!(
            "With {}: {} {would} {asked}.",
            supposed.join(", and "),
            reply.user
        ),
    };
    let mut lines = vec![first, format!("{}.", sentence(&reply.summary, &reply.user))];
    if let Some(today) = &reply.today {
        let so = if today.granted { "yes" } else { "no" };
        let why = sentence(&today.summary, &reply.user);
        lines.push(format!("As it is today: {so}. {why}."));
    }
    if !reply.steps.is_empty() {
        lines.extend([String::new(), "How it was judged:".to_owned()]);
        lines.extend(steps(&reply.steps));
    }
    if !reply.holders.is_empty() {
        lines.extend([String::new(), "Who sits there:".to_owned()]);
        lines.extend(reply.holders.iter().map(holder));
    }
    if let Some(denial) = &reply.denial {
        lines.extend([String::new(), help(denial)]);
    }
    lines.join("\n")
}

fn steps(steps: &[ExplainStep]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut pool = None;
    for step in steps {
        if step.pool.is_some() && step.pool != pool {
            pool.clone_from(&step.pool);
            lines.extend(step.pool.iter().map(|pool| format!("  pool {pool}")));
        }
        let mark = if step.denied.is_some() { "no " } else { "yes" };
        let code = step
            .denied
            .as_ref()
            .map(|code| format!("  [{code}]"))
            .unwrap_or_default();
        let indent = if step.pool.is_some() { "    " } else { "  " };
        lines.push(format!(
            "{indent}{mark}  rule {:<2}  {}{code}",
            step.rule, step.text
        ));
    }
    lines
}

fn holder(seat: &Seat) -> String {
    let slots = seat
        .slots
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(",");
    let pid = seat
        .pid
        .map(|pid| format!(", pid {pid}"))
        .unwrap_or_default();
    let state = if seat.state == "live" {
        String::new()
    } else {
        format!(", ending: {}", seat.state)
    };
    format!(
        "  slot {slots}: {}@{} for {}{pid}{state}",
        seat.user,
        seat.machine,
        words::held(seat)
    )
}

fn help(denial: &Problem) -> String {
    let hint = if denial.hint.is_empty() {
        denial.code.remedy()
    } else {
        &denial.hint
    };
    let seats = denial.in_use.map(|used| match denial.code.as_str() {
        code if code.starts_with("over_") => {
            format!("{}. ", words::counted(code, used, denial.total))
        }
        _ => format!("{} seats are in use. ", words::of(used, denial.total)),
    });
    let again = denial
        .retry_after_s
        .map(|after| format!(" Again: {}.", words::again(denial.code.as_str(), after)));
    format!(
        "{}What would help: {}.{}\nMore about it: `seatkeeper help {}`",
        seats.unwrap_or_default(),
        hint.trim_end_matches('.'),
        again.unwrap_or_default(),
        denial.code
    )
}

/// Without its full stop, and with a capital unless it begins with the login.
fn sentence(text: &str, login: &str) -> String {
    let text = text.trim_end_matches('.');
    if text.starts_with(login) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied() -> ExplainReply {
        serde_json::from_value(serde_json::json!({
            "user": "bob", "granted": false, "summary": "no seat is free",
            "denial": { "type": "/problems/no_seat_free", "title": "no seat is free", "status": 409, "detail": "d",
                "code": "no_seat_free", "class": "capacity", "retryable": true, "rule": 9, "in_use": 3, "total": 3,
                "hint": "wait for one" },
            "steps": [
                { "pool": "acme/L-1/modeler", "rule": 4, "text": "assigned to everyone" },
                { "pool": "acme/L-1/modeler", "rule": 9, "denied": "no_seat_free", "text": "3 of 3 seats in use" },
            ],
            "holders": [{ "id": "1.1.1", "pool": "acme/L-1/modeler", "product": "cad", "feature": "modeler",
                "slots": [0], "user": "ana", "machine": "ws1", "uid": 1000, "pid": 4711, "state": "live",
                "watched": true, "held_s": 720, "hold_s": 900 }],
        }))
        .unwrap()
    }

    #[test]
    fn r22_a_login_keeps_its_letters() {
        assert_eq!(
            sentence("bob would get slot 0.", "bob"),
            "bob would get slot 0"
        );
    }

    #[test]
    fn r22_the_story_names_rules_pools_holders_and_help() {
        let story = story(&denied(), "a seat of modeler");
        let expected = "\
bob would not get a seat of modeler now.
No seat is free.

How it was judged:
  pool acme/L-1/modeler
    yes  rule 4   assigned to everyone
    no   rule 9   3 of 3 seats in use  [no_seat_free]

Who sits there:
  slot 0: ana@ws1 for 12 min, pid 4711

3 of 3 seats are in use. What would help: wait for one.
More about it: `seatkeeper help no_seat_free`";
        assert_eq!(story, expected);
    }
}
