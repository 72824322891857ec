"""The cockpit: the operator's screen, in a terminal and, served by a program of its own, in a browser (EX-1601).

What lives here: the Textual application, its panels, the grid they share, the client that asks the daemon, and a made-up
world that shows all of it without a daemon.

What must not: anything that decides. The room knows the daemon by its API alone; of the other rooms it imports only
``protocol``. A rule that an operator sees (what a command would do, why a group waits) is asked for, never computed again.

How the room is laid out, from the wire to the glass::

    link.py         asks and follows one daemon (unix socket, or http(s) with a token); says when it is away, comes back
    state.py        what the screen knows: one ``Piece`` a topic, how old it is; ``topics.py`` says what is asked how often
    grid/           the live table: a Line-API widget; ``Column`` says how one field of a row is shown and sorted
    cells.py        numbers, money, durations, times as texts with a style name; nothing else formats numbers
    commands/       everything an operator can do, one table: the keys of panels, the command line and the palette use it
    confirm.py      the question before what trades or loses data
    panels/         one module a panel, registered in ``panels/__init__.py``
    app.py          the frame: header, tabs, alert strip, banner, panels, command line, status line
    demo/           the made-up world behind the same ``Link``
    launch.py       where the command line enters the room

To add a panel: a module under ``panels/`` with a subclass of ``panels.base.Panel`` (``ident``, ``key``, ``title``,
``topics`` it wants asked while it is on screen, ``keys`` that run commands on the selected row, and ``draw(state)``), and
its name in ``panels.PANELS``. A topic it needs and nobody had: a line in ``topics.TOPICS``, and an answer in
``demo/answers.py``, so that the demo and the tests show it. A command it needs: a module under ``commands/`` with a table
of ``Command``, named in ``commands.COMMANDS``. The clock is handed in (``Options.clock``): nothing here reads one.
"""
