# What plugins name of Jinja2, for a Python in which it is not installed, and the environment that they are given.


def load_real(name):
    """Returns a module that is loaded and is not ours."""
    module = sys.modules.get(name)
    return None if module is None or getattr(module, "__kiln_stub__", False) else module


class TemplateError(Exception):
    pass


class TemplateNotFound(IOError, LookupError, TemplateError):
    pass


class TemplateRuntimeError(TemplateError):
    pass


class TemplateSyntaxError(TemplateError):
    pass


class TemplateAssertionError(TemplateSyntaxError):
    pass


class UndefinedError(TemplateRuntimeError):
    pass


class FilterArgumentError(TemplateRuntimeError):
    pass


class Undefined:
    """A variable that is not there: prints nothing, is false, and refuses anything else."""

    def __init__(self, hint=None, obj=None, name=None, exc=UndefinedError):
        self._undefined_hint = hint
        self._undefined_obj = obj
        self._undefined_name = name
        self._undefined_exception = exc

    def _fail_with_undefined_error(self, *args, **kwargs):
        raise self._undefined_exception(self._undefined_hint or "%r is undefined" % (self._undefined_name,))

    def __getattr__(self, name):
        if name[:2] == name[-2:] == "__":
            raise AttributeError(name)
        return self._fail_with_undefined_error()

    def __str__(self):
        return ""

    def __repr__(self):
        return "Undefined"

    def __len__(self):
        return 0

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False

    def __eq__(self, other):
        return type(self) is type(other)

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return id(type(self))


REFUSED = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pos neg call getitem lt le gt ge int "
    "float complex pow rpow"
).split()
for operation in REFUSED:
    setattr(Undefined, "__%s__" % operation, Undefined._fail_with_undefined_error)


class ChainableUndefined(Undefined):
    def __html__(self):
        return str(self)

    def __getattr__(self, name):
        return self

    def __getitem__(self, key):
        return self


class DebugUndefined(Undefined):
    def __str__(self):
        return self._undefined_hint or "{{ %s }}" % self._undefined_name


class StrictUndefined(Undefined):
    __iter__ = __str__ = __len__ = Undefined._fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = Undefined._fail_with_undefined_error


UNDEFINED = {
    "default": "Undefined",
    "chainable": "ChainableUndefined",
    "debug": "DebugUndefined",
    "strict": "StrictUndefined",
}
UNDEFINED_MODE = ["default"]


def undefined_class(mode):
    name = UNDEFINED.get(mode, "Undefined")
    return getattr(load_real("jinja2"), name, None) or globals()[name]


def make_undefined(name):
    return undefined_class(UNDEFINED_MODE[0])(name=name or None)


def is_undefined(value):
    real = load_real("jinja2")
    return isinstance(value, Undefined) or (real is not None and isinstance(value, real.Undefined))


class PassArgument:
    def __init__(self, name):
        self.name = name

    def __call__(self, function):
        function.jinja_pass_arg = self
        return function


def passed_to(function):
    """Returns which first argument Jinja2 passes to a function: `context`, `eval_context`, `environment` or none."""
    return getattr(getattr(function, "jinja_pass_arg", None), "name", "")


class BuiltIns(dict):
    """Jinja2's own filters and tests, which are there where Jinja2 is installed."""

    def __init__(self, defaults):
        super().__init__()
        self.defaults = defaults

    def __missing__(self, name):
        try:
            import jinja2.defaults

            return getattr(jinja2.defaults, self.defaults)[name]
        except (ImportError, AttributeError):
            raise KeyError(name) from None


class Environment:
    """Jinja2's environment as plugins fill it; it renders nothing."""

    def __init__(self, data=(), *args, **options):
        names = {
            "globals": {"range": range, "dict": dict, **dict(data), "env": os.environ},
            "filters": BuiltIns("DEFAULT_FILTERS"),
            "tests": BuiltIns("DEFAULT_TESTS"),
            "policies": {},
            "extensions": {},
            "undefined": undefined_class(UNDEFINED_MODE[0]),
            "autoescape": False,
            "loader": None,
            "changed": [],
            "added_extensions": [],
        }
        self.__dict__.update(names)

    def __setattr__(self, name, value):
        self.changed.append(name)
        self.__dict__[name] = value

    def extend(self, **attributes):
        self.__dict__.update(attributes)

    def add_extension(self, extension):
        self.added_extensions.append(extension)

    def refuse(self, *args, **kwargs):
        raise NotImplementedError("a plugin cannot render templates by itself in Kiln")

    from_string = get_template = select_template = get_or_select_template = overlay = compile_expression = refuse


