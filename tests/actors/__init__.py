"""Tests of the actors: scripts of messages on the virtual clock, their journal and what they told others."""
