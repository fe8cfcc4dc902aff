"""What stored results say: comparisons, intervals, published numbers, bitrates, attention."""
