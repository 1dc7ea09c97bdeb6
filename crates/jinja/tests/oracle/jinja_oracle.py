"""Says what CPython's Jinja2 makes of templates.

    jinja_oracle.py serve                 answers cases, one JSON object a line, from stdin to stdout
    jinja_oracle.py renew FILE...         writes the answers into files of cases

A case has `template` (or `templates` by name, of which `main` is rendered), `context`, `undefined` and `syntax`. The
answer is `output`, or the class of the exception as `error`. Values that JSON does not have are objects of one key:
`$tuple`, `$int`, `$float`, `$date`, `$datetime`, `$undefined`.
"""

import datetime
import json
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
    return jinja2.Environment(
        loader=jinja2.DictLoader(templates),
        undefined=UNDEFINED[case.get("undefined", "default")],
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        **options,
    )


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


def main():
    if jinja2.__version__ != "3.1.6":
        sys.exit(f"Jinja2 3.1.6 is the oracle, not {jinja2.__version__}")
    if sys.argv[1:] == ["serve"]:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
    elif sys.argv[1:2] == ["renew"]:
        for path in sys.argv[2:]:
            renew(path)
    else:
        sys.exit(__doc__)


main()
