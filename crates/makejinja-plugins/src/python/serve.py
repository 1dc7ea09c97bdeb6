# Reads requests and writes replies. The protocol has descriptors of its own: what plugins print goes to where
# errors go, and the programs that they start inherit neither end.

import _thread
from queue import SimpleQueue

GREETING = b"\0makejinja-plugins 1\n"
GRACE = 2.0


def open_protocol():
    requests = os.dup(0)
    replies = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def read_exactly(descriptor, length):
    pieces = []
    while length > 0:
        piece = os.read(descriptor, min(length, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def write_all(descriptor, data):
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def frames_of_traceback(traceback):
    frames = []
    while traceback:
        code = traceback.tb_frame.f_code
        frames.append((code.co_filename, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return frames


def frames_of_stack(frame):
    frames = []
    while frame:
        frames.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return frames[::-1]


def own_frames_last(frames):
    frames = [(os.path.abspath(file), line, name) for file, line, name in frames if not file.startswith("<")]
    return [list(frame) for frame in sorted(frames, key=lambda frame: not READS.is_library(frame[0]))]


def describe_error(error):
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = "%s.%s" % (kind.__module__, name)
    text = print_safely(error)
    frames = frames_of_traceback(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        text = error.msg or text
        frames.append((error.filename, error.lineno or 1, "<module>"))
    notes = [print_safely(note) for note in getattr(error, "__notes__", ())]
    missing = ""
    if isinstance(error, ImportError):
        missing = error.name or "?"
    return {
        "kind": "module" if missing else "exception",
        "message": "\n".join([name + ": " + text if text else name, *notes]),
        "module": missing,
        "syntax": isinstance(error, SyntaxError),
        "frames": own_frames_last(frames),
        "version": "%d.%d" % sys.version_info[:2],
    }


class Server:
    """Answers one request after the other."""

    def __init__(self):
        self.requests, self.replies = open_protocol()
        self.writing = _thread.allocate_lock()
        self.queue = SimpleQueue()
        self.main_thread = _thread.get_ident()
        self.offered = None
        self.project = None
        self.own_group = False

    def reply(self, message, reads=False):
        frame = encode(message)
        if reads:
            frame += encode(READS.take())
        with self.writing:
            write_all(self.replies, len(frame).to_bytes(8, "big") + frame)

    def read_requests(self):
        """Runs beside the plugins, so that a request to say where they are is answered while they work."""
        while True:
            header = read_exactly(self.requests, 8)
            message = header and read_exactly(self.requests, int.from_bytes(header, "big"))
            if not message:
                break
            if message == b"s5:where":
                frame = sys._current_frames().get(self.main_thread)
                self.reply({"where": own_frames_last(frames_of_stack(frame))})
            else:
                self.queue.put(message)
        self.queue.put(None)
        self.end_late()

    def end_late(self):
        """Ends the process although a plugin still works: nobody is there who waits for it."""
        import time

        time.sleep(GRACE)
        if self.own_group:
            os.killpg(os.getpgrp(), 9)
        os._exit(1)

    def answer(self, request):
        what = request["do"]
        if what == "start":
            return self.start(request)
        if self.offered is None:
            self.offered = len(HANDLES)
        if what == "call":
            return self.project.call(request)
        if what == "keep":
            return [self.project.keeps(path) for path in request["paths"]]
        if what == "attribute":
            return attribute_of(request["of"], request["name"])
        if what == "item":
            return item_of(request["of"], request["key"])
        if what == "iterate":
            return items_of(request["of"], request["at_most"])
        if what == "print":
            write_all(2, request["mark"])
            return None
        if what == "forget":
            take_back(self.offered)
            return None
        raise ValueError("no such request")

    def start(self, request):
        self.own_group = request["own_group"]
        sys.path.extend(request["import_paths"])
        self.project = Project(request)
        return self.project.describe()

    def respond(self, message):
        try:
            self.reply({"value": self.answer(Decoder(message).value())}, reads=True)
        except Unsendable as unsendable:
            self.reply({"error": {"kind": "unsendable", "message": str(unsendable)}}, reads=True)
        except BaseException as error:
            self.reply({"error": describe_error(error)}, reads=True)

    def serve(self):
        write_all(self.replies, GREETING)
        _thread.start_new_thread(self.read_requests, ())
        while True:
            message = self.queue.get()
            if message is None:
                break
            self.respond(message)
        import atexit

        atexit._run_exitfuncs()
        os._exit(0)


def main():
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    install_makejinja()
    sys.meta_path.append(StubFinder)
    server = Server()
    observe_reads()
    server.serve()


main()
