"""What makejinja and PyYAML make of projects and data files.

    python oracle.py serve     answers one request a line on stdin by one line of JSON on stdout
    python oracle.py record    writes what is expected of tests/projects and tests/vectors

A request is {"folder": …, "env": {…}, "args": […]} for a project, or {"suffix": ".yaml", "text": …} for a data file.
Projects are written into, so hand in copies. Needs makejinja 2.9 and PyYAML 6.0.3, as tests/oracles pins them.
"""

import datetime
import importlib
import json
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def tagged(value):
    """Writes a Python value as JSON with its type."""
    kind = type(value).__name__
    if value is None or isinstance(value, bool):
        return {"type": kind, "value": str(value)}
    if isinstance(value, (int, float)):
        return {"type": kind, "value": repr(value)}
    if isinstance(value, (str, datetime.date, datetime.time)):
        return {"type": kind, "value": str(value)}
    if isinstance(value, bytes):
        return {"type": kind, "value": value.hex()}
    if isinstance(value, dict):
        return {"type": kind, "value": [[tagged(k), tagged(v)] for k, v in value.items()]}
    items = [tagged(item) for item in value]
    if isinstance(value, (set, frozenset)):
        items.sort(key=lambda item: json.dumps(item, ensure_ascii=False))
    return {"type": kind, "value": items}


def shown_config(config, root):
    """Writes the options as they are in the settings file, paths from the project's folder."""

    def shown(value):
        if isinstance(value, Path):
            try:
                relative = str(value.relative_to(root))
            except ValueError:
                return str(value)
            return "" if relative == "." else relative
        if isinstance(value, (str, int)) or value is None:
            return value
        if hasattr(value, "name"):
            return value.name
        if hasattr(value, "items"):
            return [[key, shown(item)] for key, item in value.items()]
        if isinstance(value, (tuple, list)):
            return [shown(item) for item in value]
        return {name: shown(getattr(value, name)) for name in value.__annotations__}

    return {name: shown(getattr(config, name)) for name in config.__annotations__}


def run_project(folder, env, args):
    """Runs makejinja in a folder and returns what it did."""
    root = Path(folder).resolve()
    record = {"config": None, "data": None, "outputs": [], "stage": None, "error": None}
    kept = dict(os.environ)
    quiet = os.open(os.devnull, os.O_WRONLY)
    streams = [os.dup(1), os.dup(2)]
    try:
        sys.stdout.flush()
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(root)
        for name in [name for name in os.environ if name.startswith("MAKEJINJA_")]:
            del os.environ[name]
        os.environ.update(env)
        record["stage"] = "settings"
        app = importlib.import_module("makejinja.app")
        original = {name: getattr(app, name) for name in ("load_data", "render_file")}

        def load_data(config):
            record["config"] = shown_config(config, root)
            record["stage"] = "data"
            data = original["load_data"](config)
            record["data"] = tagged(data)
            record["stage"] = "render"
            return data

        def render_file(input, name, output, config, env, enforce_jinja_suffix):
            template = input.suffix == config.jinja_suffix or not enforce_jinja_suffix
            entry = {
                "path": str(output.relative_to(root)),
                "input": str(input.relative_to(root)),
                "name": name,
                "kind": "template" if template else "static",
                "mode": None,
            }
            record["outputs"].append(entry)
            original["render_file"](input, name, output, config, env, enforce_jinja_suffix)
            if output.is_file():
                entry["mode"] = f"{stat.S_IMODE(output.stat().st_mode):o}"

        app.load_data, app.render_file = load_data, render_file
        try:
            # Defaults of options are bound when the module is loaded.
            sys.modules.pop("makejinja.cli", None)
            cli = importlib.import_module("makejinja.cli")
            cli.makejinja_cli.main(args=args, standalone_mode=False)
            record["stage"] = None
        except BaseException as error:
            record["error"] = type(error).__name__
        finally:
            for name, function in original.items():
                setattr(app, name, function)
    finally:
        sys.stdout.flush()
        for descriptor, stream in zip((1, 2), streams):
            os.dup2(stream, descriptor)
            os.close(stream)
        os.close(quiet)
        os.environ.clear()
        os.environ.update(kept)
        os.chdir("/")
    return record


def read_data(suffix, text):
    """Returns what a data file holds, or the error that Python raises."""
    app = importlib.import_module("makejinja.app")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"data{suffix}"
        path.write_bytes(text.encode())
        try:
            return {"value": tagged(app.DATA_LOADERS[suffix](path))}
        except BaseException as error:
            return {"error": type(error).__name__}


def answer(request):
    if "folder" in request:
        return run_project(request["folder"], request["env"], request["args"])
    return read_data(request["suffix"], request["text"])


def dump(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=False)


def record_project(project):
    run = {"env": {}, "args": [], "modes": {}}
    if (project / "run.json").exists():
        run |= json.loads((project / "run.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "makejinja-project"
        shutil.copytree(project / "project", copy, symlinks=True)
        for path, mode in run["modes"].items():
            (copy / path).chmod(int(mode, 8))
        record = run_project(copy, run["env"], run["args"])
        shutil.rmtree(project / "expected", ignore_errors=True)
        for output in record["outputs"]:
            if output["mode"] is not None:
                to = project / "expected" / output["path"]
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes((copy / output["path"]).read_bytes())
    outputs = ",".join(f"\n  {dump(output)}" for output in record.pop("outputs"))
    lines = [f'"{key}": {dump(value)}' for key, value in record.items()]
    lines.append(f'"outputs": [{outputs}]')
    (project / "expected.json").write_text("{" + ",\n ".join(lines) + "}\n")
    print(project.name, record["stage"], record["error"])


def main():
    os.umask(0o022)
    os.chdir("/")
    importlib.import_module("makejinja")
    if sys.argv[1] == "serve":
        for line in sys.stdin:
            print(dump(answer(json.loads(line))), flush=True)
        return
    for project in sorted((HERE / "projects").iterdir()):
        record_project(project)
    for cases in sorted((HERE / "vectors").glob("*.txt")):
        suffix = f".{cases.stem}"
        texts = cases.read_bytes().decode().split("\n=====\n")
        answers = [{"text": text, **read_data(suffix, text)} for text in texts]
        lines = ",\n".join(dump(answer) for answer in answers)
        cases.with_suffix(".json").write_text(f"[\n{lines}\n]\n")
        print(cases.name, len(texts), "error" in dump(answers))


if __name__ == "__main__":
    main()
