//! Sealing a file again such that what has not changed keeps its bytes.

use std::collections::{BTreeMap, BTreeSet};

use spanned_yaml::{Content as NodeContent, Node, Span, Style};

use crate::edit::{self, Edit};
use crate::keys::{Recipient, WrappedKey};
use crate::merge::merged;
use crate::metadata::{Metadata, normal_time};
use crate::outline::{Content, Document, Leaf, Notation, Outline, Spot, column};
use crate::plain::{Draw, PlainFile, SealError, SealTarget};
use crate::reader::{OpenedFile, SealedFile, block_lines};
use crate::rules::Layouts;
use crate::scalar_text;
use crate::scope::covered_value;
use crate::store::Store;
use crate::value::{Kind, Value};
use crate::writer::{
    Envelope, LeafSealer, SealedLeaves, Stash, digest, encrypt_binary, next, opened, replace,
    root_column, store_of, value_edits, wrapped, write,
};

impl OpenedFile {
    /// Returns whether the file holds the same values and comments as a plain one, as SOPS would write them.
    ///
    /// SOPS writes numbers that it does not encrypt in its own spelling, `1` for `1.0`, which then are integers to
    /// the next reader; and go-yaml puts some comments in front of another entry than they were written at, such as
    /// those behind a key, and loses some behind `{}` and `[]`. None of that is a difference, as long as the order of
    /// comments is the same and no more is in plain text than the selector says.
    pub fn holds(&self, plain: &PlainFile) -> bool {
        match plain {
            PlainFile::Tree(outline) => self.bytes.is_none() && self.holds_all(outline),
            PlainFile::Binary(bytes) => self.bytes.as_ref() == Some(bytes),
        }
    }

    /// Returns whether the file says the same of what is encrypted as a rule does.
    pub fn is_sealed_by(&self, target: &SealTarget<'_>) -> bool {
        self.metadata.is_of_rule(target, self.store())
    }

    fn store(&self) -> Store {
        match self.bytes {
            Some(_) => Store::Binary,
            None => store_of(self.outline.notation),
        }
    }

    /// Seals a plain file in the place of this one: with the same data key, and with the ciphertexts and the layout
    /// of this one wherever they hold the same.
    ///
    /// A value that changed moves its line, `mac` and `lastmodified`. Other recipients get the data key wrapped anew;
    /// values stay. Where the rule changed, the file is sealed anew with the key of `draw`. `now` is RFC 3339 in UTC.
    ///
    /// No nonce ever serves for two plain texts: ciphertexts are copied for an equal value with an equal context, and
    /// everything else is encrypted with a nonce of `draw`.
    ///
    /// # Errors
    /// As of [`PlainFile::seal`].
    pub fn renew(
        &self,
        plain: &PlainFile,
        target: &SealTarget<'_>,
        draw: &Draw,
        now: &str,
    ) -> Result<String, SealError> {
        if !self.is_sealed_by(target) {
            return plain.seal(target, draw, now);
        }
        let text = self.edited_by(plain, target, draw, now)?;
        if self.is_sealed_for(target.recipients) {
            return Ok(text);
        }
        let copies = wrapped(target.recipients, &self.key)?;
        rewrap(&text, self.store(), &copies, target.layouts).ok_or(SealError::SelfCheck)
    }

    /// Seals a changed text in the place of this file, by what the file itself says: the same data key, the same
    /// recipients, the same selector. A text that holds the same gives the bytes that are there.
    ///
    /// `draw` is for the selector of the file; `now` is RFC 3339 in UTC. Keys of other kinds than age's are lost where
    /// the metadata has to be written anew, so that a caller refuses a file that has some.
    ///
    /// # Errors
    /// As of [`PlainFile::seal`].
    pub fn edited(
        &self,
        plain: &PlainFile,
        layouts: &Layouts,
        draw: &Draw,
        now: &str,
    ) -> Result<String, SealError> {
        let target = SealTarget {
            scope: &self.metadata.scope,
            mac_only_encrypted: self.metadata.mac_only_encrypted,
            recipients: &[],
            layouts,
        };
        self.edited_by(plain, &target, draw, now)
    }

