"""Tests of the messages and of what decoding them refuses."""
