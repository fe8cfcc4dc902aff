"""Which stored results count: today's, sound and complete, one for each cell of a table."""
