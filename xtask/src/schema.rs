use std::process::Command;

use anyhow::{Result, bail};
use forewarn_proto::policy::json_schema;

use crate::workspace;

/// Writes the policy's schema where editors find it, and the description of the server's interface; tests compare both.
pub(crate) fn write() -> Result<()> {
    let path = workspace()?.join("proto/policy.schema.json");
    fs_err::write(&path, json_schema())?;
    anstream::println!("wrote {}", path.display());
    write_openapi()
}

/// The server's test writes it, so that this program need not be built with a server in it.
fn write_openapi() -> Result<()> {
    let mut record = Command::new(env!("CARGO"));
    record.args(["test", "--quiet", "-p", "forewarn-server", "--lib", "the_document_in_docs"]);
    if !record.env("FOREWARN_RECORD", "1").current_dir(workspace()?).status()?.success() {
        bail!("docs/openapi.json could not be made");
    }
    anstream::println!("wrote docs/openapi.json");
    Ok(())
}
