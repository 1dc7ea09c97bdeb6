package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"
)

type options struct {
	strict bool
	sops   string
}

// applied is an object that Flux hands to the API server, and the Kustomization that does it.
type applied struct {
	Owner  string         `json:"owner"`
	Object map[string]any `json:"object"`
}

// withheld is a Kustomization of which nothing is applied.
type withheld struct {
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
}

type result struct {
	Objects []applied  `json:"objects"`
	NotSeen []withheld `json:"notSeen"`
	Refused []withheld `json:"refused"`
}

// follow builds the Kustomizations of the files and all that come out, again and again while that leads further: one may
// need a Secret that a later one brings.
func follow(root string, files []string, options options) result {
	found := result{Objects: []applied{}, NotSeen: []withheld{}, Refused: []withheld{}}
	state := newCluster()
	var queue []unstructured.Unstructured
	take := func(owner string, object unstructured.Unstructured) {
		if isKustomization(object) {
			queue = append(queue, object)
		} else if err := state.apply(object); err != nil {
			reason := fmt.Sprintf("%s %s: %v", object.GetKind(), object.GetName(), err)
			found.Refused = append(found.Refused, withheld{owner, reason})
		}
	}
	for _, file := range files {
		objects, err := documents(file)
		if err != nil {
			found.Refused = append(found.Refused, withheld{file, err.Error()})
		}
		for _, object := range objects {
			take(file, object)
		}
	}
	if len(queue) == 0 {
		found.Refused = append(found.Refused, withheld{"-", "no Kustomization to start with"})
		return found
	}
	own := source(queue[0])
	done := map[string]bool{}
	failed := map[string]error{}
	for progress := true; progress; {
		progress = false
		// The queue grows in the loop.
		for at := 0; at < len(queue); at++ {
			owner := name(queue[at])
			if done[owner] {
				continue
			}
			if reason := whyNotSeen(queue[at], own); reason != "" {
				done[owner] = true
				found.NotSeen = append(found.NotSeen, withheld{owner, reason})
				continue
			}
			objects, err := build(root, queue[at], state, options)
			if failed[owner] = err; err != nil {
				continue
			}
			done[owner], progress = true, true
			for _, object := range objects {
				found.Objects = append(found.Objects, applied{owner, object})
				take(owner, unstructured.Unstructured{Object: object})
			}
		}
	}
	told := map[string]bool{}
	for _, kustomization := range queue {
		owner := name(kustomization)
		if err := failed[owner]; err != nil && !told[owner] {
			told[owner] = true
			// The copy has another path each time.
			reason := strings.ReplaceAll(err.Error(), root, ".")
			found.Refused = append(found.Refused, withheld{owner, reason})
		}
	}
	return found
}

// build gives what one Kustomization applies, in the controller's order: generate, build, decrypt, substitute, label.
func build(root string, kustomization unstructured.Unstructured, state *cluster, options options) (objects []map[string]any, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	path, _, _ := unstructured.NestedString(kustomization.Object, "spec", "path")
	folder := filepath.Join(root, path)
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("spec.path: there is no %s", path)
	}
	action, err := kustomize.NewGenerator(root, kustomization).WriteFile(folder, kustomize.WithSaveOriginalKustomization())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kustomize.CleanDirectory(folder, action)) }()
	// A remote base is a refusal here, never nothing: it cannot be read from the tree.
	built, err := kustomize.SecureBuild(root, folder, false)
	if err != nil {
		return nil, err
	}
	for _, object := range built.Resources() {
		content, err := finish(kustomization, object, state, options)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		objects = append(objects, content)
	}
	return objects, nil
}

func finish(kustomization unstructured.Unstructured, object *resource.Resource, state *cluster, options options) (map[string]any, error) {
	if object.GetName() == "" || object.GetKind() == "" || object.GetApiVersion() == "" {
		return nil, errors.New("has no apiVersion, kind or name")
	}
	if err := decrypt(kustomization, object, options.sops); err != nil {
		return nil, err
	}
	if _, set, _ := unstructured.NestedMap(kustomization.Object, "spec", "postBuild"); set {
		strategy, _, _ := unstructured.NestedString(kustomization.Object, "spec", "postBuild", "substituteStrategy")
		substituted, err := kustomize.SubstituteVariables(context.Background(), state, kustomization, object,
			kustomize.SubstituteWithStrict(options.strict), kustomize.SubstituteWithAlways(strategy == "Always"))
		if err != nil {
			return nil, err
		}
		if substituted != nil {
			object = substituted
		}
	}
	// By its text, as the controller does: writing a folded text and reading it again doubles line breaks.
	text, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var labelled unstructured.Unstructured
	if err := labelled.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	for _, field := range []string{"labels", "annotations"} {
		common, _, err := unstructured.NestedStringMap(kustomization.Object, "spec", "commonMetadata", field)
		if err != nil {
			return nil, err
		}
		for key, value := range common {
			if err := unstructured.SetNestedField(labelled.Object, value, "metadata", field, key); err != nil {
				return nil, err
			}
		}
	}
	return labelled.Object, nil
}

func isKustomization(object unstructured.Unstructured) bool {
	return object.GetKind() == "Kustomization" && object.GroupVersionKind().Group == "kustomize.toolkit.fluxcd.io"
}

func name(object unstructured.Unstructured) string {
	return object.GetNamespace() + "/" + object.GetName()
}

// source names the object that a Kustomization takes its files from.
func source(kustomization unstructured.Unstructured) string {
	field := func(key string) string {
		text, _, _ := unstructured.NestedString(kustomization.Object, "spec", "sourceRef", key)
		return text
	}
	namespace := field("namespace")
	if namespace == "" {
		namespace = kustomization.GetNamespace()
	}
	return field("kind") + " " + namespace + "/" + field("name")
}

// whyNotSeen says why a Kustomization's objects are none of this cluster's, or cannot be known from the tree.
func whyNotSeen(kustomization unstructured.Unstructured, own string) string {
	if _, set, _ := unstructured.NestedMap(kustomization.Object, "spec", "kubeConfig"); set {
		return "is applied to another cluster (spec.kubeConfig)"
	}
	if suspended, _, _ := unstructured.NestedBool(kustomization.Object, "spec", "suspend"); suspended {
		return "is suspended"
	}
	if from := source(kustomization); from != own {
		return "comes from " + from
	}
	return ""
}

func documents(path string) (objects []unstructured.Unstructured, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if err == io.EOF {
			return objects, nil
		}
		if err != nil {
			return objects, err
		}
		var content map[string]any
		if err := yaml.Unmarshal(document, &content); err != nil {
			return objects, err
		}
		if content != nil {
			objects = append(objects, unstructured.Unstructured{Object: content})
		}
	}
}
