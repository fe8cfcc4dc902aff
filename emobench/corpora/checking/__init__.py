"""What is found set against what a complete copy holds."""
