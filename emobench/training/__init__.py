"""Training and testing one job: a fold of a repetition, or the tuning of an estimator.

`jobs.run` is the way in; it reads the corpus and the cached features by path, trains, predicts and
files the record, so that a job can run in any process that sees the same folders.
"""
