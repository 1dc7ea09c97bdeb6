//! Lists of mappings that are merged item by item, such as `containers`.
//!
//! kustomize's way has corners that decide what an object looks like: an item without the key takes others with it, a
//! port without protocol hides one with it, and equal items collapse. They are kept here as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::super::field::Field;
use super::super::problem::{Problem, ProblemKind};
use super::merge_key::MergeSchema;
use super::strategic_merge::{Directive, PatchSide, is_vacant, merge, shape_name, take_directive};

/// Merges the items of two lists: those that the patch names come first, in its order.
///
/// Without a patch the list came from a patch, and is merged with itself.
///
/// # Errors
/// As for the items; and where an item has no keys at all.
pub(super) fn merge_keyed_list(
    target: Vec<Field>,
    patch: Option<Vec<Field>>,
    keys: &'static [&'static str],
    schema: MergeSchema,
) -> Result<Vec<Field>, Problem> {
    let plain = |items: &[Field]| items.iter().all(|item| plain_key(item, keys).is_some());
    let is_plain = keys.len() == 1 && plain(&target) && patch.as_deref().is_none_or(plain);
    if is_plain {
        merge_plain_items(target, patch, keys, schema)
    } else {
        KeyedListMerge::new(target, patch, keys, schema).run()
    }
}

/// Returns the value of the only key, where it is a text that tells the item from all others.
fn plain_key<'f>(item: &'f Field, keys: &[&str]) -> Option<&'f str> {
    let value = item.get(keys.first()?)?.as_text()?;
    (!value.is_empty()).then_some(value)
}

/// Merges lists with one key that all items have, in one pass.
fn merge_plain_items(
    target: Vec<Field>,
    patch: Option<Vec<Field>>,
    keys: &[&str],
    schema: MergeSchema,
) -> Result<Vec<Field>, Problem> {
    let key_of = |item: &Field| plain_key(item, keys).unwrap_or_default().to_owned();
    let same = patch.is_none();
    let mut order: Vec<String> = Vec::new();
    let mut known = BTreeSet::new();
    let mut given: BTreeMap<String, Field> = BTreeMap::new();
    for item in patch.unwrap_or_default() {
        let key = key_of(&item);
        if known.insert(key.clone()) {
            order.push(key.clone());
        }
        given.entry(key).or_insert(item);
    }
    // The first of equal items is merged, the last one stays.
    let mut firsts: BTreeMap<String, usize> = BTreeMap::new();
    let mut lasts: BTreeMap<String, usize> = BTreeMap::new();
    let mut slots: Vec<Option<Field>> = Vec::with_capacity(target.len());
    for (index, item) in target.into_iter().enumerate() {
        let key = key_of(&item);
        if known.insert(key.clone()) {
            order.push(key.clone());
        }
        firsts.entry(key.clone()).or_insert(index);
        lasts.insert(key, index);
        slots.push(Some(item));
    }
    let mut merged = Vec::with_capacity(order.len());
    for key in order {
        let first = firsts.get(&key).copied();
        let last = lasts.get(&key).copied();
        let old = first.and_then(|index| slots[index].take());
        let kept = match merge_item(old, given.remove(&key), same, schema)? {
            MergedItem::Gone => continue,
            MergedItem::New(item) => item,
            MergedItem::Changed(item) | MergedItem::Replaced { old: item, .. } => {
                let equal = last.filter(|last| Some(*last) != first);
                equal.and_then(|index| slots[index].take()).unwrap_or(item)
            }
        };
        merged.push(kept);
    }
    Ok(merged)
}

/// What becomes of an item.
enum MergedItem {
    /// It is deleted.
    Gone,
    /// It stands in the patch only.
    New(Field),
    /// It is the one of the object, merged.
    Changed(Field),
    /// The patch asks to replace it; kustomize puts the old one back at the end.
    Replaced { old: Field, new: Field },
}

