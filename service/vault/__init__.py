"""The vault: what must stay secret, encrypted at rest and bound to this installation (EX-1501, EX-1502).

Here live the format of its file, where its master key comes from, what it is bound to, and every change of it, each safe
against a kill and a full disk at any moment. Nothing here knows the configuration, the daemon or the API: ``service.kept``
brings these together with it.
"""
