# Loads plugins in the order of makejinja, and answers for what they offer.


class Project:
    """The plugins of a project and what they made of the environment."""

    def __init__(self, request):
        UNDEFINED_MODE[0] = request["config"].get("undefined", "default")
        self.config = Config(request["config"])
        self.variables = request["data"]
        self.environment = Environment(self.variables)
        self.before = dict(self.environment.globals)
        self.data_names = dict.fromkeys(self.variables)
        plugins = [self.load(name) for name in request["plugins"]]
        self.path_filters = []
        for plugin in plugins:
            if hasattr(plugin, "path_filters"):
                self.path_filters.extend(plugin.path_filters())

    def load(self, name):
        plugin_class = import_string(name)
        plugin = plugin_class(**self.arguments_of(plugin_class))
        environment = self.environment
        for hook in ("globals", "functions"):
            if hasattr(plugin, hook):
                environment.globals.update({made.__name__: made for made in getattr(plugin, hook)()})
        if hasattr(plugin, "data"):
            made = plugin.data()
            environment.globals.update(made)
            self.data_names.update(dict.fromkeys(made))
        if hasattr(plugin, "extensions"):
            environment.added_extensions.extend(plugin.extensions())
        if hasattr(plugin, "filters"):
            environment.filters.update({made.__name__: made for made in plugin.filters()})
        if hasattr(plugin, "tests"):
            environment.tests.update({made.__name__: made for made in plugin.tests()})
        if hasattr(plugin, "policies"):
            environment.policies.update(plugin.policies())
        return plugin

    def arguments_of(self, plugin_class):
        from inspect import signature

        known = {
            "env": self.environment,
            "environment": self.environment,
            "data": self.variables,
            "config": self.config,
        }
        asked = signature(plugin_class).parameters
        return {name: value for name, value in known.items() if name in asked}

    def describe(self):
        environment = self.environment
        made = {
            name: value
            for name, value in environment.globals.items()
            if name not in self.before or self.before[name] is not value
        }
        functions = {name: value for name, value in made.items() if callable(value)}
        data = {
            name: environment.globals[name]
            for name in self.data_names
            if name in environment.globals and name not in functions
        }
        others = {name: value for name, value in made.items() if name not in functions and name not in data}
        return {
            "functions": offer(functions),
            "filters": offer(environment.filters),
            "tests": offer(environment.tests),
            "data": data,
            "globals": others,
            "policies": environment.policies,
            "extensions": [name_of(extension) for extension in environment.added_extensions],
            "changed": list(dict.fromkeys(environment.changed)),
            "has_path_filters": bool(self.path_filters),
            "version": "%d.%d.%d" % sys.version_info[:3],
        }

    def keeps(self, path):
        return all(path_filter(path) for path_filter in self.path_filters)

    def call(self, request):
        function = request["callee"]
        arguments = list(request["arguments"])
        passed = passed_to(function)
        if passed == "context":
            arguments.insert(0, Context(self.environment, request.get("context", {})))
        elif passed == "eval_context":
            arguments.insert(0, EvalContext(self.environment))
        elif passed == "environment":
            arguments.insert(0, self.environment)
        return function(*arguments, **request["named"])


def name_of(extension):
    if isinstance(extension, str):
        return extension
    return "%s.%s" % (extension.__module__, extension.__qualname__)


def offer(functions):
    return [[name, [lend(function), passed_to(function)]] for name, function in functions.items()]


def attribute_of(value, name):
    """Reads an attribute, else an item, as `value.name` does in a template."""
    try:
        return getattr(value, name)
    except AttributeError:
        try:
            return value[name]
        except (TypeError, LookupError, AttributeError):
            return make_undefined(name)


def item_of(value, key):
    """Reads an item, else an attribute, as `value[key]` does in a template."""
    try:
        return value[key]
    except (AttributeError, TypeError, LookupError):
        if isinstance(key, str):
            try:
                return getattr(value, key)
            except AttributeError:
                pass
        return make_undefined(str(key))


def items_of(value, at_most):
    items = []
    for item in value:
        if len(items) == at_most:
            raise Unsendable("more than %d items" % at_most)
        items.append(item)
    return items
