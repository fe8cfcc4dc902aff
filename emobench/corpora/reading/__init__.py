"""What is found on disk: audio files, clips, side tables, transcripts, copies and durations."""
