"""What every adapter has. One that stands on a server starts it in start() and ends it in end()."""

import contextlib
import importlib.metadata
import os

# Every graph of this kind is built with these, whoever builds it.
M, EF_CONSTRUCTION = 16, 200
EF = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256)


@contextlib.contextmanager
def called(call):
    """For page(), where there is nothing to open before and to close after."""
    yield call


class Base:
    title = ""
    where = "in process"  # or how it is reached
    built_with = ""
    note = ""
    packages = ()
    settings = ()  # from fast to right
    deep = ""  # the setting for hits 1,001 to 1,010; empty: they are not to be had
    deep_how = ""

    def __init__(self, folder, dim):
        self.folder, self.dim = folder, dim

    def versions(self):
        return {name: importlib.metadata.version(name) for name in self.packages}

    def pid(self):
        """Of the process whose work is the peer's: it and those that it begot."""
        return os.getpid()

    def start(self):
        """Makes it ready to be built."""

    def build(self, corpus):
        """All rows of the corpus, with their texts; back when searches use the index."""
        raise NotImplementedError

    def use(self, setting, depth):
        """From now on."""
        raise NotImplementedError

    def search(self, query, depth):
        """[(row, text)], best first."""
        raise NotImplementedError

    def page(self, query, skip, size):
        """A context that gives a call, which gives the hits after the first skip. Unless the peer
        knows better: a search for all of them, of which the last are kept."""
        return called(lambda: self.search(query, skip + size)[skip:])

    def floor(self, query, depth):
        """A context that gives a call by the same client to a server that does nothing, or None."""
        return called(None)

    def end(self):
        """Ends what start() started."""