fn merge_item(
    old: Option<Field>,
    given: Option<Field>,
    same: bool,
    schema: MergeSchema,
) -> Result<MergedItem, Problem> {
    let (old, mut given) = match (old, given) {
        (None, None) => return Ok(MergedItem::Gone),
        (None, given) => {
            let side = given.map_or(PatchSide::Absent, PatchSide::Given);
            let new = merge(None, side, schema)?.filter(|item| !is_vacant(item));
            return Ok(new.map_or(MergedItem::Gone, MergedItem::New));
        }
        (Some(old), None) => {
            let side = if same {
                PatchSide::Same
            } else {
                PatchSide::Absent
            };
            let changed = merge(Some(old), side, schema)?.filter(|item| !is_vacant(item));
            return Ok(changed.map_or(MergedItem::Gone, MergedItem::Changed));
        }
        (Some(old), Some(given)) => (old, given),
    };
    match take_directive(&mut given)? {
        Directive::Delete => Ok(MergedItem::Gone),
        Directive::Replace => {
            let new = merge(None, PatchSide::Given(given), schema)?;
            let new = new.filter(|item| !is_vacant(item));
            Ok(new.map_or(MergedItem::Gone, |new| MergedItem::Replaced { old, new }))
        }
        Directive::Merge => {
            let changed = merge(Some(old), PatchSide::Given(given), schema)?;
            let changed = changed.filter(|item| !is_vacant(item));
            Ok(changed.map_or(MergedItem::Gone, MergedItem::Changed))
        }
    }
}

/// A text of a key, by number; 0 is the empty text.
type KeyText = usize;

/// What the search for items sees of one.
#[derive(Clone, Debug)]
struct ItemLabel {
    vacant: bool,
    mapping: bool,
    /// For each merge key the text under it; a list or mapping has the empty text.
    texts: Vec<Option<KeyText>>,
    /// The same, with null and nothing as the empty text.
    values: Vec<KeyText>,
}

/// The merge of lists in which items lack keys, or have several.
struct KeyedListMerge {
    keys: &'static [&'static str],
    schema: MergeSchema,
    numbers: BTreeMap<String, KeyText>,
    /// All items of both lists; the lists hold their numbers.
    items: Vec<Field>,
    labels: Vec<ItemLabel>,
    target: Vec<usize>,
    patch: Vec<usize>,
    same: bool,
}

