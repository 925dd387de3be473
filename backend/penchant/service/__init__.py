"""The verbs of the contract, one file each."""
