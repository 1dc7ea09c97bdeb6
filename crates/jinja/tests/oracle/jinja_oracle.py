"""Says what CPython's Jinja2 makes of templates.

    jinja_oracle.py serve                 answers cases, one JSON object a line, from stdin to stdout
    jinja_oracle.py renew FILE...         writes the answers into files of cases
    jinja_oracle.py tree FOLDER           invents data for all templates of a folder and prints what they share, then
                                          each run with its data and the answers, one JSON object a line

A case has `template` (or `templates` by name, of which `main` is rendered), `context`, `undefined` and `syntax`. The
answer is `output`, or the class of the exception as `error`. Each of `functions` is a function and a filter that
prints how it is called. Values that JSON does not have are objects of one key: `$tuple`, `$int`, `$float`, `$date`,
`$datetime`.
"""

import datetime
import json
import os
import sys

import jinja2

UNDEFINED = {
    "default": jinja2.Undefined,
    "chainable": jinja2.ChainableUndefined,
    "debug": jinja2.DebugUndefined,
    "strict": jinja2.StrictUndefined,
}


def value(data):
    if isinstance(data, list):
        return [value(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        [(key, inner)] = data.items()
        if key == "$tuple":
            return tuple(value(item) for item in inner)
        if key == "$int":
            return int(inner)
        if key == "$float":
            return float(inner)
        if key == "$date":
            return datetime.date(*inner)
        if key == "$datetime":
            *parts, offset = inner
            zone = None if offset is None else datetime.timezone(datetime.timedelta(seconds=offset))
            return datetime.datetime(*parts, tzinfo=zone)
    return {key: value(inner) for key, inner in data.items()}


def environment(case):
    syntax = dict(case.get("syntax", {}))
    pairs = {"block": "block_{}_string", "variable": "variable_{}_string", "comment": "comment_{}_string"}
    options = {}
    for key, name in pairs.items():
        if key in syntax:
            start, end = syntax.pop(key)
            options[name.format("start")] = start
            options[name.format("end")] = end
    renamed = {"line_statement": "line_statement_prefix", "line_comment": "line_comment_prefix", "newline": "newline_sequence"}
    options.update({renamed.get(key, key): option for key, option in syntax.items()})
    templates = case.get("templates") or {"main": case["template"]}
    made = jinja2.Environment(
        loader=jinja2.DictLoader(templates),
        undefined=UNDEFINED[case.get("undefined", "default")],
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        **options,
    )
    for name in case.get("functions", []):
        made.globals[name] = made.filters[name] = printer(name)
    return made


def printer(name):
    return lambda *arguments: f"{name}({', '.join(map(repr, arguments))})"


def answer(case):
    try:
        return {"output": environment(case).get_template("main").render(value(case.get("context", {})))}
    except Exception as error:
        return {"error": type(error).__name__}


def renew(path):
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    shared = content["context"]
    lines = []
    for case in content["cases"]:
        case.pop("output", None)
        case.pop("error", None)
        case.update(answer({"context": shared, **case}))
        lines.append(json.dumps(case, ensure_ascii=False))
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"context": ' + json.dumps(shared, ensure_ascii=False) + ', "cases": [\n')
        file.write(",\n".join(lines) + "\n]}\n")


# Functions that projects have as filters, whose names nothing in a template tells from a mistake.
FUNCTIONS = ["b64encode", "basename", "encrypt", "nthhost", "age_key", "talos_patches"]


def names_in(templates):
    """The variables of templates with the attributes asked of them, and the functions that they call."""
    made = environment({"templates": templates, "syntax": SYNTAX, "functions": FUNCTIONS})
    paths, functions = set(), set(FUNCTIONS)
    for text in templates.values():
        try:
            tree = made.parse(text)
        except jinja2.TemplateSyntaxError:
            continue
        for call in tree.find_all(jinja2.nodes.Call):
            if isinstance(call.node, jinja2.nodes.Name) and call.node.name not in jinja2.defaults.DEFAULT_NAMESPACE:
                functions.add(call.node.name)
        called = {id(call.node) for call in tree.find_all(jinja2.nodes.Call)}
        for node in tree.find_all((jinja2.nodes.Name, jinja2.nodes.Getattr)):
            path = []
            while isinstance(node, jinja2.nodes.Getattr):
                if id(node) not in called:
                    path.insert(0, node.attr)
                node = node.node
            if isinstance(node, jinja2.nodes.Name) and node.ctx == "load":
                paths.add((node.name, *path))
    return paths, functions


SYNTAX = {
    "block": ["#%", "%#"],
    "variable": ["#{", "}#"],
    "comment": ["#|", "#|"],
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
NODES = [
    {"name": f"k8s-{n}", "address": f"10.10.10.{n}", "controller": n < 2, "disk": "/dev/sda", "mac_addr": "aa:bb", "mtu": 1500}
    for n in range(3)
]


def invented(name, switch):
    if name == "nodes":
        return NODES
    if name.endswith("enabled"):
        return switch
    if name.endswith(("servers", "hosts", "cidrs", "sans", "list", "entries", "domains", "addresses")):
        return ["10.0.0.1", "b,c"]
    if name.endswith(("port", "mtu", "vlan", "asn", "replicas")):
        return 7
    return "line one\nline two\n" if "secret" in name else f"{name}/x.y"


def data_for(paths, functions, switch):
    data = {}
    for path in sorted(paths, key=lambda path: (len(path), path)):
        if path[0] in functions or path[0] in jinja2.defaults.DEFAULT_NAMESPACE:
            continue
        inner = data
        for name in path[:-1]:
            if name == "nodes":
                break
            if not isinstance(inner.get(name), dict):
                inner[name] = {}
            inner = inner[name]
        else:
            inner.setdefault(path[-1], invented(path[-1], switch))
    return data


def tree(folder):
    templates = {}
    for root, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(root, name)
            try:
                with open(path, encoding="utf-8", newline="") as file:
                    templates[os.path.relpath(path, folder)] = file.read()
            except UnicodeDecodeError:
                continue
    paths, functions = names_in(templates)
    print(json.dumps({"templates": templates, "syntax": SYNTAX, "functions": sorted(functions)}))
    for undefined in ("strict", "chainable"):
        for data in ({}, data_for(paths, functions, True), data_for(paths, functions, False)):
            case = {"templates": templates, "syntax": SYNTAX, "functions": sorted(functions), "undefined": undefined}
            made = environment(case)
            answers = {}
            for name in sorted(templates):
                try:
                    answers[name] = {"output": made.get_template(name).render(data)}
                except Exception as error:
                    answers[name] = {"error": type(error).__name__}
            print(json.dumps({"undefined": undefined, "context": data, "answers": answers}))


def main():
    if jinja2.__version__ != "3.1.6":
        sys.exit(f"Jinja2 3.1.6 is the oracle, not {jinja2.__version__}")
    if sys.argv[1:] == ["serve"]:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
    elif sys.argv[1:2] == ["renew"]:
        for path in sys.argv[2:]:
            renew(path)
    elif sys.argv[1:2] == ["tree"] and len(sys.argv) == 3:
        tree(sys.argv[2])
    else:
        sys.exit(__doc__)


main()