    /// Wraps the data key for other recipients: values, digest and time stay as they are. `None` where it is wrapped
    /// for exactly these already.
    ///
    /// Whoever is no longer among them may have kept the data key; [`rotate`](Self::rotate) makes a new one.
    ///
    /// # Errors
    /// A recipient that nothing can be wrapped for.
    pub fn rewrapped(
        &self,
        recipients: &[Recipient],
        layouts: &Layouts,
    ) -> Result<Option<String>, SealError> {
        if self.is_sealed_for(recipients) {
            return Ok(None);
        }
        let copies = wrapped(recipients, &self.key)?;
        let text = rewrap(&self.outline.text, self.store(), &copies, layouts);
        text.map(Some).ok_or(SealError::SelfCheck)
    }

    fn is_sealed_for(&self, recipients: &[Recipient]) -> bool {
        let wanted: BTreeSet<String> = recipients.iter().map(ToString::to_string).collect();
        self.metadata.sealed_for() == wanted
    }

    fn edited_by(
        &self,
        plain: &PlainFile,
        target: &SealTarget<'_>,
        draw: &Draw,
        now: &str,
    ) -> Result<String, SealError> {
        let now = normal_time(now).unwrap_or_else(|_| now.to_owned());
        if self.holds(plain) {
            return Ok(self.outline.text.as_str().to_owned());
        }
        match plain {
            PlainFile::Tree(outline) => self.renew_tree(plain, outline, target, draw, &now),
            PlainFile::Binary(bytes) => self.renew_binary(bytes, draw, &now),
        }
    }

    fn holds_all(&self, plain: &Outline) -> bool {
        let scope = &self.metadata.scope;
        let same = |(mine, token, theirs): (&Leaf, &Option<String>, &Leaf)| {
            let (encrypted, covered) = (token.is_some(), covered_value(theirs, scope).is_some());
            let hidden = encrypted == covered
                || theirs.is_comment() && (encrypted || theirs.loose || theirs.losable);
            hidden && self.is_same(mine, encrypted, theirs)
        };
        self.pairs(plain)
            .is_some_and(|pairs| pairs.into_iter().all(same))
    }

