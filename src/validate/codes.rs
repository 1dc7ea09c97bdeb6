//! What the codes of validation mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    MISSING_KEY {
        code: "missing-key",
        summary: "A key without a default is not set",
        text: "\
Some values only you know: the domain, the address of the gateway. The place is that of the mapping
in which the key belongs.

Set it; the description in the hint or in your editor says what it is.

    domain:
      name: example.com",
    }

    WRONG_TYPE {
        code: "wrong-type",
        summary: "A value is of another type than its key takes",
        text: "\
A number in quotes is a text, and a single value is no list.

Write it as the type that the message names.

    apps:
      echo:
        replicas: 2         # not \"2\"",
    }

    WRONG_VALUE {
        code: "wrong-value",
        summary: "A value is of the right type and still not allowed",
        text: "\
It is none of the choices, out of its range, not an address, or not of the form that is asked for.
What fails here would fail later in a cluster, with a worse message.

The hint lists the choices or shows the form. A range of addresses has no bits behind its prefix.

    network:
      node_cidr: 192.168.1.0/24   # not 192.168.1.7/24",
    }

    USED_TWICE {
        code: "used-twice",
        summary: "Two items have a value that must be unique",
        text: "\
Two nodes with one address or one name cannot both join the cluster.

Change one of the two; both places are shown.

    nodes:
      - { name: controller-1, address: 192.168.1.11 }
      - { name: controller-2, address: 192.168.1.11 }   # the same address",
    }

    BROKEN_RULE {
        code: "broken-rule",
        summary: "Values that are fine by themselves do not go together",
        text: "\
Rules look at several values at once: that an address lies in its network, that one option needs
another. They are written in CEL below `x-kubernetes-validations` in the schemas, with the message
that you see.

Change one of the values that the message names.

    network: { node_cidr: 192.168.1.0/24 }
    gateways: { dns: 10.0.0.21 }                        # not in the network of the nodes",
    }

    BAD_SCHEMA {
        code: "bad-schema",
        summary: "A schema cannot be used, or has a word that would do nothing",
        text: "\
Schemas of your own apps lie in `schemas/apps/`. This one is not JSON, no JSON Schema of draft
2020-12, refers to what is not in it, or has a word that Kiln does not know or could not honour at
that place: a `writeOnly` that marks nothing would leave a secret in the open.

Mend it where the message says. docs/schemas.md has the words, and where each of them works.

    { \"properties\": { \"pin\": { \"type\": \"string\", \"writeOnly\": true } } }",
    }

    SCHEMA_RULE {
        code: "schema-rule",
        summary: "A rule in a schema cannot be evaluated",
        text: "\
Rules below `x-kubernetes-validations` are conditions in CEL on `self`, the value they stand on, and
`config`. This one is not CEL, does not give true or false, or asks for a key that may not be there.

Guard keys that may be missing with `has`.

    \"rule\": \"!has(self.limit) || self.limit >= self.request\"",
    }

    SCHEMA_DEFAULT {
        code: "schema-default",
        summary: "A default in a schema cannot be computed",
        text: "\
`x-kiln-default` is an expression in CEL on `self` and `config`, evaluated for a key that is not
set. This one fails, waits for another default that waits for this one, or holds itself by way of a
`$ref`.

Mend the expression, or break the circle.

    \"x-kiln-default\": \"host(self.node_cidr, 1)\"",
    }

    SECRET_UNPROVED {
        code: "secret-unproved",
        summary: "Nobody can tell where a secret goes",
        text: "\
Kiln finds leaks by rendering again with other secrets, and the other one has to be of the kind that
the schema asks for. Of this one, the schema takes the one value only, as by `const`, an `enum` of
one, or a pattern that no similar text fits. A template could write it into the open unnoticed.

Loosen what the schema asks, or name another value in `examples`.

    \"pin\": { \"type\": \"string\", \"writeOnly\": true, \"pattern\": \"^[0-9]{4}$\" }",
    }

    ENDLESS_EXPRESSION {
        code: "endless-expression",
        summary: "The expressions of the schemas cost too much",
        text: "\
A macro in a macro multiplies: eight of them over ten items are a hundred million rounds. What the
expressions look at, copy and make is counted, two million values for all of them together; a text counts
one for each 64 bytes. The same config gives the same answer on every machine.

Look at each item once.

    \"rule\": \"self.all(a, self.exists_one(b, a.name == b.name))\"     # 100 items: fine",
    }

    MORE_PROBLEMS {
        code: "more-problems",
        summary: "There are more problems than are worded",
        text: "\
A config that is wrong in thousands of places is most likely not the file that was meant, or has one
mistake that moves everything behind it. The first 500 places are worded, the others are counted.

Mend the first one, and look again.

    data = [\"cluster.yaml\"]            # in kiln.toml: is this the file?",
    }
}
