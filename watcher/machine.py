"""What a machine can run out of: whether file descriptors are left, and which errors come from that."""

import errno
import os
from collections.abc import Iterator

OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)  # of this process, of the system
MAX_CAUSES = 12  # in the chain of one error


def has_free_descriptor() -> bool:
    """Whether a file or a connection can be opened now."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in OUT_OF_DESCRIPTORS
    return True


def lacks_descriptors(error: BaseException) -> bool:
    """Whether an error comes from a lack of file descriptors, and not from a file or from the other side."""
    causes = tuple(cause_chain(error))
    if any(isinstance(cause, OSError) and cause.errno in OUT_OF_DESCRIPTORS for cause in causes):
        return True
    # A resolver that cannot open its files says that the name does not exist, or gives a number left from before.
    return any(isinstance(cause, OSError) for cause in causes) and not has_free_descriptor()


def cause_chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__