    /// Pairs the values of both files by their routes and the comments of each document by their order; `None` where
    /// that leaves something over.
    fn pairs<'p>(
        &'p self,
        plain: &'p Outline,
    ) -> Option<Vec<(&'p Leaf, &'p Option<String>, &'p Leaf)>> {
        let (mine, theirs) = (&self.outline.documents, &plain.documents);
        let mut tokens = self.tokens.iter();
        let mut pairs = Vec::new();
        for (mine, theirs) in mine.iter().zip(theirs) {
            let leaves: Vec<(&Leaf, &Option<String>)> =
                mine.leaves.iter().zip(&mut tokens).collect();
            for comments in [false, true] {
                let of_kind = |leaf: &Leaf| leaf.is_comment() == comments;
                let mut others = theirs.leaves.iter().filter(|leaf| of_kind(leaf));
                for (leaf, token) in leaves.iter().filter(|(leaf, _)| of_kind(leaf)) {
                    let lost = |other: &&&Leaf| other.losable && other.content != leaf.content;
                    let other = others.by_ref().find(|other| !lost(&other))?;
                    if !comments && leaf.route != other.route {
                        return None;
                    }
                    pairs.push((*leaf, *token, other));
                }
                if !others.all(|other| other.losable) {
                    return None;
                }
            }
        }
        (mine.len() == theirs.len()).then_some(pairs)
    }

    fn is_same(&self, mine: &Leaf, encrypted: bool, theirs: &Leaf) -> bool {
        let untyped = !encrypted || self.outline.notation == Notation::Json;
        mine.content == theirs.content || untyped && same_number(&mine.content, &theirs.content)
    }

    fn renew_tree(
        &self,
        file: &PlainFile,
        plain: &Outline,
        target: &SealTarget<'_>,
        draw: &Draw,
        now: &str,
    ) -> Result<String, SealError> {
        let leaves = LeafSealer {
            key: &self.key,
            target,
            now,
        };
        let (given, mut stash) = self.stash(plain);
        let mut nonces = draw.ivs.iter();
        let sealed = leaves.leaves_with(plain, given, &mut stash, &mut nonces)?;
        let is_same = |text: &String| {
            let opened = opened(text, self.store(), &self.key);
            opened.is_some_and(|opened| opened.holds(file))
        };
        let metadata = Metadata {
            last_modified: now.to_owned(),
            mac: sealed.mac.clone(),
            ..self.metadata.clone()
        };
        let new = || {
            write(
                plain,
                &sealed.tokens,
                &Envelope::New(&metadata, target.layouts),
            )
        };
        let by_layout = || {
            let mine = self.in_its_envelope(plain, &sealed, now);
            let other = self.by_entries(plain, &sealed, now);
            let both = mine.into_iter().chain(other).filter(is_same);
            // The first of equals: the layout of the plain file.
            both.min_by_key(|text| fresh_lines(&self.outline.text, text))
        };
        self.in_place(plain, &sealed, now)
            .filter(is_same)
            .or_else(by_layout)
            .or_else(|| Some(new()).filter(is_same))
            .ok_or(SealError::SelfCheck)
    }

    /// Returns the ciphertexts that stay at their places, for each leaf of the plain file, and all others.
    fn stash(&self, plain: &Outline) -> (Vec<Option<String>>, Stash) {
        let places: BTreeMap<*const Leaf, usize> = plain
            .leaves()
            .enumerate()
            .map(|(at, leaf)| (std::ptr::from_ref(leaf), at))
            .collect();
        let mut given: Vec<Option<String>> = plain.leaves().map(|_| None).collect();
        let mut kept = BTreeSet::new();
        for (mine, token, theirs) in self.pairs(plain).unwrap_or_default() {
            let same = self.is_same(mine, token.is_some(), theirs);
            let place = places.get(&std::ptr::from_ref(theirs));
            if let (true, Some(token), Some(place)) = (same, token, place)
                && mine.keys == theirs.keys
            {
                given[*place] = Some(token.clone());
                kept.insert(std::ptr::from_ref(mine));
            }
        }
        let mut stash = Stash::default();
        for (leaf, token) in self.outline.leaves().zip(&self.tokens) {
            if let (Some(token), Content::Value(value)) = (token, &leaf.content)
                && !kept.contains(&std::ptr::from_ref(leaf))
            {
                stash.add(leaf, value, token);
            }
        }
        (given, stash)
    }

    /// Writes changed values and comments into the sealed text; `None` when more than these changed.
    fn in_place(&self, plain: &Outline, sealed: &SealedLeaves, now: &str) -> Option<String> {
        let new: BTreeMap<*const Leaf, &Option<String>> = plain
            .leaves()
            .map(std::ptr::from_ref)
            .zip(&sealed.tokens)
            .collect();
        let mut edits = Vec::new();
        for (mine, old, theirs) in self.pairs(plain)? {
            if self.is_same(mine, old.is_some(), theirs) {
                continue;
            }
            match (old, new.get(&std::ptr::from_ref(theirs)).copied()?) {
                (Some(_), Some(new)) if mine.keys == theirs.keys => {
                    replace(&self.outline.text, mine, new, &mut edits);
                }
                (None, None) => edits.push(respelled(mine, theirs, plain)?),
                _ => return None,
            }
        }
        for document in &self.outline.documents {
            edits.extend(self.stamp(document, &sealed.mac, now)?);
        }
        Some(edit::apply(&self.outline.text, edits))
    }

    /// Writes entries that are new or changed into the sealed text, and takes out those that are gone.
    fn by_entries(&self, plain: &Outline, sealed: &SealedLeaves, now: &str) -> Option<String> {
        if self.outline.notation != Notation::Yaml || plain.notation != Notation::Yaml {
            return None;
        }
        let text = self.outline.text.as_str();
        let new = edit::apply(&plain.text, value_edits(plain, &sealed.tokens));
        let (mine, theirs) = (
            spanned_yaml::load(text).ok()?,
            spanned_yaml::load(&new).ok()?,
        );
        if mine.len() != theirs.len() || mine.len() != self.outline.documents.len() {
            return None;
        }
        let pairs = mine.iter().zip(&theirs).zip(&self.outline.documents);
        let merge = |((mine, theirs), document)| {
            let kept = self.kept_lines(document, &sealed.mac, now)?;
            merged((text, mine), (new.as_str(), theirs), &kept)
        };
        pairs.map(merge).collect()
    }

    /// Writes the plain text with its ciphertexts and with the metadata as it stands, but for digest and time.
    fn in_its_envelope(&self, plain: &Outline, sealed: &SealedLeaves, now: &str) -> Option<String> {
        let mut documents = self.outline.documents.iter();
        let document = documents.find(|document| document.sops.is_some())?;
        let start = document.sops.as_ref()?.key_span.start;
        let braces = in_braces(&self.outline, document);
        let fits = |other: &Document| {
            in_braces(plain, other) == braces
                && (braces || root_column(&plain.text, other) == column(&self.outline.text, start))
        };
        if plain.notation != self.outline.notation || !plain.documents.iter().all(fits) {
            return None;
        }
        let kept = self.kept_lines(document, &sealed.mac, now)?;
        Some(write(plain, &sealed.tokens, &Envelope::Kept(kept)))
    }

    /// Returns the metadata of a document as it stands, but for digest and time: lines, or an entry in braces.
    fn kept_lines(&self, document: &Document, mac: &str, now: &str) -> Option<String> {
        let text = self.outline.text.as_str();
        let sops = document.sops.as_ref()?;
        let entry = Span::new(sops.key_span.start, sops.value.span.end);
        let braces = in_braces(&self.outline, document);
        let piece = if braces {
            entry
        } else {
            block_lines(text, entry)
        };
        let shift = |span: Span| Span::new(span.start - piece.start, span.end - piece.start);
        let stamps = self.stamp(document, mac, now)?.into_iter();
        let stamps = stamps.map(|(span, text)| (shift(span), text)).collect();
        let mut kept = edit::apply(&text[piece.start..piece.end], stamps);
        if !braces && !kept.ends_with('\n') {
            kept.push('\n');
        }
        Some(kept)
    }

    /// Returns the edits that put a new digest and time into the metadata of a document.
    fn stamp(&self, document: &Document, mac: &str, now: &str) -> Option<Vec<Edit>> {
        let Some(sops) = &document.sops else {
            return Some(Vec::new());
        };
        let text = self.outline.text.as_str();
        let one = |key: &str, new: &str| {
            let node = sops.value.get(key)?;
            let NodeContent::Scalar(scalar) = &node.content else {
                return None;
            };
            let quote = match scalar.style {
                Style::Block => return None,
                Style::Quoted => text[node.span.start..].chars().next(),
                Style::Plain => None,
            };
            let quote = quote.map(String::from).unwrap_or_default();
            Some((node.span, format!("{quote}{new}{quote}")))
        };
        Some(vec![one("mac", mac)?, one("lastmodified", now)?])
    }

    /// Seals the file with a new data key, for these recipients; everything else stays as it is.
    ///
    /// # Errors
    /// As of [`PlainFile::seal`].
    pub fn rotate(
        &self,
        recipients: &[Recipient],
        layouts: &Layouts,
        draw: &Draw,
        now: &str,
    ) -> Result<String, SealError> {
        let now = normal_time(now).unwrap_or_else(|_| now.to_owned());
        let mut nonces = draw.ivs.iter();
        let mut edits = Vec::new();
        let scope = &self.metadata.scope;
        for (leaf, old) in self.outline.leaves().zip(&self.tokens) {
            let token = match (old, &leaf.content, &self.bytes) {
                (Some(_), _, Some(bytes)) => encrypt_binary(bytes, &draw.key, next(&mut nonces)),
                (Some(_), Content::Value(value), None) => {
                    let iv = next(&mut nonces);
                    draw.key.encrypt(value, &leaf.context(), iv)
                }
                _ => continue,
            };
            if leaf.is_comment() && scope.misreads(&token) {
                return Err(SealError::MisreadComment(leaf.spot.span()));
            }
            replace(&self.outline.text, leaf, &token, &mut edits);
        }
        let mac = draw.key.encrypt(&self.mac, &now, next(&mut nonces));
        for document in &self.outline.documents {
            let stamps = self.stamp(document, &mac, &now);
            edits.extend(stamps.ok_or(SealError::SelfCheck)?);
        }
        let text = edit::apply(&self.outline.text, edits);
        let copies = wrapped(recipients, &draw.key)?;
        let text = rewrap(&text, self.store(), &copies, layouts).ok_or(SealError::SelfCheck)?;
        let opened = opened(&text, self.store(), &draw.key);
        let same = opened.is_some_and(|opened| {
            opened.bytes == self.bytes
                && (self.bytes.is_some() || opened.outline.same_content(&self.outline))
        });
        if same {
            Ok(text)
        } else {
            Err(SealError::SelfCheck)
        }
    }

    fn renew_binary(&self, bytes: &[u8], draw: &Draw, now: &str) -> Result<String, SealError> {
        let mut nonces = draw.ivs.iter();
        let token = encrypt_binary(bytes, &self.key, next(&mut nonces));
        let mac = Value::new(Kind::Str, digest(bytes));
        let mac = self.key.encrypt(&mac, now, next(&mut nonces));
        let mut edits = Vec::new();
        for (leaf, old) in self.outline.leaves().zip(&self.tokens) {
            if old.is_some() {
                replace(&self.outline.text, leaf, &token, &mut edits);
            }
        }
        for document in &self.outline.documents {
            let stamps = self.stamp(document, &mac, now);
            edits.extend(stamps.ok_or(SealError::SelfCheck)?);
        }
        let text = edit::apply(&self.outline.text, edits);
        let opened = opened(&text, Store::Binary, &self.key);
        let held = opened.and_then(|opened| opened.bytes);
        if held.is_some_and(|held| held.as_slice() == bytes) {
            Ok(text)
        } else {
            Err(SealError::SelfCheck)
        }
    }
}

