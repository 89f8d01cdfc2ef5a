"""Demo content for a new installation: made once, through the same services as everything else."""