impl KeyedListMerge {
    fn new(
        target: Vec<Field>,
        patch: Option<Vec<Field>>,
        keys: &'static [&'static str],
        schema: MergeSchema,
    ) -> Self {
        let mut merge = Self {
            keys,
            schema,
            numbers: BTreeMap::from([(String::new(), 0)]),
            items: Vec::new(),
            labels: Vec::new(),
            target: Vec::new(),
            patch: Vec::new(),
            same: patch.is_none(),
        };
        merge.target = target.into_iter().map(|item| merge.add(item)).collect();
        let patch = patch.unwrap_or_default();
        merge.patch = patch.into_iter().map(|item| merge.add(item)).collect();
        merge
    }

    fn add(&mut self, item: Field) -> usize {
        let label = self.label(&item);
        self.items.push(item);
        self.labels.push(label);
        self.items.len() - 1
    }

    fn set(&mut self, index: usize, item: Field) {
        self.labels[index] = self.label(&item);
        self.items[index] = item;
    }

    fn label(&mut self, item: &Field) -> ItemLabel {
        let mut texts = Vec::with_capacity(self.keys.len());
        let mut values = Vec::with_capacity(self.keys.len());
        for key in self.keys {
            let field = item.get(key);
            let text = field.map(|field| {
                let text = field.as_scalar().map_or("", |scalar| scalar.text.as_str());
                let next = self.numbers.len();
                *self.numbers.entry(text.to_owned()).or_insert(next)
            });
            let is_null = field.is_some_and(Field::is_null);
            values.push(if is_null { 0 } else { text.unwrap_or_default() });
            texts.push(text);
        }
        ItemLabel {
            vacant: is_vacant(item),
            mapping: item.entries().is_some(),
            texts,
            values,
        }
    }

    fn run(mut self) -> Result<Vec<Field>, Problem> {
        let mut all_values = self.distinct_values();
        if all_values.is_empty() {
            let target = std::mem::take(&mut self.target);
            return Ok(self.take(&target));
        }
        if self.keys.len() > 1 {
            merge_values(&mut all_values);
        }
        let used: Vec<usize> = (0..self.keys.len())
            .filter(|key| all_values.iter().any(|values| values[*key] != 0))
            .collect();
        let used = if used.is_empty() {
            (0..self.keys.len()).collect()
        } else {
            used
        };
        let mut added: Vec<usize> = Vec::new();
        for values in all_values {
            let values: Vec<KeyText> = used.iter().map(|key| values[*key]).collect();
            let Some(item) = self.merge_values_item(&used, &values)? else {
                let target = std::mem::take(&mut self.target);
                self.target = self.without(target, &used, &values)?;
                continue;
            };
            self.complete_keys(item, &used, &values);
            added = self.put(added, item, &used, &values)?;
        }
        for item in std::mem::take(&mut self.target) {
            added = self.append(added, item, &used)?;
        }
        Ok(self.take(&added))
    }

    /// Takes the items of a list out; one that is listed twice is copied.
    fn take(self, list: &[usize]) -> Vec<Field> {
        list.iter()
            .map(|index| self.items[*index].clone())
            .collect()
    }

    /// Lists what tells the items apart, the patch first.
    fn distinct_values(&self) -> Vec<Vec<KeyText>> {
        let mut seen = BTreeSet::new();
        self.patch
            .iter()
            .chain(&self.target)
            .map(|item| self.labels[*item].values.clone())
            .filter(|values| seen.insert(values.clone()))
            .collect()
    }

    /// Merges the items that some values of keys lead to, and returns the number of the result.
    fn merge_values_item(
        &mut self,
        used: &[usize],
        values: &[KeyText],
    ) -> Result<Option<usize>, Problem> {
        let old = self.find(&self.target, used, values);
        if self.same {
            let Some(index) = old else { return Ok(None) };
            let item = self.items[index].clone();
            return self.store(index, merge(Some(item), PatchSide::Same, self.schema)?);
        }
        let given = self.find(&self.patch, used, values);
        let copy = |index: usize| self.items[index].clone();
        let merged = merge_item(old.map(copy), given.map(copy), false, self.schema)?;
        if let Some(given) = given {
            // A directive counts once, even where two values lead to its item.
            let mut item = self.items[given].clone();
            if take_directive(&mut item).is_ok() {
                self.set(given, item);
            }
        }
        match (merged, old, given) {
            (MergedItem::Changed(item), Some(index), _)
            | (MergedItem::New(item) | MergedItem::Replaced { new: item, .. }, _, Some(index)) => {
                self.store(index, Some(item))
            }
            _ => Ok(None),
        }
    }

    fn store(&mut self, index: usize, item: Option<Field>) -> Result<Option<usize>, Problem> {
        let Some(item) = item.filter(|item| !is_vacant(item)) else {
            return Ok(None);
        };
        self.set(index, item);
        Ok(Some(index))
    }

    /// Finds the first item with the values that are not empty; with all of them where all are empty.
    fn find(&self, list: &[usize], used: &[usize], values: &[KeyText]) -> Option<usize> {
        let all_empty = values.iter().all(|value| *value == 0);
        list.iter().copied().find(|item| {
            let label = &self.labels[*item];
            let mut pairs = used.iter().zip(values);
            label.mapping
                && pairs.all(|(key, value)| {
                    (*value == 0 && !all_empty) || label.texts[*key] == Some(*value)
                })
        })
    }

    /// Gives an item the keys that it lacks, and an equal item has.
    fn complete_keys(&mut self, index: usize, used: &[usize], values: &[KeyText]) {
        let mut item = self.items[index].clone();
        for (key, value) in used.iter().zip(values) {
            let name = self.keys[*key];
            if *value != 0
                && item.get(name).is_none()
                && let Some((text, _)) = self.numbers.iter().find(|(_, number)| *number == value)
            {
                let origin = item.origin.clone();
                item.set(name, Field::text(text.as_str(), origin));
            }
        }
        self.set(index, item);
    }

    /// Returns whether an item has values under keys; an empty value asks for the key alone, and keys beyond the
    /// values are taken to be there if the ones before are.
    fn has(&self, item: usize, used: &[usize], values: &[KeyText]) -> Result<bool, Problem> {
        if values.is_empty() {
            return Ok(false);
        }
        let label = &self.labels[item];
        if !label.mapping {
            return Err(self.no_keys(item));
        }
        let has = |(key, value): (&usize, &KeyText)| match label.texts[*key] {
            Some(text) => *value == 0 || text == *value,
            None => false,
        };
        Ok(used.iter().zip(values).all(has))
    }

    fn no_keys(&self, item: usize) -> Problem {
        let item = &self.items[item];
        let keys = self.keys.join("` and `");
        let message = format!(
            "{} stands in a list whose items are told apart by `{keys}`",
            shape_name(item)
        );
        Problem::new(ProblemKind::Refused, message, item.place())
    }

    /// Keeps an item that is no mapping out of a search that asks for a value.
    fn is_passed_over(&self, item: usize, values: &[KeyText]) -> bool {
        !self.labels[item].mapping && values.first().is_some_and(|value| *value != 0)
    }

    /// Takes the items with some values out of a list.
    fn without(
        &self,
        list: Vec<usize>,
        used: &[usize],
        values: &[KeyText],
    ) -> Result<Vec<usize>, Problem> {
        let mut kept = Vec::with_capacity(list.len());
        for item in list {
            if self.labels[item].vacant {
                continue;
            }
            if self.is_passed_over(item, values)
                || (!self.has(item, used, values)? && !values.is_empty())
            {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// Puts an item in the place of those with its values, or at the end.
    fn put(
        &self,
        list: Vec<usize>,
        new: usize,
        used: &[usize],
        values: &[KeyText],
    ) -> Result<Vec<usize>, Problem> {
        let mut kept = Vec::with_capacity(list.len() + 1);
        let mut found = false;
        for item in list {
            if self.labels[item].vacant {
                continue;
            }
            if self.is_passed_over(item, values) {
                kept.push(item);
            } else if self.has(item, used, values)? {
                kept.push(new);
                found = true;
            } else if !values.is_empty() {
                kept.push(item);
            }
        }
        if !found {
            kept.push(new);
        }
        Ok(kept)
    }

    /// Adds an item of the object behind what was merged.
    fn append(
        &self,
        mut list: Vec<usize>,
        item: usize,
        used: &[usize],
    ) -> Result<Vec<usize>, Problem> {
        let label = &self.labels[item];
        let mut values = Vec::with_capacity(used.len());
        for key in used {
            match label.texts[*key] {
                Some(text) => values.push(text),
                None if label.mapping || label.vacant => list.push(item),
                None => return Err(self.no_keys(item)),
            }
        }
        if used.len() > 1 {
            list = self.without(list, used, &values)?;
        }
        if self.items[item].is_null() {
            return self.without(list, used, &values);
        }
        self.put(list, item, used, &values)
    }
}

/// Makes values equal that differ only where one is empty.
fn merge_values(all: &mut [Vec<KeyText>]) {
    if all.iter().flatten().all(|value| *value != 0) {
        return;
    }
    for index in 0..all.len() {
        let one = all[index].clone();
        for other in 0..all.len() {
            if let Some(merged) = common_values(&one, &all[other]) {
                all[other].clone_from(&merged);
                all[index] = merged;
            }
        }
    }
}

fn common_values(one: &[KeyText], other: &[KeyText]) -> Option<Vec<KeyText>> {
    let pairs = || one.iter().zip(other);
    let compatible = pairs().all(|(a, b)| a == b || *a == 0 || *b == 0);
    let common = pairs().any(|(a, b)| a == b);
    let merge = || {
        pairs()
            .map(|(a, b)| if *a == 0 { *b } else { *a })
            .collect()
    };
    (compatible && common).then(merge)
}

#[cfg(test)]
mod tests;