class Context:
    """What a function that asks for the context gets: the variables that are seen where it is called."""

    def __init__(self, environment, variables):
        self.environment = environment
        self.parent = environment.globals
        self.vars = variables
        self.exported_vars = set()
        self.blocks = {}
        self.name = None

    def get_all(self):
        return {**self.parent, **self.vars}

    def __getitem__(self, name):
        return self.vars[name] if name in self.vars else self.parent[name]

    def __contains__(self, name):
        return name in self.vars or name in self.parent

    def get(self, name, default=None):
        return self[name] if name in self else default

    def resolve(self, name):
        return self[name] if name in self else make_undefined(name)

    resolve_or_missing = resolve

    def call(self, function, *args, **kwargs):
        return function(*args, **kwargs)

    def keys(self):
        return self.get_all().keys()

    def values(self):
        return self.get_all().values()

    def items(self):
        return self.get_all().items()


class EvalContext:
    def __init__(self, environment):
        self.environment = environment
        self.autoescape = False
        self.volatile = False


class Extension:
    """The base of extensions of the template language, which can be named and not be had."""

    tags = set()
    priority = 100

    def __init__(self, environment=None):
        self.environment = environment


class Markup(str):
    def __html__(self):
        return self

    def __repr__(self):
        return "Markup(%s)" % str.__repr__(self)


def escape(value):
    text = str(value)
    for plain, escaped in (("&", "&amp;"), (">", "&gt;"), ("<", "&lt;"), ("'", "&#39;"), ('"', "&#34;")):
        text = text.replace(plain, escaped)
    return Markup(text)


def import_string(name, silent=False):
    """Imports `module:object` or `module.object`, as Jinja2 does."""
    try:
        if ":" in name:
            module, attribute = name.split(":", 1)
        elif "." in name:
            module, _, attribute = name.rpartition(".")
        else:
            return __import__(name)
        return getattr(__import__(module, None, None, [attribute]), attribute)
    except (ImportError, AttributeError):
        if not silent:
            raise


def pick(*names):
    return {name: globals()[name] for name in names}


EXCEPTIONS = pick(
    "TemplateError",
    "TemplateNotFound",
    "TemplateRuntimeError",
    "TemplateSyntaxError",
    "TemplateAssertionError",
    "UndefinedError",
    "FilterArgumentError",
)
UNDEFINED_CLASSES = pick("Undefined", "ChainableUndefined", "DebugUndefined", "StrictUndefined")
PASSES = {
    "pass_context": PassArgument("context"),
    "pass_eval_context": PassArgument("eval_context"),
    "pass_environment": PassArgument("environment"),
}
MARKUP = pick("Markup", "escape")
JINJA2 = {
    "jinja2": {**EXCEPTIONS, **UNDEFINED_CLASSES, **PASSES, **MARKUP, **pick("Environment", "is_undefined")},
    "jinja2.exceptions": EXCEPTIONS,
    "jinja2.runtime": {**UNDEFINED_CLASSES, **pick("Context", "is_undefined"), **MARKUP},
    "jinja2.environment": pick("Environment"),
    "jinja2.ext": pick("Extension"),
    "jinja2.utils": {**PASSES, **MARKUP, **pick("import_string")},
    "jinja2.filters": {**PASSES, **MARKUP},
    "jinja2.nodes": pick("EvalContext"),
    "markupsafe": MARKUP,
}


class StubFinder:
    """Finds the stand-ins of Jinja2 where nothing else finds Jinja2."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in JINJA2 or (path is not None and load_real(name.split(".")[0])):
            return None
        return type(sys.__spec__)(name, StubFinder, is_package=name == "jinja2")

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        module.__dict__.update(JINJA2[module.__name__], __kiln_stub__=True)
        parent, _, child = module.__name__.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
