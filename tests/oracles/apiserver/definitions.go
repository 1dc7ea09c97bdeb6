package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// definition is a CustomResourceDefinition as JSON.
type definition map[string]any

// row is a line of the table: a definition, and the file that has it.
type row struct{ name, kind, versions, from, source, version, path, release string }

const columns = "definition\tkind\tversions\tfrom\tsource\tversion\tpath\trelease"

func (each definition) at(fields ...string) string {
	text, _, _ := unstructured.NestedString(each, fields...)
	return text
}

func (each definition) name() string { return each.at("metadata", "name") }

func (each definition) groupKind() schema.GroupKind {
	return schema.GroupKind{Group: each.at("spec", "group"), Kind: each.at("spec", "names", "kind")}
}

func (each definition) versions() []map[string]any {
	list, _, _ := unstructured.NestedSlice(each, "spec", "versions")
	var versions []map[string]any
	for _, version := range list {
		versions = append(versions, version.(map[string]any))
	}
	return versions
}

// served returns the versions that the server is to serve, in the definition's order.
func (each definition) served() []string {
	var served []string
	for _, version := range each.versions() {
		if version["served"] == true {
			served = append(served, version["name"].(string))
		}
	}
	return served
}

func readTable(file string) ([]row, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if lines[0] != columns {
		return nil, fmt.Errorf("%s: the first line is not `%s`", file, columns)
	}
	var rows []row
	for number, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		if len(cells) != 8 {
			return nil, fmt.Errorf("%s:%d: %d cells, not 8", file, number+2, len(cells))
		}
		rows = append(rows, row{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7]})
	}
	return rows, nil
}

// helmAction is a line that a chart's template has between those of a definition.
var helmAction = regexp.MustCompile(`(?m)^\s*\{\{.*\}\}\s*$`)

// find returns the definition of a row among the documents of a file, and compares it with the row.
func (wanted row) find(text []byte) (definition, error) {
	text = helmAction.ReplaceAll(text, nil)
	for document := range bytes.SplitSeq(text, []byte("\n---")) {
		var found definition
		if err := yaml.Unmarshal(document, &found); err != nil || found.name() != wanted.name {
			continue
		}
		kind, versions := found.groupKind().Kind, strings.Join(found.served(), ",")
		if kind != wanted.kind || versions != wanted.versions {
			return nil, fmt.Errorf("%s: the table says %s %s, the file %s %s", wanted.name, wanted.kind, wanted.versions, kind, versions)
		}
		return found, nil
	}
	return nil, fmt.Errorf("%s: not in %s of %s %s", wanted.name, wanted.path, wanted.source, wanted.version)
}

// collectDefinitions writes all definitions of the table: those of modules as upstream has them, from the
// Go module proxy, and the others from the packed structures.
func collectDefinitions(arguments []string) error {
	flags := flag.NewFlagSet("definitions", flag.ExitOnError)
	table := flags.String("table", "crds.tsv", "which definitions, and where they are from")
	structures := flags.String("structures", "structures.json.gz", "those that are in no module")
	sums := flags.String("sums", "modules.sum", "the digests of the modules")
	out := flags.String("out", "definitions.json", "the file to write")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	rows, err := readTable(*table)
	if err != nil {
		return err
	}
	packed, err := readStructures(*structures)
	if err != nil {
		return err
	}
	pins, err := os.ReadFile(*sums)
	if err != nil {
		return err
	}
	modules := moduleCache{pins: strings.Split(string(pins), "\n"), folders: map[string]string{}}
	var collected []definition
	for _, wanted := range rows {
		found, isPacked := packed[wanted.name], wanted.from == "repository"
		if isPacked == (found == nil) {
			return fmt.Errorf("%s: the table and %s disagree", wanted.name, *structures)
		}
		if !isPacked {
			if found, err = modules.read(wanted); err != nil {
				return err
			}
			delete(found, "status")
			// No webhook runs here.
			unstructured.RemoveNestedField(found, "spec", "conversion")
		}
		collected = append(collected, found)
	}
	text, err := json.Marshal(collected)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, append(text, '\n'), 0o644)
}

// moduleCache has the folders of modules that were asked for.
type moduleCache struct {
	pins    []string
	folders map[string]string
}

func (modules moduleCache) read(wanted row) (definition, error) {
	module := wanted.source + "@" + wanted.version
	folder, isKnown := modules.folders[module]
	if !isKnown {
		var err error
		if folder, err = modules.download(module); err != nil {
			return nil, err
		}
		modules.folders[module] = folder
	}
	text, err := os.ReadFile(filepath.Join(folder, wanted.path))
	if err != nil {
		return nil, err
	}
	return wanted.find(text)
}

func (modules moduleCache) download(module string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", module)
	// Not the module of the current folder: this one has nothing to do with it.
	command.Dir = os.TempDir()
	text, err := command.Output()
	var told struct{ Dir, Sum, Error string }
	if parsing := json.Unmarshal(text, &told); parsing != nil || told.Error != "" || err != nil {
		return "", fmt.Errorf("go mod download %s: %v %s", module, err, told.Error)
	}
	if line := strings.Replace(module, "@", " ", 1) + " " + told.Sum; !slices.Contains(modules.pins, line) {
		return "", fmt.Errorf("modules.sum does not have the line `%s`", line)
	}
	return told.Dir, nil
}

