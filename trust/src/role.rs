//! A role's text says which role it is, and lists nothing that is another's. The admins sign all roles with the same keys:
//! without that, a server could serve what they signed for one role in the place of another.

use serde_json::Value;

use tough::schema::{DelegatedRole, PathSet};

use crate::metadata::{MetadataError, signed_part};

/// The roles that the server signs, each of a kind of its own.
const ONLINE: [&str; 2] = ["snapshot", "timestamp"];

/// The field of what is signed that holds the role's name.
pub(crate) const ROLE_FIELD: &str = "x-forewarn-role";

/// The version of the specification that metadata is written by. Source: TUF specification, section 4.3.
pub(crate) const SPEC_VERSION: &str = "1.0.34";

/// Why a role's text is not that role's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// It does not say which role it is.
    #[error("the text served as {served} does not say which role it is")]
    Nameless {
        /// The role in whose place it stands.
        served: String,
    },
    /// It was signed as another role.
    #[error("the text served as {served} was signed as {signed}")]
    Another {
        /// The role in whose place it stands.
        served: String,
        /// The role that it says it is.
        signed: String,
    },
    /// It lists a target that is not under the role's own folder.
    #[error("{role} lists {target}, which is not in its folder")]
    Folder {
        /// The role.
        role: String,
        /// The target.
        target: String,
    },
    /// It would govern more than its own folder.
    #[error("{role} is delegated more, or something else, than a folder of its own name")]
    Delegated {
        /// The role.
        role: String,
    },
    /// It follows another version of TUF than 1.0.
    #[error("{role} follows version {version:?} of TUF, and only 1.0 is understood here")]
    Specification {
        /// The role.
        role: String,
        /// What it says.
        version: String,
    },
}

/// Checks that a role's text follows TUF 1.0, was signed as this role, and lists targets of its own folder alone; the role
/// that delegates lists none.
///
/// # Errors
/// When one of these does not hold, or `text` is not metadata.
pub(crate) fn check(role: &str, text: &str) -> Result<(), MetadataError> {
    let signed = signed_part(role, text)?;
    check_specification(role, &signed)?;
    if !ONLINE.contains(&role) && role != "root" {
        check_name(role, &signed)?;
        check_folder(role, &signed)?;
    }
    Ok(())
}

/// Checks that a delegated role governs its own folder and nothing else, and is not called like a role of another kind.
///
/// # Errors
/// When one of these does not hold.
pub(crate) fn check_delegated(delegated: &DelegatedRole) -> Result<(), RoleError> {
    let DelegatedRole { name, paths, .. } = delegated;
    let is_taken = ONLINE.contains(&name.as_str()) || ["root", "targets"].contains(&name.as_str());
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !name.is_empty();
    let own = matches!(paths, PathSet::Paths(paths) if paths.len() == 1 && paths[0].value() == format!("{name}/*"));
    if own && is_plain && !is_taken {
        return Ok(());
    }
    Err(RoleError::Delegated { role: name.escape_debug().take(40).collect() })
}

/// Later patches of 1.0 change nothing that is read (TUF specification, section 4.3).
fn check_specification(role: &str, signed: &Value) -> Result<(), RoleError> {
    let version = signed["spec_version"].as_str().unwrap_or_default();
    let mut numbers = version.split('.');
    if (numbers.next(), numbers.next()) == (Some("1"), Some("0")) {
        return Ok(());
    }
    Err(RoleError::Specification { role: role.to_owned(), version: version.chars().take(20).collect() })
}

fn check_name(role: &str, signed: &Value) -> Result<(), RoleError> {
    match signed[ROLE_FIELD].as_str() {
        Some(name) if name == role => Ok(()),
        Some(name) => {
            Err(RoleError::Another { served: role.to_owned(), signed: name.escape_debug().take(40).collect() })
        }
        None => Err(RoleError::Nameless { served: role.to_owned() }),
    }
}

fn check_folder(role: &str, signed: &Value) -> Result<(), RoleError> {
    let is_own = |name: &str| role != "targets" && name.split_once('/').is_some_and(|(folder, _)| folder == role);
    let stranger = signed["targets"].as_object().into_iter().flatten().find(|(name, _)| !is_own(name));
    let stranger = stranger.map(|(name, _)| RoleError::Folder { role: role.to_owned(), target: name.clone() });
    stranger.map_or(Ok(()), Err)
}
