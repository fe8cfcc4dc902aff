"""What is found set against what is expected: counts, and cautions before hours are spent."""
