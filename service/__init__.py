"""The composition root: configuration, wiring of the tree, HTTP, command line, daemon.

Everything that knows all rooms lives here. What must not live here: trading rules, actors, anything another room
would want to import.
"""
