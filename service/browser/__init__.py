"""The cockpit in a browser: a web server beside the daemon that draws a cockpit of its own for each screen (EX-1601).

What lives here: the login page, the page with the terminal, the processes behind the screens, and how long they may live.
The terminal itself is textual-serve's. Whoever logs in is somebody the daemon knows: their session's cookie is the daemon's,
and the cockpit behind their screen shows it with each request, so it may do what they may.

What must not: deciding who may do what (``service.access``, asked over the API), panels (their room stands above this
one and is known by name alone).
"""
