"""For users' own tests: a running platform whose clock the test moves, see `Cumulet` and the fixture `cumulet`."""

from cumulet.testing.server import Cumulet

__all__ = ["Cumulet"]
