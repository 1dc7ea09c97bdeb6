# What plugins read, seen by an audit hook, so that their answers can be kept until one of it changes.


class Reads:
    """The files, folders and variables that were read, in the order of the first time."""

    def __init__(self):
        here = os.getcwd() + os.sep
        found = [os.path.abspath(folder) + os.sep for folder in sys.path if folder]
        found = [folder for folder in found if not (here.startswith(folder) or folder.startswith(here))]
        self.library = ("/dev/", "/proc/", os.path.dirname(os.__file__) + os.sep, *found)
        self.seen = {"files": {}, "folders": {}, "variables": {}, "programs": {}, "network": {}}
        self.sent = dict.fromkeys(self.seen, 0)

    def is_library(self, path):
        """Tells whether a path belongs to Python or to what is installed: where Python looks by itself, outside of the
        folder of the project, and in folders of installed packages anywhere."""
        path += os.sep
        return (
            path.startswith(self.library)
            or os.sep + "site-packages" + os.sep in path
            or os.sep + "dist-packages" + os.sep in path
        )

    def note(self, what, name):
        self.seen[what].setdefault(name)

    def note_path(self, what, path):
        if isinstance(path, int):
            return
        path = os.path.abspath(os.fsdecode(path))
        if path.endswith(".pyc") and os.path.basename(os.path.dirname(path)) == "__pycache__":
            folder = os.path.dirname(os.path.dirname(path))
            path = os.path.join(folder, os.path.basename(path).split(".")[0] + ".py")
        if not self.is_library(path):
            self.note(what, os.fsencode(path))

    def take(self):
        """Returns what was read since the last time."""
        new = {}
        for what, names in self.seen.items():
            new[what] = list(names)[self.sent[what] :]
            self.sent[what] = len(names)
        return new


READS = Reads()


def observe(event, arguments):
    try:
        note_event(event, arguments)
    except (TypeError, ValueError, OSError):
        pass  # What is asked for is no path; the caller is told so by what it calls.


def note_event(event, arguments):
    if event == "open":
        path, _, flags = arguments
        if path is not None and flags & (os.O_WRONLY | os.O_RDWR) != os.O_WRONLY:
            READS.note_path("files", path)
    elif event in ("os.listdir", "os.scandir"):
        READS.note_path("folders", "." if arguments[0] is None else arguments[0])
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
        READS.note("programs", os.fsencode(arguments[0]))
    elif event == "os.system":
        READS.note("programs", b"sh")
    elif event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        READS.note("network", b"")


class ObservedEnvironment(type(os.environ)):
    """`os.environ`, which notes the names that are read; `*` is all of them."""

    def __getitem__(self, key):
        READS.note("variables", os.fsencode(key))
        return super().__getitem__(key)

    def __iter__(self):
        READS.note("variables", b"*")
        return super().__iter__()


def observe_reads():
    os.environ.__class__ = ObservedEnvironment
    if hasattr(os, "environb"):
        os.environb.__class__ = ObservedEnvironment
    sys.addaudithook(observe)