/// Counts the lines of a text that another one does not have.
fn fresh_lines(before: &str, after: &str) -> usize {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for line in before.lines() {
        *known.entry(line).or_default() += 1;
    }
    let fresh = after.lines().filter(|line| {
        let count = known.get_mut(line).filter(|count| **count > 0);
        count.map(|count| *count -= 1).is_none()
    });
    fresh.count()
}

/// Returns whether a document is written in braces.
fn in_braces(outline: &Outline, document: &Document) -> bool {
    let root = document.root.as_ref();
    root.is_some_and(|root| outline.text[root.span.start..].starts_with('{'))
}

/// Returns whether two contents are numbers that SOPS spells alike.
fn same_number(one: &Content, other: &Content) -> bool {
    let number = |content: &Content| match content {
        Content::Value(value) if matches!(value.kind, Kind::Int | Kind::Float) => {
            Some(value.text.clone())
        }
        _ => None,
    };
    number(one).is_some_and(|text| number(other) == Some(text))
}

/// Returns the edit that writes a value that is not encrypted in the place of another one; `None` where that would
/// take more than a line.
fn respelled(mine: &Leaf, theirs: &Leaf, plain: &Outline) -> Option<Edit> {
    if theirs.tie.is_some() || mine.tie.is_some() {
        return None;
    }
    let raw = |span: Span| {
        let raw = &plain.text[span.start..span.end];
        (!raw.contains('\n')).then(|| raw.to_owned())
    };
    let (span, text) = match (&mine.spot, &theirs.spot) {
        (Spot::Comment(span), Spot::Comment(new))
        | (Spot::Block { span, .. }, Spot::Block { span: new, .. } | Spot::Flow(new))
        | (Spot::Flow(span), Spot::Flow(new)) => (*span, raw(*new)?),
        (Spot::Flow(span), Spot::Block { .. }) => match &theirs.content {
            Content::Value(value) if value.kind == Kind::Str => {
                (*span, scalar_text::quoted(value.text.expose()))
            }
            _ => return None,
        },
        _ => return None,
    };
    Some((span, text))
}

