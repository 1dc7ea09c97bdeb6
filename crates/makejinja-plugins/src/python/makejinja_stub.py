# The package `makejinja` as plugins see it: names for annotations, a base class, and the configuration.


class Settings:
    """A group of options, read by attribute; like those of makejinja it cannot be changed."""

    def __init__(self, options):
        self.__dict__.update(options)

    def __setattr__(self, name, value):
        raise AttributeError("the configuration of makejinja cannot be changed")

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, ", ".join("%s=%r" % pair for pair in vars(self).items()))

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self):
        return hash(repr(self))


class Delimiter(Settings):
    pass


class Prefix(Settings):
    pass


class Whitespace(Settings):
    pass


class Internal(Settings):
    pass


class UndefinedOption:
    """A member of `makejinja.config.Undefined`."""

    def __init__(self, name):
        self.name = name

    @property
    def value(self):
        return undefined_class(self.name)


class UndefinedOptions:
    pass


for mode in UNDEFINED:
    setattr(UndefinedOptions, mode, UndefinedOption(mode))


class Config(Settings):
    def __init__(self, options):
        options = dict(options)
        groups = {"delimiter": Delimiter, "prefix": Prefix, "whitespace": Whitespace, "internal": Internal}
        for name, group in groups.items():
            options[name] = group(options.get(name, {}))
        if isinstance(options.get("undefined"), str):
            options["undefined"] = getattr(UndefinedOptions, options["undefined"])
        super().__init__(options)


class Plugin:
    """The base of plugins: every hook is there and gives nothing."""

    def __init__(self, *, env=None, data=None, config=None):
        pass

    def functions(self):
        return []

    def data(self):
        return {}

    def filters(self):
        return []

    def tests(self):
        return []

    def policies(self):
        return {}

    def extensions(self):
        return []

    def path_filters(self):
        return []

    def globals(self):
        return []


def make_module(name, names):
    module = type(sys)(name)
    module.__dict__.update(names)
    sys.modules[name] = module
    return module


def install_makejinja():
    from collections import abc

    mappings = dict.fromkeys(("Data", "Policies"), abc.Mapping)
    sequences = ("Extensions", "Filters", "Functions", "Globals", "Tests", "PathFilters")
    functions = ("Filter", "Function", "Global", "Test", "PathFilter")
    names = {
        **mappings,
        **dict.fromkeys(sequences, abc.Sequence),
        **dict.fromkeys(functions, abc.Callable),
        "MutableData": abc.MutableMapping,
        "Plugin": Plugin,
        "Loader": Plugin,
        "AbstractLoader": Plugin,
    }
    plugin = make_module("makejinja.plugin", names)
    sys.modules["makejinja.loader"] = plugin
    groups = pick("Config", "Delimiter", "Prefix", "Whitespace", "Internal")
    config = make_module("makejinja.config", {**groups, "Undefined": UndefinedOptions})
    parts = {"plugin": plugin, "loader": plugin, "config": config}
    make_module("makejinja", {**parts, "__path__": [], "__all__": list(parts)})