func readStructures(file string) (map[string]definition, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var list []definition
	if err := json.NewDecoder(unpacked).Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	structures := map[string]definition{}
	for _, each := range list {
		structures[each.name()] = each
	}
	return structures, nil
}

// packStructures writes the structure, without prose, of each definition of the table that is in no module.
// The bytes depend on the definitions alone.
func packStructures(arguments []string) error {
	flags := flag.NewFlagSet("pack", flag.ExitOnError)
	table := flags.String("table", "crds.tsv", "which definitions, and where they are from")
	repositories := flags.String("repositories", "", "folder of checkouts or bare clones: OWNER/NAME, OWNER+NAME/repo or NAME")
	folder := flags.String("definitions", "", "folder of definitions in YAML, in any layout")
	out := flags.String("out", "structures.json.gz", "the file to write")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	rows, err := readTable(*table)
	if err != nil {
		return err
	}
	read := func(wanted row) ([]byte, error) { return readRevision(*repositories, wanted) }
	if *folder != "" {
		read = func(wanted row) ([]byte, error) { return readFolder(*folder, wanted.name) }
	}
	var packed []definition
	for _, wanted := range rows {
		if wanted.from != "repository" {
			continue
		}
		text, err := read(wanted)
		if err != nil {
			return err
		}
		found, err := wanted.find(text)
		if err != nil {
			return err
		}
		packed = append(packed, structureOf(found))
	}
	text, err := json.Marshal(packed)
	if err != nil {
		return err
	}
	var compressed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := writer.Write(text); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return os.WriteFile(*out, compressed.Bytes(), 0o644)
}

// readRevision reads a file as the tag of a repository has it.
func readRevision(repositories string, wanted row) ([]byte, error) {
	name := strings.TrimPrefix(wanted.source, "github.com/")
	for _, layout := range []string{name, strings.Replace(name, "/", "+", 1) + "/repo", filepath.Base(name)} {
		folder := filepath.Join(repositories, layout)
		if _, err := os.Stat(folder); err != nil {
			continue
		}
		text, err := exec.Command("git", "-C", folder, "show", wanted.version+":"+wanted.path).Output()
		if err != nil {
			return nil, fmt.Errorf("%s: git show %s:%s: %w", folder, wanted.version, wanted.path, err)
		}
		return text, nil
	}
	return nil, fmt.Errorf("%s: no clone of it in %s", wanted.source, repositories)
}

// readFolder returns the text of the first file that defines a kind of this name.
func readFolder(folder, name string) (text []byte, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		read, err := os.ReadFile(path)
		if err == nil && bytes.Contains(read, []byte("kind: CustomResourceDefinition")) && bytes.Contains(read, []byte("name: "+name+"\n")) {
			text = read
			return fs.SkipAll
		}
		return err
	})
	if err == nil && text == nil {
		err = fmt.Errorf("%s: no file in %s has it", name, folder)
	}
	return text, err
}

// structureOf returns what of a definition the server decides by: no prose, no columns for people, no webhook.
func structureOf(found definition) definition {
	metadata := map[string]any{"name": found.name()}
	const approval = "api-approved.kubernetes.io"
	if url := found.at("metadata", "annotations", approval); url != "" {
		metadata["annotations"] = map[string]any{approval: url}
	}
	var versions []any
	for _, version := range found.versions() {
		kept := keep(version, "name", "served", "storage", "deprecated", "deprecationWarning", "subresources", "selectableFields")
		if validation, has := version["schema"].(map[string]any); has {
			root := validation["openAPIV3Schema"].(map[string]any)
			stripSchema(root)
			kept["schema"] = map[string]any{"openAPIV3Schema": root}
		}
		versions = append(versions, kept)
	}
	spec := keep(found["spec"].(map[string]any), "group", "names", "scope", "preserveUnknownFields")
	spec["versions"] = versions
	return definition{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   metadata,
		"spec":       spec,
	}
}

func keep(all map[string]any, names ...string) map[string]any {
	kept := map[string]any{}
	for _, name := range names {
		if value, has := all[name]; has {
			kept[name] = value
		}
	}
	return kept
}

// stripSchema takes the prose out of a schema and of all within; a property that is called `description` stays.
func stripSchema(node any) {
	schema, isSchema := node.(map[string]any)
	if !isSchema {
		return
	}
	for _, prose := range []string{"description", "title", "example", "externalDocs"} {
		delete(schema, prose)
	}
	for _, word := range []string{"properties", "patternProperties"} {
		children, _ := schema[word].(map[string]any)
		for _, child := range children {
			stripSchema(child)
		}
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		children, _ := schema[word].([]any)
		for _, child := range children {
			stripSchema(child)
		}
	}
	for _, word := range []string{"not", "items", "additionalProperties"} {
		stripSchema(schema[word])
	}
	rules, _ := schema["x-kubernetes-validations"].([]any)
	for _, rule := range rules {
		// The server wants a message of a rule of several lines, and has one of its own for the others.
		if rule := rule.(map[string]any); !strings.Contains(rule["rule"].(string), "\n") {
			delete(rule, "message")
		} else if _, has := rule["message"]; has {
			rule["message"] = "the rule does not hold"
		}
	}
}
