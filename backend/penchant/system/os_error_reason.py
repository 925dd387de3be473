"""What an error of the operating system says to a person: the reason, without numbers and paths."""

from __future__ import annotations

import os
import shutil


def reason_of(error: OSError) -> str:
    """The reason of an error, also of one that stands for the errors of many files.

    >>> import errno
    >>> reason_of(OSError(errno.ENOSPC, "Error writing bytes. Detail: [errno 28] No space"))
    'No space left on device'
    >>> reason_of(shutil.Error([("a", "b", "[Errno 28] No space left on device: 'a'")]))
    'No space left on device'
    """
    if error.errno is not None:
        return os.strerror(error.errno)
    if isinstance(error, shutil.Error) and error.args and error.args[0]:
        # A list of (from, to, text); each text begins with its number and may name a file.
        text = str(error.args[0][0][-1])
        return text.partition("] ")[2].partition(":")[0] or text
    return str(error)
