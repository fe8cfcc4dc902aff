"""Readers of corpora whose labels stand in annotation files of their own kind.

A reader is a module here with a function `read(corpus, folder, files)` that turns a corpus, its
folder and its audio files into clips; what an entry says of drops, maps and defaults is then
applied to them as to any other corpus. `entries.readers` lists them. The module is imported when
a corpus is read.
"""
