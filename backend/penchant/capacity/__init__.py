"""How much a server bears: open-loop load, the search for its capacity, and the report.

Beside the command line, this is a client of a server: it knows the contract and no SDK, whose
retries would hide the refusals that a service level counts.
"""
