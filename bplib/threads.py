"""The few threads that do something unusual, so that all others need not be asked what is a matter of each."""

from threading import get_ident

__all__ = ["Threads"]


class Threads(set[int]):
    """Some of the running threads, by number; as a rule none.

    Whether there is one takes a tenth of the time that it takes to read what belongs to a thread. A thread enters
    before it does what is unusual and leaves afterwards, so that an interrupt in between is no harm.
    """

    __slots__ = ()

    def enter(self) -> None:
        """Take in the thread that calls."""
        self.add(get_ident())

    def leave(self) -> None:
        """Let the thread that calls go, if it is here."""
        self.discard(get_ident())

    def has_this_one(self) -> bool:
        """Say whether the thread that calls is one of them."""
        return get_ident() in self
