"""Tests of the simulator's invariants: each finds the defect it is for, and finds nothing in a clean run."""