/// Puts other copies of the data key into a sealed text.
fn rewrap(text: &str, store: Store, copies: &[WrappedKey], layouts: &Layouts) -> Option<String> {
    let sealed = SealedFile::read(text, store).ok()?;
    let metadata = Metadata {
        age: copies.to_vec(),
        ..sealed.metadata.clone()
    };
    let in_place = |document: &Document| age_edit(&sealed.outline, document, &metadata, layouts);
    let whole = |document: &Document| entry_edit(&sealed.outline, document, &metadata, layouts);
    let written = |edits: Option<Vec<Edit>>| {
        let text = edit::apply(&sealed.outline.text, edits?);
        let read = SealedFile::read(&text, store).ok()?;
        let same = read.metadata.age == copies
            && read.metadata.mac == metadata.mac
            && read.metadata.last_modified == metadata.last_modified
            && read.outline.same_content(&sealed.outline);
        same.then_some(text)
    };
    let documents = || {
        sealed
            .outline
            .documents
            .iter()
            .filter(|one| one.sops.is_some())
    };
    written(documents().map(in_place).collect())
        .or_else(|| written(documents().map(whole).collect()))
}

/// Replaces the list of copies, in the order and at the margin of the first of them.
fn age_edit(
    outline: &Outline,
    document: &Document,
    metadata: &Metadata,
    layouts: &Layouts,
) -> Option<Edit> {
    let text = outline.text.as_str();
    let sops = document.sops.as_ref()?;
    if sops
        .value
        .get("key_groups")
        .is_some_and(|node| !node.is_null())
    {
        return None;
    }
    let entry = sops.value.entry("age")?;
    let NodeContent::Sequence { items, flow } = &entry.value.content else {
        return None;
    };
    if *flow {
        let new = match outline.notation {
            Notation::Json => metadata.age_json(&layouts.json),
            Notation::Yaml => metadata.age_flow(),
        };
        return Some((entry.value.span, new));
    }
    let keys = items.first()?.entries()?;
    let margin = column(text, keys.first()?.key_span.start).checked_sub(2)?;
    let enc_first = keys.first()?.key == "enc";
    let lines = metadata.age_block(margin, enc_first);
    let later = sops.value.entries()?.iter();
    let next = later
        .map(|other| other.key_span.start)
        .filter(|start| *start > entry.key_span.start)
        .min();
    let end = match next {
        Some(start) => text[..start].rfind('\n')? + 1,
        None => block_lines(text, Span::new(sops.key_span.start, sops.value.span.end)).end,
    };
    let span = Span::new(entry.key_span.end, end);
    Some((span, format!(":\n{}\n", lines.join("\n"))))
}

/// Replaces the whole metadata of a document.
fn entry_edit(
    outline: &Outline,
    document: &Document,
    metadata: &Metadata,
    layouts: &Layouts,
) -> Option<Edit> {
    let text = outline.text.as_str();
    let sops = document.sops.as_ref()?;
    let entry = Span::new(sops.key_span.start, sops.value.span.end);
    let root: &Node = document.root.as_ref()?;
    if outline.notation == Notation::Json {
        return Some((entry, metadata.to_json(&layouts.json)));
    }
    if text[root.span.start..].starts_with('{') {
        return Some((entry, metadata.to_flow()));
    }
    let block = metadata.to_block(column(text, entry.start), layouts.yaml);
    Some((block_lines(text, entry), block))
}
