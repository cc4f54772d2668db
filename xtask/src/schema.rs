use anyhow::Result;
use forewarn_proto::policy::json_schema;

use crate::workspace;

/// Writes the generated schema where editors find it; a test compares the two.
pub(crate) fn write() -> Result<()> {
    let path = workspace()?.join("proto/policy.schema.json");
    fs_err::write(&path, json_schema())?;
    anstream::println!("wrote {}", path.display());
    Ok(())
}
