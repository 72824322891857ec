"""The record of inputs on disk: one file a day, in segments, beside the journal.

``codec`` turns items of a tape into bytes and back, ``files`` keeps segments in files of one day, ``writing`` takes a tape
away from the event loop. Nothing that trades reads any of it: losing all of it loses no more than the check of those days.

What must not live here: what an input means (``runtime.verifying`` does that), when a day is checked (an actor does).
"""
