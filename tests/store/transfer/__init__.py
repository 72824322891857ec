"""Tests of moving journals between stores."""
