"""Kinds of files that tables are read from, and kinds that are refused, by extension."""

from __future__ import annotations

TEXTS = ("csv", "tsv", "txt")
BOOKS = ("xlsx", "xlsm")
JSON = ("json", "jsonl", "ndjson")
ARROW = ("parquet", "arrow", "feather")
TABLES = (*TEXTS, *BOOKS, *JSON, *ARROW)

_PICKLE = (
    "a Python pickle, which may run any program when it is opened",
    "If you trust who made it, write the table with pandas: read_pickle(…).to_csv(…).",
)
_SAVE = "Open it with what wrote it, and save the table as CSV, .xlsx or Parquet."
_EXCEL = "Open it and save it as .xlsx or CSV."
REFUSED = {
    **dict.fromkeys(("pkl", "pickle", "joblib", "pt", "pth"), _PICKLE),
    **dict.fromkeys(("mdb", "lmdb"), ("an LMDB or Access database", _SAVE)),
    **dict.fromkeys(("h5", "hdf5", "hdf"), ("an HDF5 file", _SAVE)),
    **dict.fromkeys(("npy", "npz"), ("NumPy arrays", _SAVE)),
    **dict.fromkeys(("db", "sqlite", "sqlite3"), ("an SQLite database", _SAVE)),
    **dict.fromkeys(("rds", "rda", "rdata"), ("data of R", _SAVE)),
    "mat": ("data of MATLAB", _SAVE),
    "sav": ("data of SPSS", _SAVE),
    "dta": ("data of Stata", _SAVE),
    "tfrecord": ("records of TensorFlow", _SAVE),
    "xls": ("a workbook of Excel before 2007", _EXCEL),
    "ods": ("an OpenDocument sheet", _EXCEL),
}
"""What files hold that are not read as tables, and what to do."""


def suffix(name: str) -> str:
    """Return how a file name ends, in small letters and without the dot."""
    return name.rpartition(".")[2].lower()
