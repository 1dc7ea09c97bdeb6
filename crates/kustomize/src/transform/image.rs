//! `images`.

use regex::Regex;

use super::FieldChange;
use crate::config::TransformerConfig;
use crate::field::{Field, FieldValue};
use crate::field_spec::{CreatedField, CreatedKind, FieldMismatch, FieldSpec, rewrite_scalar};
use crate::go_expression::compile_expression;
use crate::place::{Origin, Place};
use crate::problem::Findings;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::setting::{SettingMap, SettingMode, SettingText, items_of};

const IMAGE_KEYS: &[&str] = &["name", "newName", "tagSuffix", "newTag", "digest"];

/// The lists in which kustomize looks for images, wherever they are in an object.
const CONTAINER_LISTS: &[&str] = &["containers", "initContainers"];

/// What is put in the place of an image's name, tag and digest.
pub(super) struct ImageChange<'f> {
    /// Finds images of the name; `None` where the name is no regular expression, and kustomize finds nothing.
    pattern: Option<Regex>,
    new_name: Option<SettingText<'f>>,
    new_tag: Option<SettingText<'f>>,
    digest: Option<SettingText<'f>>,
    tag_suffix: Option<SettingText<'f>>,
    /// Where the item of the list is.
    place: &'f Place,
}

/// An image as it is written, in its parts; an empty part is not there.
#[derive(Debug, PartialEq, Eq)]
struct ImageParts<'i> {
    name: &'i str,
    tag: &'i str,
    digest: &'i str,
}

/// Replaces name, tag or digest of images, as the items of `images` say.
pub(crate) fn set_images(
    resources: &mut Resources,
    images: &Field,
    findings: &mut Findings,
    config: &TransformerConfig,
) {
    let mode = SettingMode::Kustomization;
    for item in items_of(images, "`images`", findings) {
        if let Some(change) = ImageChange::read(item, mode, findings) {
            change.apply(resources, &config.images, findings);
        }
    }
}

impl<'f> ImageChange<'f> {
    /// Reads an item of `images`.
    pub(super) fn read(
        item: &'f Field,
        mode: SettingMode,
        findings: &mut Findings,
    ) -> Option<Self> {
        let map = SettingMap::read(item, "the item of `images`", IMAGE_KEYS, mode, findings)?;
        let name = map.text("name", findings);
        let name = name.map(|name| name.text).unwrap_or_default();
        Some(Self {
            pattern: pattern_of(&name),
            new_name: map.text("newName", findings),
            new_tag: map.text("newTag", findings),
            digest: map.text("digest", findings),
            tag_suffix: map.text("tagSuffix", findings),
            place: item.place(),
        })
    }

    /// Changes the images of all objects but those of the kind `CustomResourceDefinition`.
    pub(super) fn apply(
        &self,
        resources: &mut Resources,
        specs: &[FieldSpec],
        findings: &mut Findings,
    ) {
        // The lists of containers first, as kustomize does: the field specs may find what they made.
        for resource in images_of(resources) {
            if let Err(mismatch) = self.change_containers(&mut resource.root) {
                let path = "containers/image";
                findings.refuse(mismatch.problem(path, resource, Some(self.place)));
            }
        }
        let origin = Origin::new(self.place.clone());
        let change = FieldChange {
            created: CreatedField {
                kind: CreatedKind::Nothing,
                origin: &origin,
            },
            cause: self.place,
        };
        for resource in images_of(resources) {
            for spec in specs {
                change.apply(spec, resource, findings, &mut |field, _| self.change(field));
            }
        }
    }

    fn change_containers(&self, field: &mut Field) -> Result<(), FieldMismatch> {
        match &mut field.value {
            FieldValue::Scalar(_) => Ok(()),
            FieldValue::Sequence(items) => items
                .iter_mut()
                .try_for_each(|item| self.change_containers(item)),
            FieldValue::Mapping(entries) => entries.iter_mut().try_for_each(|entry| {
                self.change_containers(&mut entry.value)?;
                match entry.value.items_mut() {
                    Some(containers) if CONTAINER_LISTS.contains(&entry.key.as_str()) => containers
                        .iter_mut()
                        .try_for_each(|container| self.change_container(container)),
                    _ => Ok(()),
                }
            }),
        }
    }

    fn change_container(&self, container: &mut Field) -> Result<(), FieldMismatch> {
        if container.is_null() {
            return Ok(());
        }
        if container.entries().is_none() {
            let why = "an item of the list is no mapping";
            return Err(FieldMismatch::at(container, why));
        }
        match container.get_mut("image") {
            Some(image) => self.change(image),
            None => Ok(()),
        }
    }

    fn change(&self, field: &mut Field) -> Result<(), FieldMismatch> {
        let FieldValue::Scalar(scalar) = &field.value else {
            let why = "there is a mapping or list where an image is expected";
            return Err(FieldMismatch::at(field, why));
        };
        let pattern = self.pattern.as_ref();
        if pattern.is_some_and(|pattern| pattern.is_match(&scalar.text)) {
            let (text, places) = self.changed(&ImageParts::of(&scalar.text));
            rewrite_scalar(field, text);
            let origin = field.origin.clone();
            field.origin = places.into_iter().fold(origin, Origin::and);
        }
        Ok(())
    }

