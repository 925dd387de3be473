"""Reads a sentence about a home: what it names, what it asks for, and what it says besides.

`reader` is the entry; the words of each language are data, in `penchant_sdk/home/lexicon`.
"""
