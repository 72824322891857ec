"""The event log as files: segments of JSON lines, their rotation and retention, exports.

``settings`` says how, ``files`` is the folder, ``writer`` appends what is new in the read models, ``lines`` are the forms
of a line. Everything here is made from journal and read models and can be made anew; the audit trail is the journal.

What must not live here: anything that trading waits for.
"""
