"""Does a value obey a JSON schema of the OpenAPI document? The keywords that Helios uses, no other: one that stands here for nothing is
an error, so that no rule is passed over in silence. Python's standard library only."""
import json
import re

ANNOTATIONS = {"description", "examples", "example", "default", "title"}
TYPES = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Schemas:
    def __init__(self, document):
        self.named = document["components"]["schemas"]

    def faults(self, schema, value, place="$"):
        """What is wrong, each with its place; nothing if all is well."""
        return list(self._faults(schema, value, place))

    def _faults(self, schema, value, place):
        for keyword, rule in schema.items():
            if keyword in ANNOTATIONS:
                continue
            check = getattr(self, "_" + keyword.strip("$").lower(), None)
            if check is None:
                raise NotImplementedError(f"{place}: the keyword {keyword}")
            yield from check(rule, value, place, schema)

    def _ref(self, rule, value, place, _):
        yield from self._faults(self.named[rule.rsplit("/", 1)[1]], value, place)

    def _type(self, rule, value, place, _):
        if not any(TYPES[name](value) for name in ([rule] if isinstance(rule, str) else rule)):
            yield f"{place}: {json.dumps(value)[:60]} is no {rule}"

    def _enum(self, rule, value, place, _):
        if value not in rule:
            yield f"{place}: {value!r} is none of {rule}"

    def _const(self, rule, value, place, _):
        if value != rule:
            yield f"{place}: {value!r} is not {rule!r}"

    def _allof(self, rule, value, place, _):
        for schema in rule:
            yield from self._faults(schema, value, place)

    def _anyof(self, rule, value, place, _):
        if all(self.faults(schema, value, place) for schema in rule):
            yield f"{place}: is like none of {len(rule)} schemas"

    def _required(self, rule, value, place, _):
        for name in rule if isinstance(value, dict) else []:
            if name not in value:
                yield f"{place}: {name} is missing"

    def _properties(self, rule, value, place, _):
        for name, schema in rule.items() if isinstance(value, dict) else []:
            if name in value:
                yield from self._faults(schema, value[name], f"{place}.{name}")

    def _additionalproperties(self, rule, value, place, schema):
        if rule is True or not isinstance(value, dict):
            return
        for name in value.keys() - schema.get("properties", {}).keys():
            if rule is False:
                yield f"{place}.{name}: there is no such member"
                continue
            yield from self._faults(rule, value[name], f"{place}.{name}")

    def _items(self, rule, value, place, _):
        for i, item in enumerate(value) if isinstance(value, list) else []:
            yield from self._faults(rule, item, f"{place}[{i}]")

    def _contains(self, rule, value, place, _):
        if isinstance(value, list) and all(self.faults(rule, item) for item in value):
            yield f"{place}: no item is like the one that must be there"

    def _minitems(self, rule, value, place, _):
        if isinstance(value, list) and len(value) < rule:
            yield f"{place}: fewer than {rule} items"

    def _maxitems(self, rule, value, place, _):
        if isinstance(value, list) and len(value) > rule:
            yield f"{place}: more than {rule} items"

    def _minlength(self, rule, value, place, _):
        if isinstance(value, str) and len(value) < rule:
            yield f"{place}: shorter than {rule}"

    def _maxlength(self, rule, value, place, _):
        if isinstance(value, str) and len(value) > rule:
            yield f"{place}: longer than {rule}"

    def _minimum(self, rule, value, place, _):
        if TYPES["number"](value) and value < rule:
            yield f"{place}: less than {rule}"

    def _maximum(self, rule, value, place, _):
        if TYPES["number"](value) and value > rule:
            yield f"{place}: more than {rule}"

    def _pattern(self, rule, value, place, _):
        if isinstance(value, str) and not re.search(rule, value):
            yield f"{place}: {value!r} is not like {rule}"

    def _format(self, rule, value, place, _):
        if rule != "date-time":
            raise NotImplementedError(f"{place}: the format {rule}")
        if isinstance(value, str) and not DATE_TIME.fullmatch(value):
            yield f"{place}: {value!r} is no time"
