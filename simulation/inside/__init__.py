"""One life of the simulated process: the daemon's own tree, run on the simulator's loop until it ends or is killed."""
