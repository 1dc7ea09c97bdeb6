//! What the codes of sealing mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    WRONG_IDENTITY {
        code: "wrong-identity",
        summary: "No identity at hand opens a sealed file",
        text: "\
The file is sealed for other recipients: a key that was replaced, or that of another cluster. The
message lists for whom.

Use the identity of one of them, or have someone who holds one add you to the rule and run this.

    kiln secrets update-keys kubernetes/apps/default/app/secret.sops.yaml",
    }

    WRONG_KEY {
        code: "wrong-key",
        summary: "`age.key` opens nothing of what is sealed here",
        text: "\
It is the key of another cluster, or a new one. To render would seal every secret for it, and the
cluster, which has the other key, could open none of them. The message names both public keys. One
sealed file that opens with any identity at hand is enough to go on.

Put the right key back. If this one is to replace it, hand over the old one as well.

    kiln secrets rekey --old-key old.key",
    }

    REKEY_NO_KEY {
        code: "rekey-no-key",
        summary: "There is no new key to seal for",
        text: "\
`kiln secrets rekey` seals for the first identity in `age.key`, and there is none.

Make one above the old one, in the same step.

    kiln secrets rekey --keygen",
    }

    REKEY_SAME_KEY {
        code: "rekey-same-key",
        summary: "The old key is the new one",
        text: "\
The file that `--old-key` names and `age.key` hold the same identity, so that nothing would be
replaced.

Put the new key into `age.key`, and name the file with the one that it replaces.

    kiln secrets rekey --old-key old.key",
    }

    REKEY_RULE {
        code: "rekey-rule",
        summary: "A creation rule that you wrote does not seal for the new key only",
        text: "\
The recipients of a `.sops.yaml` of your own are yours: Kiln does not edit them. Nothing was
written.

Write the new public key in the place of the old one, and run the command again. The built-in
`.sops.yaml` follows `age.key` by itself.

    - path_regex: kubernetes/.*\\.sops\\.ya?ml$
      age: age1…              # the new one",
    }

    BAD_IDENTITY {
        code: "bad-identity",
        summary: "A key file, or a line of one, is not an age identity",
        text: "\
Key files hold one identity a line, comments and empty lines. The line itself is not shown, as it
may be a secret with a typo. A broken identity, and a file without any, stop the run: the key that
is sealed into the bootstrap files would be broken, too. In your own `~/.config/sops/age/keys.txt`,
which other programs use as well, they are passed over with a warning.

Copy the file again.

    age-keygen -o age.key",
    }

    UNSUPPORTED_IDENTITY {
        code: "unsupported-identity",
        summary: "A key file holds an identity of a kind that Kiln cannot use",
        text: "\
Encrypted identity files, SSH keys of other kinds than ed25519 and those that a passphrase protects
open nothing here; the others of the file are used.

Use a key as `age-keygen` makes it, or a private key of OpenSSH in a file of its own.

    AGE-SECRET-KEY-1…",
    }

    KEY_SOURCE {
        code: "key-source",
        summary: "A place where keys are looked for gives none",
        text: "\
Beside `age.key` and the files of `[seal] identities`, Kiln looks for keys where SOPS does:
`SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, `SOPS_AGE_KEY_CMD`, `SOPS_AGE_SSH_PRIVATE_KEY_FILE`,
`SOPS_AGE_SSH_PRIVATE_KEY_CMD`, `~/.ssh/id_ed25519` and `~/.config/sops/age/keys.txt`. A variable
that names a file which is not there, or a command that fails or takes longer than a minute, is an
error, since you asked for these keys. Commands run only where something has to be opened that no
other key opens, and never for `kiln check`, `kiln audit` and `kiln explain`.

Correct the variable, or unset it.

    SOPS_AGE_KEY_CMD=\"op read op://home/cluster/age.key\" kiln render",
    }

    CARRIED_RECIPIENTS {
        code: "carried-recipients",
        summary: "A template that is sealed already is for others than its rule names",
        text: "\
A sealed file among the templates goes to the output byte for byte: Kiln does not seal it again. The
rule for its path says who has to be able to open it there. This file leaves somebody out, so that
the cluster may not open it, or lets somebody in.

Seal it for those whom the rule names, or correct the rule.

    sops rotate --in-place --add-age NEW --rm-age OLD templates/apps/default/app/secret.sops.yaml",
    }

    CARRIED_SELECTOR {
        code: "carried-selector",
        summary: "A template that is sealed already has other parts encrypted than its rule says",
        text: "\
A sealed file among the templates goes to the output byte for byte. It opens, and the rule for its
path would encrypt other values or sign others. Flux takes both.

Decrypt the file and seal it again by the rule, or correct the rule.

    sops decrypt --in-place secret.sops.yaml && sops encrypt --in-place secret.sops.yaml",
    }

    KEPT_RECIPIENTS {
        code: "kept-recipients",
        summary: "A sealed file that you keep is for others than its rule names",
        text: "\
Nobody renders this file: it lies in the output folder, or is a data file of the project, and Kiln
does not touch it. The rule for its path names others than it is sealed for, as after a change of
the rule.

Seal it for those whom the rule names. `kiln secrets rekey` does so for all files when the key
changes.

    kiln secrets update-keys talos/secrets.sops.yaml",
    }

    NOT_SEALED {
        code: "not-sealed",
        summary: "A file that should be sealed is plain text",
        text: "\
It has no top-level key `sops`, so that it is not a file of SOPS, whatever its name says.

If it is a secret, render it anew or seal it; if it was committed, change the secret.

    sops encrypt --in-place secret.sops.yaml",
    }

    MALFORMED_SOPS_METADATA {
        code: "malformed-sops-metadata",
        summary: "The `sops` block of a sealed file makes no sense",
        text: "\
A field is missing or broken, as after a merge of two versions of the file.

Take one version whole, and render again.

    git checkout --theirs -- secret.sops.yaml",
    }

    MALFORMED_CIPHERTEXT {
        code: "malformed-ciphertext",
        summary: "A value of a sealed file is not what SOPS wrote",
        text: "\
It was changed, cut off or moved to another key: each value is bound to its place. A value in plain
text where ciphertext belongs is not shown.

Restore the file from version control, or render it anew.

    git checkout -- secret.sops.yaml",
    }

    MAC_MISMATCH {
        code: "mac-mismatch",
        summary: "A sealed file was changed after it was sealed",
        text: "\
SOPS signs all values of a file together. This file opens, and the signature is that of other
values: someone edited, added or removed an entry, or a merge mixed two versions.

If it was not you, find out who. Then restore it, or render it anew.

    git log -p -- secret.sops.yaml",
    }

    UNSUPPORTED_KEY_TYPE {
        code: "unsupported-key-type",
        summary: "A file or rule is for keys of another kind than age",
        text: "\
Kiln seals for and opens with age keys. PGP and the keys of clouds are SOPS' own business.

Add an age recipient, or keep such files out of the templates.

    sops updatekeys secret.sops.yaml",
    }

    UNSUPPORTED_SECRET_FORMAT {
        code: "unsupported-secret-format",
        summary: "A secret file is of a format that Kiln does not seal",
        text: "\
Kiln seals YAML, JSON and, as a whole, files of any other name, but not `*.env` and `*.ini`. Such a file with
`.sops.` in its name, or that a creation rule names, would reach the disk in plain text, so it is refused; and
so is a `*.yaml` or `*.json` that is no text.

Put the content into a Secret. If it is no secret, take `.sops.` out of the name, or narrow the `path_regex`.

    stringData:
      config.json: |
        #{ secret(path=\"config.json\") | indent(width=4) }#",
    }

    UNSEALABLE_YAML {
        code: "unsealable-yaml",
        summary: "A secret file uses YAML that SOPS cannot keep",
        text: "\
SOPS has no place for anchors and aliases in what is encrypted, lists at the top, keys that are no text,
`%YAML` lines or a key named `sops`. `sops` itself would refuse the file, or change it.

Write the value out where it is needed.

    password: &p …          # and `*p` elsewhere: write it twice",
    }

    UNSEALABLE_JSON {
        code: "unsealable-json",
        summary: "A secret file is no JSON object that SOPS reads",
        text: "\
SOPS encrypts the values of one JSON object: no list at the top, no key that stands twice, no comments,
and nothing behind the closing brace.

Put a list below a key.

    {\"data\": [1, 2]}",
    }

    NO_CREATION_RULE {
        code: "no-creation-rule",
        summary: "Nothing says for whom a secret file is sealed",
        text: "\
The rules in the nearest `.sops.yaml` upwards are asked in turn, and the first whose `path_regex` matches the
path from there decides, as with `sops`. No rule matches this file, and Kiln never writes a secret in plain
text.

Add a rule, or rename the file.

    creation_rules:
      - path_regex: kubernetes/.*\\.sops\\.ya?ml$
        encrypted_regex: ^(data|stringData)$
        age: age1…",
    }

    NO_RECIPIENT {
        code: "no-recipient",
        summary: "A rule seals for nobody",
        text: "\
A file without recipients could never be opened again.

Name the public key of everyone who may open it.

    age: age1…,age1…",
    }

    BAD_RECIPIENT {
        code: "bad-recipient",
        summary: "A recipient is not the public half of an age key",
        text: "\
It has a typo, or it is a private key: then the file that holds it is as good as public, and the key
has to be replaced.

Put the public key there.

    age-keygen -y age.key",
    }

    UNSUPPORTED_RECIPIENT {
        code: "unsupported-recipient",
        summary: "A recipient is of a kind that Kiln cannot seal for",
        text: "\
Kiln seals for keys of age (`age1…`, `age1pq1…`), of its plugins (`age1NAME1…`) and for keys
`ssh-ed25519`. Private keys of RSA can be learned by timing, so that `ssh-rsa` is left out; keys of
PGP and of cloud providers are those of other programs.

Use a key as `age-keygen` makes it.

    age: age1…              # 62 letters",
    }

    UNSUPPORTED_KEY_GROUPS {
        code: "unsupported-key-groups",
        summary: "A rule splits the key over several groups",
        text: "\
With key groups, keys of several people are needed to open a file. Kiln cannot split a key, and
sealing for all of them at once would open the file to each alone.

Put all recipients into one group if each of them may open the file; else seal with `sops`.

    age: age1…,age1…",
    }

    SHAMIR_THRESHOLD {
        code: "shamir-threshold",
        summary: "A rule asks for more key groups than it has",
        text: "\
SOPS would pass over the threshold and let each single key open the file, which is not what the rule
says.

Remove the threshold.

    shamir_threshold: 1",
    }

    SOPS_RULES_SYNTAX {
        code: "sops-rules-syntax",
        summary: "`.sops.yaml` is not valid YAML",
        text: "\
Without its rules nothing can be sealed. The place is that of the first thing that cannot be read.

Mend it.

    creation_rules:
      - path_regex: \\.sops\\.yaml$     # a plain text: no quotes, or single ones",
    }

    SOPS_RULES_SHAPE {
        code: "sops-rules-shape",
        summary: "A part of `.sops.yaml` is of another type than SOPS takes",
        text: "\
The message says what belongs there.

Write it as SOPS' documentation shows it.

    creation_rules:                   # a list
      - age: age1…",
    }

    SOPS_RULES_REGEX {
        code: "sops-rules-regex",
        summary: "A pattern in `.sops.yaml` is not a regular expression",
        text: "\
SOPS reads patterns by the syntax of Go (RE2), which has no look-around and no back references; Kiln
reads them just as SOPS does.

Write it without these; an alternative usually does.

    path_regex: (talos|kubernetes)/.*\\.sops\\.ya?ml$",
    }

    SOPS_RULES_SELECTORS {
        code: "sops-rules-selectors",
        summary: "A rule selects what is encrypted in two ways",
        text: "\
Of `encrypted_regex`, `unencrypted_regex`, the suffixes and the regexes of comments, a rule has one.

Keep one, or write two rules.

    encrypted_regex: ^(data|stringData)$",
    }

    SOPS_RULES_UNKNOWN_KEY {
        code: "sops-rules-unknown-key",
        summary: "A rule has a key that SOPS does not know",
        text: "\
SOPS passes over it in silence, so that a typo in `encrypted_regex` seals something else than you
meant.

Take the suggestion, or remove the key.

    encrypted_regex: ^(data|stringData)$",
    }

    SOPS_RULES_COMMENT_REGEX {
        code: "sops-rules-comment-regex",
        summary: "A pattern for comments also matches encrypted comments",
        text: "\
Comments that decide what is encrypted are encrypted too. If the pattern matches the ciphertext of
one, the file cannot be opened again as it was.

Make it match only what ciphertext cannot hold.

    unencrypted_comment_regex: ^ plain$",
    }

    SOPS_COMMENT_ASTRAY {
        code: "sops-comment-astray",
        summary: "A comment decides what is encrypted, and not clearly of which entry",
        text: "\
It is indented otherwise than what follows, so that SOPS and a reader may take it for another
entry's.

Indent it like the entry it is about.

    data:
      # plain
      host: example.com",
    }

    UNREADABLE_RULES {
        code: "unreadable-rules",
        summary: "`.sops.yaml` is there and cannot be read",
        text: "\
The system refuses it. Nothing is sealed by rules that nobody has seen.

Mend its rights; the message says what the system said.

    chmod u+r .sops.yaml",
    }

    SEAL_COVERS_NOTHING {
        code: "seal-covers-nothing",
        summary: "A secret file has no value that is encrypted",
        text: "\
It is called a secret and would be written in plain text, since the rule of its path selects none of
its keys. `data` and `stringData` is what the usual rule selects, which misses a Talos or a Helm
file. Nothing is written.

Change the selector for this path. If the file holds no secret, take `.sops.` out of its name, or narrow
the `path_regex` that names it.

    - path_regex: talos/.*\\.sops\\.ya?ml$
      age: age1…              # without a selector all values are encrypted",
    }

    SEAL_LEAVES_PLAIN {
        code: "seal-leaves-plain",
        summary: "A rule leaves values of a Secret in plain text",
        text: "\
The file counts as sealed, and everyone who can read the repository could read these values of its Secret.
Nothing is written.

Widen the selector of the rule.

    - path_regex: kubernetes/.*\\.sops\\.ya?ml$
      encrypted_regex: ^(data|stringData)$
      age: age1…",
    }

    SEAL_DAMAGED {
        code: "seal-damaged",
        summary: "A sealed file on disk is broken, and is sealed anew",
        text: "\
Kiln opens what is there to keep its bytes where the secret is the same. What cannot be opened for
another reason than a missing key is replaced by what the templates say.

Nothing, if you know why; else look into the history of the file.

    git diff -- secret.sops.yaml",
    }

    SEAL_RECIPIENT_REMOVED {
        code: "seal-recipient-removed",
        summary: "Somebody who could open a sealed file is no longer a recipient of it",
        text: "\
The data key of the file is wrapped anew for the recipients that are left; the values and the key itself
stay as they were. Whoever was removed may have kept the data key, and can open what is sealed with it
in this repository, now and later.

Give the file a new data key, and change the secrets that are in it.

    kiln secrets rotate kubernetes/apps/default/app/secret.sops.yaml",
    }

    SEAL_UNVERIFIED {
        code: "seal-unverified",
        summary: "Sealed files are kept, and nobody could look whether their secrets changed",
        text: "\
Without an identity, Kiln keeps files that were sealed for the same recipients by the same rule. A
secret that changed since stays the old one until someone renders with an identity.

Render once where the identity is at hand.

    kiln render",
    }

    SEAL_WRAP_FAILED {
        code: "seal-wrap-failed",
        summary: "The data key of a file cannot be wrapped for a recipient",
        text: "\
Every file has a data key of its own, which is wrapped for each recipient of its rule. For one of them
that failed, as the message says. Nothing was written.

Remove the recipient from the rule, or install what it needs.

    age-plugin-yubikey --version",
    }

    SEAL_SELF_CHECK {
        code: "seal-self-check",
        summary: "A sealed file does not read back as what it was",
        text: "\
Everything that is sealed is opened again in memory before it is written. Nothing was written; this
is a defect of Kiln.

Report it with the layout of the file, its values replaced.

    kiln --version",
    }

    SEAL_RECIPIENTS_STALE {
        code: "seal-recipients-stale",
        summary: "A file is sealed for others than its rule says",
        text: "\
Someone was added to the rule, or taken out of it, after the file was sealed. Who is missing cannot
open it; who was taken out still can.

Wrap its data key for those of the rule. Whoever was taken out may have kept that key: rotate then.

    kiln secrets update-keys
    kiln secrets rotate",
    }

    SEAL_SELECTOR_STALE {
        code: "seal-selector-stale",
        summary: "A file is sealed by another selector than its rule says",
        text: "\
The rule says now that other values are encrypted, or that the MAC is over others.

Seal the file by its rule, with a new data key.

    kiln secrets rotate kubernetes/apps/default/demo/app/secret.sops.yaml",
    }

    SEALED_FOR_STRANGERS {
        code: "sealed-for-strangers",
        summary: "A file without a rule is sealed for nobody whom a rule names",
        text: "\
None of those who can open it stands in any rule of the tree: the file comes from elsewhere, or was
forgotten when keys were replaced.

Write a rule for it, and seal it anew where a key is that opens it; or remove the file.

    kiln secrets rotate old.sops.yaml",
    }
}
