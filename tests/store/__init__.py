"""Tests of the store: the journal against its interface, damage, crashes and full disks; read models against rebuilds."""
