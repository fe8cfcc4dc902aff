"""Pictures of the pages, one file for each kind; they draw and compute nothing."""
