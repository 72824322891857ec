"""Tests of the performance rules beyond the vectors: second tellings, periods, keys, curves."""
