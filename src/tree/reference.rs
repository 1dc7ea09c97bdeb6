//! Values that hold no secret and only say where one is.

/// A form of reference, and the program that puts the secret in its place.
#[derive(Clone, Copy, Debug)]
pub struct SecretReference {
    /// The form, as docs show it.
    pub form: &'static str,
    /// The program.
    pub program: &'static str,
    /// Where the form is described.
    pub source: &'static str,
    matches: fn(&str) -> bool,
}

/// The forms; a value is a reference when the whole of it has one of them, but for Flux' variables.
pub static SECRET_REFERENCES: &[SecretReference] = &[
    SecretReference {
        form: "op://vault/item/field",
        program: "1Password (`op inject`, also in `{{ }}`)",
        source: "https://developer.1password.com/docs/cli/secret-reference-syntax/",
        matches: is_one_password,
    },
    SecretReference {
        form: "ref+vault://path#/key",
        program: "vals (also `secretref+…`)",
        source: "https://github.com/helmfile/vals#expression-syntax",
        matches: is_vals,
    },
    SecretReference {
        form: "<path:path/to/secret#key>",
        program: "argocd-vault-plugin",
        source: "https://argocd-vault-plugin.readthedocs.io/en/stable/howitworks/",
        matches: is_vault_plugin,
    },
    SecretReference {
        form: "vault:secret/data/path#KEY",
        program: "Bank-Vaults (also `>>vault:…`)",
        source: "https://bank-vaults.dev/docs/mutating-webhook/",
        matches: is_bank_vaults,
    },
    SecretReference {
        form: "${NAME}",
        program: "Flux (`postBuild`; with a default as well, and as a part of a value)",
        source: "https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution",
        matches: has_variable,
    },
    SecretReference {
        form: "ENC[AES256_GCM,…]",
        program: "SOPS (a value that is sealed already)",
        source: "https://getsops.io/docs/",
        matches: is_ciphertext,
    },
];

/// Returns whether a value only refers to a secret.
pub fn is_reference(text: &str) -> bool {
    let text = text.trim();
    SECRET_REFERENCES.iter().any(|known| (known.matches)(text))
}

fn is_one_password(text: &str) -> bool {
    let braces = text
        .strip_prefix("{{")
        .and_then(|text| text.strip_suffix("}}"));
    let Some(path) = braces.unwrap_or(text).trim().strip_prefix("op://") else {
        return false;
    };
    // Names of vaults and items may have blanks in them.
    let parts = path.split('/').filter(|part| !part.is_empty()).count();
    parts >= 3 && !path.contains(['\n', '{', '}'])
}

fn is_vals(text: &str) -> bool {
    let expression = text
        .strip_prefix("ref+")
        .or_else(|| text.strip_prefix("secretref+"));
    expression
        .and_then(|text| text.split_once("://"))
        .is_some_and(|(backend, path)| {
            let word = |sign: char| sign.is_ascii_alphanumeric() || "_-+".contains(sign);
            !backend.is_empty()
                && backend.chars().all(word)
                && !path.is_empty()
                && is_one_word(path)
        })
}

fn is_vault_plugin(text: &str) -> bool {
    let inner = text
        .strip_prefix("<path:")
        .and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|inner| !inner.contains(['<', '>', '\n']) && inner.contains('#'))
}

fn is_bank_vaults(text: &str) -> bool {
    let text = text.strip_prefix(">>").unwrap_or(text);
    let path = text.strip_prefix("vault:");
    path.and_then(|path| path.split_once('#'))
        .is_some_and(|(path, key)| path.contains('/') && !key.is_empty() && is_one_word(text))
}

fn is_one_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

/// What may follow the name of a variable, by Flux' envsubst.
const OPERATORS: [char; 9] = ['}', ':', '=', '-', '#', '%', '/', '^', ','];

/// Finds a variable that Flux fills in; `$${NAME}` is a text to Flux.
fn has_variable(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let name = &text[at + 2..];
        let end = name.find(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'));
        let named = end.is_some_and(|end| {
            end > 0
                && !name.starts_with(|sign: char| sign.is_ascii_digit())
                && name[end..].starts_with(OPERATORS)
                && name[end..].contains('}')
        });
        named && !text[..at].ends_with('$')
    })
}

/// Returns whether a value is one that SOPS encrypted.
pub fn is_ciphertext(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,") && text.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_each_form_by_its_own_example() {
        for known in SECRET_REFERENCES {
            assert!(is_reference(known.form), "{}", known.form);
            let others = SECRET_REFERENCES
                .iter()
                .filter(|other| (other.matches)(known.form));
            assert_eq!(others.count(), 1, "{}", known.form);
        }
        for text in [
            "op://Automation/Home Assistant/token",
            "{{ op://Automation/connect/token }}\n",
            "secretref+awsssm://path/to?region=x",
            "ref+sops://path#/a/b+",
            "<path:secret/data/db#password | base64encode>",
            ">>vault:secret/data/db#${.password}#2",
            "${NAME:=}",
            "${NAME:-none}",
            "postgres://app:${PASSWORD}@db/app",
        ] {
            assert!(is_reference(text), "{text}");
        }
    }

    #[test]
    fn takes_nothing_that_merely_begins_like_a_reference() {
        for text in [
            "hunter2",
            "op://",
            "op://hunter2",
            "see op://vault/item/field",
            "op://vault/item/field\nhunter2",
            "ref+hunter2",
            "ref+vault://path hunter2",
            "<path>",
            "<path:hunter2>",
            "<path:a#b>hunter2",
            "vault:hunter2",
            "vault:#hunter2",
            "$NAME",
            "$${NAME}",
            "a${",
            "a${}b",
            "a${1}b",
            "a${b c}",
            "ENC[hunter2]",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
