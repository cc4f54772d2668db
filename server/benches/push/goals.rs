//! What was wanted, and whether it was reached.

use super::{Size, compare::Row, keys::Who, restart::Back, scale::Step};

pub(crate) fn print(rows: &[Row], waves: f64, growth: &[Step], back: &Back, size: Size) {
    let of = |who, figure: fn(&Row) -> f64| rows.iter().find(|row| row.who == who).map_or(f64::NAN, figure);
    let ratio = |peer, figure: fn(&Row) -> f64| of(Who::Ours, figure) / of(peer, figure);
    let devices = size.devices as f64;
    let steady = |steps: &[Step], figure: fn(&Step) -> f64| {
        let (least, most) = steps.iter().map(figure).fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
        most / least
    };
    anstream::println!("\nGoals, by the medians of all rounds");
    at_most(
        "memory of an idle connection, to mosquitto's (without device certificates)",
        ratio(Who::Mosquitto, |r| r.idle),
        0.5,
    );
    at_most("memory of an idle connection, to the floor's", ratio(Who::Floor, |r| r.idle), 2.0);
    at_most("processor time of a push, to mosquitto's", ratio(Who::Mosquitto, |r| r.push), 0.5);
    at_most("the last device of a push, to mosquitto's", ratio(Who::Mosquitto, |r| r.arrived[2]), 0.8);
    at_most("processor time of a connect, to mosquitto's", ratio(Who::Mosquitto, |r| r.connect), 0.5);
    at_most("devices that missed a push", devices - of(Who::Ours, |r| r.delivered), 0.0);
    at_most("memory after three waves, to the first", waves, 1.1);
    let missed: f64 = growth.iter().map(|step| step.devices as f64 - step.delivered).sum();
    at_most(&format!("devices that missed a push, of up to {}", size.steps[4]), missed, 0.0);
    at_most(
        "memory of a further device: the most to the least, from few to many",
        steady(growth.get(1..).unwrap_or_default(), |step| step.further),
        1.25,
    );
    at_most("processor time of a push for a device: the most to the least", steady(growth, |step| step.push), 1.5);
    at_most("seconds until all are back after a restart", back.seconds, 60.0);
    at_most("devices that did not come back", devices - back.devices, 0.0);
    at_most("errors on a device meanwhile", back.errors, 0.0);
    at_most("the most that came back in a second, to the mean", back.most / back.mean, 3.0);
    at_most("of the processors, used by the server in the last half", back.busy, 0.9);
    anstream::println!(
        "\nFor comparison, nats-server: memory {:.2}, push {:.2}, connect {:.2}, last device {:.2}",
        ratio(Who::Nats, |r| r.idle),
        ratio(Who::Nats, |r| r.push),
        ratio(Who::Nats, |r| r.connect),
        ratio(Who::Nats, |r| r.arrived[2])
    );
    anstream::println!(
        "To the floor: push {:.2}, connect {:.2}",
        ratio(Who::Floor, |r| r.push),
        ratio(Who::Floor, |r| r.connect)
    );
}

fn at_most(what: &str, figure: f64, goal: f64) {
    let met = if figure <= goal { "met" } else { "NOT MET" };
    anstream::println!("  {what:<78}{figure:>8.2}  at most {goal:<6}{met}");
}

/// What there is to say of a retraction.
pub(crate) fn print_undone(undone: &super::retract::Undone, size: Size) {
    let super::retract::Undone { first, later } = undone;
    at_most("seconds from the retracting command until 99 of 100 devices have it", first.at[1] / 1000.0, 2.0);
    at_most("the same after many policies and retractions, to the first", later.at[1] / first.at[1], 1.2);
    at_most("devices that missed one", 2.0 * size.devices as f64 - first.arrived - later.arrived, 0.0);
}
