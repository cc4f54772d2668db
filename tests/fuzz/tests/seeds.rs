//! Every seed goes through its target.

use forewarn_fuzz::TARGETS;

#[test]
fn every_target_reads_its_seeds() {
    for target in TARGETS {
        let folder = tempfile::tempdir().unwrap();
        let seeds = target.seeds();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for seed in seeds {
            println!("{}", seed.display());
            target.read(&fs_err::read(seed).unwrap(), folder.path());
        }
    }
}
