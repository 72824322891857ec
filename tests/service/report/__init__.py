"""Tests of what is taken away of performance: figures, exports, the page, pictures."""
