"""Cache, locks and channels: one suite over both of each."""
