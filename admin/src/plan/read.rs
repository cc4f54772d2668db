//! From files to policies.

use std::collections::BTreeMap;

use forewarn_proto::policy::{Policy, PolicyId};

use crate::fill;

/// The most policy files in a folder. A folder that was chosen by mistake must not fill the memory.
pub(crate) const MAX_FILES: usize = 1000;

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyFile {
    /// Where it is, as people are told.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
}

/// A policy as it would be published.
pub(super) struct Wanted {
    pub(super) file: String,
    pub(super) policy: Policy,
    pub(super) text: String,
}

/// The policies that the files want, and what is wrong with others.
pub(super) fn read(files: &[PolicyFile]) -> (BTreeMap<PolicyId, Wanted>, Vec<String>) {
    let mut wanted: BTreeMap<PolicyId, Wanted> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in files {
        match fill::read(&file.text) {
            Err(problem) => problems.push(format!("{}: {problem}", file.name)),
            Ok((policy, text)) => match wanted.get(&policy.id) {
                Some(other) => problems.push(format!(
                    "{}: id: `{}` is the id of {} too; one policy has one file",
                    file.name, policy.id, other.file
                )),
                None => {
                    let new = Wanted { file: file.name.clone(), policy, text };
                    wanted.insert(new.policy.id.clone(), new);
                }
            },
        }
    }
    (wanted, problems)
}
