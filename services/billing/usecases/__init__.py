"""What staff ask of billing, one file for each subject: load, decide, save."""