    /// Returns the changed image, and the places that have a part in it.
    fn changed(&self, image: &ImageParts<'_>) -> (String, Vec<&'f Place>) {
        let mut places = Vec::new();
        let mut take = |setting: &Option<SettingText<'f>>| {
            let setting = setting.as_ref()?;
            places.push(setting.place);
            Some(setting.text.clone())
        };
        let name = take(&self.new_name).unwrap_or_else(|| image.name.to_owned());
        let (tag, digest) = match (take(&self.new_tag), take(&self.digest)) {
            (None, None) => match take(&self.tag_suffix) {
                Some(suffix) => (format!("{}{suffix}", image.tag), String::new()),
                None => (image.tag.to_owned(), image.digest.to_owned()),
            },
            (tag, digest) => (tag.unwrap_or_default(), digest.unwrap_or_default()),
        };
        let mut text = name;
        for (separator, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                text.push(separator);
                text.push_str(&part);
            }
        }
        (text, places)
    }
}

/// Lists the objects whose images are changed.
fn images_of(resources: &mut Resources) -> impl Iterator<Item = &mut Resource> {
    resources
        .list
        .iter_mut()
        .filter(|resource| resource.kind() != "CustomResourceDefinition")
}

/// Returns what finds an image of a name; kustomize takes the name for a regular expression.
fn pattern_of(name: &str) -> Option<Regex> {
    let tag = r"(:[a-zA-Z0-9_.{}-]*)?";
    let digest = r"(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?";
    compile_expression(&format!("^{name}{tag}{digest}$"))
}

impl<'i> ImageParts<'i> {
    /// Takes an image apart; a colon before the first slash belongs to the port of a registry.
    fn of(image: &'i str) -> Self {
        let path = image.find('/').unwrap_or_default();
        let tag = image[path..].find(':').map(|at| at + path);
        let digest = image[path..].find('@').map(|at| at + path);
        let (name_end, tag_end) = match (tag, digest) {
            (None, None) => (image.len(), image.len()),
            (Some(tag), None) => (tag, image.len()),
            (Some(tag), Some(digest)) if tag < digest => (tag, digest),
            (_, Some(digest)) => (digest, digest),
        };
        let after = |text: &'i str| text.get(1..).unwrap_or_default();
        Self {
            name: &image[..name_end],
            tag: after(&image[name_end..tag_end]),
            digest: after(&image[tag_end..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ImageParts, pattern_of, set_images};
    use crate::transform::sample::SampleBuild;

    #[test]
    fn images_are_changed_and_keep_their_place() {
        let cases = [
            ("newTag: '2'", "a/nginx:2"),
            ("newName: b", "b:1@sha256:f"),
            ("digest: sha256:e", "a/nginx@sha256:e"),
            ("newTag: '2'\n  digest: sha256:e", "a/nginx:2@sha256:e"),
            // kustomize comes by twice here: for all lists of containers, and for the field spec.
            ("tagSuffix: -x", "a/nginx:1-x-x"),
        ];
        let object = "apiVersion: v1\nkind: Foo\nmetadata: {name: a}\nspec:\n  containers:\n  - image: a/nginx:1@sha256:f\n  volumes:\n  - image: {reference: a/nginx}\n";
        for (change, expected) in cases {
            let setting = format!("- name: a/nginx\n  {change}\n");
            let build = SampleBuild::of(object).run(set_images, &setting);
            assert_eq!(build.messages(), [""; 0]);
            let path = "spec/containers/0/image";
            assert_eq!(build.text(0, path), Some(expected));
            let places = build.places(0, path);
            assert_eq!(places[..2], ["objects.yaml:6", "kustomization.yaml:2"]);
        }
    }

    #[test]
    fn image_volumes_are_changed_and_definitions_are_not() {
        let body = "metadata: {name: a}\nspec: {containers: [{image: n}], volumes: [{image: {reference: n}}]}\n";
        let image = |kind: &str| {
            let object = format!("apiVersion: v1\nkind: {kind}\n{body}");
            let build = SampleBuild::of(&object).run(set_images, "- {name: n, newTag: '2'}\n");
            let text = build.text(0, "spec/volumes/0/image/reference");
            text.map(str::to_owned)
        };
        assert_eq!(image("Pod").as_deref(), Some("n:2"));
        assert_eq!(image("CustomResourceDefinition").as_deref(), Some("n"));
    }

    #[test]
    fn a_list_of_containers_without_mappings_is_a_problem() {
        let object =
            "apiVersion: v1\nkind: Foo\nmetadata: {name: a}\nspec: {x: {containers: [a]}}\n";
        let build = SampleBuild::of(object).run(set_images, "- {name: n, newTag: '2'}\n");
        assert_eq!(
            build.messages(),
            [
                "the field path `containers/image` does not fit Foo `a`: an item of the list is no mapping"
            ]
        );
    }

    #[test]
    fn an_image_is_taken_apart() {
        let cases = [
            ("nginx", ["nginx", "", ""]),
            ("nginx:1.2", ["nginx", "1.2", ""]),
            ("host:5000/nginx", ["host:5000/nginx", "", ""]),
            (
                "host:5000/a/nginx:1@sha256:f",
                ["host:5000/a/nginx", "1", "sha256:f"],
            ),
            ("a/nginx@sha256:f", ["a/nginx", "", "sha256:f"]),
            ("nginx:", ["nginx", "", ""]),
            ("", ["", "", ""]),
        ];
        for (image, [name, tag, digest]) in cases {
            assert_eq!(ImageParts::of(image), ImageParts { name, tag, digest });
        }
    }

    #[test]
    fn a_name_is_a_regular_expression() {
        let matches = |name, image| pattern_of(name).is_some_and(|pattern| pattern.is_match(image));
        assert!(matches("nginx", "nginx:{tag}@sha512:1"));
        assert!(matches("ngin.", "nginx"));
        assert!(!matches("nginx", "a/nginx"));
        assert!(!matches("[", "["));
    }
}
