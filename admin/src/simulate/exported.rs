//! The company's own fleet, from what its devices answer to a preview.

use std::collections::BTreeSet;

use forewarn_proto::api::Answers;

use super::{
    fleet::{Entry, Fleet, MAX_PEOPLE_OF_A_DEVICE, Platform},
    given::Zone,
};

/// The fleet, and what of it is not so on the devices. All are in one zone, because no device tells its own.
pub(crate) fn export(answers: &Answers, zone: &Zone) -> (Fleet, Vec<String>) {
    let mut notes = Vec::new();
    let mut devices = Vec::new();
    for (at, alike) in answers.alike.iter().enumerate() {
        // As the fleet's file spells it.
        let Ok(platform) = serde_json::from_value::<Platform>(alike.platform.as_str().into()) else {
            notes.push(format!("Left out: {} devices of a kind that can't be simulated.", alike.devices));
            continue;
        };
        devices.push(Entry {
            count: u32::try_from(alike.devices).unwrap_or(u32::MAX),
            platform,
            groups: alike.groups.clone(),
            people: alike.people.min(MAX_PEOPLE_OF_A_DEVICE),
            mail: alike.mail,
            // No agent of another platform lists packages, so that what one says it finds is not so.
            not_met: if platform == Platform::Linux { alike.not_met.clone() } else { BTreeSet::new() },
            ..Entry::plain(&format!("exported-{}", at + 1), zone.clone())
        });
    }
    if answers.unheard > 0 {
        notes.push(format!("Left out: {} devices that have not answered yet.", answers.unheard));
    }
    let unsure: u64 = answers.alike.iter().filter(|alike| !alike.unknown.is_empty()).map(|alike| alike.devices).sum();
    if unsure > 0 {
        notes
            .push(format!("{unsure} devices can't tell yet; what they can't tell asks nothing of them in this fleet."));
    }
    (Fleet { devices }, notes)
}
