"""`penchant ads`: the group of the commands about ads."""

from __future__ import annotations

from cyclopts import App

from penchant.cli.report_ads import report

app = App(name="ads", help="Reconcile what campaigns reserved and were charged.")
app.command(report, name="report")  # Not by name: the group's help lists what each one does.
