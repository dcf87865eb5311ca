//! Not yet.
/// Arguments.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {}
/// Runs.
///
/// # Errors
/// Never.
pub async fn run(_: DemoArguments) -> anyhow::Result<()> {
    Ok(())
}
