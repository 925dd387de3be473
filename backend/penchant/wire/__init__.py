"""Messages of the contract to requests, results to replies: one file per verb, both ways.

Nothing is decided here; absent fields get the defaults that the contract states.
"""
