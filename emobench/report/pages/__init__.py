"""What each kind of page says, as words and figures for its template."""
